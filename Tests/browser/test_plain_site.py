"""A site without script behind the gateway, for an hour: pages of Jinja and PHP, forms, pictures, two tabs, the back button.

The test moves the server's clock before each click, so that access tokens expire on every kind of request."""
import hashlib
import re
import threading
from urllib.parse import parse_qs, urlsplit

import pytest

from app import PASSWORD
from backend import Backend
from browser import claims, generation, tokens
from drivers import ENTER, TIMEOUT, wait
from plain_site import plain_site

# Lifetimes and windows are the defaults. The delay is longer than one page takes, so that each renewal has one cookie.
SETTINGS = {"clock": "+0", "reissueDelay": 60}
LIFETIME, STEP, HOUR = 300, 61, 3600
OWN_LOGIN = "ann@example.com"
LETTER = "".join(f"{number} ä & <b>\n" for number in range(3000))
COOKIE = re.compile("(?:__Host-Http|cloakroom)-session=([^;]+);")


@pytest.fixture(params=["login page of Cloakroom", "login page of the site"])
def server(request, tmp_path):
    with plain_site(tmp_path, request.param == "login page of the site", **SETTINGS) as server:
        yield server


@pytest.fixture
def reader(browser, server, proxies, account):
    return Reader(browser, server, proxies(server), account)


class Reader:
    """A user who clicks, and checks after each click that the page is the expected one of the same session."""

    def __init__(self, browser, server, site, account):
        self.browser, self.server, self.site = browser, server, site
        self.email = OWN_LOGIN if server.login_path == "/login" else account
        self.entries = []
        self.steered = 0

    def pass_time(self, seconds=STEP):
        self.server.move(seconds)
        self.steered += seconds

    def arrive(self, path):
        wait(f"{path} to be shown", lambda: urlsplit(self.browser.url).path == path)

    def enter(self):
        """From the site to the login and back. Where the site has no users of its own, a new account is made."""
        self.browser.open(self.site.origin() + "/")
        self.arrive(self.server.login_path)
        if self.email != OWN_LOGIN:
            self.browser.open(self.site.origin() + "/auth/pages/signup?return_to=/")
        self.log_in()
        self.arrive("/")
        self.session = self.text("#session")
        self.user = self.text("#user")
        self.beginning = len(self.site.exchanges)

    def log_in(self):
        self.browser.type("#email", self.email)
        self.browser.type("#password", PASSWORD)
        self.browser.press(ENTER)

    def text(self, selector):
        return wait(f"{selector} to be shown", lambda: self.browser.text(selector))

    def see(self, title):
        wait(f"the page {title}", lambda: self.browser.text("h1") == title)
        assert (self.text("#session"), self.text("#user")) == (self.session, self.user)

    def click(self, selector, title):
        self.pass_time()
        self.browser.click(selector)
        self.see(title)

    def back(self, title):
        self.pass_time()
        self.browser.back()
        self.see(title)

    def fill(self, selector, text):
        # The back button brings a field back with what was typed.
        self.browser.run("document.querySelector(args[0]).value = ''", selector)
        self.browser.type(selector, text)

    def write(self):
        text = f"entry {len(self.entries)}"
        self.fill("#text", text)
        self.pass_time()
        self.browser.click("#write button")
        self.entries.append(text)
        self.browser.wait_text(f"Saved: {text}", ".message")
        self.see("Guestbook")
        assert self.browser.text("#entries").splitlines() == self.entries

    def exchanges(self):
        return self.site.seen(since=self.beginning)


def are_shown(browser):
    return browser.run("return document.images.length === 24 && [...document.images].every((image) => image.naturalWidth === 9)")


def browse(reader, first, second):
    """One round: thirteen clicks. An access token lives for five, so each round it expires elsewhere."""
    browser = reader.browser
    reader.click("#gallery", "Gallery 2")
    wait("the pictures", lambda: are_shown(browser))
    reader.back("Guestbook")
    reader.write()
    reader.click("#entries li:last-child a", f"Entry {len(reader.entries) - 1}")
    assert browser.text("#entry") == reader.entries[-1]
    reader.back("Guestbook")
    reader.click("#letter", "Letter")
    reader.click("#send button", "Letter")
    assert reader.text("#sent") == hashlib.sha256(LETTER.encode()).hexdigest()
    reader.click("#php", "Visits")
    visits = int(reader.text("#visits"))
    reader.fill("#name", f"Ann & {visits}")
    reader.click("#greet button", "Visits")
    browser.wait_text(f"Hello Ann & {visits}", "#greeting")
    assert int(browser.text("#visits")) == visits + 1
    browser.switch(second)
    reader.write()
    reader.fill("#word", reader.entries[-1])
    reader.click("#search button", "Guestbook")
    browser.wait_text(f'1 with "{reader.entries[-1]}"', "#found")
    reader.click("#home", "Guestbook")
    browser.switch(first)
    reader.click("#home", "Guestbook")
    assert browser.text("#entries").splitlines() == reader.entries


def expire_before_pictures(reader):
    """The access token expires after the next gallery and before its pictures, which browsers request in parallel."""
    expired, lock = [], threading.Lock()

    def intercept(exchange):
        with lock:
            if exchange.path.startswith("/pictures/") and not expired:
                expired.append(exchange)
                reader.pass_time(LIFETIME + 1)
    reader.site.intercept = intercept


def renewals(exchanges):
    """The cookies of Cloakroom's in responses, in order. A response has one at most, and is then not cacheable."""
    values = []
    for exchange in exchanges:
        own = [match[1] for match in map(COOKIE.match, exchange.set_cookies) if match]
        assert len(own) <= 1, exchange
        if own:
            assert [value for name, value in exchange.answer_headers if name.lower() == "cache-control"] == ["no-store"]
        values += own
    return values


def assert_one_session(reader):
    exchanges = reader.exchanges()
    assert {exchange.status for exchange in exchanges} <= {200, 303, 304}
    cookies = renewals(exchanges)
    assert sorted(map(generation, cookies)) == list(range(1, len(cookies) + 1)), "one cookie for each renewal"
    assert {claims(tokens(cookie)[0])["sid"] for cookie in cookies} == {reader.session}
    return len(cookies)


def test_an_hour_without_a_login_and_without_a_lost_form(reader):
    reader.enter()
    browser = reader.browser
    assert browser.run("return document.scripts.length") == 0
    first, second = browser.tab, browser.new_tab(reader.site.origin() + "/")
    browser.switch(first)
    for number in range(5):
        if number % 2:
            expire_before_pictures(reader)
        browse(reader, first, second)
    assert reader.steered >= HOUR
    assert assert_one_session(reader) >= HOUR // (LIFETIME + STEP)
    sent = [exchange.path for exchange in reader.exchanges() if exchange.method == "POST"]
    assert sorted(sent) == sorted(5 * ["/entries", "/letter", "/php/", "/entries"]), "no form was sent twice"


# The test, not the site, has this script: both tabs send their form when the first of them says so.
ARM = """
    const channel = new BroadcastChannel("together");
    const submit = () => document.querySelector("#write").requestSubmit();
    document.querySelector("#text").value = args[0];
    channel.onmessage = submit;
    window.send = () => { channel.postMessage("now"); submit(); };
"""


def test_two_forms_at_the_moment_of_expiry_both_arrive(reader):
    reader.enter()
    browser, site = reader.browser, reader.site
    tabs = [browser.tab, browser.new_tab(site.origin() + "/")]
    for number in range(3):
        together = threading.Barrier(2)
        site.intercept = lambda exchange: exchange.method == "POST" and together.wait(TIMEOUT) < 0
        texts = [f"{number} of tab {tab}" for tab in tabs]
        for tab, text in zip(tabs, texts):
            browser.switch(tab)
            browser.run(ARM, text)
        reader.pass_time(LIFETIME + STEP)
        browser.run("setTimeout(send, 100)")
        for tab, text in zip(tabs, texts):
            browser.switch(tab)
            browser.wait_text(text, "#entries")
            reader.click("#home", "Guestbook")
        assert set(texts) <= set(browser.text("#entries").splitlines())
    assert assert_one_session(reader) == 3


def revoke(reader):
    if reader.email == OWN_LOGIN:
        assert Backend(reader.server).send("DELETE", f"/service/subjects/{reader.user}/sessions").status == 204
    else:
        revoked = reader.server.run("sessions", "revoke", "--user", reader.email)
        assert revoked.returncode == 0, revoked


def log_out(reader):
    tab = reader.browser.tab
    reader.browser.new_tab(reader.site.origin() + "/")
    reader.browser.click("#logout button")
    reader.arrive(reader.server.login_path)
    reader.browser.switch(tab)


@pytest.mark.parametrize("end", [log_out, revoke], ids=["logout in another tab", "revocation"])
def test_the_click_after_the_end_of_a_session_leads_to_the_login_and_back(reader, end):
    reader.enter()
    browser = reader.browser
    reader.write()
    end(reader)
    # A revocation by another process counts within a second.
    wait("the session to be over", lambda: browser.run("return (await fetch('/', { redirect: 'manual' })).status") != 200)
    browser.click("#gallery")
    reader.arrive(reader.server.login_path)
    assert parse_qs(urlsplit(browser.url).query)["return_to"] == ["/gallery?number=2&size=small"]
    assert "You are" not in browser.text()
    reader.log_in()
    reader.arrive("/gallery")
    assert urlsplit(browser.url).query == "number=2&size=small"
    assert reader.text("#user") == reader.user and reader.text("#session") != reader.session
    wait("the pictures", lambda: are_shown(browser))
    browser.click("#home")
    browser.wait_text(reader.entries[0], "#entries")
