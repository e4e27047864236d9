"""The backends of docs/own-login.md behind the gateway, in browsers: log in, renew, log out, revoke."""
import json
import time
import types

import pytest

from app import EXPIRY, PASSWORD, STEERED, confirm
from backend import Backend
from drivers import free_port, wait
from own_login import APPS, App, environment
from server import Server
from test_renewal import IS_SHOWN

EMAIL = "ann@example.com"
# The page of the app. `fetch` needs no code for renewal; the client hides the page when the back button brings it back.
PAGE = """<!doctype html><html lang="en"><title>App</title><link rel="icon" href="data:,">
<form id="login" hidden><input id="email"><input id="password" type="password"><button>Log in</button><p id="problem"></p></form>
<section id="private" hidden><p id="secret"></p><button id="logout">Log out</button></section>
<script type="module">
import { createSession } from "/auth/client.js";
const session = createSession();
const [login, problem, secret] = ["login", "problem", "secret"].map((id) => document.getElementById(id));
async function show() {
  const response = await fetch("/me");
  const user = response.ok ? await response.json() : null;
  secret.textContent = user ? `user ${user.id}, ${user.roles}` : "";
  secret.parentNode.hidden = !user;
  login.hidden = Boolean(user);
  window.isReady = true;
}
login.onsubmit = async (event) => {
  event.preventDefault();
  const body = JSON.stringify({ email: login.email.value, password: login.password.value });
  const response = await fetch("/login", { method: "POST", headers: { "Content-Type": "application/json" }, body });
  if (!response.ok) problem.textContent = "Wrong e-mail address or password";
  await show();
};
document.getElementById("logout").onclick = async () => { await session.logout(); await show(); };
session.onChange(show);
await show();
</script>"""
STORED = "return [document.cookie, localStorage.length, sessionStorage.length, (await indexedDB.databases?.())?.length ?? 0]"


@pytest.fixture(params=APPS)
def site(request, tmp_path, proxies):
    """The page and the gateway on one origin, the example behind the gateway. Its clock is the server's."""
    site = proxies()
    site.page("/", PAGE, Cache_Control="private")
    site.page("/elsewhere", "<p>elsewhere")
    port = free_port()
    routes = [{"path": "/login", "access": "public", "cookie": "keep"}, {"path": "/*", "access": "session"}]
    config = tmp_path / "cloakroom.yaml"
    config.write_text(json.dumps({"upstream": f"http://127.0.0.1:{port}", "routes": routes}))
    server = Server(tmp_path / "data", config=config, publicURL=site.origin(), claims="roles", **STEERED)
    site.upstream = server
    variables = environment(types.SimpleNamespace(server=server, origin=site.origin()))
    app = App(request.param, "after", port, server._steering(), **variables)
    yield site
    app.stop()
    assert server.stop() == 0


def log_in(browser, site, password=PASSWORD):
    browser.open(site.origin() + "/")
    browser.type("#email", EMAIL)
    browser.type("#password", password)
    browser.click("#login button")


def session_id(browser):
    return browser.run("return (await (await fetch('/auth/session')).json()).session.id")


def test_the_login_of_the_app_gives_a_session_that_is_renewed(browser, site):
    log_in(browser, site, "wrong " + PASSWORD)
    browser.wait_text("Wrong e-mail address or password", "#problem")
    assert browser.run("return (await fetch('/me')).status") == 401
    log_in(browser, site)
    browser.wait_text("user 42, editor", "#secret")
    assert browser.run(STORED) == ["", 0, 0, 0], "script finds no token"
    assert json.loads(site.seen("POST", "/login")[-1].answer) == {"id": "42"}
    session = session_id(browser)
    for _ in range(3):
        site.upstream.move(EXPIRY)
        since = len(site.exchanges)
        browser.open(site.origin() + "/")
        browser.wait_text("user 42, editor", "#secret")
        assert session_id(browser) == session
        assert [len(exchange.set_cookies) for exchange in site.seen(since=since) if exchange.set_cookies] == [1]
        confirm(browser)


def test_after_a_logout_the_back_button_shows_nothing(browser, site):
    log_in(browser, site)
    browser.wait_text("user 42, editor", "#secret")
    browser.open(site.origin() + "/elsewhere")
    tab = browser.tab
    browser.new_tab(site.origin() + "/")
    browser.wait_text("user 42, editor", "#secret")
    browser.click("#logout")
    wait("the login form", lambda: browser.run("return !document.getElementById('login').hidden"))
    browser.switch(tab)
    browser.back()
    wait("the page to be there", lambda: browser.run("return location.pathname") == "/")
    for _ in range(20):
        assert "editor" not in browser.text("#secret") or not browser.run(IS_SHOWN)
        time.sleep(0.05)
    wait("the login form", lambda: browser.run("return window.isReady && !document.getElementById('login').hidden"))
    assert browser.text("#secret") == ""


def test_the_service_ends_the_session(browser, site):
    log_in(browser, site)
    browser.wait_text("user 42, editor", "#secret")
    assert Backend(site.upstream).send("DELETE", "/service/subjects/42/sessions").status == 204
    assert browser.run("return (await (await fetch('/me')).json()).code") == "session_revoked"
    browser.open(site.origin() + "/")
    wait("the login form", lambda: browser.run("return window.isReady && !document.getElementById('login').hidden"))
    log_in(browser, site)
    browser.wait_text("user 42, editor", "#secret")
