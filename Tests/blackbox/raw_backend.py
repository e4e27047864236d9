"""A backend of raw bytes. It keeps what it received byte for byte, and answers what the test says, also what no library
would send."""
import itertools
import socket
import struct
import threading
import time

TIMEOUT = 60
# Longer than any stream of a test lives.
CONNECTION_TIMEOUT = 600
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok"


def response(status=200, *lines, body=b"ok"):
    """A response with a length. `lines` are header lines."""
    head = [f"HTTP/1.1 {status} Status", *lines, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(head).encode("latin-1") + body


class Gone(Exception):
    """The gateway closed the connection before the bytes that were expected."""


class Request:
    def __init__(self, head, body=b""):
        self.head = head
        self.body = body
        self.trailers = []
        first, *lines = head[:-4].decode("latin-1").split("\r\n")
        self.method, self.target, self.version = first.split(" ")
        self.lines = [(name, value.strip(" \t")) for name, _, value in (line.partition(":") for line in lines)]

    def values(self, name):
        return [value for key, value in self.lines if key.lower() == name.lower()]

    def value(self, name):
        """The value of a header that is there once; None without it."""
        values = self.values(name)
        assert len(values) <= 1, (name, self.lines)
        return values[0] if values else None

    @property
    def names(self):
        return [key.lower() for key, _ in self.lines]

    @property
    def path(self):
        return self.target.split("?")[0]

    def __repr__(self):
        return f"<{self.head!r} {self.body[:100]!r}>"


class Connection:
    """One connection of the gateway, as the backend sees it."""

    def __init__(self, backend, connected):
        self.backend = backend
        self.socket = connected
        self.buffer = b""
        self.is_open = True

    def _receive(self):
        try:
            data = self.socket.recv(1 << 18)
        except OSError:
            data = b""
        if not data:
            raise Gone(self.buffer[:200])
        with self.backend.changed:
            self.backend.byte_count += len(data)
        self.buffer += data

    def until(self, mark):
        while mark not in self.buffer:
            self._receive()
        return self.exactly(self.buffer.index(mark) + len(mark))

    def exactly(self, count):
        while len(self.buffer) < count:
            self._receive()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def some(self):
        """What has arrived, at least one byte."""
        while not self.buffer:
            self._receive()
        data, self.buffer = self.buffer, b""
        return data

    def body(self, request):
        """The body of a request without its framing, piece by piece."""
        if request.value("transfer-encoding") == "chunked":
            while size := int(self.until(b"\r\n"), 16):
                yield self.exactly(size)
                assert self.exactly(2) == b"\r\n"
            while line := self.until(b"\r\n")[:-2]:
                request.trailers.append(line)
            return
        left = int(request.value("content-length") or 0)
        while left:
            piece = self.some()
            self.buffer = piece[left:]
            yield piece[:left]
            left -= len(piece[:left])

    def send(self, data):
        self.socket.sendall(data)

    def send_slowly(self, data, pause=0.002):
        for index in range(len(data)):
            self.send(data[index:index + 1])
            time.sleep(pause)

    def wait_for_end(self):
        """Waits until the gateway closes the connection."""
        try:
            while True:
                self._receive()
        except Gone:
            return

    def close(self):
        self.is_open = False
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()

    def reset(self):
        """Ends the connection by RST."""
        self.is_open = False
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class Backend:
    def __init__(self, path=None):
        """`path`: of a Unix socket; without one it listens on a free port of the loopback interface."""
        if path:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(str(path))
            self.listener.listen(128)
            self.address = f"unix:{path}"
        else:
            self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
            self.address = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.changed = threading.Condition()
        self.requests = []
        self.connections = []
        self.byte_count = 0
        self.answers = {}
        self.default = OK
        self._numbers = itertools.count()
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def on(self, answer, below=""):
        """A new path, and what is answered there: bytes for after the request, or a function of connection and request."""
        path = f"{below}/{next(self._numbers)}"
        self.answers[path] = answer
        return path

    def _accept(self):
        while True:
            try:
                connected, _ = self.listener.accept()
            except OSError:
                return
            connected.settimeout(CONNECTION_TIMEOUT)
            if connected.family == socket.AF_INET:
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(self, connected)
            with self.changed:
                self.connections.append(connection)
                self.changed.notify_all()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            while connection.is_open:
                self._serve_one(connection)
        except (Gone, OSError):
            pass
        finally:
            connection.close()

    def _serve_one(self, connection):
        request = Request(connection.until(b"\r\n\r\n"))
        with self.changed:
            self.requests.append(request)
            self.changed.notify_all()
        answer = self.answers.get(request.path, self.default)
        if callable(answer):
            answer(connection, request)
            return
        for piece in connection.body(request):
            request.body += piece
        with self.changed:
            self.changed.notify_all()
        if request.method == "HEAD":
            answer = answer[:answer.index(b"\r\n\r\n") + 4]
        connection.send(answer)

    def to(self, path):
        """The requests to one path, without query."""
        with self.changed:
            return [request for request in self.requests if request.path == path]

    def wait_for(self, path, count=1):
        """The latest request to a path, when there are `count`."""
        with self.changed:
            found = lambda: [request for request in self.requests if request.path == path]
            assert self.changed.wait_for(lambda: len(found()) >= count, TIMEOUT), f"{path} did not arrive"
            return found()[-1]

    def one(self, path):
        """The only request to a path."""
        found = self.to(path)
        assert len(found) == 1, found
        return found[0]

    def stop(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        for connection in self.connections:
            connection.close()


def free_port():
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
