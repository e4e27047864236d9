"""Which requests may use a token where one server has several hosts, and what a copied cookie of the login host is worth."""
import pytest

from backend import Backend as Service, cookie_of
from browser import NAME, PASSWORD, claims, generation, tokens
from gateway import Gateway
from host_browser import APP, LOGIN, SHOP, HostBrowser, origin
from server import run, wait_until

DELAY, WINDOW = 60, 600
STEERED = {"clock": "+0", "accessTokenLifetime": 3000, "stragglerWindow": WINDOW, "reissueDelay": DELAY}
ROUTES = [
    {"path": "/public/*", "access": "public"}, {"path": "/pay/*", "access": "step-up", "maxAge": 3600},
    {"path": "/*", "access": "session"},
]
INVALID = (401, "token_invalid")
ELSEWHERE = [(SHOP, APP), (SHOP, LOGIN), (LOGIN, SHOP), (LOGIN, APP)]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    gateway = Gateway(
        tmp_path_factory.mktemp("tokens") / "data", ROUTES, publicURL=origin(LOGIN), hosts=f"{SHOP},{APP}", **STEERED)
    yield gateway
    assert gateway.is_alive(), gateway.log()
    assert gateway.stop() == 0


@pytest.fixture(scope="module")
def service(gateway):
    return Service(gateway)


@pytest.fixture
def browser(gateway, request):
    """A user with a session at each host."""
    browser = HostBrowser(gateway)
    browser.sign_up(f"{abs(hash(request.node.nodeid))}@example.com")
    for host in (SHOP, APP):
        browser.enter(host)
    return browser


def whole(gateway, browser, host):
    return {"Cookie": f"{NAME}={browser.cookie(host)}"}


def without_access_token(gateway, browser, host):
    return {"Cookie": f"{NAME}=~{tokens(browser.cookie(host))[1]}"}


def with_a_broken_access_token(gateway, browser, host):
    return {"Cookie": f"{NAME}=x~{tokens(browser.cookie(host))[1]}"}


def bearer(gateway, browser, host):
    """As the backend of the host receives it."""
    return {"Authorization": f"Bearer {tokens(browser.cookie(host))[0]}"}


def send(method, path, body=None):
    return lambda gateway, browser, host, token: HostBrowser(gateway).send(host, method, path, body, headers=token)


def end_in_the_list(gateway, browser, host, token):
    return HostBrowser(gateway).send(host, "DELETE", f"/auth/sessions/{browser.sid(LOGIN)}", headers=token)


def check(gateway, browser, host, token):
    asked = {"X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/", "X-Forwarded-Proto": "https", "X-Forwarded-Host": host}
    return HostBrowser(gateway).send(host, "GET", "/auth/check", headers=asked | token, private=True)


REQUESTS = {
    "list": send("GET", "/auth/sessions"), "refresh": send("POST", "/auth/refresh"),
    "step-up": send("POST", "/auth/step-up", {"password": PASSWORD}),
    "password": send("POST", "/auth/password", {"current_password": PASSWORD, "new_password": "another horse battery"}),
    "revoke-others": send("POST", "/auth/sessions/revoke-others"), "end": end_in_the_list, "check": check,
    "session route": send("GET", "/orders"), "unsafe request": send("POST", "/orders"),
    "step-up route": send("GET", "/pay/7"),
}


def expected(request, carrier, host):
    if request == "password" and host != LOGIN:
        return 403, "login_host_only"
    if request == "refresh" and carrier is bearer:
        return 401, "session_missing"
    if carrier is without_access_token and request in ("session route", "unsafe request", "step-up route", "check"):
        return 401, "token_expired"
    return INVALID


@pytest.mark.parametrize("carrier", [whole, without_access_token, with_a_broken_access_token, bearer])
@pytest.mark.parametrize("of, at", ELSEWHERE, ids=lambda host: host.split(".")[0])
def test_no_endpoint_and_no_route_takes_a_token_of_another_host(gateway, browser, of, at, carrier):
    token = carrier(gateway, browser, of)
    before = {host: browser.cookie(host) for host in (LOGIN, SHOP, APP)}
    for name, ask in REQUESTS.items():
        answer = ask(gateway, browser, at, token)
        assert (answer.status, answer.code) == expected(name, carrier, at), name
        assert answer.set_cookies == [], name
    for query in ("", "?passive=1"):
        assert HostBrowser(gateway).send(at, "GET", f"/auth/session{query}", headers=token).json == {"authenticated": False}
    assert HostBrowser(gateway).send(at, "POST", "/auth/logout", headers=token).status == 204
    for host in (LOGIN, SHOP, APP):
        assert browser.status(host) == (200, None), "nothing has ended"
        assert browser.send(host, "POST", "/auth/refresh").status == 200 and generation(before[host]) <= generation(browser.cookie(host))


@pytest.mark.parametrize("carrier", [whole, bearer])
@pytest.mark.parametrize("of, at", ELSEWHERE, ids=lambda host: host.split(".")[0])
def test_a_public_route_is_served_without_the_identity_of_another_host(gateway, browser, of, at, carrier):
    path = f"/public/{of}-{at}-{carrier.__name__}"
    assert HostBrowser(gateway).send(at, "GET", path, headers=carrier(gateway, browser, of)).status == 200
    seen = gateway.backend.one(path)
    assert [seen.value(name) for name in ("authorization", "x-auth-subject", "x-auth-session", "cookie")] == [None] * 4


@pytest.mark.parametrize("host", [LOGIN, SHOP, APP])
@pytest.mark.parametrize("carrier", [whole, bearer])
def test_each_host_takes_its_own_tokens(gateway, browser, host, carrier):
    token = carrier(gateway, browser, host)
    for name in ("list", "check", "session route", "unsafe request", "step-up route"):
        assert REQUESTS[name](gateway, browser, host, token).status in (200, 204), name


@pytest.mark.parametrize("host, named", [(LOGIN, None), (SHOP, SHOP), (APP, APP)])
def test_a_token_names_its_host_unless_that_is_the_login_host_and_apps_do_not_see_it_as_a_claim(gateway, browser, host, named):
    assert claims(tokens(browser.cookie(host))[0]).get("cloakroom:host") == named
    path = f"/claims/{host}/{browser.sid(host)}"
    assert browser.send(host, "GET", path).status == 200
    assert gateway.backend.one(path).value("x-auth-claims") == "{}"


# The service API.

def acted(host, cookie=None):
    return {"method": "POST", "host": host, "origin": origin(host), "sec_fetch_site": "same-origin", "cookie": cookie}


@pytest.mark.parametrize("host", [SHOP, APP])
def test_a_backend_begins_sessions_at_the_login_host_alone(service, host):
    begun = service.begin("42", browser=acted(host))
    assert (begun.status, begun.code) == (403, "login_host_only")
    assert service.begin("42", browser=acted(LOGIN)).status == 201


@pytest.mark.parametrize("of, at", ELSEWHERE, ids=lambda host: host.split(".")[0])
def test_a_backend_raises_no_session_with_the_cookie_of_another_host(gateway, service, of, at):
    browser = HostBrowser(gateway)
    browser.jar(LOGIN)[NAME] = cookie_of(service.begin("43", browser=acted(LOGIN)))
    browser.enter(SHOP)
    body = {"authentication": {"amr": ["pwd"], "acr": "1"}}

    def raised(host):
        cookie = f"{NAME}={browser.cookie(of)}"
        return service.send("POST", f"/service/sessions/{browser.sid(of)}/step-up", body | {"browser": acted(host, cookie)})
    assert (raised(at).status, raised(at).code) == (400, "invalid_request")
    assert raised(of).status == 200


def test_a_login_of_a_backend_with_the_cookie_of_another_host_ends_no_session(gateway, service):
    browser = HostBrowser(gateway)
    browser.jar(LOGIN)[NAME] = cookie_of(service.begin("44", browser=acted(LOGIN)))
    browser.enter(SHOP)
    assert service.begin("45", browser=acted(LOGIN, f"{NAME}={browser.cookie(SHOP)}")).status == 201
    assert browser.status(LOGIN) == browser.status(SHOP) == (200, None)


# A copy of the cookie of the login host.

def copy_of(browser):
    copy = HostBrowser(browser.server)
    copy.jar(LOGIN)[NAME] = browser.cookie(LOGIN)
    return copy


def renew(browser, after=WINDOW + 1):
    """Renews the session of the login host, and confirms the new generation."""
    browser.server.move(after)
    answer = browser.send(LOGIN, "POST", "/auth/refresh")
    # At once: an access token would confirm it only when the server has written that down, maybe after the clock was moved on.
    assert browser.send(LOGIN, "POST", "/auth/refresh").status == 200
    return answer


def test_a_spent_copy_gets_no_code_and_ends_the_session_as_a_renewal_would(gateway, browser):
    thief = copy_of(browser)
    # The tokens of the copy are spent, and its access token is still valid.
    for _ in range(3):
        assert renew(browser).status == 200
    sid = claims(tokens(browser.cookie(LOGIN))[0])["sid"]
    gateway.move(WINDOW + 1)
    host, path, page = thief.follow(SHOP, "/auth/pages/login?return_to=/cart")
    assert host == LOGIN and path.startswith("/auth/pages/login") and not thief.cookie(SHOP)
    for host in (LOGIN, SHOP, APP):
        wait_until(lambda: browser.status(host)[0] == 401, seconds=5)
    listed = run("events", "--json", "--session", sid, "--data-dir", gateway.directory)
    assert '"refresh_token_reused"' in listed.stdout


REUSED = (401, "refresh_token_reused")


def renewed(browser):
    answer = browser.send(LOGIN, "POST", "/auth/refresh")
    return answer.status, answer.code


def test_the_code_that_a_copy_got_is_worthless_when_the_browser_has_renewed(gateway, browser):
    assert renew(browser).status == 200
    gateway.move(WINDOW + 1)
    thief = copy_of(browser)
    code = thief.code(SHOP)
    assert generation(thief.cookie(LOGIN)) == generation(browser.cookie(LOGIN)) + 1
    gateway.move(DELAY + 1)
    answer = browser.send(LOGIN, "POST", "/auth/refresh")
    assert answer.json["session"]["rotated"] and browser.status(LOGIN) == (200, None)
    assert thief.open(SHOP, code).header("location").startswith("/auth/pages/login?error=hand_over_refused")
    assert browser.status(SHOP) == browser.status(APP) == (200, None), "those of the browser itself stay"


def redeem(thief):
    assert thief.enter(SHOP)["authenticated"]


def ask_for_codes_in_a_row(thief):
    thief.code(SHOP)
    thief.open(SHOP, thief.code(SHOP))
    del thief.jar(LOGIN)[NAME]


def ask_for_a_code_in_each_window(thief):
    for _ in range(4):
        thief.code(SHOP)
        assert thief.status(LOGIN) == (200, None)
        thief.server.move(WINDOW - 1)


@pytest.mark.parametrize("use", [redeem, ask_for_codes_in_a_row, ask_for_a_code_in_each_window])
def test_a_copy_that_got_sessions_by_codes_is_found_out_one_window_later(gateway, browser, use):
    assert renew(browser).status == 200
    gateway.move(WINDOW + 1)
    thief = copy_of(browser)
    use(thief)
    gateway.move(WINDOW + 1)
    assert renewed(browser) == REUSED
    for host in (LOGIN, SHOP):
        wait_until(lambda: thief.status(host)[0] == 401, seconds=5)


def test_a_copy_from_before_a_code_is_spent_although_the_login_host_was_not_visited_since(gateway, browser):
    gateway.move(WINDOW + 1)
    old = copy_of(browser)
    del browser.jar(SHOP)[NAME]
    browser.enter(SHOP)
    gateway.move(WINDOW + 1)
    assert renewed(old) == REUSED


def test_a_session_that_came_with_a_cookie_sent_again_ends_with_the_next_renewal(gateway, browser):
    assert renew(browser).status == 200
    gateway.move(WINDOW + 1)
    thief = copy_of(browser)
    assert browser.send(LOGIN, "POST", "/auth/refresh").json["session"]["rotated"]
    gateway.move(DELAY + 1)
    assert thief.enter(SHOP)["authenticated"]
    for _ in range(2):
        gateway.move(WINDOW + 1)
        assert renewed(browser) == (200, None)
    wait_until(lambda: thief.status(SHOP) == (401, "session_revoked"), seconds=5)
    assert browser.status(APP) == (200, None)


def test_each_code_comes_with_a_new_generation_of_the_login(gateway, browser):
    before = generation(browser.cookie(LOGIN))
    for step in range(1, 4):
        del browser.jar(SHOP)[NAME]
        browser.enter(SHOP)
        assert generation(browser.cookie(LOGIN)) == before + step


def change_the_password(browser):
    fields = {"current_password": PASSWORD, "new_password": "another horse battery"}
    assert browser.send(LOGIN, "POST", "/auth/password", fields).status == 204


def end_others(browser):
    assert browser.send(LOGIN, "POST", "/auth/sessions/revoke-others").status == 204


def end_others_at_a_host(browser):
    assert browser.send(APP, "POST", "/auth/sessions/revoke-others").status == 204


@pytest.mark.parametrize("end", [change_the_password, end_others, end_others_at_a_host])
def test_a_code_from_before_the_others_were_ended_is_worthless_and_the_next_is_good(gateway, browser, end):
    thief = HostBrowser(gateway)
    thief.jar(LOGIN)[NAME] = browser.cookie(LOGIN)
    code = thief.code(SHOP)
    browser.jar(LOGIN)[NAME] = thief.cookie(LOGIN)
    end(browser)
    answer = thief.open(SHOP, code)
    assert answer.header("location").startswith("/auth/pages/login?error=hand_over_refused") and not thief.cookie(SHOP)
    assert browser.status(LOGIN) == (200, None)
    browser.jar(SHOP).clear()
    assert browser.enter(SHOP)["authenticated"]
