"""Login, logout and sign-up with a plain form, without script."""
from urllib.parse import urlencode, urlsplit

import pytest

from browser import PASSWORD, Client
from server import Server

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.fixture(scope="module")
def server():
    server = Server(clients="spa=hybrid,app=body")
    yield server
    assert server.stop() == 0


@pytest.fixture
def client(server):
    client = Client(server)
    client.sign_up()
    return client


def submit(client, path, fields, headers=None, **options):
    return client.post(path, body=urlencode(fields), headers=FORM | (headers or {}), **options)


def led_to(answer):
    """The path that a browser resolves `Location` to. It must be on the same origin."""
    assert answer.status == 303, answer
    location = answer.header("location")
    assert location.startswith("/") and not location.startswith(("//", "/\\")) and location.isprintable(), location
    return location


@pytest.mark.parametrize("target", ["/", "/notes?a=b&c=d", "/auth/pages/account", "/a%20b"])
def test_a_login_form_redirects_to_return_to(client, target):
    answer = submit(client, "/auth/login", {"email": client.email, "password": PASSWORD, "return_to": target}, cookie=False)
    assert led_to(answer) == target and len(answer.set_cookies) == 1 and answer.header("cache-control") == "no-store"
    assert client.protected().status == 200


def test_a_sign_up_form_redirects_to_return_to(server):
    client = Client(server)
    answer = submit(client, "/auth/signup", {"email": "form@example.com", "password": PASSWORD, "return_to": "/notes"})
    assert led_to(answer) == "/notes" and client.protected().status == 200


def test_a_logout_form_ends_the_session(client):
    saved = client.cookie
    answer = submit(client, "/auth/logout", {"return_to": "/bye"})
    assert led_to(answer) == "/bye" and "Max-Age=0" in answer.set_cookies[0]
    assert client.protected(cookie=saved, keep=False).code == "session_revoked"


def test_a_logout_form_without_fields_ends_the_session(client):
    saved = client.cookie
    led_to(submit(client, "/auth/logout", {}))
    assert client.protected(cookie=saved, keep=False).code == "session_revoked"


def test_a_checked_box_means_remember(client):
    answer = submit(client, "/auth/login", {"email": client.email, "password": PASSWORD, "remember": "on"}, cookie=False)
    assert "Max-Age=2592000" in answer.set_cookies[0]


@pytest.mark.parametrize("target", [
    "//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "/\r\nSet-Cookie: a=b", "/a\tb", "evil.example", "",
    "///evil.example", "/" + "a" * 9000, "http:evil.example", "/%0d%0aX: y\r\n",
])
@pytest.mark.parametrize("path", ["/auth/login", "/auth/logout"])
def test_return_to_is_only_ever_a_path_on_the_same_origin(client, path, target):
    fields = {"email": client.email, "password": PASSWORD} if path == "/auth/login" else {}
    answer = submit(client, path, fields | {"return_to": target})
    location = urlsplit(led_to(answer))
    assert (location.scheme, location.netloc) == ("", "") and "evil" not in location.path
    assert len(answer.set_cookies) == 1 and answer.header("x") is None


@pytest.mark.parametrize("path, fields", [
    ("/auth/login", {"password": "wrong password"}), ("/auth/login", {}), ("/auth/login", {"email": "no address", "password": PASSWORD}),
    ("/auth/signup", {"email": "short@example.com", "password": "short"}), ("/auth/signup", {"password": PASSWORD}),
])
def test_a_refused_form_redirects_to_its_page_with_the_error(client, path, fields):
    typed = {"email": client.email} | fields
    answer = submit(client, path, typed | {"return_to": "/notes"}, cookie=False, keep=False)
    location = led_to(answer)
    assert answer.set_cookies == [] and location != "/notes"
    assert typed.get("password", "-") not in location and typed["email"] not in location, "neither in a URL"
    page = client.get(location, headers={"Sec-Fetch-Mode": "navigate"}, cookie=False)
    assert page.status == 200 and "text/html" in page.header("content-type")


@pytest.mark.parametrize("headers", [
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example", "Sec-Fetch-Site": None},
    {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
])
@pytest.mark.parametrize("path", ["/auth/login", "/auth/logout", "/auth/signup"])
def test_a_form_of_another_site_is_refused(client, path, headers):
    """Login CSRF and logout CSRF: another site can neither log a user in nor out."""
    answer = submit(client, path, {"email": client.email, "password": PASSWORD}, headers, keep=False)
    assert (answer.status, answer.code, answer.set_cookies) == (403, "cross_site_request", [])
    assert client.protected().status == 200


@pytest.mark.parametrize("mode", [None, "cors", "same-origin", "no-cors", ""])
@pytest.mark.parametrize("path", ["/auth/login", "/auth/logout", "/auth/signup"])
def test_only_a_navigation_may_send_a_form(client, path, mode):
    answer = submit(client, path, {"email": client.email, "password": PASSWORD}, {"Sec-Fetch-Mode": mode}, keep=False)
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


@pytest.mark.parametrize("path", ["/auth/refresh", "/auth/step-up", "/auth/password", "/auth/sessions/revoke-others"])
def test_no_other_endpoint_accepts_a_form(client, path):
    answer = submit(client, path, {"password": PASSWORD, "current_password": PASSWORD, "new_password": "another fine phrase"}, keep=False)
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


@pytest.mark.parametrize("media_type", ["multipart/form-data; boundary=x", "text/plain", "application/x-www-form-urlencoded2"])
def test_other_types_of_forms_are_refused(client, media_type):
    answer = submit(client, "/auth/login", {"email": client.email, "password": PASSWORD}, {"Content-Type": media_type}, keep=False)
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


def test_a_form_never_gets_tokens_in_a_body(client):
    for name in ("app", "spa"):
        answer = submit(client, "/auth/login", {"email": client.email, "password": PASSWORD, "client_id": name}, cookie=False, keep=False)
        assert "eyJ" not in answer.body.decode() and "eyJ" not in (answer.header("location") or "")


@pytest.mark.parametrize("body", [b"%", b"%zz=1", b"email=%ff%fe&password=x", b"email=a&email=b&password=x", b"&&&", b"=", b"a" * 60000, b"email=a%00b@example.com&password=x"])
def test_a_malformed_form_is_refused(client, body):
    answer = client.post("/auth/login", body=body, headers=FORM, cookie=False, keep=False)
    assert answer.status in (303, 400) and answer.set_cookies == []


def test_a_form_that_is_too_large_is_refused(client):
    answer = client.post("/auth/login", body="a=" + "b" * 70000, headers=FORM, cookie=False, keep=False)
    assert answer.status in (303, 413) and answer.set_cookies == []


def test_a_form_with_too_many_fields_is_refused(client):
    body = "&".join(f"f{number}" for number in range(8000))
    answer = client.post("/auth/login", body=body, headers=FORM, cookie=False, keep=False)
    assert "error=invalid_request" in led_to(answer)


def test_the_page_keeps_its_own_query_and_loses_an_older_error(client):
    referer = f"{client.server.origin}/shop/login?lang=de&error=rate_limited&return_to=/old"
    answer = submit(client, "/auth/login", {"email": client.email, "password": "wrong guess", "return_to": "/x"}, {"Referer": referer}, cookie=False)
    assert led_to(answer) == "/shop/login?lang=de&error=invalid_credentials&return_to=/x"


def test_a_form_of_a_trusted_origin_redirects_to_that_origin():
    origin = "http://app.localhost:3000"
    server = Server(trustedOrigins=origin)
    try:
        client = Client(server)
        client.sign_up()
        headers = {"Origin": origin, "Sec-Fetch-Site": "same-site", "Referer": f"{origin}/login"}
        right = {"email": client.email, "password": PASSWORD, "return_to": "/inside"}
        assert submit(client, "/auth/login", right, headers, cookie=False).header("location") == f"{origin}/inside"
        wrong = submit(client, "/auth/login", right | {"password": "wrong guess"}, headers, cookie=False)
        assert wrong.header("location") == f"{origin}/login?error=invalid_credentials&return_to=/inside"
        elsewhere = headers | {"Referer": "http://evil.example/login"}
        lost = submit(client, "/auth/login", right | {"password": "wrong guess"}, elsewhere, cookie=False)
        assert lost.header("location").startswith("/auth/pages/login?error=")
    finally:
        server.stop()
