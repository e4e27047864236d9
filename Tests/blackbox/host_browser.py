"""A browser that opens pages of several hosts of one server: a cookie jar for each host, and redirects that it follows."""
import json
from urllib.parse import parse_qs, urlsplit

import described
from browser import NAME, PASSWORD, Answer, connect

FLOW = f"{NAME}-flow"
NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Accept": "text/html"}
DOMAIN = "example.com"
LOGIN, SHOP, APP = (f"{name}.{DOMAIN}" for name in ("login", "shop", "app"))


def origin(host):
    return f"https://{host}"


class HostBrowser:
    def __init__(self, server):
        self.server = server
        self.jars = {}

    def jar(self, host):
        return self.jars.setdefault(host, {})

    def cookie(self, host):
        return self.jar(host).get(NAME)

    def send(self, host, method, path, json_body=None, headers=None, private=False):
        """Sends one request of a page of `host`, and takes the cookies of its response. A header of None is not sent."""
        fields = {"Host": host, "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0"}
        if method not in ("GET", "HEAD"):
            fields |= {"Origin": origin(host), "Sec-Fetch-Site": "same-origin"}
        if self.jar(host):
            fields["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.jar(host).items())
        if json_body is not None:
            fields["Content-Type"] = "application/json"
        fields |= headers or {}
        connection = connect(self.server, private)
        body = json.dumps(json_body) if json_body is not None else None
        connection.request(method, path, body, {key: text for key, text in fields.items() if text is not None})
        answer = Answer(connection.getresponse())
        connection.close()
        described.check(method, path, answer, private)
        self.take(host, answer)
        return answer

    def take(self, host, answer):
        assert len(answer.set_cookies) <= 1, answer.set_cookies
        for line in answer.set_cookies:
            pair, *attributes = line.split("; ")
            name, value = pair.split("=", 1)
            assert {"Path=/", "Secure", "HttpOnly"} <= set(attributes), line
            self.jar(host).pop(name, None)
            if value:
                self.jar(host)[name] = value

    def open(self, host, path):
        """Opens a page, without following a redirect."""
        return self.send(host, "GET", path, headers=NAVIGATION)

    def follow(self, host, path, until=None):
        """Opens a page and follows redirects. Returns host, path and response of the last, or of the first whose path begins with
        `until`."""
        for _ in range(20):
            if until and path.startswith(until):
                return host, path, None
            answer = self.open(host, path)
            if answer.status not in (302, 303, 307):
                return host, path, answer
            host, path = target(answer, host)
        raise AssertionError(f"too many redirects, the last to {path}")

    def sign_up(self, email, host=LOGIN):
        self.email = email
        answer = self.send(host, "POST", "/auth/signup", {"email": email, "password": PASSWORD})
        assert answer.status == 201, answer
        return answer

    def log_in(self, email=None, host=LOGIN):
        answer = self.send(host, "POST", "/auth/login", {"email": email or self.email, "password": PASSWORD})
        assert answer.status == 200, answer
        return answer

    def enter(self, host, path="/cart"):
        """Gets a session of a host, for a user who is logged in at the login host. Returns its state."""
        arrived, at, _ = self.follow(host, f"/auth/pages/login?return_to={path}", until=path)
        assert (arrived, at) == (host, path)
        return self.session(host)

    def session(self, host):
        return self.send(host, "GET", "/auth/session?passive=1").json

    def sid(self, host):
        return self.session(host)["session"]["id"]

    def status(self, host):
        """The status and the code of a protected request."""
        answer = self.send(host, "GET", "/auth/sessions")
        return answer.status, answer.code

    def code(self, host, path="/cart"):
        """Starts a hand-over, and stops before the code is redeemed. Returns the path that redeems it."""
        arrived, at, _ = self.follow(host, f"/auth/pages/login?return_to={path}", until="/auth/hand-over/session")
        assert arrived == host and at.startswith("/auth/hand-over/session?code="), (arrived, at)
        return at


def target(answer, host):
    """Where a redirect leads."""
    parts = urlsplit(answer.header("location"))
    assert parts.scheme in ("", "http", "https"), answer.header("location")
    return parts.netloc or host, parts.path + (f"?{parts.query}" if parts.query else "")


def query(path):
    return {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
