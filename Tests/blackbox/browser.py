"""An HTTP client with one cookie, kept byte for byte. It sends the headers that a page of the app sends."""
import base64
import http.client
import itertools
import json
import socket

import described

NAME = "__Host-Http-session"
PASSWORD = "correct horse battery"
TIMEOUT = 120
_numbers = itertools.count()


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=TIMEOUT)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(self.path)


def connect(server, private=False):
    if private and server.private_socket:
        return UnixConnection(server.private_socket)
    if server.certificate and not private:
        return http.client.HTTPSConnection("127.0.0.1", server.port, timeout=TIMEOUT, context=server.tls("http/1.1"))
    return http.client.HTTPConnection("127.0.0.1", server.private_port if private else server.port, timeout=TIMEOUT)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.getheaders()
        self.body = response.read()

    def header(self, name):
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return values[0] if values else None

    @property
    def set_cookies(self):
        return [value for key, value in self.headers if key.lower() == "set-cookie"]

    @property
    def cookie(self):
        """The value of the session cookie in `Set-Cookie`; None without one."""
        return self.set_cookies[0].split(";")[0].split("=", 1)[1] if self.set_cookies else None

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        try:
            return self.json.get("code")
        except (ValueError, AttributeError):
            return None

    def __repr__(self):
        return f"<{self.status} {self.body[:200]!r}>"


class Client:
    def __init__(self, server, cookie=None):
        self.server = server
        self.cookie = cookie

    def copy(self):
        return Client(self.server, self.cookie)

    def send(self, method, path, json_body=None, body=None, headers=None, cookie=True, keep=True, private=False):
        """Sends one request. `cookie` replaces the jar's value, False sends none. A header with the value None is not
        sent. `private` sends the request to the private listener."""
        fields = {}
        if method not in ("GET", "HEAD"):
            fields |= {"Origin": self.server.origin, "Sec-Fetch-Site": "same-origin"}
        if json_body is not None:
            body = json.dumps(json_body)
            fields["Content-Type"] = "application/json"
        value = self.cookie if cookie is True else cookie
        if value:
            fields["Cookie"] = f"{NAME}={value}"
        fields |= headers or {}
        connection = connect(self.server, private)
        connection.request(method, path, body, {key: text for key, text in fields.items() if text is not None})
        answer = Answer(connection.getresponse())
        connection.close()
        described.check(method, path, answer, private)
        if keep and answer.cookie is not None:
            self.cookie = answer.cookie or None
        return answer

    def get(self, path, **options):
        return self.send("GET", path, **options)

    def post(self, path, json_body=None, **options):
        return self.send("POST", path, json_body, **options)

    def sign_up(self, email=None, password=PASSWORD):
        self.email = email or f"user{next(_numbers)}@example.com"
        answer = self.post("/auth/signup", {"email": self.email, "password": password})
        assert answer.status == 201, answer
        return answer

    def log_in(self, email=None, password=PASSWORD, **fields):
        return self.post("/auth/login", {"email": email or self.email, "password": password} | fields, cookie=False)

    def refresh(self, **options):
        return self.post("/auth/refresh", **options)

    def check(self, target="/api/notes", method="GET", query="", headers=None, **options):
        """Sends the check that a proxy sends before it forwards a request, with the headers of Caddy and Traefik."""
        asked = {
            "X-Forwarded-Method": method, "X-Forwarded-Uri": target, "X-Forwarded-Proto": "http",
            "X-Forwarded-Host": f"127.0.0.1:{self.server.port}"}
        if method not in ("GET", "HEAD", "OPTIONS"):
            asked |= {"Origin": self.server.origin, "Sec-Fetch-Site": "same-origin"}
        return self.send("GET", "/auth/check" + query, headers=asked | (headers or {}), private=True, **options)

    def protected(self, **options):
        """Requests a route that needs a session."""
        return self.get("/auth/sessions", **options)


def tokens(cookie):
    access, refresh = cookie.split("~")
    return access, refresh


def part(token, index):
    text = token.split(".")[index]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def claims(token):
    return part(token, 1)


def generation(cookie):
    return claims(tokens(cookie)[1])["gen"]


def encode(data):
    if not isinstance(data, bytes):
        data = json.dumps(data, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
