"""HTTP over the wire: several requests on one connection, and unusual requests of proxies and clients."""
import json
import socket

import pytest

from browser import NAME, PASSWORD, Client
from server import Server, refuse_to_serve
from wire import Closed, Wire

TRUSTED = "https://www.example.com"


@pytest.fixture(scope="module")
def server():
    server = Server(trustedOrigins=TRUSTED, clients="app=body", logLevel="debug")
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def member(server):
    client = Client(server)
    client.sign_up()
    return client


def described_paths(client):
    paths = client.get("/auth/openapi.json").json["paths"]
    return sorted({path.replace("{id}", "some-session").replace("{part}", "style.css") for path in paths})


def assert_goes_on(wire, answer):
    """Asserts that the connection serves another request, or was announced to close and closes."""
    if answer.closes:
        assert wire.rest() == b"", "nothing follows the answer"
        return
    assert wire.buffer == b"", f"bytes follow the answer: {wire.buffer[:80]!r}"
    assert wire.ask("GET", "/healthz").status == 200


# HEAD.

OUTCOMES = [
    {}, {"Cookie": f"{NAME}=a~b"}, {"Authorization": "Bearer x"}, {"Origin": TRUSTED}, {"Service-Worker": "script"},
    {"Host": "evil.example"}, {"X-Forwarded-Method": "GET"}, {"X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/"},
]


@pytest.mark.parametrize("is_private", [False, True])
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_head_has_no_body_at_any_status(server, member, is_private, outcome):
    statuses = set()
    odd = ["/nothing", "/auth/nothing", "/auth/session/", "//x", "/auth/check", "/metrics", "/", "/auth/sessions/x", "/auth/check;max_age=x/"]
    outcome = dict(outcome)
    host = outcome.pop("Host", True)
    for path in [*described_paths(member), *odd]:
        with Wire(server, is_private) as wire:
            # Pipelined: the client must parse the bytes after the first head as the second response.
            wire.request("HEAD", path, outcome, host=host)
            wire.request("GET", "/healthz")
            first = wire.answer("HEAD")
            statuses.add(first.status)
            if first.closes:
                assert wire.rest() == b"", (path, first)
            else:
                second = wire.answer()
                assert (second.status, second.version) == (200, "HTTP/1.1"), (path, first, second)
    assert statuses - {200, 204}, "the control: some were refused"


def test_head_has_the_content_length_of_get(server):
    with Wire(server) as wire:
        for path in ("/auth/session", "/healthz", "/auth/openapi.json", "/auth/client.js"):
            head, full = wire.ask("HEAD", path), wire.ask("GET", path)
            assert (head.status, head.header("content-length")) == (full.status, full.header("content-length")), path


@pytest.mark.parametrize("head", [
    b"HEAD /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}", b"HEAD /auth/session HTTP/1.0\r\nHost: localhost\r\n\r\n",
    b"HEAD http://evil.test/ HTTP/1.1\r\nHost: localhost\r\n\r\n", b"HEAD /auth/session HTTP/1.1\r\n\r\n",
    b"HEAD /auth/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
])
def test_head_has_no_body_for_any_refusal(server, head):
    with Wire(server) as wire:
        wire.send(head)
        answer = wire.answer("HEAD")
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.rest() == b"", answer


# Upgrades that the server ignores.

UPGRADES = {
    "h2c, as curl --http2": {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQAoAAAAAIAAAAA"},
    "websocket": {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="},
    "keep-alive beside it": {"Connection": "keep-alive, Upgrade", "Upgrade": "websocket"}, "TLS": {"Connection": "Upgrade", "Upgrade": "TLS/1.0"},
    "several": {"Connection": "upgrade", "Upgrade": "foo/2, h2c, websocket"}, "without a protocol": {"Connection": "Upgrade"},
    "without Connection": {"Upgrade": "h2c"}, "of nothing": {"Connection": "Upgrade", "Upgrade": ""}, "in other letters": {"CONNECTION": "UPGRADE", "UPGRADE": "H2C"},
}


@pytest.mark.parametrize("is_private", [False, True])
@pytest.mark.parametrize("name", UPGRADES)
def test_an_ignored_upgrade_does_not_change_the_connection(server, member, is_private, name):
    asked = {"X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/", "Cookie": f"{NAME}={member.cookie}"}
    paths = ["/auth/check", "/healthz", "/nothing"] if is_private else ["/healthz", "/auth/session", "/nothing", "/auth/pages/login"]
    for path in paths:
        with Wire(server, is_private) as wire:
            answer = wire.ask("GET", path, UPGRADES[name] | (asked if is_private else {}))
            assert answer.status != 101 and answer.status < 500
            assert_goes_on(wire, answer)


@pytest.mark.parametrize("name", UPGRADES)
def test_an_ignored_upgrade_with_a_body_does_not_change_the_connection(server, name):
    body = json.dumps({"email": "a@example.com", "password": "wrong password"}).encode()
    with Wire(server) as wire:
        own = {"Origin": server.origin, "Content-Type": "application/json"}
        answer = wire.ask("POST", "/auth/login", own | UPGRADES[name], body=body)
        assert answer.status == 401
        assert_goes_on(wire, answer)


def test_an_ignored_upgrade_does_not_affect_the_next_request(server):
    """A proxy sends requests of many clients over one connection."""
    with Wire(server, private=True) as wire:
        for _ in range(3):
            try:
                wire.request("GET", "/healthz", UPGRADES["h2c, as curl --http2"])
                wire.request("GET", "/healthz")
                answers = [wire.answer(), wire.answer()]
            except Closed:
                break
            assert [answer.status for answer in answers] == [200, 200]
    assert Client(server).get("/healthz", private=True).status == 200


# Expect: 100-continue.

def expecting(server, body, headers=(), path="/auth/login"):
    own = {"Origin": server.origin, "Content-Type": "application/json", "Expect": "100-continue", "Content-Length": str(len(body))}
    return path, own | dict(headers)


def test_expect_100_continue_is_answered_before_the_body_is_sent(server, member):
    body = json.dumps({"email": member.email, "password": PASSWORD}).encode()
    with Wire(server) as wire:
        path, headers = expecting(server, body)
        wire.request("POST", path, headers)
        first = wire.answer()
        assert first.status == 100
        wire.send(body)
        assert wire.answer().status == 200
        assert wire.ask("GET", "/healthz").status == 200


@pytest.mark.parametrize("headers, host, path, status", [
    ({"Origin": "https://evil.example"}, True, "/auth/login", 403), ({}, "evil.example", "/auth/login", 421), ({}, True, "/nothing", 404),
    ({"Content-Length": "99999999"}, True, "/auth/login", 413), ({"Content-Type": "text/plain"}, True, "/auth/login", 415),
])
def test_a_request_with_expect_is_refused_at_once_if_it_will_be_refused(server, headers, host, path, status):
    """The waiting client gets a response in both cases. The server does not wait for a body that it did not request."""
    body = b'{"email":"a@example.com","password":"x"}'
    with Wire(server) as wire:
        wire.request("POST", path, expecting(server, body, headers)[1], host=host)
        answer = wire.answer()
        if answer.status == 100:
            wire.send(body)
            answer = wire.answer()
        assert answer.status == status


# Request targets and hosts.

@pytest.mark.parametrize("target", [
    "http://evil.test/auth/session", "HTTP://EVIL.TEST/auth/session", "http://evil.test:80/healthz", "https://evil.test/auth/session",
    "http://evil.test/nothing", "http://evil.test", "http://127.0.0.1.evil.test/auth/session", "http://127.0.0.1@evil.test/auth/session",
    "http://[::2]/auth/session",
])
def test_an_absolute_target_with_another_host_is_misdirected(server, target):
    with Wire(server) as wire:
        assert wire.ask("GET", target).status in ((421,) if "@" not in target else (400, 421))


@pytest.mark.parametrize("host", ["{own}", "localhost", "app.localhost:1"])
def test_an_absolute_target_with_our_own_host_is_served(server, host):
    with Wire(server) as wire:
        assert wire.ask("GET", f"http://{host.format(own=wire.host)}/auth/session").status == 200


@pytest.mark.parametrize("path, status", [
    ("/auth/session/", 308), ("/auth/session/?passive=1", 308), ("/auth/sessions/", 308), ("/auth/pages/login/", 308), ("/auth/client.js/", 308),
    ("/healthz/", 308), ("/readyz/", 308), ("/.well-known/jwks.json/", 308), ("/auth/openapi.json/", 308), ("//auth/session/", 404), ("/auth/", 404),
    ("/nothing/", 404), ("//evil.example/", 404), ("/auth/session//", 404), ("/auth/nothing/", 404), ("/auth/check/", 404), ("/\\evil.example/", 404),
])
def test_a_trailing_slash_redirects_to_the_endpoint(server, path, status):
    with Wire(server) as wire:
        answer = wire.ask("GET", path)
        assert answer.status == status
        if status == 308:
            before, _, query = path.partition("?")
            assert answer.header("location") == before.rstrip("/") + (f"?{query}" if query else "")


@pytest.mark.parametrize("path", ["/auth/login/", "/auth/signup/", "/auth/refresh/", "/auth/logout/", "/auth/step-up/", "/auth/password/", "/auth/sessions/revoke-others/"])
def test_a_trailing_slash_keeps_the_method(server, path):
    answer = Client(server).post(path, {})
    assert (answer.status, answer.header("location")) == (308, path.rstrip("/"))


@pytest.mark.parametrize("headers", [
    {"X": "a" * 33000}, {"X": "a" * 40000}, {f"X-{number}": "a" * 300 for number in range(120)}, {"Cookie": "a=" + "b" * 36000},
    {f"X-{number}": "" for number in range(4000)},
])
def test_a_head_that_is_too_large_is_431(server, headers):
    with Wire(server) as wire:
        answer = wire.ask("GET", "/auth/session", headers)
        assert answer.status == 431 and answer.header("content-type") == "application/problem+json"
        assert json.loads(answer.body)["status"] == 431 and answer.set_cookies == []
    assert Client(server).get("/healthz").status == 200


def test_a_head_of_a_usual_size_is_served(server):
    with Wire(server) as wire:
        assert wire.ask("GET", "/auth/session", {f"X-{number}": "a" * 1000 for number in range(12)}).status == 200


def test_a_probe_that_speaks_http_1_0_without_a_host_is_answered(server):
    for is_private in (False, True):
        with Wire(server, is_private) as wire:
            answer = wire.ask("GET", "/healthz", version="HTTP/1.0", host=False)
            assert answer.status == 200
            assert wire.rest() == b"", "and the connection ends, as HTTP/1.0 has it"


@pytest.mark.parametrize("path", ["/auth/session", "/nothing", "/auth/login"])
def test_every_other_request_needs_a_host(server, path):
    with Wire(server) as wire:
        assert wire.ask("GET", path, version="HTTP/1.0", host=False).status in (400, 405, 421)


# How the server recognizes a browser.

NATIVE = {"Origin": None, "Sec-Fetch-Site": None}


@pytest.mark.parametrize("headers, is_browser", [
    ({}, False), ({"Sec-Fetch-Mode": "cors"}, False), ({"Sec-Fetch-Mode": "cors", "Accept-Language": "*", "User-Agent": "node"}, False),
    ({"Sec-Fetch-Dest": "empty"}, False), ({"Origin": "own"}, True), ({"Sec-Fetch-Site": "same-origin"}, True), ({"Sec-Fetch-Site": "none"}, True),
])
def test_origin_or_sec_fetch_site_marks_a_browser_and_sec_fetch_mode_alone_does_not(server, member, headers, is_browser):
    """Node's fetch sends `Sec-Fetch-Mode: cors` and no other header of that kind."""
    named = {name: server.origin if value == "own" else value for name, value in headers.items()}
    login = {"email": member.email, "password": PASSWORD, "client_id": "app"}
    answer = member.post("/auth/login", login, headers=NATIVE | named, cookie=False, keep=False)
    assert answer.status == (400 if is_browser else 200), answer
    if not is_browser:
        renewed = member.post("/auth/refresh", {"refresh_token": answer.json["refresh_token"]}, headers=NATIVE | named, cookie=False)
        assert renewed.status == 200 and renewed.json["refresh_token"]


def test_a_form_under_no_referrer_is_refused_and_the_log_names_the_reason(server, member):
    """With `Referrer-Policy: no-referrer` browsers send `Origin: null` with a form of our own page."""
    before = len(server.log())
    form = {"Origin": "null", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Content-Type": "application/x-www-form-urlencoded"}
    answer = member.post("/auth/logout", body="a=b", headers=form, keep=False)
    assert (answer.status, answer.code) == (403, "cross_site_request")
    assert "Referrer-Policy" in server.log()[before:]


def test_a_dev_proxy_that_rewrites_the_host_is_explained_in_the_log(server, member):
    before = len(server.log())
    answer = member.refresh(headers={"Origin": "http://localhost:5173", "Sec-Fetch-Site": "same-origin"}, keep=False)
    assert answer.status == 403
    new = server.log()[before:]
    assert "http://localhost:5173" in new and "trustedOrigins" in new


# Preflights of trusted origins.

@pytest.mark.parametrize("asked", ["content-type", "traceparent", "content-type, traceparent, baggage", "x-b3-traceid,sentry-trace", "X-Request-ID", "authorization"])
@pytest.mark.parametrize("path", ["/auth/login", "/auth/refresh", "/auth/sessions/some-session"])
def test_the_headers_that_a_trusted_origin_requests_are_allowed(server, path, asked):
    preflight = {"Origin": TRUSTED, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": asked}
    answer = Client(server).send("OPTIONS", path, headers=preflight)
    allowed = {name.strip().lower() for name in (answer.header("access-control-allow-headers") or "").split(",")}
    assert answer.status == 204 and {name.strip().lower() for name in asked.split(",")} <= allowed
    foreign = Client(server).send("OPTIONS", path, headers=preflight | {"Origin": "https://evil.example"})
    assert foreign.header("access-control-allow-headers") is None and foreign.header("access-control-allow-origin") is None


@pytest.mark.parametrize("asked", ["a b", "a:b", "*", "(x)", "a,,b;c", "", ",", "\xe9", "x" * 9000])
def test_a_preflight_without_requested_headers_is_answered_too(server, asked):
    preflight = {"Origin": TRUSTED, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": asked}
    answer = Client(server).send("OPTIONS", "/auth/login", headers=preflight)
    assert answer.status < 500 and (answer.header("access-control-allow-headers") or "a").isascii()


# Requests without a body.

@pytest.mark.parametrize("media_type", [
    None, "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=UTF-8", "text/plain;charset=UTF-8", "multipart/form-data; boundary=x",
    "application/json", "",
])
@pytest.mark.parametrize("path", ["/auth/logout", "/auth/refresh", "/auth/sessions/revoke-others"])
def test_a_request_without_a_body_has_no_media_type_to_refuse(server, path, media_type):
    """htmx, jQuery and sendBeacon send a Content-Type without a body."""
    client = Client(server)
    client.sign_up()
    answer = client.post(path, body="", headers={"Content-Type": media_type})
    assert answer.status in (200, 204), answer
    if path == "/auth/logout":
        assert client.protected(cookie=False).code == "session_missing"


def test_a_request_that_lacks_its_body_is_invalid(server):
    answer = Client(server).post("/auth/login", body="", headers={"Content-Type": "text/plain"})
    assert (answer.status, answer.code) == (400, "invalid_request")


# Several apps on one host.

def test_two_apps_on_one_host_have_cookies_of_their_own(start):
    servers = [start(cookieName="__Host-first"), start(cookieName="__Host-second")]
    jar, addresses = {}, []
    for server in servers:
        name = server.settings["cookieName"]
        client = Client(server)
        answer = client.sign_up()
        assert answer.set_cookies[0].startswith(name + "=")
        jar[name] = answer.cookie
        addresses.append(client.email)
    header = {"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())}
    for server, address in zip(servers, addresses):
        client = Client(server)
        assert client.get("/auth/session", headers=header).json["user"]["email"] == address
        assert client.check(headers=header).status == 204
        renewed = client.post("/auth/refresh", headers=header)
        assert renewed.set_cookies[0].startswith(server.settings["cookieName"] + "=")
        assert client.get("/auth/sessions", headers={"Cookie": f"{NAME}={jar[server.settings['cookieName']]}"}).code == "session_missing"
    out = Client(servers[0]).post("/auth/logout", headers=header)
    assert out.set_cookies[0].startswith("__Host-first=;") and "Max-Age=0" in out.set_cookies[0]
    assert Client(servers[1]).get("/auth/session", headers=header).json["authenticated"] is True


@pytest.mark.parametrize("name", ["session", "Host-session", "__Secure-session", "__host-session", "__Host-", "__Host-a b", "__Host-é"])
def test_another_name_keeps_the_prefix(tmp_path, name):
    result = refuse_to_serve(tmp_path / "data", cookieName=name)
    assert result.returncode == 78 and "CLOAKROOM_COOKIE_NAME" in result.stderr


@pytest.mark.parametrize("private", [False, True])
def test_connect_is_refused_and_closes_the_connection(server, private):
    with Wire(server, private) as wire:
        wire.request("CONNECT", "/auth/check")
        answer = wire.answer("CONNECT")
        assert answer.closes and wire.rest() == b""


@pytest.mark.parametrize("headers", [[("X-Long", "a" * 17_500)], [(f"X-{n}", "a" * 4000) for n in range(10)], [(f"X-{n}", "a") for n in range(250)]])
def test_a_head_that_is_too_large_has_no_body_for_head(server, headers):
    with Wire(server) as wire:
        wire.request("HEAD", "/healthz", headers)
        assert wire.answer("HEAD").status == 431 and wire.rest() == b""


@pytest.mark.parametrize("method, target", [("HEAD", "/auth/login"), ("GET", "/healthz"), ("POST", "/auth/nothing")])
def test_a_body_that_ends_early_after_its_response_gets_no_second_response(server, method, target):
    with Wire(server) as wire:
        wire.request(method, target, {"Transfer-Encoding": "chunked"})
        wire.send(b"ZZ\r\n")
        wire.answer(method)
        assert wire.rest() == b""


REFUSED = {
    "another host": (b"GET http://evil.test/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 421), "half a head": (b"GET /healthz HTTP/1.1\r\nHo", 400),
    "no HTTP": (b"\x16\x03\x01\r\n\r\n", 400), "too large": (b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", 431),
}


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("before", [0, 2])
@pytest.mark.parametrize("name", REFUSED)
def test_a_client_that_closes_its_side_after_a_refused_request_reads_the_refusal(server, private, before, name):
    request, status = REFUSED[name]
    with Wire(server, private) as wire:
        wire.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * before + request)
        wire.socket.shutdown(socket.SHUT_WR)
        assert [wire.answer().status for _ in range(before)] == [200] * before
        answer = wire.answer()
        assert answer.status == status and json.loads(answer.body)["status"] == status and answer.closes
        assert wire.rest() == b""


def test_bytes_after_the_last_request_of_a_connection_are_ignored(server):
    with Wire(server) as wire:
        wire.send(f"GET /healthz HTTP/1.0\r\nHost: {wire.host}\r\nConnection: keep-alive\r\n\r\n".encode() * 2)
        assert wire.answer().closes
        assert wire.rest() == b"", "and the server closes, though the client does not"


def test_expect_with_a_body_that_is_too_large_is_refused_and_disconnected(server):
    with Wire(server) as wire:
        wire.request("POST", "/auth/login", {"Expect": "100-continue", "Content-Type": "application/json", "Content-Length": "70000"})
        answer = wire.answer()
        assert answer.status == 413 and answer.closes


def test_refusals_before_the_router_are_counted(server):
    def count():
        lines = Client(server).get("/metrics", private=True).body.decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith('cloakroom_denials_total{code="misdirected_request"}'))

    before = count()
    with Wire(server) as wire:
        wire.request("GET", "http://evil.example/auth/session")
        assert wire.answer().status == 421
    assert count() == before + 1
