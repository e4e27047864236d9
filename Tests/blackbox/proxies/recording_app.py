"""An app that records every request as the bytes that it received."""
import base64
import hashlib
import re
import socketserver
import threading

BODY = b"the app"


class Backend:
    """The path chooses the status of the response: 404 for `/answers/404`, no response for `/answers/none`, otherwise 200. After a WebSocket handshake the
    connection sends back what it receives."""

    def __init__(self):
        self.requests = []
        self.bodies = []
        self.trailers = []
        self.may_go_on = threading.Event()
        self.arrived = 0        # bytes of the bodies, also of those that have not ended
        self.cookies = {}       # by path: a function of the request's head that returns lines of Set-Cookie
        backend = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                try:
                    while head := read_head(self.rfile):
                        backend.requests.append(head)
                        if is_handshake(head):
                            return self.echo(head)
                        if re.search(r"^expect: 100-continue", head, re.I | re.M):
                            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                        backend.bodies.append(sum(backend.count(piece) for piece in body(self.rfile, head)))
                        if re.search(r"^transfer-encoding: chunked", head, re.I | re.M):
                            backend.trailers.append(read_trailers(self.rfile))
                        if head.startswith("GET /events "):
                            return self.stream()
                        self.wfile.write(response(head, backend.cookies_for(head)))
                except ConnectionError:
                    pass

            def stream(self):
                """One event, and a second one when the test allows it."""
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: one\n\n")
                backend.may_go_on.wait(600)
                self.wfile.write(b"data: two\n\n")

            def echo(self, head):
                self.wfile.write((
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSet-Cookie: own=1; Path=/\r\n"
                    f"Sec-WebSocket-Accept: {accept(head)}\r\n\r\n").encode())
                while data := self.connection.recv(65536):
                    self.wfile.write(data)

        class Threads(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 64

        self.server = Threads(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def count(self, size):
        self.arrived += size
        return size

    def cookies_for(self, head):
        chosen = self.cookies.get(head.split(" ", 2)[1])
        return chosen(head) if chosen else ["own=1; Path=/"]

    def header(self, name, request=-1):
        """All values of this header, in any case of its name."""
        lines = self.requests[request].split("\r\n")[1:]
        return [line.split(":", 1)[1].strip() for line in lines if line.lower().startswith(name.lower() + ":")]

    @property
    def target(self):
        """The target of the last request, with the bytes that arrived."""
        return self.requests[-1].split("\r\n")[0].split(" ", 1)[1].rsplit(" ", 1)[0]

    def forget(self):
        self.requests.clear()
        self.bodies.clear()
        self.trailers.clear()
        self.may_go_on.clear()
        self.arrived = 0

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def read_head(file):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = file.readline()
        if not line:
            return None
        head += line
    return head.decode("latin-1")


def read_trailers(file):
    trailers = b""
    while (line := file.readline()) not in (b"\r\n", b""):
        trailers += line
    return trailers.decode("latin-1")


def is_handshake(head):
    return re.search(r"^upgrade: websocket", head, re.I | re.M)


def accept(head):
    """HAProxy verifies this header. RFC 6455, section 4.2.2."""
    key = re.search(r"^sec-websocket-key: (\S+)", head, re.I | re.M)[1]
    return base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()


def body(file, head):
    """The sizes of the pieces of a body, in the order in which they arrive."""
    if length := re.search(r"^content-length: (\d+)", head, re.I | re.M):
        yield from pieces(file, int(length[1]))
    while re.search(r"^transfer-encoding: chunked", head, re.I | re.M):
        if not (size := int(file.readline(), 16)):
            break
        yield from pieces(file, size)
        file.readline()


def pieces(file, size):
    while size:
        piece = len(file.read1(min(size, 65536)))
        if not piece:
            raise ConnectionResetError
        size -= piece
        yield piece


def response(head, cookies):
    if head.startswith("GET /answers/none "):
        raise ConnectionResetError
    status = int(match[1]) if (match := re.match(r"\w+ /answers/(\d+)", head)) else 200
    content = b"" if status in (204, 304) else BODY
    length = "" if status == 204 else f"Content-Length: {len(BODY)}\r\n"
    length += "".join(f"Set-Cookie: {cookie}\r\n" for cookie in cookies)
    return (
        f"HTTP/1.1 {status} Chosen\r\n{length}Cache-Control: public, max-age=600\r\n"
        "X-Auth-Set-Cookie: evil\r\nX-Auth-Cache-Control: evil\r\nAuthorization: evil\r\n\r\n").encode() + (
        b"" if head.startswith("HEAD ") else content)
