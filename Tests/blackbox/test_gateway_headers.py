"""What crosses the gateway: headers, cookies and tokens, towards the backend and back."""

import pytest

from raw_backend import OK, response
from browser import NAME, PASSWORD, Client, claims
from gateway import STEERED, Gateway, ask, assert_identity, assert_problem, head, renewed, untouched, values
from wire import Wire

ROUTES = [
    {"path": "/public/*", "access": "public"}, {"path": "/keep/*", "access": "public", "bearer": "keep"},
    {"path": "/*", "access": "session"},
]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    gateway = Gateway(tmp_path_factory.mktemp("gateway") / "data", ROUTES, clients="app=body")
    yield gateway
    assert gateway.is_alive(), gateway.log()
    assert gateway.stop() == 0


@pytest.fixture(scope="module")
def visitor(gateway):
    return gateway.visitor()


def received(visitor, *lines, below="", **options):
    """The request as it reached the backend."""
    backend = visitor.gateway.backend
    path = backend.on(OK, below)
    answer = visitor.get(path, *lines, **options)
    assert answer.status == 200, answer
    return backend.one(path)


# Identity.

def test_the_backend_is_told_who_sends_the_request(visitor):
    request = received(visitor, "X-Own: kept", "Accept: text/plain")
    assert_identity(request, visitor)
    assert (request.value("x-own"), request.value("accept"), request.version) == ("kept", "text/plain", "HTTP/1.1")
    assert request.value("host") == f"127.0.0.1:{visitor.gateway.port}"
    assert request.value("x-forwarded-for") == "127.0.0.1"
    assert (request.value("x-forwarded-proto"), request.value("x-forwarded-host")) == ("http", request.value("host"))


FORGED = [
    "X-Auth-Subject", "X-Auth-Session", "X-Auth-Claims", "X-Auth-Token", "X-Auth-Set-Cookie", "X-Auth-Roles", "Authorization", "Forwarded",
    "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override",
    "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Method", "X-Forwarded-Uri", "X-Original-Method", "X-Original-URI",
]


# Every character of a token that is no letter, digit or hyphen (RFC 9110, section 5.6.2).
ODD = "!#$%&'*+.^_`|~"


def spellings(name):
    parts = name.split("-")
    mixed = "_".join(parts[:2]) + "".join("." + part for part in parts[2:])
    return {name, name.upper(), name.lower(), name.replace("-", "_"), name.replace("-", "."), name.lower().replace("-", "_"), name.upper().replace("-", "."), mixed}


@pytest.mark.parametrize("name", FORGED)
@pytest.mark.parametrize("area, signed_in", [("", True), ("/public", True), ("/public", False)])
def test_no_spelling_of_a_header_that_we_set_reaches_the_backend(visitor, name, area, signed_in):
    for spelling in sorted(spellings(name)):
        request = received(visitor, f"{spelling}: forged-value", below=area, cookie=signed_in)
        assert b"forged-value" not in request.head, (spelling, request)
        assert len({key.replace("_", "-").replace(".", "-") for key in request.names}) == len(request.names), "each once"
        if signed_in:
            assert_identity(request, visitor)


@pytest.mark.parametrize("character", ODD)
def test_no_character_of_a_token_stands_for_a_hyphen(visitor, character):
    """Servers that make variables of names, such as `HTTP_X_AUTH_SUBJECT`, take any of them for one that is ours."""
    alike = [name.replace("-", character) for name in FORGED]
    mixed = [name.replace("-", character, 1) for name in FORGED] + ["-".join(name.rsplit("-", 1)[:1]) + character + name.rsplit("-", 1)[1] for name in FORGED if "-" in name]
    for name in dict.fromkeys(alike + mixed):
        request = received(visitor, f"{name}: forged-value")
        assert b"forged-value" not in request.head, (name, request)
        assert_identity(request, visitor)


@pytest.mark.parametrize("character", ODD)
def test_connection_that_names_a_header_of_ours_by_another_character_never_drops_it(visitor, character):
    path = visitor.gateway.backend.on(OK)
    answer = visitor.get(path, f"Connection: X{character}Auth{character}Subject")
    if answer.status == 200:
        assert_identity(visitor.gateway.backend.one(path), visitor)
    else:
        assert_problem(answer, 400, "invalid_request")


def test_forged_headers_are_removed_wherever_they_stand_and_however_many(visitor):
    lines = [f"{spelling}: forged-value" for name in FORGED for spelling in sorted(spellings(name))]
    for start in range(0, len(lines), 60):
        request = received(visitor, "A: 1", *lines[start:start + 60], "B: 2")
        assert b"forged-value" not in request.head
        assert (request.value("a"), request.value("b")) == ("1", "2")
        assert_identity(request, visitor)


@pytest.mark.parametrize("name", ["X-Authorization", "X-Authentic", "XAuth-Subject", "X-Forwarded", "X-Origin", "My-X-Auth-Subject", "Forwarded-By"])
def test_other_headers_are_left_alone(visitor, name):
    assert received(visitor, f"{name}: mine").value(name) == "mine"


@pytest.mark.parametrize("value", ["text with  two spaces", "caf\xe9", "\xff\xfe", "", "a\tb", "\"quoted\"; x=1", "~" * 4000])
def test_values_keep_their_bytes(visitor, value):
    assert received(visitor, f"X-Own: {value}").value("x-own") == value


def test_repeated_headers_keep_their_order_and_names_their_letters(visitor):
    request = received(visitor, "X-List: 1", "x-LIST: 2", "X-Other: 3", "X-List: 4")
    assert request.values("x-list") == ["1", "2", "4"] and b"x-LIST: 2" in request.head


# Connection.

@pytest.mark.parametrize("named", [
    "X-Auth-Subject", "Authorization", "x-auth-session", "Cookie", "Host", "X-Own", "Content-Length", "close, X-Auth-Subject",
    "keep-alive,authorization", "X_Auth_Subject", "Transfer-Encoding, X-Forwarded-For", "X-Forwarded-For", "Content-Type",
])
def test_connection_that_names_an_end_to_end_header_is_refused(visitor, named):
    with untouched(visitor.gateway.backend), Wire(visitor.gateway) as wire:
        wire.send(visitor.head("GET", "/a", f"Connection: {named}", "X-Own: 1"))
        assert_problem(wire.answer(), 400, "invalid_request")
        assert wire.rest() == b""


@pytest.mark.parametrize("lines", [
    ("Connection: keep-alive", "Keep-Alive: timeout=5"), ("Connection: close",), ("Connection: Keep-Alive, TE", "TE: trailers"), ("Proxy-Connection: keep-alive",),
    ("Proxy-Authorization: Basic eDp5",), ("Connection: TE", "TE: gzip"), ("Connection:",), ("Connection: ,,close",), ("Connection: close", "Connection: keep-alive"),
    ("Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABk"), ("Upgrade: h2c",), ("Connection: upgrade", "Upgrade: TLS/1.0"),
])
def test_headers_of_the_connection_stay_on_it(visitor, lines):
    request = received(visitor, *lines)
    assert not set(request.names) & {"keep-alive", "te", "proxy-connection", "proxy-authorization", "upgrade", "http2-settings"}
    assert request.value("connection") in (None, "keep-alive")


# Cookies to the backend.

OURS = f"{NAME}={{}}"


@pytest.mark.parametrize("sent, reached", [
    (["{}"], []), (["a=1; {}"], ["a=1"]), (["{}; a=1"], ["a=1"]), (["a=1; {}; b=2"], ["a=1; b=2"]), (["a=1;{};b=2"], ["a=1; b=2"]),
    (["a=1", "{}"], ["a=1"]), (["a=1", "{}; b=2"], ["a=1", "b=2"]), (["{}", "a=1"], ["a=1"]), (["a=1; {}", "b=2; c=3"], ["a=1", "b=2; c=3"]),
    ([" \t{}\t ; a=1"], ["a=1"]), (["a=1; {};"], ["a=1"]), (["a=\"x; {}; b=2"], ["a=\"x; b=2"]), ([f"{NAME}=rubbish; a=1; {{}}"], ["a=1"]),
])
def test_our_cookie_is_cut_out_wherever_it_stands(visitor, sent, reached):
    ours = f"{NAME}={visitor.cookie}"
    request = received(visitor, *[f"Cookie: {line.format(ours)}" for line in sent], cookie=False)
    assert visitor.cookie.encode() not in request.head and NAME not in str(request.head)
    assert [value.replace(" ;", ";").strip() for value in request.values("cookie")] == reached
    assert_identity(request, visitor)


@pytest.mark.parametrize("line", [
    f"{NAME}x=1", f"x{NAME}=1", f"x={NAME}=1", NAME.lower() + "=1", "a=1; b; =c; ; d=caf\xe9; \"e\"=f", "  a=1;b=2  ;c=3", f"{NAME}", "a=1;;b=2",
])
def test_other_cookies_are_left_untouched(visitor, line):
    request = received(visitor, f"Cookie: {line}", cookie=False, below="/public")
    assert request.value("cookie").strip() == line.strip()


def test_a_stale_cookie_of_ours_is_cut_out_as_well(visitor):
    request = received(visitor, f"Cookie: a=1; {NAME}=rubbish", cookie=False, below="/public")
    assert request.value("cookie") == "a=1" and "authorization" not in request.names


# Cookies and headers from the backend.

SETS = [
    f"{NAME}=evil", f"{NAME}=evil; Path=/; Secure; HttpOnly", f"{NAME} = evil", f" {NAME}=evil", f"={NAME}=evil; Path=/; Secure", f"{NAME}=; Max-Age=0",
    f"= {NAME}=evil", f"\t{NAME}\t=evil", f"{NAME}",
]


@pytest.mark.parametrize("value", SETS[:-1])
def test_a_backend_cannot_set_our_cookie(visitor, value):
    backend = visitor.gateway.backend
    path = backend.on(response(200, "Set-Cookie: a=1; Path=/", f"Set-Cookie:{value}", "Set-Cookie: b=2", f"set-cookie: {value}", "SET-COOKIE: c=3"))
    answer = visitor.get(path)
    assert values(answer, "set-cookie") == ["a=1; Path=/", "b=2", "c=3"]


@pytest.mark.parametrize("value",
    [f"x={NAME}=1", f"{NAME}2=1", f"x{NAME}=1", "a=b; Domain=example.com", "=x", "novalue", "a=\"1,2\"; Expires=Wed, 01 Jan 2031 00:00:00 GMT"])
def test_other_cookies_of_the_backend_are_passed_on(visitor, value):
    path = visitor.gateway.backend.on(response(200, f"Set-Cookie: {value}"))
    assert visitor.get(path).set_cookies == [value]


@pytest.mark.parametrize("name", [
    "X-Auth-Subject", "X-Auth-Session", "X-Auth-Claims", "X-Auth-Set-Cookie", "X-Auth-Token", "x_auth_subject", "X-Auth-Cache-Control",
    "Connection", "Keep-Alive", "Proxy-Connection", "Upgrade", "TE", "Proxy-Authenticate",
])
@pytest.mark.parametrize("area", ["", "/public"])
def test_headers_that_are_ours_or_of_the_connection_do_not_come_back(visitor, name, area):
    value = "keep-alive" if name == "Connection" else "leak"
    path = visitor.gateway.backend.on(response(200, f"{name}: {value}", "X-Own: kept"), below=area)
    answer = visitor.get(path, cookie=not area)
    assert answer.status == 200 and answer.header("x-own") == "kept"
    assert name.lower() not in {key.lower() for key, _ in answer.headers}


def test_headers_that_the_backends_connection_names_do_not_come_back(visitor):
    path = visitor.gateway.backend.on(response(200, "Connection: keep-alive, X-Hop", "X-Hop: 1", "X-Own: kept"))
    answer = visitor.get(path)
    assert answer.header("x-hop") is None and answer.header("x-own") == "kept"


@pytest.mark.parametrize("status",
    [200, 201, 202, 203, 206, 207, 226, 300, 301, 303, 307, 308, 400, 401, 402, 403, 404, 409, 410, 418, 422, 429, 451, 500, 501, 502, 503, 504, 511, 599])
def test_status_headers_and_body_of_the_backend_are_passed_on(visitor, status):
    lines = ["ETag: \"x\"", "Cache-Control: public, max-age=60", "Location: /elsewhere", "WWW-Authenticate: Basic", "X-Bytes: caf\xe9", "Vary: Accept",
        "Content-Encoding: gzip"]
    body = bytes(range(256)) * 4
    path = visitor.gateway.backend.on(response(status, *lines, body=body))
    answer = visitor.get(path, "Accept: text/html", "Sec-Fetch-Mode: navigate")
    assert (answer.status, answer.body) == (status, body)
    assert [f"{name}: {value}" for name, value in answer.headers if f"{name}: {value}" in lines] == lines
    assert not renewed(answer)


# Trailers.

def test_trailers_of_a_request_are_dropped(visitor):
    backend = visitor.gateway.backend
    path = backend.on(OK)
    body = b"5\r\nhello\r\n0\r\nX-Auth-Subject: admin\r\nX-Trailer: 1\r\n\r\n"
    with Wire(visitor.gateway) as wire:
        wire.send(visitor.head("POST", path, "Transfer-Encoding: chunked", "Trailer: X-Auth-Subject") + body)
        assert wire.answer().status == 200
        wire.send(visitor.head("GET", path))
        assert wire.answer().status == 200, "the connection goes on"
    first = backend.wait_for(path, 2) and backend.to(path)[0]
    assert (first.body, first.trailers) == (b"hello", [])
    assert_identity(first, visitor)


def test_trailers_of_a_response_never_become_headers(visitor):
    body = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Set-Cookie\r\n\r\n2\r\nok\r\n0\r\nSet-Cookie: " + NAME.encode() + b"=evil\r\nX-Auth-Subject: x\r\n\r\n"
    path = visitor.gateway.backend.on(body)
    with Wire(visitor.gateway) as wire:
        wire.send(visitor.head("GET", path, "Connection: close"))
        data = wire.rest()
    assert b"\r\n2\r\nok\r\n0\r\n" in data and b"evil" not in data and b"X-Auth-Subject" not in data


# Bearer tokens.

@pytest.fixture(scope="module")
def app(gateway):
    """The tokens of a native app."""
    account = Client(gateway)
    account.sign_up()
    answer = account.post("/auth/login", {"email": account.email, "password": PASSWORD, "client_id": "app"}, cookie=False, keep=False,
        headers={"Origin": None, "Sec-Fetch-Site": None})
    assert answer.status == 200, answer
    return answer.json["access_token"]


def test_a_bearer_of_ours_passes_without_a_cookie(gateway, app):
    for method in ("GET", "POST"):
        path = gateway.backend.on(OK)
        assert ask(gateway, head(gateway, method, path, f"Authorization: Bearer {app}", "Content-Length: 0")).status == 200
        request = gateway.backend.one(path)
        token = request.value("authorization").removeprefix("Bearer ")
        assert claims(token)["sid"] == claims(app)["sid"] == request.value("x-auth-session")


def test_a_bearer_of_ours_decides_alone(gateway, visitor, app):
    request = received(visitor, f"Authorization: Bearer {app}")
    assert request.value("x-auth-session") == claims(app)["sid"] != claims(visitor.cookie.split("~")[0])["sid"]


def test_a_bearer_of_another_issuer_leaves_the_decision_to_the_cookie(visitor):
    for foreign in ("Bearer abc", "Basic eDp5", "Bearer a.b.c"):
        assert_identity(received(visitor, f"Authorization: {foreign}"), visitor)
    with untouched(visitor.gateway.backend):
        assert ask(visitor.gateway, head(visitor.gateway, "GET", "/a", "Authorization: Bearer abc")).status == 401


@pytest.mark.parametrize("foreign", ["Bearer abc", "Basic eDp5", "Bearer a.b.c", "Digest username=\"x\""])
def test_a_route_that_keeps_bearers_sends_ours_beside_it(visitor, foreign):
    request = received(visitor, f"Authorization: {foreign}", below="/keep")
    assert request.value("authorization") == foreign
    assert claims(request.value("x-auth-token"))["sid"] == request.value("x-auth-session")
    anonymous = received(visitor, f"Authorization: {foreign}", "X-Auth-Token: forged-value", below="/keep", cookie=False)
    assert anonymous.value("authorization") == foreign and "x-auth-token" not in anonymous.names


def test_a_route_that_keeps_bearers_sends_ours_as_usual_without_one(visitor):
    assert_identity(received(visitor, below="/keep"), visitor)
    assert_identity(received(visitor, "X-Auth-Token: forged-value", below="/keep"), visitor)


def test_a_bearer_of_ours_is_not_told_twice(visitor, app):
    request = received(visitor, f"Authorization: Bearer {app}", below="/keep", cookie=False)
    assert request.value("x-auth-session") == claims(app)["sid"]
    tokens = request.values("authorization") + request.values("x-auth-token")
    assert {claims(token.removeprefix("Bearer "))["sid"] for token in tokens} == {claims(app)["sid"]}


@pytest.fixture
def steered(tmp_path):
    gateway = Gateway(tmp_path / "data", ROUTES, clients="app=body", **STEERED)
    yield gateway
    assert gateway.stop() == 0


def expired(gateway, visitor):
    gateway.expire_access_tokens()


def logged_out(gateway, visitor):
    visitor.log_out()


def logged_out_and_expired(gateway, visitor):
    visitor.log_out()
    gateway.expire_access_tokens()


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
@pytest.mark.parametrize("end", [expired, logged_out, logged_out_and_expired])
def test_a_token_of_ours_that_has_ended_is_not_kept(steered, end, scheme):
    """The backend verifies signature and time, and would serve a token that is revoked."""
    visitor = steered.visitor()
    token = visitor.cookie.split("~")[0]
    end(steered, visitor)
    path = steered.backend.on(OK, below="/keep")
    answer = ask(steered, head(steered, "GET", path, f"Authorization: {scheme} {token}"))
    assert answer.status in (200, 401), answer
    for request in steered.backend.to(path):
        assert token.encode() not in request.head and "x-auth-subject" not in request.names, request


# Cross-origin requests.

PREFLIGHT = [
    {"path": "/a", "methods": ["PUT"], "access": "public"}, {"path": "/a", "methods": ["OPTIONS", "GET"], "access": "session"},
    {"path": "/b", "methods": ["PUT"], "access": "session"}, {"path": "/b", "access": "public"},
]


@pytest.mark.parametrize("origin, is_trusted", [
    ("https://www.example.com", True), ("https://evil.example", False), ("https://www.example.com.evil.example", False), ("http://www.example.com", False),
    ("null", False), ("", False), (None, False),
])
def test_only_a_preflight_of_a_trusted_origin_is_judged_by_the_method_that_it_asks_for(tmp_path, origin, is_trusted):
    gateway = Gateway(tmp_path / "data", PREFLIGHT, trustedOrigins="https://www.example.com")
    lines = ["Access-Control-Request-Method: PUT"] + ([f"Origin: {origin}"] if origin is not None else [])
    answer = ask(gateway, head(gateway, "OPTIONS", "/a", *lines), "OPTIONS")
    assert answer.status == 200 if is_trusted else answer.status in (400, 401, 403), answer
    assert len(gateway.backend.to("/a")) == (1 if is_trusted else 0)
    assert gateway.stop() == 0


def test_the_gateways_own_refusals_can_be_read_by_trusted_origins(tmp_path):
    trusted = "https://www.example.com"
    gateway = Gateway(tmp_path / "data", ROUTES, trustedOrigins=trusted)
    answer = ask(gateway, head(gateway, "GET", "/a", f"Origin: {trusted}", "Sec-Fetch-Mode: cors"))
    assert_problem(answer, 401, "session_missing")
    assert (answer.header("access-control-allow-origin"), answer.header("access-control-allow-credentials")) == (trusted, "true")
    other = ask(gateway, head(gateway, "GET", "/a", "Origin: https://evil.example", "Sec-Fetch-Mode: cors"))
    assert other.status == 401 and other.header("access-control-allow-origin") is None
    preflight = head(gateway, "OPTIONS", "/a", f"Origin: {trusted}", "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: x-own")
    assert ask(gateway, preflight).status == 200, "the backend answers it"
    assert "x-auth-subject" not in gateway.backend.one("/a").names
    foreign = head(gateway, "OPTIONS", "/a", "Origin: https://evil.example", "Access-Control-Request-Method: PUT")
    assert ask(gateway, foreign).status == 401 and len(gateway.backend.to("/a")) == 1
    assert gateway.stop() == 0


# Addresses.

@pytest.mark.parametrize("proxies, sent, told", [
    (None, "203.0.113.7", "127.0.0.1"), ("127.0.0.1", "203.0.113.7", "203.0.113.7"), ("127.0.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
    ("127.0.0.1,203.0.113.0/24", "198.51.100.1, 203.0.113.7", "198.51.100.1"), ("127.0.0.1", "unknown", "127.0.0.1"),
])
def test_the_clients_address_is_the_one_that_trusted_proxies_name(tmp_path, proxies, sent, told):
    gateway = Gateway(tmp_path / "data", [{"path": "/*", "access": "public"}], trustedProxies=proxies)
    assert ask(gateway, head(gateway, "GET", "/a", f"X-Forwarded-For: {sent}")).status == 200
    assert gateway.backend.one("/a").value("x-forwarded-for") == told
    assert gateway.stop() == 0


def test_an_https_site_is_named_so(tmp_path):
    gateway = Gateway(tmp_path / "data", [{"path": "/*", "access": "public"}], publicURL="https://app.example.com")
    assert ask(gateway, head(gateway, "GET", "/a", host="app.example.com")).status == 200
    request = gateway.backend.one("/a")
    assert (request.value("x-forwarded-proto"), request.value("x-forwarded-host"), request.value("host")) == ("https", "app.example.com", "app.example.com")
    with untouched(gateway.backend):
        assert_problem(ask(gateway, head(gateway, "GET", "/a")), 421, "misdirected_request")
    assert gateway.stop() == 0
