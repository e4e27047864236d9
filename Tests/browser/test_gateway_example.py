"""The example app behind the gateway (docs/gateway.md), in browsers: without script of its own, and with live connections."""
import os
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from app import PASSWORD
from drivers import ENTER, free_port, wait
from server import ROOT, Server

# In seconds. The access token expires between two steps of a test, so that the gateway renews on the way.
LIFETIME = 1


@pytest.fixture
def gateway(tmp_path):
    port = free_port()
    app = subprocess.Popen([sys.executable, ROOT / "Examples/gateway/app.py"], env=os.environ | {"PORT": str(port)})
    server = Server(tmp_path / "data", private=False, upstream=f"http://127.0.0.1:{port}", accessTokenLifetime=LIFETIME)
    yield server
    app.kill()
    app.wait()
    assert server.stop() == 0


@pytest.fixture
def origin(gateway):
    return f"http://localhost:{gateway.port}"


def shown(browser, path):
    return wait(f"{path} to be shown", lambda: urlsplit(browser.url).path == path)


def sign_up(browser, origin, account):
    """From the app to the sign-up page and back to the app."""
    browser.open(f"{origin}/")
    shown(browser, "/auth/pages/login")
    browser.open(f"{origin}/auth/pages/signup?return_to=/")
    browser.type("#email", account)
    browser.type("#password", PASSWORD)
    browser.press(ENTER)
    shown(browser, "/")
    browser.wait_text("Notes of u_")


def test_an_app_without_script_has_a_login_and_keeps_it(browser, origin, account):
    sign_up(browser, origin, account)
    first = browser.text("h1")
    for note in ("milk", "bread", "salt"):
        browser.run("await new Promise((go) => setTimeout(go, args[0]))", LIFETIME * 1500)      # the access token expires
        browser.type("input[name=text]", note)
        browser.click("form[action='/notes'] button")
        browser.wait_text(note, "ul")
        assert browser.text("h1") == first
    browser.click("form[action='/auth/logout'] button")
    shown(browser, "/auth/pages/login")
    browser.type("#email", account)
    browser.type("#password", PASSWORD)
    browser.press(ENTER)
    browser.wait_text("milk", "ul")


LOG_OUT = "return (await fetch('/auth/logout', { method: 'POST' })).status"
ADD = "return (await fetch('/notes', { method: 'POST', body: new URLSearchParams({ text: args[0] }) })).status"


@pytest.mark.parametrize("query, reason", [("?socket", "session_revoked"), ("", "session_missing")])
def test_a_live_page_shows_new_notes_and_notices_the_end_of_the_session(browser, origin, account, query, reason):
    sign_up(browser, origin, account)
    live = browser.tab
    browser.open(f"{origin}/live{query}")
    browser.wait_text("Connected.", "#state")
    browser.new_tab(f"{origin}/")
    wait("the note to arrive", lambda: note_arrives(browser, live))
    assert browser.run(LOG_OUT) == 204
    browser.switch(live)
    browser.wait_text(f"Your session has ended ({reason})", "#state")


def note_arrives(browser, live):
    """Saves a note in the second tab, and looks for it in the first. The stream may still be connecting."""
    [other] = [tab for tab in browser.driver.send("handles") if tab != live]
    browser.switch(other)
    browser.run(ADD, "fresh")
    browser.switch(live)
    arrived = "fresh" in browser.text("#list")
    browser.switch(other)
    return arrived


@pytest.mark.parametrize("query", ["?socket", ""])
def test_a_live_page_connects_again_after_a_restart_of_the_server(browser, gateway, origin, account, query):
    sign_up(browser, origin, account)
    live = browser.tab
    browser.open(f"{origin}/live{query}")
    browser.new_tab(f"{origin}/")
    gateway.terminate()
    assert gateway.process.wait(15) == 0
    gateway.port_arguments = ["--port", str(gateway.port)]
    gateway.start()
    browser.open(f"{origin}/")
    wait("a note to arrive", lambda: note_arrives(browser, live))
    browser.switch(live)
    assert browser.text("#state") == "Connected."
