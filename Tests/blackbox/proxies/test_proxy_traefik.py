"""The Traefik recipe: its checks, replayed against the server as Traefik's source sends them."""
import pytest

from browser import NAME, PASSWORD, claims, tokens
from place import HOST, LIFETIME, ORIGIN, STALE, TRUSTED, WINDOW
from proxy import with_own_login
from server import ROOT, Server
from test_proxy_decisions import login_page, preflight
from test_proxy_headers import FORGED
from test_proxy_targets import LINKS
from test_proxy_upgrades import HANDSHAKE_HEADERS
from traefik import Passed, Traefik
from wire import Wire


@pytest.fixture(scope="module")
def server():
    server = Server(
        clock="+0", publicURL=ORIGIN, trustedProxies="127.0.0.1", accessTokenLifetime=LIFETIME, stragglerWindow=WINDOW, trustedOrigins=TRUSTED)
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def traefik(server):
    return Traefik(server, HOST)


class Browser:
    def __init__(self, traefik, cookie=None):
        self.traefik, self.cookie = traefik, cookie

    def send(self, method, target, headers=None, site="same-origin", **options):
        fields = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "cors", "User-Agent": "Mozilla/5.0"}
        if method not in ("GET", "HEAD"):
            fields["Origin"] = ORIGIN if site == "same-origin" else "https://evil.example"
        if self.cookie:
            fields["Cookie"] = f"theme=dark; {NAME}={self.cookie}"
        return self.traefik.send(method, target, fields | (headers or {}), **options)


@pytest.fixture(scope="module")
def session(server):
    with Wire(server) as wire:
        body = f'{{"email":"ann@example.com","password":"{PASSWORD}"}}'.encode()
        wire.request("POST", "/auth/signup", {
            "Origin": ORIGIN, "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json", "X-Forwarded-Proto": "https"}, body, host=HOST)
        answer = wire.answer()
    assert answer.status == 201, answer
    return answer.set_cookies[0].split(";")[0].split("=", 1)[1]


@pytest.fixture
def ann(traefik, session):
    return Browser(traefik, session)


@pytest.fixture
def anyone(traefik):
    return Browser(traefik)


def assert_identity(passed, cookie):
    assert isinstance(passed, Passed), passed
    access = claims(tokens(cookie)[0])
    assert claims(passed.headers["authorization"].removeprefix("Bearer "))["sid"] == access["sid"]
    assert passed.headers["x-auth-subject"] == access["sub"] and passed.headers["x-auth-session"] == access["sid"]
    assert passed.headers["x-auth-claims"] == "{}" and "x-auth-set-cookie" not in passed.headers


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "OPTIONS"])
def test_a_request_with_a_session_is_allowed_with_the_identity(ann, session, method):
    passed = ann.send(method, "/notes?a=1")
    assert_identity(passed, session)
    assert passed.cookies == [] and passed.service == "app"


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_a_fetch_without_session_gets_the_problem(anyone, method):
    answer = anyone.send(method, "/notes")
    assert answer.status == 401 and answer.code == "session_missing" and answer.values("www-authenticate") == ['Bearer realm="cloakroom"']


def test_a_navigation_is_sent_to_the_login_page_with_the_whole_target(anyone):
    answer = anyone.send("GET", "/notes?a=1&b=%2F", headers={"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"})
    assert login_page(answer) == {"return_to": ["/notes?a=1&b=%2F"]}


def test_another_site_changes_nothing_and_opens_no_websocket(ann, session):
    assert ann.send("POST", "/notes", site="cross-site").status == 403
    # Traefik sends the check neither Upgrade nor Connection.
    foreign = HANDSHAKE_HEADERS | {"Origin": "https://evil.example"}
    assert ann.send("GET", "/live", foreign, site="cross-site").status == 403
    own = ann.send("GET", "/live", HANDSHAKE_HEADERS | {"Origin": ORIGIN})
    assert_identity(own, session)
    assert own.headers["upgrade"] == "websocket"


def test_a_websocket_is_told_as_wss_and_still_understood(traefik, ann, session, monkeypatch):
    for middleware in traefik.dynamic["middlewares"].values():
        if "forwardAuth" in middleware:
            monkeypatch.setitem(middleware["forwardAuth"], "trustForwardHeader", True)
    assert_identity(ann.send("GET", "/live", HANDSHAKE_HEADERS | {"Origin": ORIGIN}, proto="wss"), session)
    foreign = HANDSHAKE_HEADERS | {"Origin": "https://evil.example"}
    assert ann.send("GET", "/live", foreign, site="cross-site", proto="wss").status == 403


def test_a_preflight_of_a_trusted_origin_carries_no_identity(anyone):
    passed = anyone.send("OPTIONS", "/notes", preflight(TRUSTED, **{"X-Auth-Subject": "u_forged", "Authorization": "Bearer forged"}))
    assert isinstance(passed, Passed) and not {"authorization", "x-auth-subject", "x-auth-session"} & set(passed.headers)
    assert anyone.send("OPTIONS", "/notes", preflight("https://evil.example")).status in (401, 403)


def test_what_a_client_says_in_the_name_of_a_proxy_does_not_arrive(ann, anyone, session):
    passed = ann.send("GET", "/notes", FORGED)
    assert_identity(passed, session)
    # Traefik removes no spelling with a dot, unless it is listed.
    left = {name for name, value in passed.headers.items() if "forged" in value.lower() and "." not in name}
    assert left <= {"http2-settings"}, left
    public = anyone.send("GET", "/public/logo", FORGED)
    assert not {name for name in public.headers if name.startswith(("x-auth-", "x_auth", "authorization"))}
    assert anyone.send("GET", "/notes", FORGED).status == 401


def test_a_connection_header_takes_nothing_of_ours_away(ann, session):
    named = "keep-alive, Authorization, X-Auth-Subject, X-Forwarded-Uri, X-Forwarded-Method, X-Forwarded-Host"
    assert_identity(ann.send("GET", "/notes", {"Connection": named}), session)


@pytest.mark.parametrize("name", [name for name in LINKS if name != "raw UTF-8"])
def test_links_of_every_kind_may_be_asked_about(ann, session, name):
    assert_identity(ann.send("GET", LINKS[name]), session)


@pytest.mark.parametrize("target", [
    "/public/../notes", "/public/..;/notes", "/public/a;b", "/public/.x", "/PUBLIC/x", "/publicity", "//notes", "/public", "/public/a\\b"])
def test_what_only_resembles_a_public_path_is_no_way_around_the_check(anyone, target):
    assert anyone.send("GET", target).status == 401


def test_public_paths_need_no_session(anyone):
    for target in ("/public/", "/public/logo.svg", "/public/a/b-1.2/c?d=../e"):
        passed = anyone.send("GET", target)
        assert isinstance(passed, Passed) and passed.service == "app" and "authorization" not in passed.headers


def test_the_endpoints_are_on_the_public_listener_and_the_check_is_not(server, anyone):
    for target in ("/auth/login", "/auth/check", "/.well-known/jwks.json"):
        assert anyone.send("GET", target).service == "cloakroom"
    with Wire(server) as wire:
        wire.request("GET", "/auth/check", {"X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/"}, host=HOST)
        assert wire.answer().status == 404


def test_a_renewed_cookie_is_added_to_the_response_which_is_not_stored(server, ann, session):
    server.move(STALE)
    passed = ann.send("GET", "/notes")
    assert_identity(passed, session)
    assert len(passed.cookies) == 1 and passed.cookies[0].startswith(NAME + "=") and "HttpOnly" in passed.cookies[0]
    assert passed.response_headers == {"Cache-Control": "no-store"}
    # Until it arrives, the old cookie is served, and the same refresh token is handed out again.
    server.move(3)
    again = ann.send("GET", "/notes")
    assert_identity(again, session)
    assert [cookie.split(";")[0].split("~")[1] for cookie in again.cookies] == [passed.cookies[0].split(";")[0].split("~")[1]]


def test_an_old_login_gets_a_step_up_with_its_challenge(server, ann):
    server.move(301)
    answer = ann.send("POST", "/money/1")
    assert answer.status == 401 and 'max_age="300"' in answer.header("www-authenticate")
    answer = ann.send("GET", "/money/1", headers={"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"})
    assert login_page(answer) == {"return_to": ["/money/1"], "step_up": ["1"]}
    for target in ("//money/1", "/Money/1", "/money;x/1", "/money", "/x/../money/1"):
        assert ann.send("GET", target).status == 401, target


def test_the_page_says_what_traefik_cannot_do():
    text = " ".join((ROOT / "docs/proxies/traefik.md").read_text().split())
    for sentence in (
            "A WebSocket stays open after logout.", "Traefik sends Cloakroom's cookie to the app.", "Traefik allows a request on any 2xx.",
            "Traefik waits 30 seconds for the check.", "Traefik cannot remove request headers by prefix."):
        assert sentence in text, sentence


def test_an_app_that_keeps_its_login_has_a_login_page_without_a_check(server):
    anyone = Browser(Traefik(server, HOST, with_own_login))
    passed = anyone.send("POST", "/login", {"X-Auth-Subject": "u_forged", "Cookie": "theme=dark"})
    assert isinstance(passed, Passed) and passed.service == "app" and passed.headers["cookie"] == "theme=dark"
    assert "x-auth-subject" not in passed.headers
    answer = anyone.send("GET", "/notes", {"Sec-Fetch-Mode": "navigate"})
    assert answer.status == 302 and answer.header("location") == "/login?return_to=/notes"
    assert anyone.send("GET", "/login/x").status == 401


def test_the_step_up_of_an_app_that_keeps_its_login_gets_the_cookie_and_sets_it(server, session):
    browser = Browser(Traefik(server, HOST, with_own_login), session)
    server.move(STALE)
    passed = browser.send("POST", "/step-up")
    assert isinstance(passed, Passed) and session in passed.headers["cookie"] and passed.headers["x-auth-session"]
    assert passed.cookies == [] and passed.response_headers == {"Cache-Control": "no-store"}
