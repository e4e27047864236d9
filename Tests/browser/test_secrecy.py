"""Token theft by XSS and session fixation by script: script finds no token, and cannot replace the session cookie."""
import http.client
import json
import re

import pytest

from app import EXPIRY, PASSWORD, STEERED, log_in, open_app, ready, sign_up, who

TOKEN = re.compile(r"eyJ[\w-]{8,}")

EVERYWHERE = """
    const places = { cookie: document.cookie, dom: document.documentElement.outerHTML, url: location.href,
        local: JSON.stringify({ ...localStorage }), session: JSON.stringify({ ...sessionStorage }),
        history: JSON.stringify(history.state), name: window.name,
        entries: performance.getEntries().map(({ name }) => name).join(" "),
        databases: JSON.stringify(await indexedDB.databases()), caches: JSON.stringify(await caches.keys()),
        globals: Object.keys(window).filter((key) => typeof window[key] === "string").map((key) => window[key]).join(" ") };
    if (window.cookieStore) places.store = JSON.stringify(await cookieStore.getAll());
    return places;
"""


def planted(text):
    return bool(TOKEN.search(text))


def test_script_finds_no_token(browser, site, account):
    open_app(browser, site)
    sign_up(browser, account)
    browser.run("await session.renew(); await session.stepUp({ password: args[0] })", "correct horse battery")
    browser.open(site.origin() + "/")
    browser.wait_text("no token found", "#verdict")
    browser.click("#look")
    browser.wait_text("14 ways tried, no token found", "#verdict")
    for url in ("/", "/auth/pages/account", "/app"):
        browser.open(site.origin() + url)
        browser.wait_text(account)
        found = {place: text for place, text in browser.run(EVERYWHERE).items() if planted(text)}
        assert found == {}
    handed_over = 0
    for exchange in site.seen():
        handed_over += any(planted(value) for value in exchange.set_cookies)
        visible = [value for name, value in exchange.answer_headers if name.lower() != "set-cookie"]
        assert not planted(" ".join(visible)) and not planted(exchange.answer.decode()), exchange.path
        assert not planted(exchange.path) and not planted(exchange.headers.get("referer", ""))
        assert not planted(exchange.body.decode())
    assert handed_over >= 3, "the control: tokens did come, in cookies"


def test_the_demo_finds_an_exposed_token(browser, site):
    """The control: the panel finds a token that is there."""
    browser.open(site.origin() + "/")
    browser.wait_text("no token found", "#verdict")
    browser.run("localStorage.token = 'eyJhbGciOiJub25lIn0.e30.'")
    browser.click("#look")
    browser.wait_text("1 of 14 ways led to a token!", "#verdict")


def test_hybrid_delivery_keeps_the_access_token_in_memory_only(browser, start, proxies, account):
    server = start(clients="spa=hybrid", **STEERED)
    site = proxies(server)
    open_app(browser, site)
    sign_up(browser, account)
    browser.run("await session.logout()")
    log_in(browser, account, client_id="spa")
    assert {place for place, text in browser.run(EVERYWHERE).items() if planted(text)} == set()
    assert browser.run("return (await session.fetch('/api/notes')).status") == 200
    sent = site.seen("GET", "/api/notes")[-1].headers
    assert planted(sent["authorization"]) and "~" in sent["cookie"]
    server.move(EXPIRY)
    assert browser.run("return (await session.fetch('/api/notes')).status") == 200
    assert site.seen("GET", "/api/notes")[-1].headers["authorization"] != sent["authorization"]
    assert browser.run("return (await fetch('/api/notes')).status") == 401


# Endpoints of the private listener, for proxies, scrapers and backends.
PRIVATE = ["/auth/check", "/auth/check/x", "/auth/check;allow=200/x", "/metrics", "/service/sessions"]
OTHERS = ["/", "/demo.js", "/api/notes", "/auth/pages/style.css", "/auth/nowhere", "/.well-known/openid-configuration",
          "/.well-known/change-password"]
# Headers in which a proxy describes a request. A page can send them too.
FORWARDED = {
    "X-Original-URI": "/x", "X-Original-Method": "GET", "X-Forwarded-Uri": "/x", "X-Forwarded-Method": "GET",
    "X-Forwarded-Host": "localhost", "X-Forwarded-Proto": "https", "X-Forwarded-For": "127.0.0.1",
}
FORGERIES = [{}, *({name: value} for name, value in FORWARDED.items()), FORWARDED]
# So many equal characters in a row are no coincidence.
RUN = 16

ASK = """
    const [method, path, headers, body] = args;
    const json = body && { "Content-Type": "application/json" };
    const response = await fetch(path, { method, headers: { ...headers, ...json }, body: body && JSON.stringify(body) });
    return { status: response.status, text: [response.url, ...[...response.headers].flat(), await response.text()].join("\\n") };
"""


def runs(text):
    return {text[start:start + RUN] for start in range(len(text) - RUN + 1)}


def cookies(site):
    """Every cookie that the server has set here, as `name=value`."""
    return [header.split(";")[0] for exchange in site.seen() for header in exchange.set_cookies]


def leaked(texts, site):
    """The texts that contain a part of any of these cookies."""
    secrets = set().union(*(runs(cookie.split("=", 1)[1]) for cookie in cookies(site)))
    assert secrets
    return {text for text in texts if not secrets.isdisjoint(runs(text))}


class State:
    """Brings the browser's session into a state, again before each request, because a request may change it."""

    def __init__(self, browser, server, site, email):
        self.browser, self.server, self.site, self.email = browser, server, site, email
        self.revoked = None

    def fresh(self):
        if self.refresh() != 200:
            log_in(self.browser, self.email)

    def expired(self):
        """The newest cookie is confirmed and its access token has expired: the next response sets a newer cookie."""
        self.fresh()
        self.refresh()
        self.server.move(EXPIRY)

    def revoked_elsewhere(self):
        if cookies(self.site)[-1] == self.revoked:
            return
        self.fresh()
        self.revoked = cookies(self.site)[-1]
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port)
        # The name of the cookie depends on the browser.
        user_agent = self.site.seen()[-1].headers["user-agent"]
        fields = {"Cookie": self.revoked, "Origin": self.server.origin, "User-Agent": user_agent}
        connection.request("POST", "/auth/logout", headers=fields)
        assert connection.getresponse().status == 204
        assert self.refresh() == 401

    def refresh(self):
        return self.browser.run("return (await fetch('/auth/refresh', { method: 'POST' })).status")


def questions(browser, email):
    """Each endpoint and page with its own method and with GET, and a valid body."""
    paths = browser.run("return (await (await fetch('/auth/openapi.json')).json()).paths")
    assert {"/auth/session", "/auth/refresh", "/auth/pages/login", "/.well-known/jwks.json"} <= set(paths)
    parts = {"{id}": "01234567", "{part}": "form.js"}
    pairs = {(method.upper(), path) for path, operations in paths.items() for method in operations}
    pairs |= {(method, path) for path in PRIVATE + OTHERS for method in ("GET", "POST")}
    pairs |= {("GET", path) for _, path in pairs}
    credentials = {"email": email, "password": PASSWORD}
    bodies = {
        "/auth/login": credentials, "/auth/signup": credentials | {"email": f"new.{email}"}, "/auth/step-up": {"password": PASSWORD},
        "/auth/password": {"current_password": PASSWORD, "new_password": PASSWORD}, "/api/notes": {"text": "a note"},
    }
    for method, path in sorted(pairs):
        for part, value in parts.items():
            path = path.replace(part, value)
        yield method, path, bodies.get(path) if method == "POST" else None


@pytest.mark.parametrize("state", ["fresh", "expired", "revoked_elsewhere"])
def test_no_response_that_script_can_read_has_a_part_of_a_token(browser, start, proxies, account, state):
    server = start(**STEERED)
    site = proxies(server)
    open_app(browser, site)
    sign_up(browser, account)
    prepare = getattr(State(browser, server, site, account), state)
    texts, handed_out = set(), set()
    for method, path, body in questions(browser, account):
        for forgery in FORGERIES:
            prepare()
            since = len(site.exchanges)
            answer = browser.run(ASK, method, path, forgery, body)
            texts.add(answer["text"])
            if path in PRIVATE:
                assert answer["status"] == 404, (method, path, forgery)
            if any(exchange.set_cookies for exchange in site.seen(since=since)):
                handed_out.add(path)
    assert leaked(texts, site) == set()
    assert "/auth/login" in handed_out, "the control: tokens did come, in cookies"
    if state == "expired":
        assert {"/auth/session", "/auth/sessions", "/auth/refresh", "/api/notes"} <= handed_out, "the control: they were renewed"


def into_header(exchange):
    exchange.answer_headers.append(("X-Auth-Set-Cookie", exchange.set_cookies[0][100:130]))


def into_body(exchange):
    exchange.answer += exchange.set_cookies[0][100:130].encode()


def into_address(exchange):
    exchange.status = 307
    exchange.answer_headers.append(("Location", f"/auth/session?{exchange.set_cookies[0][100:130]}"))


@pytest.mark.parametrize("leak", [into_header, into_body, into_address])
def test_the_search_finds_a_part_of_a_token_at_every_place(browser, site, account, leak):
    open_app(browser, site)
    sign_up(browser, account)
    site.interfere = lambda exchange: leak(exchange) if exchange.method == "POST" and exchange.set_cookies else None
    text = browser.run(ASK, "POST", "/auth/refresh", {}, None)["text"]
    assert leaked({text, "harmless"}, site) == {text}


@pytest.mark.parametrize("host", ["localhost", "app.localhost"])
def test_the_cookie_has_the_expected_name(browser, site, account, engine, host):
    open_app(browser, site, host)
    sign_up(browser, account)
    name = "cloakroom-session" if engine == "webkit" else "__Host-Http-session"
    assert site.seen("POST", "/auth/signup")[-1].set_cookies[0].startswith(name + "=")
    assert who(browser) == account


def test_on_https_every_engine_has_the_real_cookie(browser, start, proxies, certificate, account):
    site = proxies(certificate=certificate)
    site.upstream = start(publicURL=site.origin())
    open_app(browser, site)
    sign_up(browser, account)
    assert site.seen("POST", "/auth/signup")[-1].set_cookies[0].startswith("__Host-Http-session=")
    assert who(browser) == account
    assert site.seen("GET", "/auth/session")[-1].headers["cookie"].startswith("__Host-Http-session=")


def flood(browser, count):
    browser.run("for (let n = 0; n < args[0]; n++) document.cookie = `f${n}=${n}; path=/; secure`", count)
    browser.run("for (let n = 0; n < args[0]; n++) document.cookie = `g${n}=${n}; path=/`", count)


def still(engine, account):
    """The accounts that may be logged in after an attack on the cookie jar. WebKit does not know the prefixes: two cookies
    arrive, and the server refuses both if both verify."""
    return (account, None) if engine == "webkit" else (account,)


PLANT = """
    for (const name of ["__Host-Http-session", "cloakroom-session", "__Host-session", " __Host-Http-session", "\\u2000__Host-Http-session"])
        for (const rest of ["; path=/; secure", "; path=/", "; path=/auth; secure", "; path=/auth", `; path=/; domain=${location.hostname}`])
            document.cookie = `${name}=${args[0]}${rest}`;
    document.cookie = `=__Host-Http-session=${args[0]}; path=/`;
    document.cookie = `=cloakroom-session=${args[0]}; path=/`;
"""


@pytest.fixture
def attackers_cookie(shared, account):
    """The cookie of the attacker's own session."""
    connection = http.client.HTTPConnection("127.0.0.1", shared.port)
    email = f"attacker.of.{account}"
    body = json.dumps({"email": email, "password": "correct horse battery"})
    connection.request("POST", "/auth/signup", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    assert response.status == 201
    return response.getheader("Set-Cookie").split(";")[0].split("=", 1)[1]


def test_a_jar_flooded_by_script_may_lose_the_session_but_never_replaces_it(browser, site, account, attackers_cookie):
    open_app(browser, site)
    sign_up(browser, account)
    flood(browser, 200)
    browser.run(PLANT, attackers_cookie)
    assert who(browser) in (account, None)


def test_a_cookie_set_by_script_replaces_no_session(browser, site, account, engine, attackers_cookie):
    open_app(browser, site)
    sign_up(browser, account)
    browser.run(PLANT, attackers_cookie)
    assert who(browser) in still(engine, account)


def test_a_cookie_tossed_from_a_sibling_host_replaces_no_session(browser, site, proxies, account, engine, attackers_cookie):
    sibling = proxies()
    sibling.page("/toss", "<p>toss", Set_Cookie=f"__Host-Http-session={attackers_cookie}; Domain=app.localhost; Path=/auth")
    open_app(browser, site, "app.localhost")
    sign_up(browser, account)
    browser.open(sibling.origin("sib.app.localhost") + "/toss")
    browser.run("""
        for (const name of ["__Host-Http-session", "cloakroom-session", "\\u2000__Host-Http-session"])
            for (const path of ["/", "/auth"]) document.cookie = `${name}=${args[0]}; domain=app.localhost; path=${path}`;
        document.cookie = `=__Host-Http-session=${args[0]}; domain=app.localhost; path=/auth`;
    """, attackers_cookie)
    browser.open(site.origin("app.localhost") + "/app")
    ready(browser)
    assert who(browser) in still(engine, account)
