"""Uses each operation of the OpenAPI document and each command, for several subjects, in the ways in which they write differently."""
import functools
import json
import re
import threading

from backend import Backend as Service, add_credential, cookie_of
from browser import NAME, PASSWORD
from host_browser import LOGIN, SHOP, HostBrowser, origin
from server import MASTER_SECRET, run

SETTINGS = {
    "publicURL": origin(LOGIN), "hosts": SHOP, "claims": "roles", "stragglerWindow": 0, "reissueDelay": 0, "maxSessions": 3,
    "statusListTTL": 15, "loginRateLimit": 1000, "signupRateLimit": 1000}
NEW_PASSWORD = "another horse battery"
# More than the server remembers for each subject.
NETWORKS = 16
OPERATIONS, COMMANDS = {}, {}


def operation(name):
    return functools.partial(OPERATIONS.setdefault, name)


def command(*names):
    def add(function):
        for name in names:
            COMMANDS[name] = function
        return function
    return add


class Product:
    """A server, a backend that uses its service API, and accounts."""

    def __init__(self, server):
        self.server = server
        self.number = 0
        self.lock = threading.Lock()
        self.service = Service(server)

    def name(self):
        with self.lock:
            self.number += 1
            return f"user{self.number}"

    def account(self):
        """The browser of a new account, which is logged in at the login host and at another host."""
        browser = HostBrowser(self.server)
        browser.sign_up(f"{self.name()}@example.com")
        browser.enter(SHOP)
        return browser

    def browser(self, subject=None):
        """The same of a user whom the backend has logged in: the server then hashes no password, which takes most of the time."""
        browser = self.begin(subject or self.name())
        browser.enter(SHOP)
        return browser

    def another(self, browser):
        """Another browser of the same user."""
        return self.browser(browser.subject)

    def begin(self, subject, browser=None, ip="203.0.113.7", **fields):
        """A session that the backend begins for a browser, which may hold one of another subject."""
        browser = browser or HostBrowser(self.server)
        answer = self.service.begin(subject, browser=self.request(browser) | {"ip": ip}, **fields)
        assert answer.status == 201, answer
        browser.jar(LOGIN)[NAME] = cookie_of(answer)
        browser.subject, browser.id = subject, answer.json["session"]["id"]
        return browser

    def request(self, browser):
        held = browser.cookie(LOGIN)
        return self.service.browser(host=LOGIN, origin=origin(LOGIN), cookie=held and f"{NAME}={held}")

    def command(self, *arguments, stdin=""):
        result = run(*arguments, stdin=stdin, dataDir=self.server.directory, masterSecret=MASTER_SECRET)
        assert result.returncode == 0, (arguments, result.stderr)
        return result.stdout


def post(browser, path, body=None, status=(200, 201, 204), host=LOGIN):
    answer = browser.send(host, "POST", path, body)
    assert answer.status in status, (path, answer)
    return answer


def get(path, private=False, **headers):
    def call(product):
        answer = HostBrowser(product.server).send(LOGIN, "GET", path, headers=headers, private=private)
        assert answer.status in (200, 302, 303), (path, answer)
    return call


# Endpoints of the public listener.

@operation("signUp")
def sign_up(product):
    browser = product.browser()
    browser.sign_up("second@example.com")       # replaces the session of another subject, and its child
    browser.send(LOGIN, "POST", "/auth/signup", {"email": "second@example.com", "password": PASSWORD})


@operation("login")
def log_in(product):
    browser, victim = product.account(), product.account()
    post(browser, "/auth/login", {"email": browser.email, "password": "wrong horse battery"}, status=[401])
    post(browser, "/auth/login", {"email": "nobody@example.com", "password": PASSWORD}, status=[401])
    browser.log_in()                            # replaces its own session, and ends the child
    browser.log_in(victim.email)                # and that of another subject
    for _ in range(SETTINGS["maxSessions"] + 1):
        product.browser("m1")                   # the last ones end the first ones


@operation("refresh")
def refresh(product):
    browser = product.browser()
    spent = browser.cookie(LOGIN)
    for _ in range(4):
        post(browser, "/auth/refresh")
        post(browser, "/auth/refresh", host=SHOP)
    thief = HostBrowser(product.server)
    thief.jar(LOGIN)[NAME] = spent
    post(thief, "/auth/refresh", status=[401])


@operation("logout")
def log_out(product):
    post(product.browser(), "/auth/logout")
    post(product.browser(), "/auth/logout", host=SHOP)


@operation("session")
def session(product):
    browser = product.browser()
    for host in (LOGIN, SHOP):
        assert browser.send(host, "GET", "/auth/session").json["authenticated"]


@operation("listSessions")
def list_sessions(product):
    browser = product.browser()
    product.another(browser)
    return browser, [one["id"] for one in browser.send(LOGIN, "GET", "/auth/sessions").json["sessions"] if not one["current"]]


@operation("endSession")
def end_session(product):
    browser, others = list_sessions(product)
    for other in others:
        browser.send(LOGIN, "DELETE", f"/auth/sessions/{other}")
    assert browser.status(LOGIN) == (200, None)


@operation("revokeOthers")
def revoke_others(product):
    browser = product.browser()
    product.another(browser)
    post(browser, "/auth/sessions/revoke-others")


@operation("stepUp")
def step_up(product):
    browser = product.account()
    post(browser, "/auth/step-up", {"password": "wrong horse battery"}, status=[401, 403])
    post(browser, "/auth/step-up", {"password": PASSWORD})


@operation("changePassword")
def change_password(product):
    browser = product.account()
    other = HostBrowser(product.server)
    other.log_in(browser.email)
    other.enter(SHOP)
    post(browser, "/auth/password", {"current_password": "wrong horse battery", "new_password": NEW_PASSWORD}, status=[401, 403])
    post(browser, "/auth/password", {"current_password": PASSWORD, "new_password": NEW_PASSWORD})


@operation("handOverCode")
def hand_over_code(product):
    browser = product.browser()
    browser.code(SHOP)


@operation("handOverSession")
def hand_over_session(product):
    browser = product.browser()
    code = browser.code(SHOP)
    for _ in range(2):                          # the second time it is spent
        browser.open(SHOP, code)
    stranger = HostBrowser(product.server)
    stranger.open(SHOP, browser.code(SHOP))     # without the flow cookie


for name, path in {
    "clientScript": "/auth/client.js", "clientTypes": "/auth/client.d.ts", "loginPage": "/auth/pages/login",
    "signUpPage": "/auth/pages/signup", "pagePart": "/auth/pages/style.css", "openAPI": "/auth/openapi.json",
    "keySet": "/.well-known/jwks.json", "statusList": "/auth/status-lists/AAAAAAAAAAAA", "metadata": "/.well-known/oauth-authorization-server",
    "openIDMetadata": "/.well-known/openid-configuration", "changePasswordPage": "/.well-known/change-password",
    "accountPage": "/auth/pages/account", "health": "/healthz", "readiness": "/readyz",
}.items():
    operation(name)(get(path))
operation("metrics")(get("/metrics", private=True, Host="localhost"))


# Endpoints of the private listener.

@operation("check")
def check(product):
    browser = product.browser()
    post(browser, "/auth/refresh")
    asked = {
        "X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/cart", "X-Forwarded-Proto": "https", "X-Forwarded-Host": LOGIN}
    assert browser.send(LOGIN, "GET", "/auth/check", headers=asked, private=True).status == 204     # a sighting


@operation("beginServiceSession")
def begin_service_session(product):
    browser = product.begin("b1", claims={"roles": ["editor"]})
    product.begin("b1", browser)
    product.begin("b2", browser)                # replaces the session of another subject
    product.begin("b3", product.browser())
    for number in range(NETWORKS + 1):          # the last one replaces the first
        product.begin("b4", ip=f"203.{number}.113.7")


@operation("stepUpServiceSession")
def step_up_service_session(product):
    browser = product.begin("s1")
    body = {"authentication": {"amr": ["pwd", "otp"], "acr": "2"}, "browser": product.request(browser)}
    assert product.service.send("POST", f"/service/sessions/{browser.id}/step-up", body).status in (200, 403)


@operation("endServiceSession")
def end_service_session(product):
    browser = product.begin("e1")
    assert product.service.send("DELETE", f"/service/sessions/{browser.id}").status == 204


@operation("listSubjectSessions")
def list_subject_sessions(product):
    product.begin("l1")
    assert len(product.service.sessions("l1")) == 1


@operation("endSubjectSessions")
def end_subject_sessions(product):
    for _ in range(2):
        product.begin("e2")
    assert product.service.send("DELETE", "/service/subjects/e2/sessions").status in (200, 204)


@operation("setClaims")
def set_claims(product):
    for subject in ("c1", "c2"):
        product.begin(subject)
        assert product.service.set_claims({"roles": ["admin"]}, subject, effect="now").status in (200, 204)


@operation("setSubject")
def set_subject(product):
    for _ in range(2):
        product.begin("k1")
    for blocked in (True, False):
        assert product.service.block("k1", blocked).status in (200, 204)


@operation("listEvents")
def list_events(product):
    assert product.service.send("GET", "/service/events").status == 200


@operation("streamRevocations")
def stream_revocations(product):
    stream = product.service.stream()
    end_service_session(product)
    assert stream.next()
    stream.close()


# Commands.

@command("users add", "users list", "users disable", "users enable", "users set-password")
def users(product):
    email = "operator@example.com"
    product.command("users", "add", email, stdin=PASSWORD)
    browser = HostBrowser(product.server)
    for _ in range(2):
        browser.log_in(email)
        browser.enter(SHOP)
        product.command("users", "disable", email)
        product.command("users", "enable", email)
    browser.log_in(email)
    product.command("users", "set-password", email, stdin=NEW_PASSWORD)
    assert email in product.command("users", "list")


@command("sessions list", "sessions revoke")
def sessions(product):
    one, two = product.browser(), product.browser()
    product.command("sessions", "list", "--user", one.subject)
    product.command("sessions", "revoke", one.id)
    product.command("sessions", "revoke", "--user", two.subject)
    for selection in (["--created-before", "2100-01-01"], ["--all"]):
        for _ in range(3):
            product.browser()
        product.command("sessions", "revoke", *selection)


@command("credentials add", "credentials list", "credentials remove")
def credentials(product):
    added = add_credential(product.server)
    assert added["id"] in product.command("credentials", "list")
    product.command("credentials", "remove", added["id"])


@command("events")
def events(product):
    assert "login" in product.command("events")


@command("keys list", "keys rotate", "keys remove", "keys reseal")
def keys(product):
    product.command("keys", "rotate")
    product.command("keys", "rotate", "--refresh-secret")
    listed = [json.loads(line) for line in product.command("keys", "list", "--json").splitlines()]
    for key in sum(listed, []):
        if key["stage"] == "published" and key["use"] == "access":
            product.command("keys", "remove", key["kid"])
    product.command("keys", "reseal")


@command("migrate")
def migrate(product):
    assert "have the version" in product.command("migrate")


# No subject has to do with these (`keys import` writes keys alone). `restore` refuses a store on PostgreSQL, and `migrate-store` fills
# one before any instance uses it.
WITHOUT_STORE = {"serve", "routes check", "verify", "restore", "keys secret", "keys import", "migrate-store"}


def commands(*path):
    """The commands of the binary that do something, as their help lists them."""
    text = run(*path, "--help").stdout
    if "SUBCOMMANDS:" not in text:
        return {" ".join(path)}
    names = re.findall(r"^  ([a-z-]+)(?: \(default\))? {2,}\S", text.split("SUBCOMMANDS:")[1], re.M)
    return set().union(*(commands(*path, name) for name in names if name != "help"))


def functions():
    """Each function once."""
    return list(dict.fromkeys([*OPERATIONS.values(), *COMMANDS.values()]))
