"""Forward-auth: the checks of proxies on the private listener, and their responses."""
import os
from urllib.parse import parse_qs, urlsplit

import pytest

from browser import PASSWORD, Client, claims, tokens
from forwarding import FORGET, FORMS, IDENTITY, ask, assert_allowed, assert_refused, names, utf8
from server import Server, wait_until

LIFETIME, WINDOW = 300, 30
TRUSTED = "https://www.example.com"
PAGE_LOAD = {"Sec-Fetch-Mode": "navigate"}


@pytest.fixture(scope="module")
def server():
    server = Server(clock="+0", accessTokenLifetime=LIFETIME, stragglerWindow=WINDOW, trustedOrigins=TRUSTED, logLevel="debug")
    yield server
    assert server.stop() == 0


@pytest.fixture
def client(server):
    client = Client(server)
    client.sign_up()
    return client


# The description of the request in each proxy's headers.

@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "HEAD", "OPTIONS", "PROPFIND"])
def test_every_form_of_check_is_allowed_with_the_identity(client, form, method):
    own = {"Origin": client.server.origin, "Sec-Fetch-Site": "same-origin"}
    assert_allowed(ask(client, form, method, headers=own))


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_check_is_refused_without_a_session(client, form):
    assert_refused(ask(client, form, cookie=False), 401, "session_missing")
    assert_refused(ask(client, form, cookie="a~b"), 401, "token_invalid")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "PROPFIND"])
def test_every_form_of_check_is_refused_from_another_site(client, form, method):
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert_refused(ask(client, form, method, headers=foreign), 403, "cross_site_request")
    silent = {"Origin": None, "Sec-Fetch-Site": None}
    assert_refused(ask(client, form, method, headers=silent), 403, "cross_site_request")


@pytest.mark.parametrize("told, missing", [
    ({}, "Method"), ({"X-Forwarded-Method": "GET"}, "Uri"), ({"X-Forwarded-Uri": "/a"}, "Method"),
    ({"X-Original-Method": "GET"}, "URI"), ({"X-Original-URI": "/a"}, "Method"),
    ({"X-Forwarded-Method": "", "X-Forwarded-Uri": "/a"}, "Method"), ({"X-Forwarded-Method": "GET", "X-Forwarded-Uri": ""}, "Uri"),
    ({"X-Forwarded-Host": "localhost", "X-Forwarded-Proto": "http", "X-Forwarded-For": "192.0.2.1"}, "Method"),
])
@pytest.mark.parametrize("origin", [None, "https://evil.example"])
def test_a_missing_header_of_the_proxy_is_refused_and_logged(client, told, missing, origin):
    before = len(client.server.log())
    answer = client.check(headers=FORGET | told | {"Origin": origin})
    assert_refused(answer, 400, "invalid_request")
    new = client.server.log()[before:]
    assert f"x-forwarded-{missing}".lower() in new.lower() or f"x-original-{missing}".lower() in new.lower(), new


@pytest.mark.parametrize("told", [
    {"X-Original-Method": "POST"}, {"X-Original-URI": "/other"}, {"X-Original-Method": "POST", "X-Original-URI": "/api/notes"},
    {"X-Forwarded-Method": "GET, POST"}, {"X-Original-URI": "/api/notes?a=1"}, {"X-Forwarded-Proto": "http, https"},
])
def test_two_headers_that_contradict_each_other_are_refused(client, told):
    own = {"Origin": client.server.origin, "Sec-Fetch-Site": "same-origin"}
    assert_refused(client.check(headers=told | own), 400, "invalid_request")


@pytest.mark.parametrize("host", ["localhost, evil.example", "evil.example", "evil.example, localhost"])
def test_a_forwarded_host_that_is_not_ours_is_refused(client, host):
    assert client.check(headers={"X-Forwarded-Host": host}).status in (400, 421)


def test_two_headers_that_agree_are_allowed(client):
    assert_allowed(client.check(headers={"X-Original-Method": "GET", "X-Original-URI": "/api/notes"}))


@pytest.mark.parametrize("told", [
    {"X-Forwarded-Method": "GET"}, {"X-Original-Method": "GET"}, {"X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/other"},
    {"X-Original-Method": "GET", "X-Original-URI": "/other"}, {"X-HTTP-Method-Override": "GET"},
])
def test_in_the_appended_form_no_header_of_the_client_changes_the_request(client, told):
    """Envoy forwards these headers unchanged."""
    answer = ask(client, "appended", "POST", headers=told | {"Origin": "https://evil.example"})
    assert answer.status in (400, 403) and not names(answer) & IDENTITY


@pytest.fixture(scope="module")
def secure():
    """A client of a server that browsers reach by https, through a proxy."""
    server = Server(publicURL="https://app.example.com")
    client = Client(server)
    client.email = "ann@example.com"
    answer = client.post("/auth/signup", {"email": client.email, "password": PASSWORD}, headers={"Origin": "https://app.example.com"})
    assert answer.status == 201
    yield client
    assert server.stop() == 0


@pytest.mark.parametrize("proto", ["http", "HTTP", "ws", "WS", "Ws", "https", "HTTPS", "wss", "WSS", "Https"])
@pytest.mark.parametrize("method", ["GET", "POST", "handshake"])
def test_the_scheme_is_compared_without_case_and_websockets_are_http(client, secure, proto, method):
    is_secure = proto.lower() in ("https", "wss")
    asking = secure if is_secure else client
    origin = "https://app.example.com" if is_secure else client.server.origin
    headers = {"X-Forwarded-Proto": proto, "X-Forwarded-Host": origin.split("//")[1], "Origin": origin, "Sec-Fetch-Site": None}
    if method == "handshake":
        headers |= {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    assert_allowed(asking.check(method="POST" if method == "POST" else "GET", headers=headers))
    if method != "GET":
        other = origin.replace("https://", "http://") if is_secure else origin.replace("http://", "https://")
        assert_refused(asking.check(method="POST", headers=headers | {"Origin": other}), 403, "cross_site_request")


@pytest.mark.parametrize("proto", ["ftp", "file", "javascript", "httpss"])
def test_other_schemes_are_refused(client, proto):
    assert client.check(headers={"X-Forwarded-Proto": proto}).status == 400


TARGETS = {
    "bare %": "/100%", "half escape": "/a%2", "no escape": "/%zz?%", "backslash": "/a\\b", "backslash in the query": "/a?path=C:\\x",
    "raw UTF-8": utf8("/größe/日本"), "raw UTF-8 in the query": utf8("/?q=naïve"), "not UTF-8": "/\xff\xfe", "fragment": "/a#b", "space": "/a b",
    "quotes": "/a\"b'c", "brackets": "/a[0]{x}|^`", "double slash": "//evil.example/a", "dots": "/a/../../b/./c", "encoded slash": "/a%2Fb%00",
    "semicolons": "/a;b=c;d/e;f", "4 KiB": "/" + "a" * 5000, "16 KiB": "/a?" + "b" * (16384 - 3), "question marks": "/a?b?c", "empty query": "/a?",
    "tilde and dots": "/~ann/.well-known/x", "script": "/<script>alert(1)</script>",
}


@pytest.mark.parametrize("form", ["forwarded", "original"])
@pytest.mark.parametrize("name", TARGETS)
def test_any_target_that_a_proxy_accepts_is_accepted(client, form, name):
    assert_allowed(ask(client, form, target=TARGETS[name]))
    assert_refused(ask(client, form, target=TARGETS[name], cookie=False), 401, "session_missing")


@pytest.mark.parametrize("name", ["bare %", "half escape", "no escape", "double slash", "dots", "encoded slash", "semicolons", "4 KiB", "question marks", "empty query"])
def test_the_appended_form_accepts_any_target_too(client, name):
    assert_allowed(ask(client, "appended", target=TARGETS[name], parameters="max_age=300"))


def test_a_target_over_16_kib_is_refused_and_the_server_stays_available(client):
    answer = client.check("/" + "a" * 17000)
    assert 400 <= answer.status < 500 and not names(answer) & IDENTITY
    assert_allowed(client.check())


# The login redirect.

def returned_to(answer):
    assert (answer.status, answer.set_cookies) == (302, []), answer
    location = urlsplit(answer.header("location"))
    assert (location.scheme, location.netloc, location.path) == ("", "", "/auth/pages/login"), location
    return parse_qs(location.query, keep_blank_values=True).get("return_to", [None])[0]


LOGIN = "login=/auth/pages/login"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("target", ["/", "/a", "/a?b=1&c=2", "/a?b=%2F%26&c=d%20e", "/a/b.html?return_to=/c", "/%E2%82%AC"])
def test_a_navigation_is_redirected_to_the_login_page_with_the_whole_target(client, form, target):
    if form == "appended":
        answer = client.get("/auth/check;login=%2Fauth%2Fpages%2Flogin" + target, headers=PAGE_LOAD | {
            "Host": f"127.0.0.1:{client.server.port}"}, private=True, cookie=False)
    else:
        answer = ask(client, form, target=target, parameters=LOGIN, headers=PAGE_LOAD, cookie=False)
    assert returned_to(answer) == target


@pytest.mark.parametrize("target", [
    "//evil.example", "///evil.example", "/\\evil.example", "/\\/evil.example", "\\\\evil.example", "https://evil.example/", "/\tevil",
    "/%zz", "/100%", "/a\\b", utf8("/größe"), "/a b", "/a#b", "/" + "a" * 5000, "//evil.example/%2F..", "/.//evil.example", "/..//evil.example",
])
def test_return_to_is_only_ever_a_path_on_the_same_origin(client, target):
    """A browser must resolve `return_to` to the same origin. Otherwise the redirect has none."""
    wanted = returned_to(client.check(target, query="?" + LOGIN, headers=PAGE_LOAD, cookie=False))
    if wanted is not None:
        assert wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and "\\" not in wanted
        assert wanted.isprintable() and len(wanted) < 4096
        assert not urlsplit(os.path.normpath(wanted.split("?")[0])).path.startswith("//")


@pytest.mark.parametrize("headers, is_led", [
    ({"Sec-Fetch-Mode": "navigate"}, True), ({"Accept": "text/html,application/xhtml+xml;q=0.9"}, True), ({"Accept": "application/json"}, False),
    ({"Sec-Fetch-Mode": "cors", "Accept": "text/html"}, False), ({"Accept": "*/*"}, False), ({}, False), ({"Sec-Fetch-Mode": "no-cors"}, False),
])
def test_only_navigations_are_redirected_to_the_login_page(client, headers, is_led):
    answer = client.check(query="?" + LOGIN, headers=headers, cookie=False)
    assert answer.status == (302 if is_led else 401)


# Which token decides: bearer or cookie.

def foreign_bearers():
    head, payload = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImFwcCIsInR5cCI6IkpXVCJ9", "eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwic3ViIjoiMSJ9"
    yield "JWT of another issuer", f"Bearer {head}.{payload}.c2lnbmF0dXJl"
    yield "opaque key", "Bearer sk_live_51H8xYzAbCdEfGhIjKl"
    yield "service key", "Bearer crk_abc_" + "A" * 43
    yield "basic", "Basic YW5uOnNlY3JldA=="
    yield "token scheme", "Token abcdef"
    yield "empty bearer", "Bearer"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name, value", list(foreign_bearers()))
def test_with_a_foreign_bearer_the_cookie_decides(client, form, name, value):
    answer = ask(client, form, headers={"Authorization": value})
    assert_allowed(answer)
    assert answer.header("authorization") != value
    assert ask(client, form, headers={"Authorization": value}, cookie=False).status == 401
    assert ask(client, form, headers={"Authorization": value}, cookie="a~b").status == 401


def test_with_a_foreign_bearer_the_cookie_is_renewed_as_usual(client):
    client.server.move(LIFETIME + WINDOW)
    answer = client.check(headers={"Authorization": "Bearer sk_live_51H8xYzAbCdEfGhIjKl"})
    assert_allowed(answer)
    assert len(answer.set_cookies) == 1


def test_our_own_bearer_decides_alone(client):
    other = Client(client.server)
    other.sign_up()
    bearer = {"Authorization": "Bearer " + tokens(other.cookie)[0]}
    answer = client.check(headers=bearer)
    assert_allowed(answer)
    assert answer.header("x-auth-session") == claims(tokens(other.cookie)[0])["sid"]
    assert_allowed(client.check(headers=bearer, cookie=False))
    client.server.move(LIFETIME + 1)
    for cookie in (True, False):
        assert_refused(client.check(headers=bearer, cookie=cookie, keep=False), 401, "token_expired")
    other.post("/auth/logout")
    client.server.move(-LIFETIME - 1)
    assert_refused(client.check(headers=bearer, keep=False), 401, "session_revoked")


def test_public_and_private_answer_in_the_same_order(client):
    """Middleware and forward-auth decide alike."""
    for _, value in foreign_bearers():
        assert client.protected(headers={"Authorization": value}).status == 200, value
    bearer = {"Authorization": "Bearer " + tokens(client.cookie)[0]}
    client.server.move(LIFETIME + 1)
    assert client.protected(headers=bearer, keep=False).code == "token_expired"


# Preflights.

@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("cookie", [True, False])
def test_a_preflight_of_a_trusted_origin_is_allowed_without_identity(client, form, cookie):
    preflight = {"Origin": TRUSTED, "Access-Control-Request-Method": "POST", "Sec-Fetch-Site": "cross-site"}
    answer = ask(client, form, "OPTIONS", headers=preflight, cookie=cookie)
    assert (answer.status, answer.header("x-auth-preflight")) == (204, "allowed")
    assert not names(answer) & IDENTITY
    asked_for = ask(client, form, "OPTIONS", headers=preflight, cookie=cookie, parameters="allow=200&max_age=1")
    assert (asked_for.status, asked_for.header("x-auth-preflight")) == (200, "allowed")


@pytest.mark.parametrize("method, headers", [
    ("OPTIONS", {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}), ("OPTIONS", {"Origin": "null", "Access-Control-Request-Method": "POST"}),
    ("OPTIONS", {"Origin": TRUSTED}), ("OPTIONS", {"Access-Control-Request-Method": "POST"}), ("GET", {"Origin": TRUSTED, "Access-Control-Request-Method": "POST"}),
    ("POST", {"Origin": TRUSTED, "Access-Control-Request-Method": "POST"}), ("OPTIONS", {"Origin": TRUSTED + ".evil.example", "Access-Control-Request-Method": "POST"}),
])
def test_a_request_that_only_resembles_a_preflight_is_refused(client, method, headers):
    for form in FORMS:
        answer = ask(client, form, method, headers={"Sec-Fetch-Site": None, "Origin": None} | headers, cookie=False)
        assert answer.status in (401, 403) and answer.header("x-auth-preflight") is None


# Demands in the proxy's configuration: max_age, acr.

def test_allow_200_allows_on_200(client):
    for form in FORMS:
        assert_allowed(ask(client, form, parameters="allow=200"), 200)
        assert_refused(ask(client, form, parameters="allow=200", cookie=False), 401, "session_missing")


def test_in_the_appended_form_the_query_belongs_to_the_target(client):
    assert_allowed(ask(client, "appended", target="/a?allow=200"), 204)
    assert_allowed(ask(client, "appended", target="/a;allow=200/b"), 204)
    assert_allowed(ask(client, "appended", target="/a?max_age=0&acr=9"), 204)
    assert ask(client, "appended", parameters="allow=200;max_age=300", target="/rest/of/it?a=b").status == 200


@pytest.mark.parametrize("path", ["/auth/check/api/notes", "/auth/check//", "/auth/checks;/x", "/auth/check;", "/auth/check;allow=200"])
def test_a_path_with_a_malformed_target_is_not_a_check(client, path):
    answer = client.get(path, headers={"Host": f"127.0.0.1:{client.server.port}"}, private=True)
    assert answer.status in (400, 404) and not names(answer) & IDENTITY


def test_max_age_demands_a_recent_password(client):
    for form in FORMS:
        assert_allowed(ask(client, form, parameters="max_age=100"))
    client.server.move(101)
    for form in FORMS:
        answer = ask(client, form, parameters="max_age=100", keep=False)
        assert_refused(answer, 401, "insufficient_user_authentication")
        assert "max_age" in answer.header("www-authenticate") and answer.json["max_age"] == 100
        assert_allowed(ask(client, form, parameters="max_age=200"))
    client.post("/auth/step-up", {"password": PASSWORD})
    assert_allowed(client.check(query="?max_age=100"))


def test_acr_demands_a_level(client):
    own = client.get("/auth/session").json["session"]["acr"]
    for form in FORMS:
        assert_allowed(ask(client, form, parameters=f"acr={own}"))
        for level in ("2", "phr"):
            answer = ask(client, form, parameters=f"acr={level}")
            assert answer.status in (400, 401, 403) and not names(answer) & IDENTITY
        assert ask(client, form, parameters="acr=2").code in ("insufficient_user_authentication", "step_up_unavailable")


def test_a_demanded_claim_that_the_session_lacks_is_refused(client):
    for query in ("claim=roles:editor", "claim=roles:editor&claim=plan:pro"):
        answer = client.check(query="?" + query)
        assert answer.status in (400, 401, 403) and not names(answer) & IDENTITY


@pytest.mark.parametrize("query", [
    "max_age=100&max_age=9999", "allow=200&allow=200", "acr=1&acr=2", "login=/a&login=/b", "refuse&refuse", "max_age=soon", "max_age=-1",
    "max_age=", "allow=201", "allow=", "maxage=300", "claim=roles",
])
def test_a_repeated_or_invalid_parameter_is_refused(client, query):
    assert_refused(client.check(query="?" + query), 400, "invalid_request")
    if "login" not in query:
        assert_refused(ask(client, "appended", parameters=query), 400, "invalid_request")


@pytest.mark.parametrize("target, method, status", [
    ("/a?b=1&c=2", "GET", 307), ("/", "HEAD", 307), ("/a", "POST", 503), ("//evil.example", "GET", 503), ("/\\evil.example", "GET", 503),
    (utf8("/größe"), "GET", 503), ("/a\\b", "GET", 503), ("https://evil.example/", "GET", 503),
])
def test_refuse_redirects_an_allowed_request_to_the_same_target(client, target, method, status):
    answer = client.check(target, method, "?refuse")
    assert answer.status == status, answer
    assert answer.header("location") == (target if status == 307 else None)
    assert not names(answer) & {"authorization", "x-auth-subject"}
    assert_refused(client.check(target, method, "?refuse", cookie=False), 401, "session_missing")


# WebSockets.

HANDSHAKES = [
    {"Upgrade": "websocket", "Connection": "Upgrade"}, {"Upgrade": "WebSocket"}, {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="},
    {"Upgrade": "websocket", "Connection": "keep-alive, Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="},
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("handshake", HANDSHAKES)
def test_a_websocket_handshake_is_unsafe(client, form, handshake):
    for origin in ("https://evil.example", "null", None):
        assert_refused(ask(client, form, headers=handshake | {"Origin": origin}), 403, "cross_site_request")
    assert_refused(ask(client, form, headers=handshake | {"Sec-Fetch-Site": "cross-site"}), 403, "cross_site_request")
    assert_allowed(ask(client, form, headers=handshake | {"Origin": client.server.origin}))
    assert_allowed(ask(client, form, headers=handshake | {"Origin": TRUSTED}))


# Renewal during a check.

@pytest.mark.parametrize("form", FORMS)
def test_a_renewed_cookie_is_sent_once_is_repeated_by_name_and_not_cached(client, form):
    client.server.move(LIFETIME + WINDOW)
    answer = ask(client, form)
    assert_allowed(answer)
    assert len(answer.set_cookies) == 1 and answer.header("x-auth-set-cookie") == answer.set_cookies[0]
    assert answer.header("x-auth-cache-control") == answer.header("cache-control") == "no-store"
    assert answer.header("authorization") == "Bearer " + tokens(answer.cookie)[0]
    again = ask(client, form)
    assert_allowed(again)
    assert again.set_cookies == [] and again.header("x-auth-set-cookie") is None and again.header("x-auth-cache-control") is None


def test_a_refusal_for_a_step_up_carries_no_renewed_cookie(client):
    """A problem response sets no cookie."""
    client.server.move(LIFETIME + WINDOW)
    assert_refused(client.check(query="?max_age=10"), 401, "insufficient_user_authentication")
    assert_allowed(client.check())


@pytest.mark.parametrize("lifetime, margin", [(300, 10), (1000, 10), (60, 6), (20, 2)])
def test_a_token_for_a_backend_is_valid_long_enough_to_be_verified(start, lifetime, margin):
    server = start(clock="+0", accessTokenLifetime=lifetime, stragglerWindow=2 * lifetime)
    client = Client(server)
    client.sign_up()
    first = claims(tokens(client.cookie)[0])["exp"]
    server.move(lifetime - margin + 0.5)
    answer = client.check()
    assert_allowed(answer)
    assert len(answer.set_cookies) == 1, "renewed that early"
    assert claims(answer.header("authorization").split()[1])["exp"] >= first + lifetime - margin
    server.move(lifetime - margin + 0.5)
    served = client.check()
    assert_allowed(served)
    assert served.set_cookies == [], "the first use of a generation hands nothing out"
    assert claims(served.header("authorization").split()[1])["exp"] >= first + 2 * (lifetime - margin)


def test_a_revoked_session_is_refused(client):
    saved = client.cookie
    assert_allowed(client.check())
    client.post("/auth/logout")
    wait_until(lambda: client.check(cookie=saved, keep=False).status == 401)
    assert_refused(client.check(cookie=saved, keep=False), 401, "session_revoked")


def test_a_hybrid_cookie_alone_is_refused(start):
    client = Client(start(clients="spa=hybrid"))
    client.sign_up()
    answer = client.log_in(client_id="spa")
    refused = client.check()
    assert refused.status == 401 and not names(refused) & IDENTITY
    assert_allowed(client.check(headers={"Authorization": "Bearer " + answer.json["access_token"]}))


def test_the_public_url_decides_and_not_the_forwarded_host(secure):
    own = {"Origin": "https://app.example.com", "X-Forwarded-Host": "app.example.com", "X-Forwarded-Proto": "https"}
    assert_allowed(secure.check(method="POST", headers=own))
    assert_refused(secure.check(method="POST", headers=own | {"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example"}), 403, "cross_site_request")
