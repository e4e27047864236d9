"""The pages with a keyboard, a screen reader and a small screen."""
import json
import pathlib

import axe_core_python
import pytest

from app import PASSWORD, STEERED, open_app, sign_up, who
from drivers import ENTER, SHIFT, SPACE, TAB, wait

AXE = pathlib.Path(axe_core_python.__file__).with_name("axe.min.js").read_text()
PAGES = ["/auth/pages/login", "/auth/pages/signup", "/auth/pages/account", "/"]
# Without a session the account page redirects to the login page.
FOR_STRANGERS = [path for path in PAGES if path != "/auth/pages/account"]


def focused(browser):
    return browser.run("return document.activeElement.id || document.activeElement.textContent.trim()")


def tab_to(browser, name, back=False):
    """Moves the focus to a control with the Tab key. Do not pass the end of the page: a headless browser has no controls there."""
    for _ in range(20):
        if focused(browser) == name:
            return
        browser.press(TAB, holding=SHIFT if back else None)
    raise AssertionError(f"Tab does not lead to {name}")


def arrive(browser, path, text):
    wait(path, lambda: path in browser.url)
    browser.wait_text(text)


def test_from_sign_up_to_logout_by_keyboard(browser, site, account):
    browser.open(site.origin() + "/auth/pages/signup")
    browser.wait_text("Sign up")
    wait("the first field to have the focus", lambda: focused(browser) == "email")
    browser.write(account)
    tab_to(browser, "password")
    browser.write(PASSWORD)
    browser.press(ENTER)
    arrive(browser, "/auth/pages/account", account)
    browser.wait_text("this device")

    tab_to(browser, "current")
    browser.write(PASSWORD)
    tab_to(browser, "new")
    browser.write("another " + PASSWORD)
    browser.press(ENTER)
    browser.wait_text("Your password is changed", "#done")

    tab_to(browser, "logout", back=True)
    browser.press(SPACE)
    arrive(browser, "/auth/pages/login", "Log in")
    wait("the first field to have the focus", lambda: focused(browser) == "email")
    browser.write(account)
    tab_to(browser, "password")
    browser.write("wrong " + PASSWORD)
    browser.press(ENTER)
    wait("an alert", lambda: browser.text("[role=alert]"))
    browser.write("another " + PASSWORD)
    tab_to(browser, "remember")
    browser.press(SPACE)
    tab_to(browser, "Log in")
    browser.press(ENTER)
    arrive(browser, "/auth/pages/account", account)


def test_login_returns_to_the_requested_page(browser, site, account):
    open_app(browser, site)
    sign_up(browser, account)
    browser.run("await session.logout()")
    browser.open(site.origin() + "/auth/pages/login?return_to=/app%3Fa=1")
    browser.type("#email", account)
    browser.type("#password", PASSWORD)
    browser.click("#login button[type=submit]")
    wait("the app", lambda: browser.url == site.origin() + "/app?a=1")


def test_a_logged_in_user_who_must_step_up_enters_the_password_and_continues(browser, site, account):
    open_app(browser, site)
    sign_up(browser, account)
    browser.open(site.origin() + "/auth/pages/login?return_to=/app%3Fa=1&step_up=1")
    browser.wait_text("Please confirm your password")
    wait("the field to have the focus", lambda: focused(browser) == "confirm-password")
    browser.write("wrong " + PASSWORD)
    browser.press(ENTER)
    wait("an alert", lambda: browser.text("[role=alert]"))
    browser.write(PASSWORD)
    browser.press(ENTER)
    wait("the app", lambda: browser.url == site.origin() + "/app?a=1")
    assert len(site.seen("POST", "/auth/step-up")) == 2


def test_a_step_up_without_a_session_is_a_login(browser, site, account):
    open_app(browser, site)
    sign_up(browser, account)
    browser.run("await session.logout()")
    browser.open(site.origin() + "/auth/pages/login?return_to=/app&step_up=1")
    wait("the first field to have the focus", lambda: focused(browser) == "email")
    browser.write(account)
    tab_to(browser, "password")
    browser.write(PASSWORD)
    browser.press(ENTER)
    wait("the app", lambda: browser.url == site.origin() + "/app")


@pytest.mark.parametrize("target", ["//evil.localhost/", "https://evil.localhost/", "/\\evil.localhost", "javascript:alert(1)"])
def test_login_redirects_to_no_other_origin(browser, site, account, target):
    open_app(browser, site)
    sign_up(browser, account)
    browser.open(f"{site.origin()}/auth/pages/login?return_to={target}")
    browser.wait_text("You are logged in")
    browser.click("#continue")
    arrive(browser, "/auth/pages/account", account)
    assert browser.url.startswith(site.origin())


def test_the_account_page_ends_one_session_and_all_others(browsers, site, account):
    here, *others = browsers(), browsers(), browsers()
    open_app(here, site)
    sign_up(here, account)
    for other in others:
        other.open(site.origin() + "/auth/pages/login")
        other.type("#email", account)
        other.type("#password", PASSWORD)
        other.click("#login button[type=submit]")
        arrive(other, "/auth/pages/account", "this device")
    here.open(site.origin() + "/auth/pages/account")
    wait("three sessions", lambda: here.run("return document.querySelectorAll('#sessions li').length") == 3)
    here.click("#sessions li button")
    wait("two sessions", lambda: here.run("return document.querySelectorAll('#sessions li').length") == 2)
    here.click("#end-others")
    here.wait_text("All other sessions are ended", "#done")
    assert who(here) == account
    assert [who(other) for other in others] == [None, None]


def test_the_account_page_shows_the_sessions_of_every_page_of_the_list(browser, site, account):
    """The proxy changes the list so that each page has one session."""
    open_app(browser, site)
    sign_up(browser, account)

    pages = {}

    def ask_for_all(exchange):
        """Removes `after`, because the server does not know the positions that the proxy made up."""
        if exchange.path.startswith("/auth/sessions?"):
            pages[id(exchange)] = next((number for number in (1, 2) if f"after=page+{number}" in exchange.path), 0)
            exchange.path = exchange.path.split("&after=")[0]
        return False

    def first_of_three(exchange):
        if exchange.method == "GET" and exchange.path.startswith("/auth/sessions?"):
            answer = json.loads(exchange.answer)
            [session] = answer["sessions"]
            page = pages[id(exchange)]
            fields = {"current": not page, "id": f"{session['id']}{page}"}
            more = {"next": f"page {page + 1}"} if page < 2 else {}
            exchange.answer = json.dumps({"sessions": [session | fields]} | more).encode()

    site.intercept, site.interfere = ask_for_all, first_of_three
    browser.open(site.origin() + "/auth/pages/account")
    wait("three sessions", lambda: browser.run("return document.querySelectorAll('#sessions li').length") == 3)


def test_a_postponed_password_change_is_announced_and_sent_again(browser, site, account):
    open_app(browser, site)
    sign_up(browser, account)
    browser.open(site.origin() + "/auth/pages/account")
    browser.wait_text("this device")
    delays = ["2"]

    def put_off(exchange):
        if exchange.path == "/auth/password" and delays:
            exchange.status, exchange.answer = 503, b'{"code": "unavailable"}'
            exchange.answer_headers = [("Retry-After", delays.pop()), ("Content-Type", "application/problem+json")]
            return True

    site.intercept = put_off
    browser.type("#current", PASSWORD)
    browser.type("#new", "another " + PASSWORD)
    browser.run("""
        window.said = [];
        new MutationObserver(() => said.push(document.querySelector("#done").textContent))
            .observe(document.querySelector("#done"), { childList: true, characterData: true, subtree: true });
    """)
    browser.click("#change button[type=submit]")
    browser.wait_text("Your password is changed", "#done")
    assert browser.run("return said[0]").startswith("Please wait 2 seconds")
    assert [exchange.status for exchange in site.seen("POST", "/auth/password")] == [503, 204]
    delays.append("90")
    browser.type("#current", PASSWORD)
    browser.type("#new", PASSWORD)
    browser.click("#change button[type=submit]")
    browser.wait_text("Please try again in 90 seconds", "[role=alert]")


def test_the_demo_renews_when_a_newer_token_is_available(browser, start, proxies, account):
    site = proxies(start(**STEERED))
    open_app(browser, site)
    sign_up(browser, account)
    browser.open(site.origin() + "/")
    browser.wait_text(account)
    browser.click("#renew")
    browser.wait_text("A new pair of tokens", "#done")
    for _ in range(3):
        browser.click("#renew")
        browser.wait_text("You have the newest pair of tokens", "#done")
    browser.wait_text("Renew now (in ", "#renew")
    renewals = site.seen("POST", "/auth/refresh")
    assert [len(exchange.set_cookies) for exchange in renewals] == [1, 0], "then the button does not ask"
    assert json.loads(renewals[1].answer)["session"]["renew_in"] > 60


def test_the_demo_waits_for_renew_in(browser, start, proxies, account):
    server = start(**STEERED | {"accessTokenLifetime": 1})
    site = proxies(server)
    open_app(browser, site)
    sign_up(browser, account)
    browser.open(site.origin() + "/")
    browser.wait_text("expired, renewed in", "#countdown")
    asked = len(site.seen("POST", "/auth/refresh"))
    browser.run("await new Promise((go) => setTimeout(go, 4000))")
    assert len(site.seen("POST", "/auth/refresh")) == asked <= 2
    assert browser.run("return (await fetch('/api/notes')).status") == 200, "all the while it is let in"


def test_a_page_shows_a_logout_in_another_tab(browser, site, account):
    open_app(browser, site)
    sign_up(browser, account)
    browser.new_tab(site.origin() + "/auth/pages/account")
    browser.wait_text(account)
    account_tab = browser.tab
    browser.switch(browser.first)
    browser.run("await session.logout()")
    browser.switch(account_tab)
    arrive(browser, "/auth/pages/login", "Log in")


def test_only_the_pages_own_script_runs(browser, site, account):
    open_app(browser, site)
    sign_up(browser, account)
    for path in PAGES:
        browser.open(site.origin() + path)
        browser.wait_text("")
        ran = browser.run("""
            window.ran = [];
            const script = document.createElement("script");
            try { script.textContent = "ran.push('inline')"; } catch { }
            document.body.append(script);
            const other = document.createElement("script");
            try { other.src = "/auth/client.js?x"; other.onload = () => ran.push("own file without nonce"); } catch { }
            document.body.append(other);
            const button = document.createElement("button");
            try { button.setAttribute("onclick", "ran.push('handler')"); button.click(); } catch { }
            try { document.body.insertAdjacentHTML("beforeend", "<img src=x onerror=\\"ran.push('html')\\">"); ran.push("html sink"); } catch { }
            await new Promise((go) => setTimeout(go, 300));
            return ran;
        """)
        assert ran == [], path


def test_no_page_can_be_framed(browser, site, proxies):
    evil = proxies()
    evil.page("/", "".join(f'<iframe src="{site.origin()}{path}"></iframe>' for path in PAGES))
    browser.open(evil.origin("evil.localhost"))
    for path in PAGES:
        site.wait_for("GET", path)
    browser.run("await new Promise((go) => setTimeout(go, 500))")
    assert not site.seen("GET", "/auth/client.js"), "a framed page ran"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_accessibility_rule_is_violated(browsers, site, account, engine, dark):
    if dark and engine == "webkit":
        pytest.skip("its automation knows no dark mode")
    browser = browsers(dark=dark)
    visited = []
    for path in [*FOR_STRANGERS, "as somebody", "/auth/pages/login", "/auth/pages/account", "/"]:
        if path == "as somebody":
            open_app(browser, site)
            sign_up(browser, account)
            continue
        browser.open(site.origin() + path)
        wait(path, lambda: browser.run("return document.readyState") == "complete")
        browser.run("await new Promise((go) => setTimeout(go, 400))")
        assert browser.run("return matchMedia('(prefers-color-scheme: dark)').matches") == dark
        violations = browser.run(AXE + """
            const { violations } = await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"] });
            return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
        """)
        assert violations == [], f"{browser.url}: {violations}"
        visited.append(browser.url)
    assert len(visited) == 6


def test_every_page_fits_320_pixels(browser, site, account, engine):
    if engine != "chromium":
        pytest.skip("only Chromium's windows get this narrow")
    open_app(browser, site)
    sign_up(browser, account)
    browser.resize(320, 700)
    for path in PAGES:
        browser.open(site.origin() + path)
        browser.run("await new Promise((go) => setTimeout(go, 400))")
        assert browser.run("return innerWidth") == 320
        assert browser.run("return document.documentElement.scrollWidth") <= 320, path
