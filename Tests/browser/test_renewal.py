"""Renewal under what browsers do to it: tabs, parallel requests, lost answers, killed tabs, wrong clocks, bfcache."""
import time

import pytest

from app import PASSWORD, is_let_in, open_app, ready, sign_up, who
from drivers import wait

TABS, PARALLEL, ROUNDS = 5, 20, 50

# Each tab fires when it is told to, and keeps what became of it.
VOLLEY = """
    const channel = new BroadcastChannel("volley");
    window.volleys = [];
    window.fire = async () => {
        const calls = Array.from({ length: args[0] }, (_, n) => (n % 2 ? session.fetch : fetch)("/api/notes"));
        volleys.push((await Promise.all(calls)).map(({ status }) => status));
    };
    channel.onmessage = fire;
    window.start = () => { channel.postMessage("now"); return fire(); };
"""


def rotations(site, since):
    """The generations that answers have handed over."""
    cookies = [value.split(";")[0] for exchange in site.seen(since=since) for value in exchange.set_cookies]
    return {cookie.split("~")[-1] for cookie in cookies}


def test_five_tabs_and_twenty_parallel_requests_at_expiry(browser, start, proxies, account):
    site = proxies(start(accessTokenLifetime=1, stragglerWindow=0.8))
    open_app(browser, site)
    sign_up(browser, account)
    tabs = [browser.first] + [browser.new_tab(site.origin() + "/app") for _ in range(TABS - 1)]
    for tab in tabs:
        browser.switch(tab)
        ready(browser)
        browser.run(VOLLEY, PARALLEL)
    extra = []
    for round in range(ROUNDS):
        time.sleep(1.05)
        browser.switch(tabs[round % TABS])
        since = len(site.exchanges)
        browser.run("await start()")
        wait("the other tabs", lambda: len(site.seen("GET", "/api/notes", since)) >= TABS * PARALLEL)
        time.sleep(0.05)
        extra.append(len(rotations(site, since)))
    for tab in tabs:
        browser.switch(tab)
        volleys = browser.run("return volleys")
        assert len(volleys) == ROUNDS
        assert {status for volley in volleys for status in volley} == {200}
    assert who(browser) == account
    assert extra == [1] * ROUNDS


def test_an_answer_that_is_lost_on_the_way_is_given_again(browser, start, proxies, account):
    site = proxies(start(accessTokenLifetime=1, stragglerWindow=0.5))
    open_app(browser, site)
    sign_up(browser, account)
    lost = []

    def lose(exchange):
        if exchange.set_cookies and len(lost) < 10 and not (lost and lost[-1] == len(site.exchanges) - 1):
            lost.append(len(site.exchanges))
            return True

    site.interfere = lose
    for _ in range(5):
        time.sleep(1.1)
        browser.run("await fetch('/api/notes', { method: 'POST' }).catch(() => {})")
        wait("to be let in", lambda: is_let_in(browser))
    assert len(lost) >= 5
    assert who(browser) == account


def test_a_tab_killed_in_the_middle_of_a_renewal_ends_nothing(browser, start, proxies, account):
    site = proxies(start(accessTokenLifetime=1, stragglerWindow=0.5))
    open_app(browser, site)
    sign_up(browser, account)
    for _ in range(5):
        tab = browser.new_tab(site.origin() + "/app")
        ready(browser)
        time.sleep(1.1)
        site.interfere = lambda exchange: exchange.set_cookies and time.sleep(0.5)
        since = len(site.exchanges)
        browser.run("session.renew()")
        time.sleep(0.2)
        browser.close_tab(tab)
        browser.switch(browser.first)
        site.interfere = lambda exchange: None
        assert is_let_in(browser)
        wait("the renewal of the tab that is gone", lambda: site.seen("POST", "/auth/refresh", since))
        assert is_let_in(browser)
    assert who(browser) == account


def test_a_lock_that_another_tab_never_lets_go_costs_a_second(browser, site, account):
    open_app(browser, site)
    sign_up(browser, account)
    browser.run("navigator.locks.request(`cloakroom ${location.origin}`, () => new Promise(() => {}))")
    browser.new_tab(site.origin() + "/app")
    ready(browser)
    took = browser.run("const began = performance.now(); await session.renew(); return performance.now() - began")
    assert 500 < took < 5000
    assert browser.run("return states.at(-1)") is True


@pytest.mark.parametrize("offset", ["-1d", "+1d"])
def test_a_clock_that_is_wrong_by_a_day_changes_nothing(browser, start, proxies, account, offset):
    """Between browser and server, whichever of the two is wrong: here the server."""
    site = proxies(start(clock=offset, accessTokenLifetime=4, stragglerWindow=0.5))
    open_app(browser, site)
    sign_up(browser, account)
    browser.run("await session.login({ email: args[0], password: args[1], remember: true })", account, PASSWORD)
    assert 0 < browser.run("return session.secondsLeft()") <= 4
    time.sleep(4.1)
    assert browser.run("return session.secondsLeft()") == 0
    assert is_let_in(browser)
    assert browser.run("return (await session.renew()).authenticated") is True
    assert browser.run("return session.secondsLeft()") > 0
    assert who(browser) == account


PRIVATE = """<!doctype html><title>Private</title><link rel=icon href="data:,">
<p id=secret>the private text</p><script type=module>
import { createSession } from "/auth/client.js";
window.session = createSession();
await session.current();
if (!(await session.current()).authenticated) secret.remove();
window.isReady = true;
</script>"""

IS_SHOWN = """
    const node = document.getElementById("secret");
    return Boolean(node) && getComputedStyle(node).visibility === "visible" && getComputedStyle(document.documentElement).opacity === "1";
"""


@pytest.mark.parametrize("caching", ["private", "no-store"])
def test_back_after_a_logout_shows_nothing_private(browser, site, account, caching):
    open_app(browser, site)
    sign_up(browser, account)
    site.page("/private", PRIVATE, Cache_Control=caching)
    site.page("/elsewhere", "<p>elsewhere")
    browser.open(site.origin() + "/private")
    ready(browser)
    assert browser.run(IS_SHOWN)
    browser.open(site.origin() + "/elsewhere")
    browser.back()
    wait("the page to be shown again while its session lives", lambda: browser.run(IS_SHOWN))
    browser.open(site.origin() + "/elsewhere")
    private_tab = browser.tab
    browser.new_tab(site.origin() + "/app")
    ready(browser)
    browser.run("await session.logout()")
    browser.switch(private_tab)
    browser.back()
    wait("the page to be there", lambda: browser.run("return location.pathname") == "/private")
    for _ in range(20):
        assert not browser.run("return window.isReady && Boolean(document.getElementById('secret'))") or not browser.run(IS_SHOWN)
        time.sleep(0.05)
    wait("the page to know", lambda: browser.run("return window.isReady && !document.getElementById('secret')"))


def test_a_service_worker_that_passes_requests_through_changes_nothing(browser, start, proxies, account):
    site = proxies(start(accessTokenLifetime=1, stragglerWindow=0.5))
    site.page("/worker.js", "onfetch = (event) => event.respondWith(fetch(event.request)); "
              "onactivate = (event) => event.waitUntil(clients.claim());", "text/javascript")
    open_app(browser, site)
    browser.run("""
        await navigator.serviceWorker.register("/worker.js");
        await navigator.serviceWorker.ready;
        while (!navigator.serviceWorker.controller) await new Promise((go) => setTimeout(go, 20));
    """)
    sign_up(browser, account)
    for _ in range(3):
        time.sleep(1.1)
        statuses = browser.run("return Promise.all(Array.from({ length: 20 }, async () => (await session.fetch('/api/notes')).status))")
        assert set(statuses) == {200}
    assert browser.run("return (await session.fetch('/api/notes', { method: 'POST', body: JSON.stringify({ text: 'a' }), headers: { 'Content-Type': 'application/json' } })).status") == 201
    browser.run("await session.logout()")
    assert who(browser) is None
