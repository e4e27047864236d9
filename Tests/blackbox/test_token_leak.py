"""Token theft by XSS: no response of the public listener contains a token that script can read.

The tests request every endpoint of the OpenAPI document, every page and every part of a page, in every state of a session,
with every header that a proxy could add. No 16 consecutive characters of a token or of a cookie's value may occur outside of
Set-Cookie, except in the bodies of hybrid and body delivery."""
import itertools
import json
import re

import pytest

from browser import PASSWORD, Client, generation, tokens
from server import Server

LIFETIME, WINDOW = 300, 60
RUN = 16
NATIVE = {"Origin": None, "Sec-Fetch-Site": None}

# Headers that script can add to a fetch, and that a proxy may forward.
FORWARDED = {
    "nothing": {},
    "X-Forwarded-Method": {"X-Forwarded-Method": "GET"},
    "X-Forwarded-Uri": {"X-Forwarded-Uri": "/api/notes"},
    "Caddy and Traefik": {
        "X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/api/notes", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "localhost",
        "X-Forwarded-For": "127.0.0.1"},
    "X-Original-URI": {"X-Original-URI": "/x"},
    "nginx": {"X-Original-Method": "GET", "X-Original-URI": "/x"},
    "Envoy": {"X-Envoy-Original-Path": "/x", "X-Envoy-Internal": "true", "X-Envoy-External-Address": "127.0.0.1"},
    "RFC 7239": {"Forwarded": "for=127.0.0.1;proto=http;host=localhost"},
    "X-Forwarded-For": {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"},
    "rewriting": {"X-Original-URL": "/auth/check", "X-Rewrite-URL": "/auth/check", "X-HTTP-Method-Override": "POST"},
    "answers": {"X-Auth-Subject": "u_1", "X-Auth-Set-Cookie": "a=b", "X-Auth-Request": "true", "X-Auth-Claims": "{}"},
    "wishes": {"st-auth-mode": "header", "Prefer": "return=representation", "X-Delivery": "body", "Accept": "text/html"},
}
FORWARDED["all at once"] = {name: value for headers in FORWARDED.values() for name, value in headers.items()}

PRIVATE = [
    "/auth/check", "/auth/check/x", "/auth/check?allow=200", "/auth/check?refuse", "/auth/check?login=/auth/pages/login",
    "/auth/check;allow=200/x", "/auth/check;max_age=1/x?y", "/metrics", "/service/sessions", "/service/events",
]
ODD = ["/", "/nothing", "/auth/nothing", "/auth", "/auth/session/", "/auth/sessions/", "//auth/session", "/auth/pages/login?return_to=/x"]
METHODS = {"get", "head", "post", "put", "patch", "delete", "options"}
DELIVERING = {"/auth/signup", "/auth/login", "/auth/refresh", "/auth/session", "/auth/step-up"}


@pytest.fixture(scope="module")
def server():
    server = Server(
        clock="+0", demo="true", accessTokenLifetime=LIFETIME, stragglerWindow=WINDOW, reissueDelay=0, trustedProxies="127.0.0.1",
        clients="spa=hybrid,app=body,old=body+insecureAllowBrowser", maxSessions=1000)
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def endpoints(server):
    """Method and path of every endpoint in the OpenAPI document, and of every address in the pages."""
    client = Client(server)
    document = client.get("/auth/openapi.json").json
    described = [(method.upper(), path) for path, item in document["paths"].items() for method in item if method in METHODS]
    pages = [path for method, path in described if path.startswith("/auth/pages/") and "{" not in path] + ["/"]
    parts = set()
    for page in pages:
        parts |= set(re.findall(r'(?:src|href|action)="(/[^"#]*)"', client.get(page).body.decode()))
    assert len(described) >= 20 and len(pages) >= 4 and parts, "the server describes itself"
    values = {"{part}": "style.css", "{list}": "A" * 12}
    paths = {re.sub(r"\{\w+\}", lambda parameter: values.get(parameter[0], "some-name"), path) for method, path in described if method == "GET"}
    safe = sorted(paths | parts | set(PRIVATE) | set(ODD))
    unsafe = sorted((method, path) for method, path in described if method not in ("GET", "HEAD"))
    return safe, unsafe


def runs(*secrets):
    return {text[start:start + RUN] for text in secrets if text for start in range(max(0, len(text) - RUN + 1))}


def readable(answer, path=None, delivery="cookie"):
    """The parts of a response that script, a cache, a log or a `Referer` may contain."""
    parts = [value for name, value in answer.headers if name.lower() != "set-cookie"] + [name for name, _ in answer.headers]
    body = answer.body.decode("utf-8", "replace")
    if path in DELIVERING and delivery != "cookie":
        try:
            members = json.loads(body)
            delivered = {"hybrid": ["access_token"], "body": ["access_token", "refresh_token"]}[delivery]
            body = json.dumps({name: value for name, value in members.items() if name not in delivered})
        except (ValueError, AttributeError):
            pass
    return "\n".join([*parts, body])


def brought(answer):
    """The tokens in a response, allowed or not."""
    yield from (value.split(";")[0].split("=", 1)[1] for value in answer.set_cookies)
    try:
        yield from (answer.json[name] for name in ("access_token", "refresh_token") if name in answer.json)
    except ValueError:
        pass


def leaks(answer, *sent, path=None, delivery="cookie"):
    secrets = runs(*sent, *brought(answer))
    text = readable(answer, path, delivery)
    return sorted(found for start in range(len(text) - RUN + 1) if (found := text[start:start + RUN]) in secrets)


# The states. Each is created again before each request, because a request may end it.

class Actor:
    """A client whose session is brought into one state before each request."""
    delivery = "cookie"

    def __init__(self, server):
        self.client = Client(server)
        self.client.sign_up()

    def renew_session(self):
        """Begins a new session if the last request has ended it."""
        if self.client.refresh().status != 200:
            self.client.log_in()
            self.client.refresh()

    def current(self):
        """Brings the session to a confirmed generation whose window is closed: the next renewal rotates."""
        self.renew_session()
        self.client.refresh()
        self.client.server.move(WINDOW + 1)
        return self.client.cookie


class Fresh(Actor):
    def prepare(self):
        return self.current(), {}


class Expired(Actor):
    def prepare(self):
        cookie = self.current()
        self.client.server.move(LIFETIME + 1)
        return cookie, {}


class Straggler(Actor):
    def prepare(self):
        old = self.current()
        self.client.refresh()
        self.client.refresh()
        assert generation(self.client.cookie) == generation(old) + 1
        return old, {}


class LostAnswer(Actor):
    def prepare(self):
        cookie = self.current()
        self.client.refresh(keep=False)
        self.client.server.move(LIFETIME + 1)
        return cookie, {}


class Spent(Actor):
    def prepare(self):
        old = self.current()
        for _ in range(2):
            self.client.refresh()
            self.client.server.move(WINDOW + 1)
        self.client.server.move(LIFETIME + 1)
        return old, {}


class Hybrid(Actor):
    delivery = "hybrid"

    def renew_session(self):
        if self.client.refresh().json.get("delivery") != "hybrid":
            self.client.log_in(client_id="spa")
            self.client.refresh()

    def prepare(self):
        return self.current(), {}


class HybridWithBearer(Hybrid):
    def prepare(self):
        self.current()
        bearer = {"Authorization": "Bearer " + self.client.refresh().json["access_token"]}
        return self.client.cookie, bearer


class Body(Actor):
    delivery = "body"

    def prepare(self):
        login = {"email": self.client.email, "password": PASSWORD, "client_id": "old"}
        answer = self.client.post("/auth/login", login, cookie=False, keep=False).json
        return None, {"Authorization": "Bearer " + answer["access_token"]}


class Revoked(Actor):
    def prepare(self):
        """Revokes the session. A logout may follow: it succeeds also for a revoked session."""
        self.client.post("/auth/logout", keep=False)
        return self.client.cookie, {}


class ForgedRefresh(Actor):
    def prepare(self):
        access, refresh = tokens(self.current())
        return f"{access}~{refresh[:-6]}AAAAAA", {}


class ForgedAccess(Actor):
    def prepare(self):
        access, refresh = tokens(self.current())
        return f"{access[:-6]}AAAAAA~{refresh}", {}


class OwnBearerExpired(Actor):
    def prepare(self):
        cookie = self.current()
        bearer = {"Authorization": "Bearer " + tokens(cookie)[0]}
        self.client.server.move(LIFETIME + 1)
        return cookie, bearer


class ForeignBearer(Expired):
    def prepare(self):
        return super().prepare()[0], {"Authorization": "Bearer sk_live_51H8xYzAbCdEfGhIjKlMnOp"}


STATES = [
    Fresh, Expired, Straggler, LostAnswer, Spent, Hybrid, HybridWithBearer, Revoked, ForgedRefresh, ForgedAccess, OwnBearerExpired,
    ForeignBearer,
]


def sent_secrets(cookie, headers):
    bearer = headers.get("Authorization", "").removeprefix("Bearer ")
    return [cookie or "", *(cookie or "").split("~"), bearer]


def ask(actor, method, path, headers, **options):
    cookie, own = actor.prepare()
    answer = actor.client.send(method, path, headers=headers | own, cookie=cookie or False, **options)
    return leaks(answer, *sent_secrets(cookie, own), path=path.split("?")[0], delivery=actor.delivery), answer


def new_body(actor, path, fields):
    return {"email": actor.client.email} | fields if path in ("/auth/login", "/auth/signup") else fields


@pytest.mark.parametrize("state", STATES)
def test_no_request_of_a_script_returns_a_token(server, endpoints, state):
    actor, found, renewed = state(server), [], 0
    for path, name in itertools.product(endpoints[0], FORWARDED):
        leaked, answer = ask(actor, "GET", path, FORWARDED[name])
        renewed += len(answer.set_cookies)
        if leaked:
            found.append((path, name, answer.status, leaked[0]))
    assert found == []
    if state in (Expired, LostAnswer, ForeignBearer):
        assert renewed >= len(FORWARDED), "the control: tokens did come, in cookies"


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "DELETE", "PATCH", "TRACE"])
def test_no_other_method_on_any_path_returns_a_token(server, endpoints, method):
    found = []
    for state in (Fresh, Expired, Straggler):
        actor = state(server)
        for path in endpoints[0]:
            leaked, answer = ask(actor, method, path, FORWARDED["all at once"])
            if leaked:
                found.append((state.__name__, path, answer.status, leaked[0]))
    assert found == []


BODIES = {
    "/auth/login": [{"password": PASSWORD}, {"password": PASSWORD, "client_id": "spa"}, {"password": "wrong password"}, {"client_id": "app", "password": PASSWORD}],
    "/auth/signup": [{"password": PASSWORD}, {"password": "short"}], "/auth/step-up": [{"password": PASSWORD}, {"password": "wrong password"}, {}],
    "/auth/password": [{"current_password": "wrong password", "new_password": "another fine phrase"}, {"current_password": PASSWORD, "new_password": "short"}],
}


@pytest.mark.parametrize("name", ["nothing", "all at once"])
@pytest.mark.parametrize("state", STATES)
def test_no_header_or_body_of_a_script_makes_a_response_return_a_token(server, endpoints, state, name):
    actor, found, statuses = state(server), [], set()
    for method, path in endpoints[1]:
        for fields in BODIES.get(path, [{}]):
            cookie, own = actor.prepare()
            delivery = "hybrid" if fields.get("client_id") == "spa" else actor.delivery
            answer = actor.client.send(
                method, path.replace("{id}", "some-session"), new_body(actor, path, fields), headers=FORWARDED[name] | own, cookie=cookie)
            statuses.add(answer.status)
            if leaked := leaks(answer, *sent_secrets(cookie, own), path=path, delivery=delivery):
                found.append((method, path, fields, answer.status, leaked[0]))
    assert found == []
    assert name != "nothing" or {200, 204, 400, 401} <= statuses, "the control: some were done, some refused"


def test_a_password_change_returns_the_token_in_the_cookie_only(server):
    for state in (Fresh, Expired, LostAnswer):
        actor = state(server)
        cookie, _ = actor.prepare()
        change = {"current_password": PASSWORD, "new_password": "another fine phrase"}
        answer = actor.client.post("/auth/password", change, headers=FORWARDED["all at once"], cookie=cookie)
        assert answer.status == 204 and answer.set_cookies and leaks(answer, cookie) == []


def test_a_token_that_a_body_client_sends_is_not_repeated_elsewhere(server, endpoints):
    actor, found = Body(server), []
    _, own = actor.prepare()
    for path, name in itertools.product(endpoints[0], FORWARDED):
        answer = actor.client.get(path, headers=FORWARDED[name] | own, cookie=False)
        if leaked := leaks(answer, *sent_secrets(None, own), path=path, delivery=actor.delivery):
            found.append((path, name, answer.status, leaked[0]))
    assert found == []


def test_a_token_in_the_url_is_repeated_in_no_response(server, endpoints):
    """Token in URL: it would reach logs and `Referer`. The server never reads tokens from URLs."""
    actor = Fresh(server)
    cookie, _ = actor.prepare()
    access, found = tokens(cookie)[0], []
    for path in endpoints[0]:
        answer = actor.client.get(f"{path}{'&' if '?' in path else '?'}access_token={access}&token={access}", cookie=False)
        if answer.status != 308 and (leaked := leaks(answer, access)):
            found.append((path, leaked[0]))
    assert found == []
    assert actor.client.get(f"/auth/sessions?access_token={access}", cookie=False).code == "session_missing"


def test_no_log_line_shows_a_token(server):
    actor = Expired(server)
    cookie, _ = actor.prepare()
    answer = actor.client.protected(cookie=cookie)
    assert not [found for found in runs(cookie, answer.cookie) if found in server.log()]


# Controls: the search finds tokens that are there.

def test_a_token_in_a_header_in_a_body_or_in_part_is_detected(server):
    actor = Fresh(server)
    cookie, _ = actor.prepare()
    answer = actor.client.get("/auth/session", cookie=cookie)
    assert leaks(answer, cookie) == []
    access, refresh = tokens(cookie)
    for header in (("X-Auth-Set-Cookie", f"a={cookie}"), ("Authorization", f"Bearer {access}"), ("Location", f"/?t={refresh[40:60]}")):
        answer.headers.append(header)
        assert leaks(answer, cookie), header
        answer.headers.remove(header)
    body = answer.body
    for text in (access, refresh, access[50:50 + RUN]):
        answer.body = body + text.encode()
        assert leaks(answer, cookie)


def test_a_token_that_the_response_itself_issued_is_detected(server):
    actor = Expired(server)
    cookie, _ = actor.prepare()
    answer = actor.client.protected(cookie=cookie)
    assert leaks(answer) == [] and answer.cookie
    answer.body += tokens(answer.cookie)[0].encode()
    assert leaks(answer)


def test_body_delivery_allows_a_token_only_in_its_own_member(server):
    actor = Hybrid(server)
    cookie, _ = actor.prepare()
    answer = actor.client.refresh(cookie=cookie)
    access = answer.json["access_token"]
    assert leaks(answer, cookie, access, path="/auth/refresh", delivery="hybrid") == []
    assert leaks(answer, cookie, access, path="/auth/refresh", delivery="cookie")
    assert leaks(answer, cookie, access, path="/auth/sessions", delivery="hybrid")
    answer.body = json.dumps(answer.json | {"refresh_token": answer.cookie.lstrip("~")}).encode()
    assert leaks(answer, cookie, path="/auth/refresh", delivery="hybrid")
    assert leaks(answer, cookie, path="/auth/refresh", delivery="body") == []
