"""`xsrfCookie`: allows requests of browsers that send no origin, and no other requests."""
import pytest

from browser import PASSWORD, Client

SILENT = {"Origin": None, "Sec-Fetch-Site": None}


@pytest.fixture
def server(start):
    return start(xsrfCookie="true")


def xsrf_cookie(answer):
    return [value for value in answer.set_cookies if value.startswith("XSRF-TOKEN=")]


def signed_up(server):
    client = Client(server)
    answer = client.sign_up()
    return client, xsrf_cookie(answer)[0].split(";")[0].split("=", 1)[1]


def test_a_new_session_sets_the_cookie_and_a_logout_deletes_it(server):
    client = Client(server)
    for answer in (client.sign_up(), client.log_in()):
        assert len(answer.set_cookies) == 2 and answer.set_cookies[0].startswith("__Host-Http-session=")
        assert xsrf_cookie(answer)[0].split("; ")[1:] == ["Path=/", "Secure", "SameSite=Lax"]
    assert xsrf_cookie(client.refresh()) == []
    assert "Max-Age=0" in xsrf_cookie(client.post("/auth/logout"))[0]


def test_without_the_setting_there_is_no_xsrf_cookie(client):
    assert len(client.log_in().set_cookies) == 1
    assert client.refresh(headers=SILENT | {"X-XSRF-TOKEN": "AAAAAAAAAAAAAAAAAAAAAA"}).code == "cross_site_request"


def test_a_valid_token_allows_a_request_without_origin(server):
    client, token = signed_up(server)
    assert client.refresh(headers=SILENT).code == "cross_site_request"
    assert client.refresh(headers=SILENT | {"X-XSRF-TOKEN": token}).status == 200
    assert client.refresh(headers=SILENT | {"X-XSRF-TOKEN": token}).status == 200, "for the life of the session"


@pytest.mark.parametrize("named", [
    {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "null"}])
def test_a_valid_token_allows_no_other_cross_site_request(server, named):
    client, token = signed_up(server)
    assert client.refresh(headers=SILENT | named | {"X-XSRF-TOKEN": token}).code == "cross_site_request"


def test_a_wrong_token_is_always_refused(server):
    client, token = signed_up(server)
    other, others_token = signed_up(server)
    for wrong in ("", "x", token[:-2], token + "AA", others_token, "A" * 22):
        assert client.refresh(headers={"X-XSRF-TOKEN": wrong}).code == "cross_site_request", wrong
    assert client.refresh(headers={"X-XSRF-TOKEN": token}).status == 200
    assert client.refresh().status == 200, "and none is asked of a browser that names its origin"


@pytest.mark.parametrize("stale", ["", "x", "A" * 22])
def test_an_old_token_without_a_session_does_not_prevent_a_login(server, stale):
    client, _ = signed_up(server)
    login = {"email": client.email, "password": PASSWORD}
    assert client.post("/auth/login", login, headers={"X-XSRF-TOKEN": stale}, cookie=False).status == 200


@pytest.mark.parametrize("path, status", [("/auth/login", 200), ("/auth/logout", 204)])
@pytest.mark.parametrize("cookie", ["garbage", "a~b", "~"])
def test_an_unreadable_cookie_changes_no_decision(server, cookie, path, status):
    client, _ = signed_up(server)
    body = {"email": client.email, "password": PASSWORD} if path == "/auth/login" else None
    answer = client.post(path, body, cookie=cookie, keep=False, headers={"X-XSRF-TOKEN": "abc"})
    assert answer.status == status, answer
