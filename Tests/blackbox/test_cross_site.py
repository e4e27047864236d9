"""Cross-site requests (docs/cross-site-requests.md)."""
import itertools
import socket

import pytest

from browser import PASSWORD, Client, generation

OWN = "own"
TRUSTED = "https://www.example.com"
SITES = [None, "same-origin", "same-site", "cross-site", "none", "banana", "Same-Origin", "same-origin, cross-site", ""]
ORIGINS = [
    None, OWN, TRUSTED, "null", "https://evil.example", "http://localhost:1", "https://127.0.0.1", "http://127.0.0.1",
    "http://127.0.0.1.evil.example", "",
]
UNSAFE = [
    ("POST", "/auth/login"), ("POST", "/auth/signup"), ("POST", "/auth/refresh"), ("POST", "/auth/logout"),
    ("POST", "/auth/step-up"), ("POST", "/auth/password"), ("POST", "/auth/sessions/revoke-others"),
    ("DELETE", "/auth/sessions/some-session"),
]


@pytest.fixture(scope="module")
def server():
    from server import Server
    server = Server(trustedOrigins=TRUSTED)
    yield server
    assert server.stop() == 0


def is_allowed(site, origin, has_cookie):
    """The rules of the document, as code."""
    if origin is not None and origin not in (OWN, TRUSTED):
        return False
    if site in ("same-origin", "none"):
        return True
    if origin == TRUSTED:
        return True
    if site is None:
        return origin == OWN or not has_cookie
    return False


def headers(server, site, origin):
    return {"Sec-Fetch-Site": site, "Origin": server.origin if origin == OWN else origin}


@pytest.mark.parametrize("site, origin", list(itertools.product(SITES, ORIGINS)))
def test_every_combination_of_site_and_origin(server, site, origin):
    client = Client(server)
    client.sign_up()
    for has_cookie in (True, False):
        answer = client.refresh(headers=headers(server, site, origin), cookie=has_cookie, keep=False)
        allowed = is_allowed(site, origin, has_cookie)
        expected = (200, None) if allowed and has_cookie else (401, "session_missing") if allowed else (403, "cross_site_request")
        assert (answer.status, answer.code) == expected
    assert client.protected().status == 200


@pytest.mark.parametrize("method, path", UNSAFE)
def test_no_unsafe_endpoint_is_forgotten(server, method, path):
    client = Client(server)
    client.sign_up()
    body = {"email": client.email, "password": PASSWORD, "current_password": PASSWORD, "new_password": "another fine phrase"}
    forged = headers(server, "cross-site", "https://evil.example")
    for cookie in (True, False):
        answer = client.send(method, path, body, headers=forged, cookie=cookie, keep=False)
        assert (answer.status, answer.code) == (403, "cross_site_request")
        assert answer.set_cookies == []
    assert client.protected().status == 200
    assert client.log_in().status == 200


def test_a_forged_renewal_rotates_nothing(server):
    client = Client(server)
    client.sign_up()
    before = client.cookie
    client.refresh(headers=headers(server, "cross-site", None), keep=False)
    renewed = client.refresh()
    assert renewed.json["session"]["rotated"] and generation(client.cookie) == generation(before) + 1


@pytest.mark.parametrize("names", [("Origin", "Origin"), ("Sec-Fetch-Site", "Sec-Fetch-Site")])
def test_a_duplicate_header_is_refused(server, names):
    client = Client(server)
    client.sign_up()
    values = {"Origin": server.origin, "Sec-Fetch-Site": "same-origin"}
    lines = [f"POST /auth/refresh HTTP/1.1", f"Host: 127.0.0.1:{server.port}", f"Cookie: __Host-Http-session={client.cookie}",
             "Content-Length: 0"] + [f"{name}: {values[name]}" for name in names]
    assert exchange(server, lines).startswith(b"HTTP/1.1 403")


def exchange(server, lines):
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        return connection.recv(65536)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_safe_methods_pass_and_change_nothing(server, method):
    client = Client(server)
    client.sign_up()
    for _, path in UNSAFE:
        client.send(method, path, headers=headers(server, "cross-site", "https://evil.example"), keep=False)
    assert client.protected().status == 200


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx", "text/json",
     "application/json, text/plain", "application/json; charset=utf-16", "application/json;x=y", "application/json;", "json", ""],
)
def test_a_body_that_a_form_could_send_is_refused(server, content_type):
    client = Client(server)
    answer = client.post("/auth/login", body='{"email":"a@example.com","password":"x"}', headers={"Content-Type": content_type})
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON", "application/json; charset=utf-8", "application/json;charset=UTF-8"])
def test_every_spelling_of_the_json_media_type_is_accepted(server, content_type):
    answer = Client(server).post("/auth/login", body='{"email":"a@example.com","password":"x"}', headers={"Content-Type": content_type})
    assert answer.code == "invalid_credentials"


def test_only_trusted_origins_may_read_responses(server):
    client = Client(server)
    trusted = client.get("/auth/session", headers={"Origin": TRUSTED})
    assert trusted.header("access-control-allow-origin") == TRUSTED
    assert trusted.header("access-control-allow-credentials") == "true" and "Origin" in trusted.header("vary")
    preflight = client.send("OPTIONS", "/auth/login", headers={"Origin": TRUSTED, "Access-Control-Request-Method": "POST"})
    assert preflight.status == 204 and "POST" in preflight.header("access-control-allow-methods")
    foreign = ["https://evil.example", "null", TRUSTED + ".evil.example", "http://www.example.com", TRUSTED + ":8443", TRUSTED.upper(), server.origin]
    for origin in foreign:
        for method in ("GET", "OPTIONS"):
            answer = client.send(method, "/auth/session", headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
            assert answer.header("access-control-allow-origin") is None and "Origin" in answer.header("vary")


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.2", "[::2]", "localhost.", "x@localhost", "localhost:99999"])
@pytest.mark.parametrize("path", ["/auth/session", "/nothing", "/healthz"])
def test_a_host_that_is_not_this_machine_is_misdirected(server, host, path):
    answer = Client(server).get(path, headers={"Host": host})
    assert (answer.status, answer.code) == (421, "misdirected_request")


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "LOCALHOST:1", "app.localhost:1", "127.0.0.1:1", "[::1]:1"])
def test_names_of_this_machine_are_accepted(server, host):
    assert Client(server).get("/auth/session", headers={"Host": host}).status == 200


def test_a_request_needs_exactly_one_host(server):
    assert exchange(server, ["GET /auth/session HTTP/1.1"]).startswith(b"HTTP/1.1 400")
    assert exchange(server, ["GET /auth/session HTTP/1.1", "Host: localhost", "Host: localhost"]).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("host", ["app.example.com", "internal:8080", "evil.example"])
def test_with_a_public_url_the_host_does_not_decide(start, host):
    client = Client(start(publicURL="https://app.example.com"))
    own = {"Host": host, "Origin": "https://app.example.com", "Sec-Fetch-Site": None}
    assert client.post("/auth/login", {"email": "a@example.com", "password": "x"}, headers=own).code == "invalid_credentials"
    for origin in (f"https://{host}" if host != "app.example.com" else "http://app.example.com", "https://evil.example"):
        forged = client.post("/auth/login", {"email": "a@example.com", "password": "x"}, headers=own | {"Origin": origin})
        assert forged.code == "cross_site_request"


@pytest.mark.parametrize("origin, status", [(None, 403), ("https://evil.example", 403), (OWN, 404)])
def test_a_websocket_is_opened_only_from_our_own_pages(server, origin, status):
    client = Client(server)
    client.sign_up()
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    answer = client.get("/socket", headers=upgrade | headers(server, None, origin))
    assert answer.status == status


@pytest.mark.parametrize("uri, status", [
    ("/sw.js", 204), ("/sw.js?v=2", 204), ("/uploads/1", 403), ("/rates?callback=x", 403), ("/auth/client.js", 403),
])
def test_a_script_becomes_a_service_worker_only_if_the_setting_names_it(start, uri, status):
    client = Client(start(serviceWorkers="/sw.js"))
    client.sign_up()
    answer = client.check(uri, headers={"Service-Worker": "script"})
    assert (answer.status, answer.code) == (status, None if status == 204 else "service_worker_refused")
    assert client.check(uri).status == 204
