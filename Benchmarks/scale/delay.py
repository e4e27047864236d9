"""A proxy between a server and PostgreSQL that delays what it forwards, as a distance would."""
import pathlib
import socket
import tempfile
import threading
import time


class Delay:
    """Listens on a socket of its own, with the name that libpq expects. `seconds` is the delay in each direction."""

    def __init__(self, target):
        self.target, self.seconds = target, 0
        self.directory = tempfile.mkdtemp(prefix="cloakroom-delay-")
        self.host = self.directory.replace("/", "%2F")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(f"{self.directory}/{pathlib.Path(target).name}")
        self.listener.listen()

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.target)
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._forward, args=[source, sink], daemon=True).start()

    def _forward(self, source, sink):
        """Each piece leaves `seconds` after it came, so pieces do not wait for each other."""
        waiting, ready = [], threading.Condition()

        def send():
            while True:
                with ready:
                    while not waiting:
                        ready.wait()
                    due, data = waiting.pop(0)
                time.sleep(max(0, due - time.monotonic()))
                try:
                    if not data:
                        sink.shutdown(socket.SHUT_WR)
                        return
                    sink.sendall(data)
                except OSError:
                    return
        threading.Thread(target=send, daemon=True).start()
        data = b"?"
        while data:
            try:
                data = source.recv(65536)
            except OSError:
                data = b""
            with ready:
                waiting.append((time.monotonic() + self.seconds, data))
                ready.notify()
