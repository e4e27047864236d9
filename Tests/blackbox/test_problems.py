"""Every refusal that a test can cause has the security headers, and sets no cookie."""
import sqlite3

import pytest

from browser import PASSWORD, Client, tokens
from server import Server
from wire import Closed, Wire

LOGIN = {"email": "ann@example.com", "password": PASSWORD}
FOREIGN = {"Origin": "https://evil.example"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def server():
    server = Server(clock="+0", holds_uptime=True, loginRateLimit=3, signupRateLimit=3)
    client = Client(server)
    client.sign_up("ann@example.com")
    server.cookie = client.cookie
    yield server
    assert server.stop() == 0


def ask(server, method, path, json_body=None, **options):
    return Client(server, server.cookie).send(method, path, json_body, keep=False, **options)


def limited(server, path, fields):
    for number in range(6):
        answer = ask(server, "POST", path, {"email": f"limited{number}@example.com"} | fields, cookie=False)
        if answer.status == 429:
            return answer
    return answer


KINDS = {
    "invalid_request 400 fields": lambda server: ask(server, "POST", "/auth/login", {}),
    "invalid_request 400 syntax": lambda server: ask(server, "POST", "/auth/login", body="{", headers=JSON),
    "session_missing 401": lambda server: ask(server, "GET", "/auth/sessions", cookie=False),
    "token_invalid 401 cookie": lambda server: ask(server, "GET", "/auth/sessions", cookie="a~b"),
    "token_invalid 401 bearer": lambda server: ask(server, "GET", "/auth/sessions", cookie=False, headers={"Authorization": "Bearer x"}),
    "token_invalid 401 refresh": lambda server: ask(server, "POST", "/auth/refresh", cookie="a~b"),
    "invalid_credentials 401": lambda server: ask(server, "POST", "/auth/login", LOGIN | {"password": "wrong password"}, cookie=False),
    "invalid_credentials 401 step-up": lambda server: ask(server, "POST", "/auth/step-up", {"password": "wrong password"}),
    "cross_site_request 403": lambda server: ask(server, "POST", "/auth/logout", headers=FOREIGN),
    "cross_site_request 403 no path": lambda server: ask(server, "POST", "/nothing", headers=FOREIGN),
    "service_worker_refused 403": lambda server: ask(server, "GET", "/auth/client.js", headers={"Service-Worker": "script"}),
    "not_found 404": lambda server: ask(server, "GET", "/nothing"),
    "not_found 404 session": lambda server: ask(server, "DELETE", "/auth/sessions/some-session"),
    "not_found 404 private": lambda server: ask(server, "GET", "/auth/check"),
    "not_found 404 part": lambda server: ask(server, "GET", "/auth/pages/nothing.js"),
    "method_not_allowed 405": lambda server: ask(server, "PATCH", "/auth/session"),
    "account_exists 409": lambda server: ask(server, "POST", "/auth/signup", LOGIN, cookie=False),
    "content_too_large 413": lambda server: ask(server, "POST", "/auth/login", body="x" * 70000, headers=JSON),
    "unsupported_media_type 415": lambda server: ask(server, "POST", "/auth/login", body="a=b", headers={"Content-Type": "text/plain"}),
    "misdirected_request 421": lambda server: ask(server, "GET", "/auth/session", headers={"Host": "evil.example"}),
    "misdirected_request 421 absolute": lambda server: ask(server, "GET", "http://evil.test/auth/session"),
    "rate_limited 429 login": lambda server: limited(server, "/auth/login", {"password": "wrong password"}),
    "rate_limited 429 sign-up": lambda server: limited(server, "/auth/signup", {"password": PASSWORD}),
    "invalid_request 400 check": lambda server: ask(server, "GET", "/auth/check", private=True),
    "session_missing 401 check": lambda server: Client(server).check(),
    "cross_site_request 403 check": lambda server: Client(server, server.cookie).check(method="POST", headers=FOREIGN),
    "not_found 404 private listener": lambda server: ask(server, "GET", "/nothing", private=True),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_refusal_follows_the_rules(server, kind):
    code, status = kind.split()[:2]
    answer = KINDS[kind](server)
    assert (answer.code, answer.status) == (code, int(status)), answer
    assert answer.header("content-type") == "application/problem+json" and answer.set_cookies == []
    assert {"type", "title", "status", "code"} <= answer.json.keys() and answer.json["status"] == answer.status
    assert_in_place(answer)
    if "nothing" not in kind and answer.status != 421:
        assert (answer.header("cache-control") or "no-store") == "no-store"
    if answer.status == 401:
        assert answer.header("www-authenticate").startswith("Bearer")
    if answer.status in (429, 503):
        assert int(answer.header("retry-after")) >= 1
    if answer.status == 405:
        assert answer.header("allow")
    assert not [value for token in tokens(server.cookie) for _, value in answer.headers if token in value]


def assert_in_place(answer):
    assert answer.header("x-content-type-options") == "nosniff", answer
    assert answer.header("referrer-policy") and answer.header("content-security-policy")


AMBIGUOUS = (b"GET\r\n", b"Host: localhost\r\nHost:", b"Host :", b"Transfer-Encoding", b"Content-Length: -1")


@pytest.mark.parametrize("data", [
    b"GET\r\n\r\n", b"GET /auth/session HTTP/1.1\r\n\r\n", b"GET /auth/session HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
    b"GET /auth/session HTTP/1.1\r\nHost : localhost\r\n\r\n", b"GET /auth/session HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 40000 + b"\r\n\r\n",
    b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", b"GET http://[::1/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 999999999\r\n\r\n{",
])
def test_refusals_of_the_parser_follow_the_same_rules_or_disconnect(server, data):
    with Wire(server) as wire:
        wire.send(data)
        try:
            answer = wire.answer()
        except Closed:
            return
        assert 400 <= answer.status < 500 and answer.set_cookies == []
        assert_in_place(answer)
        if [mark for mark in AMBIGUOUS if mark in data]:
            assert answer.closes, "what could be read in two ways ends the connection"


def test_refusals_of_an_unwritable_store_follow_the_same_rules(tmp_path):
    """A server whose database another process has locked, as a hanging backup tool does."""
    server = Server(tmp_path / "data")
    client = Client(server)
    client.sign_up()
    holder = sqlite3.connect(tmp_path / "data/cloakroom.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    answer = client.log_in()
    assert (answer.status, answer.code, answer.set_cookies) == (503, "unavailable", [])
    assert int(answer.header("retry-after")) >= 1
    assert_in_place(answer)
    holder.execute("ROLLBACK")
    assert client.log_in().status == 200
    assert server.stop() == 0
