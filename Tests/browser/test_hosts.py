"""docs/several-hosts.md in browsers: one login for several hosts, whose pages are an app behind the gateway."""
import os
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from app import PASSWORD
from drivers import ENTER, free_port, wait
from host_browser import HostBrowser
from server import ROOT, Server

LOGIN, SHOP, BOARD = (f"{name}.app.localhost" for name in ("login", "shop", "board"))
# In seconds. The access token expires between two steps of a test, so that each host renews its own session.
LIFETIME = 1


@pytest.fixture
def site(tmp_path, proxies):
    port = free_port()
    app = subprocess.Popen([sys.executable, ROOT / "Examples/gateway/app.py"], env=os.environ | {"PORT": str(port)})
    site = proxies()
    site.upstream = Server(
        tmp_path / "data", private=False, publicURL=site.origin(LOGIN), hosts=f"{SHOP},{BOARD}",
        upstream=f"http://127.0.0.1:{port}", accessTokenLifetime=LIFETIME)
    yield site
    app.kill()
    app.wait()
    assert site.upstream.stop() == 0


def shown(browser, site, host, path):
    """Waits until the browser shows this page of this host."""
    wanted = urlsplit(site.origin(host) + path)
    wait(f"{wanted.geturl()} to be shown", lambda: urlsplit(browser.url)[1:3] == wanted[1:3])


def log_in(browser, account):
    browser.type("#email", account)
    browser.type("#password", PASSWORD)
    browser.press(ENTER)


def sign_up(browser, site, account):
    """From a page of the shop to the login host and back to the page."""
    browser.open(site.origin(SHOP) + "/?from=search")
    shown(browser, site, LOGIN, "/auth/pages/login")
    browser.click(".aside a")
    shown(browser, site, LOGIN, "/auth/pages/signup")
    log_in(browser, account)
    shown(browser, site, SHOP, "/")
    browser.wait_text("Notes of u_")
    assert browser.url == site.origin(SHOP) + "/?from=search"


def test_one_login_serves_several_hosts_until_the_logout_at_any_of_them(browser, site, account):
    sign_up(browser, site, account)
    user = browser.text("h1")
    browser.open(site.origin(BOARD) + "/")
    browser.wait_text(user)
    assert browser.url == site.origin(BOARD) + "/", "without a login page"
    for host in (SHOP, BOARD, SHOP):
        browser.run("await new Promise((go) => setTimeout(go, args[0]))", LIFETIME * 1500)      # the access token expires
        browser.open(site.origin(host) + "/")
        browser.wait_text(user)
    browser.open(site.origin(LOGIN) + "/auth/pages/account")
    browser.wait_text("also at " + ", ".join(urlsplit(site.origin(host)).netloc for host in (BOARD, SHOP)), "#sessions")
    assert browser.run("return document.querySelectorAll('#sessions li').length") == 1, "a browser is one entry"
    browser.open(site.origin(SHOP) + "/")
    browser.click("form[action='/auth/logout'] button")
    shown(browser, site, LOGIN, "/auth/pages/login")
    browser.open(site.origin(BOARD) + "/")
    shown(browser, site, LOGIN, "/auth/pages/login")
    log_in(browser, account)
    shown(browser, site, BOARD, "/")
    browser.wait_text(user)


def test_no_request_carries_a_code_in_its_referer_and_no_page_has_one_in_its_url(browser, site, account):
    sign_up(browser, site, account)
    codes = [exchange.path for exchange in site.seen("GET", "/auth/hand-over/session")]
    assert len(codes) == 1 and "code=" in codes[0]
    for exchange in site.seen():
        referer = exchange.headers.get("referer", "")
        assert "code=" not in referer
        assert "state" not in referer or exchange.headers["host"] == urlsplit(site.origin(LOGIN)).netloc
    assert "hand-over" not in browser.run("return document.referrer + performance.getEntriesByType('navigation')[0].name")


def test_the_code_of_an_attacker_does_not_log_a_victim_in(browser, site):
    """Login CSRF. The attacker's own session is at the same login host."""
    attacker = HostBrowser(site.upstream)
    login, shop = (urlsplit(site.origin(host)).netloc for host in (LOGIN, SHOP))
    browser.open(site.origin(SHOP) + "/")
    shown(browser, site, LOGIN, "/auth/pages/login")        # the victim has a flow cookie of its own
    attacker.send(login, "POST", "/auth/signup", {"email": "attacker@example.com", "password": PASSWORD}, headers={"Origin": site.origin(LOGIN)})
    _, code, _ = attacker.follow(shop, "/auth/pages/login?return_to=/", until="/auth/hand-over/session")
    browser.open(site.origin(SHOP) + code)
    browser.wait_text("Try again")
    assert "code=" not in browser.url
    assert browser.run("return (await (await fetch('/auth/session')).json()).authenticated") is False
