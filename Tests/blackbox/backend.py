"""A backend that keeps its own login and uses the service API, and the browsers for which it acts."""
import json

from browser import NAME, Client, connect, tokens, claims

ALL = "sessions:create,sessions:read,sessions:revoke,claims:write,events:read,revocations:read"


def add_credential(server, *arguments, scope=ALL):
    """Adds a credential, and returns its row with the key."""
    result = server.run("credentials", "add", "--json", "--scope", scope, *arguments)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)[0]


class Backend:
    def __init__(self, server, key=None, **options):
        self.server = server
        self.key = key or add_credential(server, **options)["key"]

    def send(self, method, path, body=None, headers=None):
        own = {"Authorization": f"Bearer {self.key}", "Origin": None, "Sec-Fetch-Site": None, "User-Agent": "shop/1.0"}
        return Client(self.server).send(method, path, body, headers=own | (headers or {}), private=True)

    def browser(self, **changes):
        """The request of a browser on a page of the app, as a backend copies it."""
        return {
            "method": "POST", "host": f"127.0.0.1:{self.server.port}", "origin": self.server.origin,
            "sec_fetch_site": "same-origin", "cookie": None, "user_agent": "Mozilla/5.0 Firefox/128.0",
            "ip": "203.0.113.7"} | changes

    def begin(self, subject="42", browser=None, **fields):
        body = {"subject": subject, "authentication": {"amr": ["pwd"], "acr": "1"}, "browser": browser or self.browser()}
        return self.send("POST", "/service/sessions", body | fields)

    def log_in(self, subject="42", **fields):
        """A browser with a session that this backend began."""
        answer = self.begin(subject, **fields)
        assert answer.status == 201, answer
        client = Client(self.server, cookie_of(answer))
        client.session = answer.json["session"]["id"]
        return client

    def cookie(self, client):
        return f"theme=dark; {NAME}={client.cookie}"

    def step_up(self, client, session=None, amr=("pwd", "otp"), acr="1", **changes):
        body = {
            "authentication": {"amr": list(amr), "acr": acr},
            "browser": self.browser(**({"cookie": self.cookie(client)} | changes))}
        return self.send("POST", f"/service/sessions/{session or client.session}/step-up", body)

    def set_claims(self, claims, subject="42", **fields):
        return self.send("PUT", f"/service/subjects/{subject}/claims", {"claims": claims} | fields)

    def block(self, subject="42", blocked=True):
        return self.send("PUT", f"/service/subjects/{subject}", {"blocked": blocked})

    def sessions(self, subject="42"):
        answer = self.send("GET", f"/service/subjects/{subject}/sessions")
        assert answer.status == 200, answer
        return answer.json["sessions"]

    def stream(self, last=None):
        return Stream(self, last)


def cookie_of(answer):
    """The value of the session cookie in `set_cookie`."""
    return answer.json["set_cookie"][0].split(";")[0].split("=", 1)[1]


def access_claims(client):
    return claims(tokens(client.cookie)[0])


class Stream:
    """The event stream of revocations, read line by line."""

    def __init__(self, backend, last=None):
        self.connection = connect(backend.server, private=True)
        headers = {"Authorization": f"Bearer {backend.key}"} | ({"Last-Event-ID": last} if last else {})
        self.connection.request("GET", "/service/revocations", headers=headers)
        self.response = self.connection.getresponse()
        self.last = last

    def next(self, comments=False, current=False):
        """The next event, as its name and its data; None at the end of the stream. `current`: also those that say how old the news
        are."""
        name = None
        while line := self.response.readline():
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "" and value and comments:
                return value, None
            if field == "id":
                self.last = value
            if field == "event":
                name = value
            if field == "data" and (name != "current" or current):
                return name, json.loads(value)
        return None

    def until_current(self):
        """The events up to the next `current`."""
        events = []
        while (event := self.next(current=True)) and event[0] != "current":
            events.append(event)
        assert event is not None, "the stream ended"
        return events

    def close(self):
        self.connection.close()
