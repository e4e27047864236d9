"""A raw HTTP connection, for requests that a library does not send and details of responses that it hides."""
import json
import socket

import described

TIMEOUT = 120


class Closed(Exception):
    """The server closed the connection without a response."""


class RawAnswer:
    def __init__(self, head, body):
        first, *lines = head.decode("latin-1").split("\r\n")
        self.version, status, _ = (first + " ").split(" ", 2)
        self.status = int(status)
        self.headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines]
        self.body = body

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def values(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def set_cookies(self):
        return self.values("set-cookie")

    @property
    def code(self):
        """The code of a problem; None for any other body."""
        try:
            return json.loads(self.body).get("code")
        except (ValueError, AttributeError):
            return None

    @property
    def closes(self):
        return "close" in (self.header("connection") or "").lower()

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:200]!r}>"


class Wire:
    def __init__(self, server, private=False):
        self.socket = socket.create_connection(("127.0.0.1", server.private_port if private else server.port), TIMEOUT)
        if server.certificate and not private:
            self.socket = server.tls("http/1.1").wrap_socket(self.socket, server_hostname="127.0.0.1")
        self.host = f"127.0.0.1:{server.port}"
        self.private = private
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def request(self, method, target, headers=(), body=b"", version="HTTP/1.1", host=True):
        """Sends one request. `host`: False for no Host header, or another value."""
        lines = [f"{method} {target} {version}"]
        if host:
            lines.append(f"Host: {self.host if host is True else host}")
        lines += [f"{name}: {value}" for name, value in dict(headers).items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    def answer(self, method="GET"):
        """Reads one response. Responses to HEAD, 204 and 304 have no body."""
        head = self._until(b"\r\n\r\n")
        answer = RawAnswer(head[:-4], b"")
        if method == "HEAD" or answer.status in (204, 304) or 100 <= answer.status < 200:
            return answer
        if (answer.header("transfer-encoding") or "").lower() == "chunked":
            answer.body = self._chunks()
        elif (length := answer.header("content-length")) is not None:
            answer.body = self._exactly(int(length))
        else:
            answer.body = self.rest()
        return answer

    def ask(self, method, target, headers=(), **options):
        self.request(method, target, headers, **options)
        answer = self.answer(method)
        described.check(method, target, answer, self.private)
        return answer

    def rest(self):
        """Reads until the server closes the connection."""
        while True:
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                rest, self.buffer = self.buffer, b""
                return rest
            self.buffer += data

    def _receive(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            raise Closed(self.buffer)
        self.buffer += data

    def _until(self, mark):
        while mark not in self.buffer:
            self._receive()
        return self._exactly(self.buffer.index(mark) + len(mark))

    def _exactly(self, count):
        while len(self.buffer) < count:
            self._receive()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def _chunks(self):
        body = b""
        while size := int(self._until(b"\r\n").split(b";")[0], 16):
            body += self._exactly(size)
            self._exactly(2)
        self._until(b"\r\n")
        return body
