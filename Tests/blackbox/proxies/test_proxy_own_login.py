"""An app that keeps its own login behind each proxy: its login and its step-up receive Cloakroom's cookie, and set it."""
import urllib.parse

import pytest

from backend import Backend, add_credential
from browser import NAME, claims, tokens
from cannot import STEP_UP, cannot
from kinds import PROXIES
from place import STALE, Browser, Place


class App:
    """What the app does with the service API, for the request that it has received."""

    def __init__(self, place):
        self.roles = ["admin"]
        self.service = Backend(place.server, add_credential(place.server, scope="sessions:create")["key"])
        place.backend.cookies |= {"/login": self.log_in, "/step-up": self.step_up}

    def browser(self, head):
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        fields = {name.lower(): value for name, value in fields.items()}
        self.session = fields.get("x-auth-session")
        return {
            "method": head.split(" ")[0], "host": fields["host"], "origin": fields.get("origin"), "cookie": fields.get("cookie"),
            "sec_fetch_site": fields.get("sec-fetch-site"), "ip": fields["x-forwarded-for"]}

    def log_in(self, head):
        if head.startswith("GET "):
            return []
        return self.lines(self.service.begin(browser=self.browser(head), claims={"roles": self.roles}), 201)

    def step_up(self, head):
        browser = self.browser(head)
        body = {"authentication": {"amr": ["pwd"]}, "browser": browser}
        return self.lines(self.service.send("POST", f"/service/sessions/{self.session}/step-up", body), 200)

    def lines(self, answer, status):
        assert answer.status == status, answer
        return answer.json["set_cookie"]


@pytest.fixture(scope="module", params=PROXIES, ids=lambda kind: kind.name)
def site(request):
    if not request.param.is_installed():
        pytest.skip(f"{request.param.name} is not installed")
    # As the pages say: one path with two demands.
    separator = ";" if request.param.name == "envoy" else "&"
    both = {"max_age=300": f"max_age=300{separator}claim=roles:admin"}
    site = Place(request.param, both, has_own_login=True, claims="roles")
    site.server._read_private_address()
    site.app = App(site)
    yield site
    site.stop()


def log_in(site):
    browser = Browser(site)
    assert browser.send("POST", "/login", body={"password": "x"}).status == 200
    return browser


def test_the_login_page_is_the_apps(site):
    answer = Browser(site).navigate("/notes?a=1")
    assert answer.status == 302 and answer.header("location") == "/login?return_to=" + urllib.parse.quote("/notes?a=1", safe="/"), answer
    assert Browser(site).navigate("/login?return_to=%2Fnotes").status == 200 and site.backend.target == "/login?return_to=%2Fnotes"


def test_a_login_of_the_app_begins_a_session_and_ends_the_one_in_the_cookie(site):
    browser = log_in(site)
    first = browser.cookie
    assert browser.get("/notes").status == 200
    assert site.backend.header("x-auth-subject") == ["42"]
    browser.send("POST", "/login", body={"password": "x"})
    assert site.backend.header("cookie") == [f"theme=dark; {NAME}={first}; lang=en"]
    assert site.backend.header("x-auth-subject") in ([], [""]) and site.backend.header("authorization") in ([], [""])
    second, browser.cookie = browser.cookie, first
    assert browser.get("/notes").code == "session_revoked"
    browser.cookie = second
    assert browser.get("/notes").status == 200


@pytest.mark.parametrize("is_renewed", [False, True], ids=["with a fresh access token", "with a renewal on the way"])
def test_a_step_up_of_the_app_opens_what_demands_it(site, is_renewed):
    browser = log_in(site)
    assert browser.get("/money/1").status == 200
    site.server.move(STALE)
    assert browser.get("/money/1", keep=False).code == "insufficient_user_authentication"
    if is_renewed:
        site.server.move(STALE)
    else:
        browser.get("/notes")
    presented = browser.cookie
    answer = browser.send("POST", "/step-up", body={"password": "x"}, most=2 if cannot(site, STEP_UP) else 1)
    assert answer.status == 200 and browser.cookie != presented
    assert site.backend.header("cookie") == [f"theme=dark; {NAME}={presented}; lang=en"]
    assert site.backend.header("x-auth-session") == [claims(tokens(browser.cookie)[0])["sid"]]
    assert browser.get("/money/1").status == 200


def test_other_paths_receive_no_session_cookie(site):
    browser = log_in(site)
    for target in ("/login/x", "/step-up/x", "/Login2", "/notes"):
        browser.get(target)
        assert NAME not in site.backend.requests[-1], target
    assert Browser(site).get("/step-up").code == "session_missing"


@pytest.mark.parametrize("target", ["//login", "/login;x", "/login/..;/notes", "/%2flogin", "/login%3b", "/login\\x"])
def test_an_ambiguous_spelling_of_the_login_path_does_not_pass_without_a_session(site, target):
    site.backend.forget()
    assert Browser(site).get(target).status in (400, 401) and site.backend.requests == []


def test_a_login_by_another_site_is_refused(site):
    """The proxy passes on the headers by which Cloakroom decides."""
    seen = []
    site.backend.cookies["/login"], kept = lambda head: seen.append(head) or [], site.backend.cookies["/login"]
    try:
        Browser(site).send("POST", "/login", site="cross-site", body={"password": "x"})
    finally:
        site.backend.cookies["/login"] = kept
    assert site.app.service.begin(browser=site.app.browser(seen[0])).code == "cross_site_request"


def test_a_path_can_demand_a_claim_besides_a_fresh_login(site):
    assert log_in(site).get("/money/1").status == 200
    site.app.roles = ["editor"]
    try:
        answer = log_in(site).get("/money/1")
    finally:
        site.app.roles = ["admin"]
    assert answer.status == 403 and answer.code == "insufficient_claims"


def test_the_proxy_has_nothing_to_warn_of_in_its_configuration(site):
    log = (site.proxy.directory / "output.log").read_text()
    assert "[WARNING]" not in log and "warn]" not in log, log
