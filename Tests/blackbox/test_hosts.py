"""docs/several-hosts.md: one login for several hosts. The hosts differ by the Host header; each has a cookie jar of its own."""
import base64
import concurrent.futures
import json

import pytest

from backend import Backend as Service, cookie_of
from browser import NAME, PASSWORD, claims, generation, tokens
from gateway import Gateway
from host_browser import APP, FLOW, LOGIN, NAVIGATION, SHOP, HostBrowser, origin, query, target
from raw_backend import response
from server import Server, refuse_to_serve, run, wait_until
from wire import Wire

HOSTS = {"publicURL": origin(LOGIN), "hosts": f"{SHOP},{APP}"}
STEERED = {"clock": "+0", "accessTokenLifetime": 3000, "stragglerWindow": 600, "reissueDelay": 60}
REFUSED = "/auth/pages/login?error=hand_over_refused"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("hosts") / "data", **HOSTS, **STEERED)
    yield server
    assert server.is_alive(), server.log()
    assert server.stop() == 0


@pytest.fixture
def browser(server, request):
    """A user who is logged in at the login host."""
    browser = HostBrowser(server)
    browser.sign_up(f"{abs(hash(request.node.nodeid))}@example.com")
    return browser


def another(browser):
    """Another browser of the same user."""
    other = HostBrowser(browser.server)
    other.email = browser.email
    other.log_in()
    return other


def stranger(server, email):
    browser = HostBrowser(server)
    browser.sign_up(email)
    return browser


def events(server, sid):
    listed = run("events", "--json", "--session", sid, "--data-dir", server.directory)
    assert listed.returncode == 0, listed.stderr
    return [json.loads(line) for line in listed.stdout.splitlines()]


def reason(server, sid):
    return [event["reason"] for event in events(server, sid) if event["event"] == "revocation"]


# The way.

def test_a_login_at_one_host_serves_another_and_each_host_has_a_session_of_its_own(server, browser):
    steps = []
    host, path = SHOP, "/auth/pages/login?return_to=/cart%3Fitem%3D7"
    while not path.startswith("/cart"):
        answer = browser.open(host, path)
        steps.append((host, path.split("?")[0], answer.status))
        assert answer.header("cache-control") == "no-store" and answer.header("referrer-policy") == "no-referrer"
        assert not answer.body
        host, path = target(answer, host)
    assert steps == [
        (SHOP, "/auth/pages/login", 302), (LOGIN, "/auth/hand-over/code", 302), (SHOP, "/auth/hand-over/session", 303)]
    assert (host, path) == (SHOP, "/cart?item=7")
    parent, child = browser.session(LOGIN), browser.session(SHOP)
    assert child["user"] == parent["user"] and child["session"]["id"] != parent["session"]["id"]
    assert child["session"]["auth_time"] == parent["session"]["auth_time"]
    assert browser.cookie(SHOP) != browser.cookie(LOGIN) and browser.status(SHOP) == (200, None)
    started, = events(server, child["session"]["id"])
    assert (started["event"], started["host"], started["parent"]) == ("hand_over", SHOP, parent["session"]["id"])


def test_a_visitor_without_a_session_logs_in_at_the_login_host_and_comes_back(server):
    browser = HostBrowser(server)
    host, path, page = browser.follow(SHOP, "/auth/pages/login?return_to=/cart")
    assert (host, page.status) == (LOGIN, 200) and path.startswith("/auth/pages/login?return_to=/auth/hand-over/code")
    browser.sign_up("back@example.com")
    host, path, _ = browser.follow(LOGIN, query(path)["return_to"], until="/cart")
    assert (host, path) == (SHOP, "/cart") and browser.session(SHOP)["user"]["email"] == "back@example.com"
    assert browser.enter(APP, "/board")["user"]["email"] == "back@example.com", "and other hosts need no login"


def test_a_session_that_has_to_be_renewed_at_the_login_host_is_renewed_on_the_way(server, browser):
    before = generation(browser.cookie(LOGIN))
    server.move(3601)
    browser.enter(SHOP)
    assert generation(browser.cookie(LOGIN)) == before + 1 and browser.status(SHOP) == (200, None)


def test_the_children_of_a_login_that_is_not_remembered_are_not_remembered_and_others_are(server):
    for remember in (False, True):
        browser = HostBrowser(server)
        browser.send(LOGIN, "POST", "/auth/signup", {"email": f"r{remember}@example.com", "password": PASSWORD, "remember": remember})
        answer = browser.send(SHOP, "GET", browser.code(SHOP), headers=NAVIGATION)
        assert ("Max-Age=" in answer.set_cookies[0]) == remember


def test_several_tabs_hand_over_at_once_and_all_their_sessions_live(server, browser):
    codes = [browser.code(SHOP, f"/tab{index}") for index in range(4)]
    flow = browser.jar(SHOP)[FLOW]

    def redeem(code):
        tab = HostBrowser(server)
        tab.jar(SHOP)[FLOW] = flow
        answer = tab.open(SHOP, code)
        return answer.header("location"), tab
    with concurrent.futures.ThreadPoolExecutor() as pool:
        tabs = list(pool.map(redeem, codes))
    assert sorted(location for location, _ in tabs) == [f"/tab{index}" for index in range(4)]
    assert all(tab.status(SHOP) == (200, None) for _, tab in tabs), "whichever cookie comes last is good"
    browser.jar(SHOP)[NAME] = tabs[0][1].cookie(SHOP)
    answer = browser.open(SHOP, browser.code(SHOP))
    assert (answer.header("location"), answer.set_cookies) == ("/cart", []), "a host that has a session keeps it"


# Codes.

def other_host(browser, code):
    browser.jar(APP)[FLOW] = browser.jar(SHOP)[FLOW]
    return APP, code


def other_flow(browser, code):
    browser.jar(SHOP)[FLOW] = base64.urlsafe_b64encode(bytes(32)).decode().rstrip("=")
    return SHOP, code


def no_flow(browser, code):
    del browser.jar(SHOP)[FLOW]
    return SHOP, code


def replayed(browser, code):
    assert browser.open(SHOP, code).header("location") == "/cart"
    del browser.jar(SHOP)[NAME]
    return SHOP, code


def expired(browser, code):
    browser.server.move(61)
    return SHOP, code


def ended(browser, code):
    assert browser.send(LOGIN, "POST", "/auth/logout").status == 204
    return SHOP, code


def changed(browser, code):
    return SHOP, code[:-1] + ("A" if code[-1] != "A" else "E")


CODES = {
    other_host: "other_host", other_flow: "other_browser", no_flow: "other_browser", replayed: "unknown_code", expired: "unknown_code",
    ended: "parent_ended", changed: "unknown_code", lambda browser, code: (SHOP, code + "AAAA"): None,
    lambda browser, code: (SHOP, "/auth/hand-over/session"): None,
}


@pytest.mark.parametrize("change, refusal", CODES.items(), ids=[getattr(change, "__name__") + str(index) for index, change in enumerate(CODES)])
def test_a_code_is_good_once_for_a_minute_for_one_host_and_one_browser(server, browser, change, refusal):
    code = browser.code(SHOP)
    begin = len(server.log())
    host, path = change(browser, code)
    answer = browser.open(host, path)
    assert answer.status == 303 and not answer.set_cookies and answer.header("location").startswith(REFUSED)
    page = browser.open(host, answer.header("location"))
    assert page.status == 200 and b"Try again" in page.body and b"code" not in page.body
    assert browser.status(host) == (401, "session_missing")
    if refusal:
        wait_until(lambda: f'"refusal":"{refusal}"' in server.log()[begin:])
    assert query(code)["code"] not in server.log()


def test_a_refused_code_is_spent(server, browser):
    code = browser.code(SHOP)
    flow = browser.jar(SHOP).pop(FLOW)
    assert browser.open(SHOP, code).header("location").startswith(REFUSED)
    browser.jar(SHOP)[FLOW] = flow
    assert browser.open(SHOP, code).header("location") == REFUSED


def test_a_client_that_only_looks_does_not_spend_the_code(browser):
    code = browser.code(SHOP)
    assert browser.send(SHOP, "HEAD", code, headers=NAVIGATION).header("location") == REFUSED
    assert browser.open(SHOP, code).header("location") == "/cart" and browser.status(SHOP) == (200, None)


def test_after_a_refusal_the_page_offers_another_try_which_succeeds(browser):
    code = browser.code(SHOP, "/cart?item=7")
    del browser.jar(SHOP)[FLOW]
    host, path, page = browser.follow(SHOP, code)
    again = "/auth/pages/login?return_to=/cart%3Fitem%3D7"
    assert f'href="{again}"'.encode() in page.body
    assert browser.follow(SHOP, again, until="/cart")[:2] == (SHOP, "/cart?item=7")


def test_the_code_of_an_attacker_does_not_log_a_victim_in(server, browser):
    """Login CSRF: the attacker makes the victim's browser open the attacker's code."""
    attacker = stranger(server, "attacker@example.com")
    for has_started in (False, True):
        if has_started:
            browser.open(SHOP, "/auth/pages/login?return_to=/cart")
        answer = browser.open(SHOP, attacker.code(SHOP))
        assert not answer.set_cookies and answer.header("location").startswith(REFUSED)
        assert browser.session(SHOP) == {"authenticated": False}


def test_a_code_that_an_attacker_made_a_victim_fetch_is_worth_nothing_in_the_victims_browser(server, browser):
    """The attacker starts, and sends the victim to the login host with that state. The code comes to the victim's browser."""
    attacker = HostBrowser(server)
    host, path, _ = attacker.follow(SHOP, "/auth/pages/login?return_to=/cart", until="/auth/hand-over/code")
    host, path, answer = browser.follow(host, path)
    assert (host, path) == (SHOP, f"{REFUSED}&return_to=/cart") and browser.status(SHOP) == (401, "session_missing")


def test_the_start_of_a_finished_hand_over_is_worth_nothing_to_an_attacker_who_learns_its_url(server, browser):
    leaked = [browser.open(SHOP, "/auth/pages/login?return_to=/cart").header("location").split(LOGIN)[1]]
    browser.enter(SHOP)
    sid = browser.sid(SHOP)
    browser.server.move(660)
    leaked.append(browser.open(SHOP, "/auth/pages/login?return_to=/cart").header("location").split(LOGIN)[1])
    browser.server.move(660)
    assert browser.status(SHOP) == (200, None)
    attacker = stranger(server, "leak@example.com")
    for start in leaked:
        link = attacker.open(LOGIN, start).header("location").split(SHOP)[1]
        assert browser.open(SHOP, link).header("location").startswith(REFUSED) and browser.sid(SHOP) == sid


def test_the_hand_overs_of_several_tabs_all_succeed(browser):
    codes = [browser.code(SHOP, f"/{number}") for number in range(3)]
    assert [browser.open(SHOP, code).header("location") for code in codes] == ["/0", "/1", "/2"]
    assert browser.status(SHOP) == (200, None)


def test_a_session_gets_sixty_codes_a_minute(browser):
    start = browser.open(SHOP, "/auth/pages/login?return_to=/cart").header("location").split(LOGIN)[1]
    # A minute that has begun earlier can end in between.
    answer = next(answer for answer in (browser.open(LOGIN, start) for _ in range(130)) if answer.status != 302)
    assert answer.status == 429
    assert answer.code == "rate_limited" and int(answer.header("retry-after")) <= 61
    assert browser.status(LOGIN) == (200, None)


def test_a_logout_between_code_and_session_refuses_the_code(server, browser):
    parent, code = browser.sid(LOGIN), browser.code(SHOP)
    assert server.run("sessions", "revoke", parent).returncode == 0
    assert browser.open(SHOP, code).header("location").startswith(REFUSED)


# Where redirects lead.

@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "https://evil.example/", "javascript:alert(1)", "/a%0d%0ab", "evil"])
def test_no_return_path_leads_to_another_host(browser, path):
    arrived, at, _ = browser.follow(SHOP, f"/auth/pages/login?return_to={path}", until="/auth/hand-over/session")
    location = browser.open(arrived, at).header("location")
    assert location == "/"


def test_a_return_path_that_is_too_long_for_the_state_becomes_the_root(browser):
    for length, location in [(1000, "/" + "a" * 999), (1001, "/")]:
        path = browser.follow(SHOP, "/auth/pages/login?return_to=/" + "a" * (length - 1), until="/auth/hand-over/session")[1]
        assert browser.open(SHOP, path).header("location") == location


def state(**members):
    members = {"host": origin(SHOP), "flow": base64.urlsafe_b64encode(bytes(32)).decode().rstrip("="), "started_at": 0, "return_to": "/"} | members
    document = json.dumps({name: value for name, value in members.items() if value is not None}, separators=(",", ":"))
    return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")


STATES = [
    state(host=origin("evil.example")), state(host=origin("evil.example.com")), state(host=origin(LOGIN)), state(host="http://" + SHOP),
    state(host=origin(SHOP) + ":8443"), state(host=origin(SHOP) + "/"), state(host=None), state(return_to="//evil.example"),
    state(return_to="https://evil.example/"), state(return_to=None), state(flow=None), state(flow="AAAA"), state(step_up=True) + "!",
    state(started_at=None), state(started_at=-1), state(started_at=2**62), state(return_to="/" + "a" * 1000), "", "e30", "x" * 4000,
]


@pytest.mark.parametrize("text", STATES, ids=range(len(STATES)))
def test_a_state_that_no_host_of_the_setting_made_is_refused_without_a_redirect(browser, text):
    answer = browser.open(LOGIN, f"/auth/hand-over/code?state={text}")
    assert (answer.status, answer.code, answer.header("location")) == (400, "invalid_request", None)
    assert list(answer.json["errors"]) == ["state"]


def test_a_state_that_comes_twice_is_refused(browser):
    assert browser.open(LOGIN, f"/auth/hand-over/code?state={state()}&state={state()}").status == 400
    assert browser.open(LOGIN, f"/auth/hand-over/code?state={state()}").status == 302


EMBEDDED = [
    {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
    {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "embed"},
]


@pytest.mark.parametrize("headers", EMBEDDED)
def test_only_a_page_that_a_person_opens_hands_over(browser, headers):
    code = browser.code(SHOP)
    for host, path in [(LOGIN, f"/auth/hand-over/code?state={state()}"), (SHOP, code)]:
        answer = browser.send(host, "GET", path, headers=headers)
        assert (answer.status, answer.code) == (403, "cross_site_request")
    assert browser.open(SHOP, code).header("location") == "/cart", "it was not spent"


def test_each_step_is_at_its_own_host(browser):
    code = browser.code(SHOP)
    assert browser.open(LOGIN, code).code == "not_found"
    assert browser.open(SHOP, f"/auth/hand-over/code?state={state()}").code == "not_found"


# Hosts and origins.

@pytest.mark.parametrize("host, status", [
    (LOGIN, 200), (SHOP, 200), (APP, 200), (SHOP.upper(), 200), (SHOP + ":443", 200), ("evil.example", 421), ("example.com", 421),
    ("x." + SHOP, 421), (SHOP + ":8443", 421), ("127.0.0.1", 421), ("localhost", 421)])
def test_a_host_that_is_not_in_the_setting_is_refused(server, host, status):
    answer = HostBrowser(server).send(host, "GET", "/auth/session")
    assert answer.status == status and (status == 200 or answer.code == "misdirected_request")
    assert HostBrowser(server).send(host, "GET", "/healthz").status == 200, "load balancers probe by address"


@pytest.mark.parametrize("sender, status", [(SHOP, 204), (LOGIN, 403), (APP, 403), ("evil.example", 403)])
def test_each_host_is_its_own_origin_for_itself_alone(server, browser, sender, status):
    headers = {"Origin": origin(sender), "Sec-Fetch-Site": "same-origin" if sender == SHOP else "same-site"}
    answer = HostBrowser(server).send(SHOP, "POST", "/auth/logout", headers=headers)
    assert answer.status == status and answer.header("access-control-allow-origin") is None
    asked = {"X-Forwarded-Method": "POST", "X-Forwarded-Uri": "/notes", "X-Forwarded-Host": SHOP, "X-Forwarded-Proto": "https"}
    browser.enter(SHOP)
    checked = browser.send(SHOP, "GET", "/auth/check", headers=asked | headers, private=True)
    assert checked.status == (204 if status == 204 else 403)


WRONG = [
    ("*.example.com", "host names such as shop.example.com, each written out, without wildcards"),
    ("https://*.example.com", "without wildcards"), ("shop", "a domain of yours"), ("com", "a domain of yours"), ("example.net", "a domain of yours"),
    ("shop.example.net", "a domain of yours"), ("192.0.2.1", "a domain of yours"), ("http://shop.example.com", "the scheme of publicURL"),
    ("shop.example.com,shop.example.com:8443", "cookies do not know ports"), ("login.example.com:8443", "cookies do not know ports"),
    ("https://shop.example.com/path", "host names such as"), ("shop.example.com/", "host names such as"), ("null", "a domain of yours"),
    (",".join(f"h{index}.example.com" for index in range(17)), "at most 16 hosts"),
]


@pytest.mark.parametrize("hosts, expected", WRONG)
def test_a_host_that_cannot_be_served_stops_the_start(tmp_path, hosts, expected):
    refused = refuse_to_serve(tmp_path / "data", publicURL=origin(LOGIN), hosts=hosts)
    assert refused.returncode == 78 and "CLOAKROOM_HOSTS: " in refused.stderr and expected in refused.stderr


@pytest.mark.parametrize("login, host", [("ann.github.io", "bob.github.io"), ("shop.co.uk", "co.uk"), ("a.co.uk", "b.co.uk"), ("a.vercel.app", "vercel.app")])
def test_hosts_below_a_domain_of_strangers_stop_the_start(tmp_path, login, host):
    refused = refuse_to_serve(tmp_path / "data", publicURL=origin(login), hosts=host)
    assert refused.returncode == 78 and "a domain of yours" in refused.stderr


def test_hosts_without_a_login_host_stop_the_start(tmp_path):
    refused = refuse_to_serve(tmp_path / "data", hosts=SHOP)
    assert refused.returncode == 78 and "needs publicURL" in refused.stderr


def test_names_may_have_a_port_or_be_origins_and_the_login_host_may_stand_among_them(tmp_path):
    hosts = "SHOP.example.com, https://app.example.com:8443/, login.example.com"
    server = Server(tmp_path / "data", publicURL=origin(LOGIN) + ":8443", hosts=hosts)
    for host, status in [(LOGIN, 200), (SHOP, 200), (APP, 200), ("evil.example.com", 421)]:
        assert HostBrowser(server).send(host + ":8443", "GET", "/auth/session").status == status
    assert server.stop() == 0


def test_without_the_setting_there_are_no_hand_overs_and_the_host_does_not_matter(tmp_path):
    server = Server(tmp_path / "data", publicURL=origin(LOGIN))
    browser = stranger(server, "alone@example.com")
    for path in (f"/auth/hand-over/code?state={state()}", "/auth/hand-over/session?code=x"):
        assert browser.open(LOGIN, path).code == "not_found"
    assert HostBrowser(server).send("elsewhere.example", "GET", "/auth/session").status == 200
    listed, = browser.send(LOGIN, "GET", "/auth/sessions").json["sessions"]
    assert "host" not in listed and "parent" not in listed
    assert server.stop() == 0


# Ends.

def log_out(browser):
    assert browser.send(LOGIN, "POST", "/auth/logout").status == 204


def end_in_the_list(browser):
    assert another(browser).send(LOGIN, "DELETE", f"/auth/sessions/{browser.sid(LOGIN)}").status == 204


def end_the_child_in_the_list(browser):
    assert another(browser).send(LOGIN, "DELETE", f"/auth/sessions/{browser.sid(SHOP)}").status == 204


def end_others(browser):
    assert another(browser).send(LOGIN, "POST", "/auth/sessions/revoke-others").status == 204


def change_the_password(browser):
    passwords = {"current_password": PASSWORD, "new_password": "another horse battery"}
    assert browser.send(LOGIN, "POST", "/auth/password", passwords).status == 204


def revoke(browser):
    assert browser.server.run("sessions", "revoke", browser.sid(LOGIN)).returncode == 0


def revoke_the_child(browser):
    assert browser.server.run("sessions", "revoke", browser.sid(APP)).returncode == 0


def disable(browser):
    assert browser.server.run("users", "disable", browser.email).returncode == 0


def log_in_again(browser):
    browser.log_in()


def log_in_as_another(browser):
    browser.send(LOGIN, "POST", "/auth/signup", {"email": "2" + browser.email, "password": PASSWORD})


def reuse(browser):
    server = browser.server
    spent = browser.cookie(LOGIN)
    for _ in range(2):
        server.move(3601)
        browser.send(LOGIN, "POST", "/auth/refresh")
        browser.send(LOGIN, "POST", "/auth/refresh")
    server.move(3601)
    thief = HostBrowser(server)
    thief.jar(LOGIN)[NAME] = spent
    assert thief.send(LOGIN, "POST", "/auth/refresh").code == "refresh_token_reused"


def log_out_at_a_child(browser):
    assert browser.send(SHOP, "POST", "/auth/logout").status == 204


ENDS = [
    log_out, end_in_the_list, end_the_child_in_the_list, end_others, change_the_password, revoke, revoke_the_child, disable, log_in_again,
    log_in_as_another, reuse, log_out_at_a_child,
]


@pytest.mark.parametrize("end", ENDS)
def test_whatever_ends_the_login_ends_the_sessions_of_all_hosts(server, browser, end):
    browser.enter(SHOP)
    browser.enter(APP)
    cookies = {host: browser.cookie(host) for host in (SHOP, APP)}
    ids = {host: browser.sid(host) for host in (SHOP, APP)}
    end(browser)
    for host in (SHOP, APP):
        browser.jar(host)[NAME] = cookies[host]
        wait_until(lambda: browser.status(host) == (401, "session_revoked"), seconds=5)
        assert browser.send(host, "POST", "/auth/refresh").status == 401
        assert len(reason(server, ids[host])) == 1
    if end not in (end_others, change_the_password, disable, log_out_at_a_child, end_the_child_in_the_list, revoke_the_child):
        assert reason(server, ids[SHOP]) == ["parent_ended"]


@pytest.mark.parametrize("end", [log_out_at_a_child, end_the_child_in_the_list, revoke_the_child])
def test_who_ends_the_session_of_a_host_ends_the_login(browser, end):
    browser.enter(SHOP)
    browser.enter(APP)
    end(browser)
    wait_until(lambda: browser.status(LOGIN) == (401, "session_revoked"), seconds=5)
    host, path, _ = browser.follow(SHOP, "/auth/pages/login?return_to=/cart")
    assert host == LOGIN and path.startswith("/auth/pages/login"), "the next page asks for the password"


def test_a_logout_at_one_host_does_not_end_other_browsers(browser):
    other = another(browser)
    browser.enter(SHOP)
    other.enter(SHOP)
    log_out_at_a_child(browser)
    assert other.status(SHOP) == other.status(LOGIN) == (200, None)


def test_a_reuse_at_one_host_ends_the_session_of_that_host_alone(server, browser):
    browser.enter(SHOP)
    spent = browser.cookie(SHOP)
    for _ in range(2):
        server.move(3601)
        browser.send(SHOP, "POST", "/auth/refresh")
        browser.send(SHOP, "POST", "/auth/refresh")
    server.move(3601)
    thief = HostBrowser(server)
    thief.jar(SHOP)[NAME] = spent
    assert thief.send(SHOP, "POST", "/auth/refresh").code == "refresh_token_reused"
    assert browser.status(SHOP) == (401, "session_revoked") and browser.status(LOGIN) == (200, None)
    assert browser.enter(SHOP)["authenticated"], "and the user gets another without a question"


def test_a_spent_or_forged_token_of_a_child_ends_nothing_else(browser):
    browser.enter(SHOP)
    browser.jar(SHOP)[NAME] = browser.cookie(SHOP)[:-4] + "AAAA"
    browser.send(SHOP, "POST", "/auth/logout")
    assert browser.status(LOGIN) == (200, None)


def test_the_absolute_lifetime_of_a_child_is_that_of_its_parent(server, browser):
    server.move(7200)
    browser.enter(SHOP)
    ends = [claims(tokens(browser.cookie(host))[1])["exp"] for host in (LOGIN, SHOP)]
    assert ends[0] == ends[1]


# Passwords and step-up.

def test_passwords_are_taken_at_the_login_host_alone(browser):
    browser.enter(SHOP)
    login = {"email": browser.email, "password": PASSWORD}
    change = {"current_password": PASSWORD, "new_password": "another horse battery"}
    for path, fields in [("/auth/login", login), ("/auth/signup", login), ("/auth/password", change)]:
        answer = browser.send(SHOP, "POST", path, fields)
        assert (answer.status, answer.code, answer.set_cookies) == (403, "login_host_only", [])
    copied = HostBrowser(browser.server)
    copied.jar(LOGIN)[NAME] = browser.cookie(SHOP)
    assert copied.send(LOGIN, "POST", "/auth/password", change).code == "token_invalid"
    assert browser.status(LOGIN) == browser.status(SHOP) == (200, None)


def test_the_pages_of_other_hosts_lead_to_the_login_host(browser):
    assert target(browser.open(SHOP, "/auth/pages/account"), SHOP) == (LOGIN, "/auth/pages/account")
    host, path, page = HostBrowser(browser.server).follow(SHOP, "/auth/pages/signup?return_to=/cart")
    assert host == LOGIN and path.startswith("/auth/pages/login?return_to=/auth/hand-over/code") and page.status == 200


def test_the_cookie_of_one_host_opens_no_other_host(browser):
    browser.enter(SHOP)
    thief = HostBrowser(browser.server)
    thief.jar(LOGIN)[NAME] = browser.cookie(SHOP)
    host, path, page = thief.follow(APP, "/auth/pages/login?return_to=/board")
    assert host == LOGIN and path.startswith("/auth/pages/login") and not thief.cookie(APP)


def test_a_step_up_at_a_host_is_one_at_the_login_host_and_the_new_session_has_its_level(server, browser):
    browser.enter(SHOP)
    server.move(120)
    old = browser.session(SHOP)["session"]
    host, path, page = browser.follow(SHOP, "/auth/pages/login?return_to=/pay&step_up=1")
    assert host == LOGIN and query(path)["step_up"] == "1" and b'data-step-up="true"' in page.body
    back = query(path)["return_to"]
    host, path, _ = browser.follow(LOGIN, back)
    assert query(path)["step_up"] == "1", "without the password it asks again"
    assert browser.send(LOGIN, "POST", "/auth/step-up", {"password": PASSWORD}).status == 200
    host, path, _ = browser.follow(LOGIN, back, until="/pay")
    new = browser.session(SHOP)["session"]
    assert (host, path) == (SHOP, "/pay") and new["auth_time"] > old["auth_time"] and new["id"] != old["id"]
    assert new["auth_time"] == browser.session(LOGIN)["session"]["auth_time"]


def test_a_copy_of_the_login_from_before_a_step_up_hands_over_the_old_level(server, browser):
    copy = HostBrowser(server)
    copy.jar(LOGIN)[NAME] = browser.cookie(LOGIN)
    before = browser.session(LOGIN)["session"]["auth_time"]
    server.move(120)
    assert browser.send(LOGIN, "POST", "/auth/step-up", {"password": PASSWORD}).status == 200
    copy.enter(SHOP)
    assert copy.session(SHOP)["session"]["auth_time"] == before
    browser.enter(SHOP)
    assert browser.session(SHOP)["session"]["auth_time"] > before


def test_a_form_of_a_host_can_step_its_own_session_up(server, browser):
    browser.enter(SHOP)
    before = browser.session(SHOP)["session"]["auth_time"]
    server.move(120)
    assert browser.send(SHOP, "POST", "/auth/step-up", {"password": PASSWORD}).status == 200
    assert browser.session(SHOP)["session"]["auth_time"] > before
    assert browser.session(LOGIN)["session"]["auth_time"] == before


# Lists and limits.

def test_the_list_names_hosts_and_parents_and_marks_this_browser(browser):
    other = another(browser)
    browser.enter(SHOP)
    parent, child, foreign = browser.sid(LOGIN), browser.sid(SHOP), other.sid(LOGIN)
    for host in (LOGIN, SHOP):
        listed = {entry["id"]: entry for entry in browser.send(host, "GET", "/auth/sessions").json["sessions"]}
        assert {id: (entry["current"], entry.get("host"), entry.get("parent")) for id, entry in listed.items()} == {
            parent: (True, None, None), child: (True, SHOP, parent), foreign: (False, None, None)}


@pytest.mark.parametrize("host", [LOGIN, SHOP])
def test_ending_all_others_keeps_this_session_and_its_login(browser, host):
    other = another(browser)
    for visitor in (browser, other):
        visitor.enter(SHOP)
    assert browser.send(host, "POST", "/auth/sessions/revoke-others").status == 204
    wait_until(lambda: other.status(LOGIN) == other.status(SHOP) == (401, "session_revoked"), seconds=5)
    assert browser.status(host) == browser.status(LOGIN) == (200, None)


def test_hosts_do_not_count_for_the_limit_of_sessions(tmp_path):
    server = Server(tmp_path / "data", **HOSTS, maxSessions=1)
    browser = stranger(server, "one@example.com")
    browser.enter(SHOP)
    browser.enter(APP)
    assert all(browser.status(host) == (200, None) for host in (LOGIN, SHOP, APP))
    another(browser)
    assert all(browser.status(host) == (401, "session_revoked") for host in (LOGIN, SHOP, APP))
    assert server.stop() == 0


# In front of an app.

ROUTES = [{"path": "/public/*", "access": "public"}, {"path": "/pay/*", "access": "step-up", "maxAge": 60}, {"path": "/*", "access": "session"}]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    gateway = Gateway(tmp_path_factory.mktemp("gateway") / "data", ROUTES, **HOSTS, **STEERED)
    yield gateway
    assert gateway.is_alive(), gateway.log()
    assert gateway.stop() == 0


def test_the_gateway_brings_a_visitor_of_any_host_to_the_login_and_back_to_the_page(gateway):
    browser = HostBrowser(gateway)
    host, path, page = browser.follow(SHOP, "/orders?year=2026")
    assert host == LOGIN and path.startswith("/auth/pages/login?return_to=/auth/hand-over/code")
    browser.sign_up("gateway@example.com")
    host, path, answer = browser.follow(LOGIN, query(path)["return_to"])
    assert (host, path, answer.status) == (SHOP, "/orders?year=2026", 200)
    seen = gateway.backend.one("/orders")
    assert seen.value("x-auth-session") == browser.sid(SHOP) and seen.value("x-forwarded-host") == SHOP
    assert FLOW in browser.jar(SHOP) and seen.value("cookie") is None, "the app sees neither of our cookies"
    assert browser.follow(APP, "/board")[2].status == 200, "another host needs no login"
    assert browser.send(SHOP, "GET", "/orders", headers={"Host": "evil.example.com"}).code == "misdirected_request"


def test_the_gateway_lets_no_app_set_the_flow_cookie(gateway):
    browser = stranger(gateway, "fixed@example.com")
    cookies = (f"Set-Cookie: {FLOW}=x; Path=/; Secure", "Set-Cookie: own=1; Path=/; Secure; HttpOnly")
    path = gateway.backend.on(response(200, *cookies), below="/public")
    answer = browser.open(SHOP, path)
    assert [line.split("=")[0] for line in answer.set_cookies] == ["own"]


def test_a_route_that_demands_a_fresh_password_gets_it_at_the_login_host(gateway):
    browser = stranger(gateway, "pay@example.com")
    gateway.move(120)
    host, path, page = browser.follow(SHOP, "/pay/7")
    assert host == LOGIN and query(path)["step_up"] == "1"
    assert browser.send(LOGIN, "POST", "/auth/step-up", {"password": PASSWORD}).status == 200
    host, path, answer = browser.follow(LOGIN, query(path)["return_to"])
    assert (host, path, answer.status) == (SHOP, "/pay/7", 200)


def test_an_event_stream_of_a_host_ends_when_the_login_ends(gateway):
    browser = stranger(gateway, "stream@example.com")
    browser.enter(SHOP)
    path = gateway.backend.on(stream)
    with Wire(gateway) as wire:
        wire.send(f"GET {path} HTTP/1.1\r\nHost: {SHOP}\r\nCookie: {NAME}={browser.cookie(SHOP)}\r\n\r\n".encode())
        assert b" 200 " in wire._until(b"data: 1\n\n")
        assert browser.send(LOGIN, "POST", "/auth/logout").status == 204
        assert wire.rest().endswith(b"0\r\n\r\n")


def stream(connection, request):
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n")
    connection.wait_for_end()


def test_forward_auth_sends_a_visitor_of_any_host_to_the_page_that_starts_a_hand_over(server, browser):
    asked = {"X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/cart?item=7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": SHOP}
    told = browser.send(SHOP, "GET", "/auth/check?login=/auth/pages/login", headers=asked | NAVIGATION, private=True)
    assert (told.status, told.header("location")) == (302, "/auth/pages/login?return_to=/cart%3Fitem%3D7")
    assert browser.follow(SHOP, told.header("location"), until="/cart")[:2] == (SHOP, "/cart?item=7")
    allowed = browser.send(SHOP, "GET", "/auth/check", headers=asked, private=True)
    assert (allowed.status, allowed.header("x-auth-session")) == (204, browser.sid(SHOP))
    elsewhere = browser.send(SHOP, "GET", "/auth/check", headers=asked | {"X-Forwarded-Host": "evil.example"}, private=True)
    assert elsewhere.code == "misdirected_request"


def test_an_app_that_keeps_its_own_login_logs_in_at_the_login_host_for_all_hosts(tmp_path):
    routes = [{"path": "/login", "access": "public", "cookie": "keep"}, {"path": "/pay", "access": "step-up", "maxAge": 60}, {"path": "/*", "access": "session"}]
    gateway = Gateway(tmp_path / "data", routes, **HOSTS, **STEERED, loginPage="/login?lang=en")
    service, browser = Service(gateway), HostBrowser(gateway)
    assert browser.open(LOGIN, "/notes").header("location") == "/login?lang=en&return_to=/notes"
    assert browser.open(SHOP, "/cart").header("location") == "/auth/pages/login?return_to=/cart"
    host, path, page = browser.follow(SHOP, "/cart")
    assert host == LOGIN and path.startswith("/login?lang=en&return_to=/auth/hand-over/code") and page.body == b"ok"
    sent = {"method": "POST", "host": LOGIN, "origin": origin(LOGIN), "sec_fetch_site": "same-origin"}
    browser.jar(LOGIN)[NAME] = cookie_of(service.begin("42", browser=sent))
    host, path, answer = browser.follow(LOGIN, query(path)["return_to"])
    assert (host, path, answer.status) == (SHOP, "/cart", 200)
    assert gateway.backend.one("/cart").value("x-auth-subject") == "42"
    gateway.move(120)
    host, path, page = browser.follow(SHOP, "/pay")
    assert host == LOGIN and path.startswith("/login?lang=en&return_to=") and query(path)["step_up"] == "1"
    asked = {"X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/cart", "X-Forwarded-Proto": "https"} | NAVIGATION
    for host, page in [(LOGIN, "/login?return_to=/cart"), (SHOP, "/auth/pages/login?return_to=/cart")]:
        told = HostBrowser(gateway).send(host, "GET", "/auth/check?login=/login", headers=asked | {"X-Forwarded-Host": host}, private=True)
        assert told.header("location") == page
    assert service.send("DELETE", f"/service/sessions/{browser.sid(SHOP)}").status == 204
    for host in (LOGIN, SHOP):
        wait_until(lambda: browser.status(host) == (401, "session_revoked"), seconds=5)
    assert gateway.stop() == 0
