"""CSRF: another site cannot use the session of a logged-in browser. A real page of the attacker makes each attack, and the
test passes only if the attack's request reached the server."""
import json

import pytest

from app import PASSWORD, arrive, open_app, ready, sign_up, who
from drivers import wait

LOGIN = json.dumps({"email": "attacker@example.com", "password": PASSWORD})

# The attacker's pages by name: method, path and HTML. `TARGET` is the app's origin.
FORM = """<form id=f method=post action="TARGETPATH" enctype="text/plain"><input name='{"a":"' value='"}'></form>
<script>f.submit()</script>"""
ATTACKS = {
    "form": ("POST", "/auth/logout", FORM),
    "form into a frame": ("POST", "/auth/sessions/revoke-others", """<iframe name=i></iframe>
        <form id=f method=post action="TARGETPATH" target=i></form><script>f.submit()</script>"""),
    "text/plain JSON, to log the victim in as the attacker": ("POST", "/auth/login", """
        <form id=f method=post action="TARGETPATH" enctype="text/plain"><input name='JSON' value=''></form><script>f.submit()</script>"""),
    "fetch without CORS": ("POST", "/auth/logout", """<script>
        fetch("TARGETPATH", { method: "POST", mode: "no-cors", credentials: "include" })</script>"""),
    "fetch of text/plain JSON": ("POST", "/auth/login", """<script>
        fetch("TARGETPATH", { method: "POST", mode: "no-cors", credentials: "include", body: 'JSON' })</script>"""),
    "fetch with CORS": ("OPTIONS", "/auth/logout", """<script>
        fetch("TARGETPATH", { method: "POST", credentials: "include", headers: { "Content-Type": "application/json" }, body: "{}" })</script>"""),
    "fetch to read": ("GET", "/auth/session", """<script>
        fetch("TARGETPATH", { credentials: "include" }).then((r) => r.text()).then((text) => document.title = "READ " + text)</script>"""),
    "beacon": ("POST", "/auth/logout", """<script>navigator.sendBeacon("TARGETPATH")</script>"""),
    "image": ("GET", "/auth/logout", """<img src="TARGETPATH">"""),
    "script": ("GET", "/auth/session", """<script src="TARGETPATH"></script>"""),
    "frame without an origin": ("POST", "/auth/logout", """<iframe sandbox="allow-scripts allow-forms"
        srcdoc="<form id=f method=post action='TARGETPATH'></form><script>f.submit()</script>"></iframe>"""),
    "fetch without an origin": ("POST", "/auth/logout", """<iframe sandbox="allow-scripts"
        srcdoc="<script>fetch('TARGETPATH', { method: 'POST', mode: 'no-cors', credentials: 'include' })</script>"></iframe>"""),
    "redirect": ("POST", "/auth/logout", """<form id=f method=post action="/redirect"></form><script>f.submit()</script>"""),
    "WebSocket": ("GET", "/api/notes", """<script>
        const socket = new WebSocket("TARGETPATH".replace("http", "ws")); socket.onopen = () => document.title = "READ"</script>"""),
}
# These attacks navigate away from the attacker's page.
NAVIGATIONS = {name for name, (_, _, page) in ATTACKS.items() if "f.submit()" in page and "<iframe" not in page}
# A sibling host is the same site, so the browser sends SameSite cookies.
SITES = {"cross-site": "evil.localhost", "same-site": "sib.app.localhost"}


@pytest.mark.parametrize("host", SITES.values(), ids=SITES)
def test_another_site_changes_and_reads_nothing(browser, site, proxies, account, engine, host):
    evil = proxies()
    open_app(browser, site, "app.localhost")
    sign_up(browser, account)
    browser.run("await fetch('/api/notes', { method: 'POST', body: JSON.stringify({ text: 'kept' }), headers: { 'Content-Type': 'application/json' } })")
    session = browser.run("return (await (await fetch('/auth/session')).json()).session.id")
    reached = {}
    for number, (name, (method, path, page)) in enumerate(ATTACKS.items()):
        target = site.origin("app.localhost")
        evil.page(f"/{number}", page.replace("TARGETPATH", target + path).replace("JSON", LOGIN))
        evil.pages["/redirect"] = {"Location": f"{target}/auth/logout", "Content-Length": "0"}, b""
        evil.interfere = lambda exchange: redirect(exchange)
        since = len(site.exchanges)
        browser.open(f"{evil.origin(host)}/{number}")
        exchange = wait(f"{name} to arrive", lambda: site.seen(method, path, since))[0]
        reached[name] = exchange
        if name in NAVIGATIONS:
            arrive(browser, path)
        assert exchange.set_cookies == [], name
        assert not browser.run("return document.title").startswith("READ"), name
        assert not any(header.lower() == "access-control-allow-origin" for header, _ in exchange.answer_headers), name
        if method == "POST" or name == "WebSocket":
            assert exchange.status == 403, name
            assert json.loads(exchange.answer)["code"] == "cross_site_request", name
        elif method == "OPTIONS":
            assert not site.seen("POST", path, since), name
    open_app(browser, site, "app.localhost")
    assert who(browser) == account
    assert browser.run("return (await (await fetch('/auth/session')).json()).session.id") == session
    assert browser.run("return (await (await fetch('/api/notes')).json()).notes.length") == 1
    if host == SITES["same-site"]:
        assert "cookie" in reached["fetch without CORS"].headers, "the control: the session came along"


def redirect(exchange):
    if exchange.path == "/redirect":
        exchange.status = 307


def install_worker(browser, site):
    """Registers a service worker of the app that forwards every request."""
    site.page("/worker.js", "onfetch = (event) => event.respondWith(fetch(event.request)); "
              "onactivate = (event) => event.waitUntil(clients.claim());", "text/javascript")
    browser.run("""
        await navigator.serviceWorker.register("/worker.js");
        await navigator.serviceWorker.ready;
        while (!navigator.serviceWorker.controller) await new Promise((go) => setTimeout(go, 20));
    """)


@pytest.mark.parametrize("host", SITES.values(), ids=SITES)
def test_a_form_through_the_apps_own_service_worker_is_refused(browser, site, proxies, account, host):
    evil = proxies()
    open_app(browser, site, "app.localhost")
    install_worker(browser, site)
    sign_up(browser, account)
    evil.page("/", FORM.replace("TARGETPATH", site.origin("app.localhost") + "/auth/logout"))
    browser.open(evil.origin(host))
    exchange = wait("the form to arrive", lambda: site.seen("POST", "/auth/logout"))[0]
    assert exchange.status == 403
    arrive(browser, "/auth/logout")
    open_app(browser, site, "app.localhost")
    assert who(browser) == account


@pytest.mark.parametrize("has_worker", [False, True], ids=["directly", "through a worker"])
def test_a_plain_form_on_the_apps_own_page_is_accepted(browser, site, account, has_worker):
    open_app(browser, site, "app.localhost")
    if has_worker:
        install_worker(browser, site)
    sign_up(browser, account)
    policy = browser.run("return (await fetch('/auth/pages/login')).headers.get('referrer-policy')")
    site.page("/form", '<form id=f method=post action="/auth/logout"></form>', Referrer_Policy=policy)
    browser.open(site.origin("app.localhost") + "/form")
    browser.run("setTimeout(() => document.getElementById('f').submit())")
    exchange = wait("the form to arrive", lambda: site.seen("POST", "/auth/logout"))[0]
    assert exchange.status == 303
    assert len(exchange.set_cookies) == 1 and "Max-Age=0" in exchange.set_cookies[0]
    arrive(browser, "/auth/pages/login")
    open_app(browser, site, "app.localhost")
    assert who(browser) is None


def test_a_front_end_on_a_trusted_host_is_accepted(browsers, start, proxies, account):
    browser = browsers(third_party_cookies=True)
    front = proxies()
    server = start(trustedOrigins=front.origin("web.app.localhost"))
    site = proxies(server)
    front.page("/", f"""<!doctype html><p id=who>nobody</p><script type=module>
        import {{ createSession }} from "{site.origin("app.localhost")}/auth/client.js";
        window.session = createSession({{ base: "{site.origin("app.localhost")}" }});
        window.isReady = true;</script>""")
    browser.open(front.origin("web.app.localhost"))
    ready(browser)
    state = browser.run("return session.signup({ email: args[0], password: args[1] })", account, PASSWORD)
    assert state["authenticated"] is True
    assert browser.run("return (await session.current()).user.email") == account
    assert browser.run("return (await session.fetch(args[0])).status", site.origin("app.localhost") + "/auth/sessions") == 200
