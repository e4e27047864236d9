"""A server with a backend behind it, and browsers in front, whose requests are written byte by byte."""
import contextlib
import json
import pathlib

from raw_backend import Backend
from browser import NAME, Client, claims
from server import Server
from wire import Wire

LIFETIME, WINDOW, DELAY = 3000, 600, 60
STEERED = {"clock": "+0", "accessTokenLifetime": LIFETIME, "stragglerWindow": WINDOW, "reissueDelay": DELAY}
NAVIGATION = ("Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Accept: text/html")
FETCH = ("Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty", "Accept: */*")


class Gateway(Server):
    """`routes`: the rules, as in the YAML file; without them every path demands a session. `upstream`: instead of the
    backend's own address."""

    def __init__(self, directory, routes=None, backend=None, upstream=None, **settings):
        self.backend = backend or Backend()
        written = {"upstream": upstream or self.backend.address}
        if routes is not None:
            written["routes"] = routes
        path = pathlib.Path(f"{directory}.yaml")
        path.write_text(json.dumps(written))
        super().__init__(directory, config=path, **settings)

    def stop(self):
        self.backend.stop()
        return super().stop()

    def visitor(self):
        return Visitor(self)

    def expire_access_tokens(self):
        self.move(LIFETIME + 1)


class Visitor:
    """A browser with a session."""

    def __init__(self, gateway, account=None):
        self.gateway = gateway
        self.account = account or Client(gateway)
        if not account:
            self.account.sign_up()

    @property
    def cookie(self):
        return self.account.cookie

    def another(self):
        """The same user in another browser."""
        account = Client(self.gateway)
        account.email = self.account.email
        account.log_in()
        return Visitor(self.gateway, account)

    def lines(self, method, cookie=True):
        lines = []
        if method not in ("GET", "HEAD", "OPTIONS"):
            lines += [f"Origin: {self.gateway.origin}", "Sec-Fetch-Site: same-origin"]
        if cookie:
            lines.append(f"Cookie: {NAME}={self.cookie}")
        return lines

    def head(self, method, target, *lines, cookie=True):
        return head(self.gateway, method, target, *self.lines(method, cookie), *lines)

    def ask(self, method, target, *lines, body=None, cookie=True, keep=True):
        """Sends one request on a new connection and reads its response. Takes a renewed cookie unless `keep` is False."""
        if body is not None:
            lines += (f"Content-Length: {len(body)}",)
        with Wire(self.gateway) as wire:
            wire.send(self.head(method, target, *lines, cookie=cookie) + (body or b""))
            answer = wire.answer(method)
        if keep:
            self.take(answer)
        return answer

    def get(self, target, *lines, **options):
        return self.ask("GET", target, *lines, **options)

    def take(self, answer):
        for value in renewed(answer):
            self.account.cookie = value

    def log_out(self):
        """Ends the session from another connection."""
        answer = self.account.copy().post("/auth/logout")
        assert answer.status == 204, answer


def head(gateway, method, target, *lines, host=None):
    host = f"127.0.0.1:{gateway.port}" if host is None else host
    return "\r\n".join([f"{method} {target} HTTP/1.1", f"Host: {host}", *lines, "", ""]).encode("latin-1")


def ask(gateway, data, method="GET"):
    """Sends bytes on a new connection and reads one response."""
    with Wire(gateway) as wire:
        wire.send(data)
        return wire.answer(method)


def values(answer, name):
    return [value for key, value in answer.headers if key.lower() == name.lower()]


def renewed(answer):
    """The values of our cookie that an answer sets."""
    return [value.split(";")[0].split("=", 1)[1] for value in answer.set_cookies if value.startswith(f"{NAME}=")]


def code(answer):
    try:
        return json.loads(answer.body).get("code")
    except ValueError:
        return None


def assert_problem(answer, status, expected):
    assert (answer.status, code(answer)) == (status, expected), answer
    assert answer.header("content-type").startswith("application/problem+json")


def assert_identity(request, visitor):
    """Asserts that the backend was told who sends the request, once, and by a token that is theirs."""
    scheme, token = request.value("authorization").split(" ")
    assert scheme == "Bearer" and claims(token)["sub"] == request.value("x-auth-subject")
    assert claims(token)["sid"] == request.value("x-auth-session")
    assert json.loads(request.value("x-auth-claims")) == {}
    own = claims(visitor.cookie.split("~")[0])
    assert (claims(token)["sub"], claims(token)["sid"]) == (own["sub"], own["sid"])


@contextlib.contextmanager
def untouched(backend):
    """Asserts that the backend receives nothing meanwhile."""
    before = backend.byte_count, len(backend.requests)
    yield
    assert (backend.byte_count, len(backend.requests)) == before, backend.requests[before[1]:]
