"""Renewal in the answer to any request through the gateway: a site needs no script of ours.

The server's clock stands still; only `move` moves it. So no test depends on the speed of the machine."""
import concurrent.futures
import threading

import pytest

from raw_backend import OK, free_port, response
from browser import NAME, claims, generation, tokens
from gateway import DELAY, LIFETIME, NAVIGATION, STEERED, WINDOW, Gateway, ask, assert_identity, assert_problem, head, renewed, untouched, values
from server import run, wait_until
from wire import Wire

DEAD = "http://127.0.0.1:%d" % free_port()
ROUTES = [
    {"path": "/public/*", "access": "public"}, {"path": "/dead/*", "access": "session", "upstream": DEAD},
    {"path": "/none/*", "access": "public", "upstream": [DEAD, "http://127.0.0.1:%d" % free_port()]},
    {"path": "/slow/*", "access": "session", "timeout": 0.5}, {"path": "/small/*", "access": "session", "maxBody": 5}, {"path": "/*", "access": "session"},
]
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    gateway = Gateway(tmp_path_factory.mktemp("gateway") / "data", ROUTES, **STEERED)
    yield gateway
    assert gateway.is_alive(), gateway.log()
    assert gateway.stop() == 0


@pytest.fixture
def visitor(gateway):
    """A browser whose access token has expired."""
    visitor = gateway.visitor()
    gateway.expire_access_tokens()
    return visitor


def until_close(connection, request):
    connection.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok")
    connection.close()


def sockets(connection, request):
    connection.send(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Set-Cookie: own=1\r\nCache-Control: public\r\nSec-WebSocket-Accept: x\r\n\r\n")
    connection.wait_for_end()


def silent(connection, request):
    connection.wait_for_end()


def hang_up(connection, request):
    connection.close()


def garbage(connection, request):
    connection.send(b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n")
    connection.wait_for_end()


UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
OWN = ("Set-Cookie: own=1; Path=/", "Set-Cookie: other=2", "Cache-Control: public, max-age=3600")
ANSWERS = {
    "200": ("GET", "", response(200, *OWN), 200), "of a POST": ("POST", "", response(201, *OWN), 201),
    "204": ("GET", "", ("HTTP/1.1 204 No Content\r\n" + "".join(line + "\r\n" for line in OWN) + "\r\n").encode(), 204),
    "304": ("GET", "", ("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n" + "".join(line + "\r\n" for line in OWN) + "\r\n").encode(), 304),
    "302": ("GET", "", response(302, "Location: /next", *OWN), 302), "404": ("GET", "", response(404, *OWN), 404), "401": ("GET", "", response(401, *OWN), 401),
    "500": ("GET", "", response(500, *OWN), 500), "chunked": ("GET", "", CHUNKED, 200), "until close": ("GET", "", until_close, 200),
    "HEAD": ("HEAD", "", response(200, *OWN), 200), "101": ("GET", "", sockets, 101), "public": ("GET", "/public", response(200, *OWN), 200),
    "backend refused": ("GET", "/dead", OK, 502), "backend hung up": ("GET", "", hang_up, 502), "garbage": ("GET", "", garbage, 502),
    "backend slow": ("GET", "/slow", silent, 504),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_delivers_the_cookie_exactly_once(gateway, visitor, name):
    method, below, answer_of_backend, status = ANSWERS[name]
    path = gateway.backend.on(answer_of_backend, below)
    before = visitor.cookie
    lines = UPGRADE + (f"Origin: {gateway.origin}",) if name == "101" else ()
    answer = visitor.ask(method, path, *lines, body=b"some body" if method == "POST" else None)
    assert answer.status == status, answer
    assert len(renewed(answer)) == 1 and generation(visitor.cookie) == generation(before) + 1, answer
    own = next(value for value in answer.set_cookies if value.startswith(NAME))
    assert {part.strip() for part in own.split(";")[1:]} >= {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"}
    assert values(answer, "cache-control") == ["no-store"]
    if isinstance(answer_of_backend, bytes) and b"own=1" in answer_of_backend:
        others = [value for value in answer.set_cookies if not value.startswith(NAME)]
        assert others == ["own=1; Path=/", "other=2"]


def test_a_renewal_of_a_navigation_is_kept_by_the_error_page_as_well(gateway, visitor):
    answer = visitor.get("/dead/x", *NAVIGATION)
    assert answer.status == 502 and len(renewed(answer)) == 1
    assert answer.header("content-type").startswith("text/html") and values(answer, "cache-control") == ["no-store"]


def test_an_interim_response_carries_no_cookie(gateway, visitor):
    path = gateway.backend.on(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n" + OK)
    with Wire(gateway) as wire:
        wire.send(visitor.head("GET", path))
        assert (first := wire.answer()).status == 103 and first.set_cookies == [] and first.header("link")
        second = wire.answer()
    assert second.status == 200 and len(renewed(second)) == 1 and second.header("link") is None


@pytest.mark.parametrize("name", [
    "Cache-Control", "cache-control", "CDN-Cache-Control", "Cloudflare-CDN-Cache-Control", "Surrogate-Control", "Expires", "Pragma",
])
def test_no_header_of_the_backend_lets_a_cache_keep_an_answer_with_our_cookie(gateway, visitor, name):
    value = "Thu, 01 Jan 2099 00:00:00 GMT" if name == "Expires" else "public, max-age=31536000"
    path = gateway.backend.on(response(200, f"{name}: {value}", f"{name}: {value}"))
    answer = visitor.get(path)
    assert len(renewed(answer)) == 1 and values(answer, "cache-control") == ["no-store"]
    if "control" in name.lower():
        assert value not in values(answer, name)
    again = visitor.get(path)
    assert not renewed(again) and values(again, name) == [value, value], "without a cookie the backend decides"


def test_the_backend_gets_a_fresh_token_of_the_same_session(gateway, visitor):
    path = gateway.backend.on(OK)
    old = tokens(visitor.cookie)[0]
    answer = visitor.get(path)
    token = gateway.backend.one(path).value("authorization").removeprefix("Bearer ")
    assert token == tokens(renewed(answer)[0])[0] != old
    assert claims(token)["exp"] - claims(token)["iat"] == LIFETIME and claims(token)["iat"] >= claims(old)["exp"]
    assert_identity(gateway.backend.one(path), visitor)


def test_nothing_is_renewed_before_it_is_due(gateway):
    visitor = gateway.visitor()
    for _ in range(3):
        answer = visitor.get("/a")
        assert answer.status == 200 and answer.set_cookies == []
        gateway.move(LIFETIME / 5)


@pytest.mark.parametrize("method, path, lines, status", [
    ("POST", "/a", ("Origin: https://evil.example",), 403), ("GET", "/a/../b", (), 400), ("GET", "/a%2fb", (), 400),
])
def test_a_refused_request_renews_nothing(gateway, visitor, method, path, lines, status):
    with Wire(gateway) as wire:
        wire.send(head(gateway, method, path, *lines, f"Cookie: {NAME}={visitor.cookie}"))
        answer = wire.answer()
    assert answer.status == status and answer.set_cookies == []
    assert len(renewed(visitor.get("/a"))) == 1, "the control: it was due"


def test_24_parallel_requests_after_expiry_are_all_served_and_get_one_cookie(gateway, visitor):
    path = gateway.backend.on(OK)
    start = threading.Barrier(24)

    def request(number):
        start.wait()
        return visitor.ask("POST" if number % 3 == 0 else "GET", path, body=b"x" if number % 3 == 0 else None, keep=False)
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(request, range(24)))
    assert [answer.status for answer in answers] == [200] * 24
    cookies = [value for answer in answers for value in renewed(answer)]
    assert len(cookies) == 1
    fresh = [claims(request.value("authorization").removeprefix("Bearer ")) for request in gateway.backend.to(path)]
    assert len(fresh) == 24 and all(token["iat"] >= claims(tokens(visitor.cookie)[0])["exp"] for token in fresh)
    visitor.account.cookie = cookies[0]
    assert visitor.get(path).status == 200


def test_pipelined_requests_get_one_cookie(gateway, visitor):
    path = gateway.backend.on(OK)
    with Wire(gateway) as wire:
        wire.send(visitor.head("GET", path) * 10)
        answers = [wire.answer() for _ in range(10)]
    assert [answer.status for answer in answers] == [200] * 10
    assert [len(renewed(answer)) for answer in answers] == [1] + [0] * 9


CHUNKS = "Transfer-Encoding: chunked"


@pytest.mark.parametrize("status, area, lines, body", [
    (413, "/small", ("Content-Length: 6",), b"larger"), (413, "/small", (CHUNKS,), b"6\r\nlarger\r\n0\r\n\r\n"),
    (413, "/small", (CHUNKS,), b"2\r\nla\r\n1000\r\n"), (400, "", (CHUNKS,), b"xyz\r\n"), (400, "", (CHUNKS,), b"2\r\nokx"),
    (400, "", (CHUNKS,), b"0\r\nno colon\r\n\r\n"),
])
def test_a_refused_body_delivers_no_cookie_and_costs_nothing(gateway, visitor, status, area, lines, body):
    path = gateway.backend.on(OK, area)
    with Wire(gateway) as wire:
        wire.send(visitor.head("POST", path, *lines) + body)
        answer = wire.answer()
    assert answer.status == status and answer.set_cookies == [], answer
    assert visitor.get("/a").status == 200 and visitor.get("/a").status == 200


def test_the_answer_without_any_healthy_backend_delivers_the_cookie(gateway, visitor):
    wait_until(lambda: ask(gateway, head(gateway, "GET", "/none/a")).status == 503)
    answer = visitor.get("/none/a")
    assert answer.status in (502, 503) and len(renewed(answer)) == 1, answer
    assert values(answer, "cache-control") == ["no-store"]


def test_a_lost_answer_costs_nothing(gateway, visitor):
    lost = visitor.get("/a", keep=False)
    assert len(renewed(lost)) == 1
    for _ in range(3):
        answer = visitor.get("/a", keep=False)
        assert answer.status == 200 and not renewed(answer), "the answer may be on its way"
    gateway.move(DELAY + 1)
    again = visitor.get("/a", keep=False)
    assert [tokens(value)[1] for value in renewed(again)] == [tokens(value)[1] for value in renewed(lost)]
    gateway.move(5 * WINDOW)
    assert visitor.get("/a").status == 200 and visitor.get("/a").status == 200


def test_a_client_that_hangs_up_before_the_answer_loses_nothing(gateway, visitor):
    gone = threading.Event()

    def wait(connection, request):
        connection.wait_for_end()
        gone.set()
    path = gateway.backend.on(wait)
    with Wire(gateway) as wire:
        wire.send(visitor.head("GET", path))
        gateway.backend.wait_for(path)
    assert gone.wait(60), "the backend's connection is closed with the client's"
    gateway.move(DELAY + 1)
    answer = visitor.get("/a")
    assert answer.status == 200 and len(renewed(answer)) == 1
    assert visitor.get("/a").status == 200


def test_stragglers_with_the_old_cookie_are_served(gateway, visitor):
    old = visitor.cookie
    visitor.get("/a")
    assert visitor.get("/a").status == 200
    straggler = gateway.visitor()
    straggler.account.cookie = old
    answer = straggler.get("/a", keep=False)
    assert answer.status == 200 and not renewed(answer)


def test_a_site_without_any_script_stays_logged_in(gateway):
    visitor = gateway.visitor()
    cookies = {visitor.cookie}
    for _ in range(30):
        gateway.move(LIFETIME / 2 + 1)
        path = gateway.backend.on(response(200, "Set-Cookie: own=1"))
        answers = [visitor.get(path), visitor.get(path), visitor.ask("POST", path, body=b"x")]
        assert [answer.status for answer in answers] == [200] * 3
        assert sum(len(renewed(answer)) for answer in answers) <= 1
        for request in gateway.backend.to(path):
            token = claims(request.value("authorization").removeprefix("Bearer "))
            assert token["exp"] >= gateway.time, "the backend gets a token that is still valid"
        cookies.add(visitor.cookie)
    assert len(cookies) >= 8, "the control: it was renewed often"


def test_a_spent_token_ends_the_session(gateway, visitor):
    spent = visitor.cookie
    for _ in range(2):
        assert visitor.get("/a").status == 200
        assert visitor.get("/a").status == 200
        gateway.move(LIFETIME + WINDOW + 1)
    assert visitor.get("/a").status == 200
    thief = gateway.visitor()
    thief.account.cookie = spent
    with untouched(gateway.backend):
        assert_problem(thief.get("/a", keep=False), 401, "refresh_token_reused")
        assert_problem(visitor.get("/a"), 401, "session_revoked")


def test_an_idle_session_has_expired(tmp_path):
    gateway = Gateway(tmp_path / "data", ROUTES, **STEERED, idleLifetime=10000)
    visitor = gateway.visitor()
    gateway.move(10001)
    with untouched(gateway.backend):
        answer = visitor.get("/a")
    assert_problem(answer, 401, "session_expired")
    assert answer.set_cookies == []
    assert visitor.get("/public/a").status == 200
    assert gateway.stop() == 0


def test_a_disabled_account_is_refused_within_a_second(tmp_path):
    gateway = Gateway(tmp_path / "data", ROUTES)
    visitor = gateway.visitor()
    assert visitor.get("/a").status == 200
    assert run("users", "disable", visitor.account.email, "--data-dir", gateway.directory).returncode == 0
    wait_until(lambda: visitor.get("/a").status == 401)
    assert gateway.stop() == 0
