"""docs/front-end-elsewhere.md in browsers: a page of a development server, on another port, on preview hosts, and in an app."""
import json
import pathlib
import shutil
import subprocess

import pytest

from app import PASSWORD, ready
from browser import Client
from dev_server import SNIPPETS, dev_server, with_ports
from drivers import TIMEOUT
from raw_backend import free_port

PAGE = """<!doctype html><link rel=icon href="data:,"><script type=module>
import * as app from "/elsewhere.js";
window.app = app;
window.isReady = true;
</script>"""
SIGN_UP = "return (await session.signup({ email: args[0], password: args[1] })).authenticated"


@pytest.mark.parametrize("kind", ["vite", "next"])
def test_a_page_of_a_dev_server_has_cloakroom_on_its_own_origin(browser, start, account, tmp_path, kind):
    page = free_port()
    server = start(config=with_ports("development.yaml", tmp_path / "development.yaml", {5173: page}), demo=None)
    with dev_server(kind, tmp_path, server.port, page):
        browser.open(f"http://localhost:{page}/")
        ready(browser)
        assert browser.run(SIGN_UP, account, PASSWORD) is True
        assert browser.run("return (await session.fetch('/auth/sessions')).status") == 200
        browser.open(f"http://localhost:{page}/again")
        ready(browser)
        assert browser.run("return (await session.current()).user.email") == account


def test_a_page_on_a_trusted_port_uses_the_session_and_sends_tracing_headers(browsers, start, proxies, account, tmp_path):
    browser = browsers(third_party_cookies=True)
    front = proxies()
    server = start(config=with_ports("other-port.yaml", tmp_path / "other-port.yaml", {5173: front.port}))
    site = proxies(server)
    script = with_ports("elsewhere.js", tmp_path / "elsewhere.js", {8080: site.port})
    front.page("/elsewhere.js", script.read_text(), "text/javascript")
    front.page("/", PAGE)
    browser.open(front.origin() + "/")
    ready(browser)
    browser.run("window.session = app.session")
    assert browser.run(SIGN_UP, account, PASSWORD) is True
    assert browser.run("return (await app.sessions()).status") == 200
    preflight = site.seen("OPTIONS", "/auth/sessions")[0]
    assert (preflight.status, preflight.headers["access-control-request-headers"]) == (204, "traceparent")
    request = site.seen("GET", "/auth/sessions")[0]
    assert request.headers["origin"] == front.origin() and request.headers["traceparent"].startswith("00-")


def test_a_preview_host_is_trusted_by_its_pattern_and_a_name_below_it_is_not(browsers, start, proxies, account):
    browser = browsers(third_party_cookies=True)
    front = proxies()
    server = start(trustedOrigins=front.origin("*.preview.app.localhost"))
    site = proxies(server)
    base = site.origin("app.localhost")
    front.page("/elsewhere.js", f"""import {{ createSession }} from "{base}/auth/client.js";
        export const session = createSession({{ base: "{base}" }});""", "text/javascript")
    front.page("/", PAGE)
    browser.open(front.origin("pr-7.preview.app.localhost") + "/")
    ready(browser)
    browser.run("window.session = app.session")
    assert browser.run(SIGN_UP, account, PASSWORD) is True
    browser.open(front.origin("a.pr-7.preview.app.localhost") + "/")
    asked = "return fetch(args[0], { method: 'POST', credentials: 'include', %s }).then((r) => r.status, (error) => error.name)"
    assert browser.run(asked % "headers: { traceparent: 'x' }", base + "/auth/logout") == "TypeError"
    assert site.seen("OPTIONS", "/auth/logout")[0].status == 204 and not site.seen("POST", "/auth/logout")
    browser.run(asked % "mode: 'no-cors'", base + "/auth/logout")
    assert site.seen("POST", "/auth/logout")[0].status == 403
    browser.open(front.origin("pr-8.preview.app.localhost") + "/")
    ready(browser)
    assert browser.run("return (await app.session.current()).user.email") == account


# An app with a web view. WebKitGTK is that of Tauri on Linux.
APP = """<!doctype html><script type=module>
import { createTokenSession } from "./token_session.mjs";
let token = "";
const store = { load: async () => token, save: async (next) => { token = next; } };
const session = createTokenSession({ cloakroom: "CLOAKROOM", client_id: "app", store });
try {
  const user = await session.login({ email: "EMAIL", password: "PASSWORD" });
  const { status } = await session.fetch("/auth/sessions");
  await session.logout();
  document.title = JSON.stringify({ origin: location.origin, user: user.email, status, isOut: token === "" });
} catch (error) {
  document.title = JSON.stringify({ error: `${error}` });
}
</script>"""


@pytest.mark.parametrize("scheme, is_trusted", [("tauri", True), ("capacitor", True), ("ionic", False)])
def test_the_page_of_an_app_logs_in_with_tokens_if_its_origin_is_trusted(start, proxies, account, tmp_path, scheme, is_trusted):
    server = start(config=SNIPPETS / "apps.yaml")
    Client(server).sign_up(account)
    site = proxies(server)
    app = tmp_path / "app"
    app.mkdir()
    shutil.copy(SNIPPETS.parent / "token_session.mjs", app)
    page = APP.replace("CLOAKROOM", site.origin()).replace("EMAIL", account).replace("PASSWORD", PASSWORD)
    (app / "index.html").write_text(page)
    script = pathlib.Path(__file__).with_name("web_view.py")
    run = subprocess.run(
        ["xvfb-run", "-a", "/usr/bin/python3", script, scheme, app], capture_output=True, text=True, timeout=TIMEOUT)
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    preflight = site.seen("OPTIONS", "/auth/login")[0]
    assert preflight.headers["origin"] == f"{scheme}://localhost"
    if is_trusted:
        assert told == {"origin": f"{scheme}://localhost", "user": account, "status": 200, "isOut": True}
        assert all(not exchange.set_cookies for exchange in site.seen("POST", "/auth/login"))
    else:
        assert "error" in told and not site.seen("POST", "/auth/login")
