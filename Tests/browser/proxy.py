"""A reverse proxy that records requests and responses, changes them for a test, and serves its own pages: the app around
Cloakroom, or an attacker's site. The browser tests assert what was recorded here."""
import contextlib
import dataclasses
import http.client
import http.server
import ssl
import threading
import time

HOP = {"connection", "keep-alive", "transfer-encoding", "proxy-connection", "content-length"}


@dataclasses.dataclass
class Exchange:
    method: str
    path: str
    headers: dict
    body: bytes
    status: int = 0
    answer_headers: list = dataclasses.field(default_factory=list)
    answer: bytes = b""

    @property
    def set_cookies(self):
        return [value for name, value in self.answer_headers if name.lower() == "set-cookie"]


class Proxy:
    """Listens on its own port, for every host name that resolves to this machine."""

    def __init__(self, upstream=None, certificate=None):
        self.upstream = upstream
        self.exchanges = []
        self.pages = {}
        # Called with an exchange before it is forwarded. True: this function has responded, do not forward.
        self.intercept = lambda exchange: False
        # Called with an exchange before its response is sent. True: drop the response and close the connection.
        self.interfere = lambda exchange: None
        self.lock = threading.Lock()
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self):
                with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError):
                    proxy.handle(self)

            def log_message(self, *_):
                pass

        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            setattr(Handler, f"do_{method}", Handler.handle_any)

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.scheme = "https" if certificate else "http"
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        self.server.shutdown()
        self.server.server_close()

    def origin(self, host="localhost"):
        return f"{self.scheme}://{host}:{self.port}"

    def page(self, path, body, content_type="text/html; charset=utf-8", **headers):
        fields = {"Content-Type": content_type, "Cache-Control": "no-store"}
        self.pages[path] = fields | {name.replace("_", "-"): value for name, value in headers.items()}, body.encode()

    def handle(self, handler):
        length = int(handler.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in handler.headers.items()}
        exchange = Exchange(handler.command, handler.path, headers, handler.rfile.read(length))
        page = self.pages.get(handler.path.split("?")[0])
        if self.intercept(exchange):
            pass
        elif page:
            exchange.status, exchange.answer_headers, exchange.answer = 200, list(page[0].items()), page[1]
        elif self.upstream:
            self.forward(handler, exchange)
        else:
            exchange.status = 404
        swallowed = self.interfere(exchange)
        with self.lock:
            self.exchanges.append(exchange)
        if swallowed:
            handler.close_connection = True
            handler.connection.close()
            return
        handler.send_response_only(exchange.status)
        for name, value in exchange.answer_headers:
            handler.send_header(name, value)
        if exchange.status != 204 and exchange.status != 304:
            handler.send_header("Content-Length", str(len(exchange.answer)))
        handler.end_headers()
        if exchange.method != "HEAD":
            handler.wfile.write(exchange.answer)

    def forward(self, handler, exchange):
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream.port, timeout=120)
        connection.putrequest(exchange.method, exchange.path, skip_host=True, skip_accept_encoding=True)
        for name, value in handler.headers.items():
            if name.lower() not in HOP:
                connection.putheader(name, value)
        connection.putheader("Connection", "close")
        if exchange.body or exchange.method == "POST":
            connection.putheader("Content-Length", str(len(exchange.body)))
        connection.endheaders(exchange.body or None)
        response = connection.getresponse()
        exchange.status = response.status
        exchange.answer_headers = [(name, value) for name, value in response.getheaders() if name.lower() not in HOP]
        exchange.answer = response.read()
        connection.close()

    def seen(self, method=None, path=None, since=0):
        with self.lock:
            exchanges = self.exchanges[since:]
        return [
            exchange for exchange in exchanges
            if (method is None or exchange.method == method) and (path is None or exchange.path.split("?")[0] == path)]

    def wait_for(self, method, path, count=1, seconds=120):
        end = time.monotonic() + seconds
        while len(self.seen(method, path)) < count:
            assert time.monotonic() < end, f"{method} {path} did not come"
            time.sleep(0.02)
        return self.seen(method, path)
