"""Between a proxy and Cloakroom's private listener: records the checks, counts connections, and can fail in each way that a
server fails."""
import contextlib
import os
import socket
import threading

from wire import Closed, RawAnswer, Wire


class Stream(Wire):
    """A connection that is already open."""

    def __init__(self, connection):
        self.socket = connection
        self.buffer = b""

    def read(self, count):
        return self._exactly(count)

    def read_until(self, mark):
        return self._until(mark)

    def head(self):
        return self.read_until(b"\r\n\r\n")

    def body(self, head, request):
        if request.startswith(b"HEAD "):
            return b""
        length = RawAnswer(head[:-4], b"").header("content-length")
        return self.read(int(length or 0))


class Relay:
    def __init__(self, path, target):
        self.path = str(path)
        self.target = str(target)
        self.checks = []
        self.accepted = 0
        self.response = None    # instead of Cloakroom's
        self.delay = 0          # seconds before each response
        self.pace = 0           # seconds between two bytes of it
        self.stopped = threading.Event()
        self.open = set()
        self.listen()

    def listen(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        os.chmod(self.path, 0o666)
        self.listener.listen(128)
        threading.Thread(target=self.accept, args=[self.listener], daemon=True).start()

    def accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.accepted += 1
            self.open.add(connection)
            threading.Thread(target=self.serve, args=[Stream(connection)], daemon=True).start()

    def serve(self, proxy):
        upstream = None
        try:
            while True:
                head = proxy.head()
                self.checks.append(head.decode("latin-1"))
                if self.stopped.wait(self.delay):
                    return
                if self.response is not None:
                    self.send_response(proxy)
                    continue
                upstream = upstream or self.connect()
                upstream.send(head)
                answer = upstream.head()
                proxy.send(answer + upstream.body(answer, head))
        except (OSError, Closed):
            pass
        finally:
            for stream in filter(None, (proxy, upstream)):
                stream.socket.close()
            self.open.discard(proxy.socket)

    def send_response(self, proxy):
        if not self.pace:
            return proxy.send(self.response)
        for byte in self.response:
            if self.stopped.wait(self.pace):
                return
            proxy.send(bytes([byte]))

    def connect(self):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self.target)
        return Stream(connection)

    def fail(self, response=None, delay=0, pace=0):
        self.response, self.delay, self.pace = response, delay, pace

    def go_down(self):
        """As when the process has been killed: the path is there and refuses connections."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in list(self.open):
            with contextlib.suppress(OSError):      # closed already
                connection.shutdown(socket.SHUT_RDWR)

    def come_back(self):
        self.fail()
        os.unlink(self.path)
        self.listen()

    def stop(self):
        self.stopped.set()
        self.go_down()
