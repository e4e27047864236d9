"""Renewal in browsers: tabs, parallel requests, lost responses, killed tabs, wrong clocks, bfcache."""
import threading
import time

import pytest

from app import EXPIRY, PASSWORD, REISSUE, STEERED, confirm, is_let_in, log_in, open_app, ready, sign_up, who
from drivers import TIMEOUT, wait

TABS, PARALLEL, ROUNDS = 5, 20, 50

# Each tab sends its requests on a message, records the statuses, and reports when it is done.
VOLLEY = """
    const channel = new BroadcastChannel("volley");
    window.volleys = [];
    window.fire = async () => {
        const calls = Array.from({ length: args[0] }, (_, n) => (n % 2 ? session.fetch : fetch)("/api/notes"));
        volleys.push((await Promise.all(calls)).map(({ status }) => status));
    };
    let missing = 0, finish;
    channel.onmessage = async ({ data }) => {
        if (data === "done") return --missing || finish?.();
        await fire();
        channel.postMessage("done");
    };
    window.start = async () => {
        missing = args[1];
        const others = new Promise((go) => (finish = go));
        channel.postMessage("now");
        await Promise.all([fire(), others]);
    };
"""


def handed_out(site, since):
    """The refresh tokens in the cookies of recorded responses."""
    cookies = [value.split(";")[0] for exchange in site.seen(since=since) for value in exchange.set_cookies]
    return {cookie.split("~")[-1] for cookie in cookies}


def status(browser):
    """The status of a plain `fetch` of the app's API."""
    return browser.run("return (await fetch('/api/notes')).status")


def test_five_tabs_and_twenty_parallel_requests_at_expiry(browser, start, proxies, account):
    server = start(**STEERED)
    site = proxies(server)
    open_app(browser, site)
    sign_up(browser, account)
    tabs = [browser.first] + [browser.new_tab(site.origin() + "/app") for _ in range(TABS - 1)]
    for tab in tabs:
        browser.switch(tab)
        ready(browser)
        browser.run(VOLLEY, PARALLEL, TABS - 1)
    rotations = []
    for round in range(ROUNDS):
        server.move(EXPIRY)
        browser.switch(tabs[round % TABS])
        since = len(site.exchanges)
        browser.run("await start()")
        rotations.append(len(handed_out(site, since)))
        confirm(browser)
    for tab in tabs:
        browser.switch(tab)
        volleys = browser.run("return volleys")
        assert len(volleys) == ROUNDS
        assert {status for volley in volleys for status in volley} == {200}
    assert who(browser) == account
    assert rotations == [1] * ROUNDS


def test_an_idle_browser_is_served_at_once_and_renewed_within_a_window(browser, start, proxies, account):
    server = start(**STEERED)
    site = proxies(server)
    open_app(browser, site)
    sign_up(browser, account)
    # The first absence brings a new cookie. The browser presents it only after the second absence: that confirms it.
    for absence, cookies in [(EXPIRY, 1), (EXPIRY, 0), (EXPIRY, 1)]:
        server.move(absence)
        since = len(site.exchanges)
        assert status(browser) == 200
        assert len(handed_out(site, since)) == cookies
    assert who(browser) == account


def lose(site, count):
    """Drops the next `count` responses with a cookie. Returns the list of dropped ones."""
    lost = []

    def swallow(exchange):
        if exchange.set_cookies and len(lost) < count:
            lost.append(exchange)
            return True

    site.interfere = swallow
    return lost


def ask_in_vain(browser):
    """Sends a request and ignores its failure. Chromium and Firefox may send it once more when the response is dropped."""
    browser.run("""
        const body = JSON.stringify({ text: "a note" }), headers = { "Content-Type": "application/json" };
        await fetch("/api/notes", { method: "POST", body, headers }).catch(() => {});
    """)


def test_a_lost_response_is_sent_again(browser, start, proxies, account):
    server = start(**STEERED)
    site = proxies(server)
    open_app(browser, site)
    sign_up(browser, account)
    for _ in range(5):
        server.move(EXPIRY)
        since, lost = len(site.exchanges), lose(site, 2)
        ask_in_vain(browser)
        assert len(lost) == 1 and is_let_in(browser), "without a cookie: the answer may still be on its way"
        server.move(REISSUE)
        ask_in_vain(browser)
        assert len(lost) == 2
        server.move(REISSUE)
        assert is_let_in(browser)
        assert len(handed_out(site, since)) == 1, "each time the same refresh token"
        confirm(browser)
    assert who(browser) == account


def test_a_step_up_waits_while_a_late_response_could_overtake_it(browser, start, proxies, account):
    server = start(**STEERED)
    site = proxies(server)
    open_app(browser, site)
    sign_up(browser, account)
    server.move(EXPIRY)
    lost = lose(site, 1)
    ask_in_vain(browser)
    server.move(REISSUE)
    assert len(lost) == 1 and is_let_in(browser)
    step_up = "return session.stepUp({ password: args[0] }).then(({ session }) => session.rotated, ({ code, retryAfter }) => [code, retryAfter])"
    code, seconds = browser.run(step_up, PASSWORD)
    assert code == "unavailable" and 60 < seconds <= STEERED["stragglerWindow"]
    assert who(browser) == account
    server.move(seconds)
    assert browser.run(step_up, PASSWORD) is True
    assert who(browser) == account


def test_a_tab_killed_during_a_renewal_ends_no_session(browser, start, proxies, account):
    server = start(**STEERED)
    site = proxies(server)
    open_app(browser, site)
    sign_up(browser, account)
    for _ in range(5):
        tab = browser.new_tab(site.origin() + "/app")
        ready(browser)
        server.move(EXPIRY)
        reached, gone = threading.Event(), threading.Event()

        def hold(exchange):
            if exchange.path == "/auth/refresh":
                reached.set()
                gone.wait(TIMEOUT)

        site.interfere = hold
        since = len(site.exchanges)
        browser.run("fetch('/auth/refresh', { method: 'POST' })")
        assert reached.wait(TIMEOUT)
        browser.close_tab(tab)
        browser.switch(browser.first)
        assert status(browser) == 200
        gone.set()
        wait("the answer to the tab that is gone", lambda: site.seen("POST", "/auth/refresh", since))
        site.interfere = lambda exchange: None
        server.move(REISSUE)
        assert status(browser) == 200
        assert len(handed_out(site, since)) == 1
        confirm(browser)
    assert who(browser) == account


def test_pages_of_a_hybrid_client_get_an_access_token_each_also_within_a_window(browser, start, proxies, account):
    server = start(clients="spa=hybrid", **STEERED)
    site = proxies(server)
    open_app(browser, site)
    sign_up(browser, account)
    browser.run("await session.logout()")
    log_in(browser, account, client_id="spa")
    server.move(EXPIRY)
    since = len(site.exchanges)
    for _ in range(4):
        browser.open(site.origin() + "/app")
        ready(browser)
        assert browser.run("return (await session.renew()).authenticated") is True
        assert browser.run("return (await session.fetch('/api/notes')).status") == 200
    assert len(handed_out(site, since)) == 1
    browser.new_tab(site.origin() + "/app")
    ready(browser)
    assert browser.run("await session.renew(); return (await session.fetch('/api/notes')).status") == 200


def test_a_lock_that_another_tab_never_releases_costs_a_second(browser, site, account):
    open_app(browser, site)
    sign_up(browser, account)
    browser.run("navigator.locks.request(`cloakroom ${location.origin}`, () => new Promise(() => {}))")
    browser.new_tab(site.origin() + "/app")
    ready(browser)
    took = browser.run("const began = performance.now(); await session.renew(); return performance.now() - began")
    assert took > 900
    assert browser.run("return states.at(-1)") is True


@pytest.mark.parametrize("offset", ["-1d", "+1d"])
def test_a_clock_that_is_wrong_by_a_day_changes_nothing(browser, start, proxies, account, offset):
    """Only the difference between the clocks of browser and server matters: here the server's is wrong."""
    server = start(**STEERED | {"clock": offset})
    site = proxies(server)
    open_app(browser, site)
    sign_up(browser, account)
    log_in(browser, account, remember=True)
    life = STEERED["accessTokenLifetime"]
    assert 0 < browser.run("return session.secondsLeft()") <= life
    for _ in range(3):
        server.move(EXPIRY)
        assert is_let_in(browser)
        assert browser.run("return (await session.renew()).authenticated") is True
        assert 0 < browser.run("return session.secondsLeft()") <= life
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
def test_the_back_button_after_a_logout_shows_no_private_page(browser, site, account, caching):
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


def test_a_pass_through_service_worker_changes_nothing(browser, start, proxies, account):
    server = start(**STEERED)
    site = proxies(server)
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
        server.move(EXPIRY)
        statuses = browser.run("return Promise.all(Array.from({ length: 20 }, async () => (await session.fetch('/api/notes')).status))")
        assert set(statuses) == {200}
    assert browser.run("return (await session.fetch('/api/notes', { method: 'POST', body: JSON.stringify({ text: 'a' }), headers: { 'Content-Type': 'application/json' } })).status") == 201
    browser.run("await session.logout()")
    assert who(browser) is None
