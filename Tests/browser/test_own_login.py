"""The app with a login of its own behind the gateway (docs/own-login.md), in browsers."""
from urllib.parse import urlsplit

import pytest

from app import PASSWORD
from drivers import ENTER, wait
from own_login import App, Gateway, environment, free_port


@pytest.fixture
def gateway(tmp_path):
    port = free_port()
    gateway = Gateway(tmp_path, port, clock="+0")
    app = App("flask", "site", port, **environment(gateway))
    yield gateway
    app.stop()
    gateway.stop()


def arrive(browser, path):
    wait(f"{path} to be shown", lambda: urlsplit(browser.url).path == path)


def log_in(browser):
    browser.type("#email", "ann@example.com")
    browser.type("#password", PASSWORD)
    browser.press(ENTER)


def test_the_login_page_of_the_app_logs_in_steps_up_and_logs_out(browser, gateway):
    browser.open(f"{gateway.origin}/")
    arrive(browser, "/login")
    log_in(browser)
    arrive(browser, "/")
    assert browser.run("return (await (await fetch('/me')).json()).name") == "Ann"

    gateway.server.move(301)
    browser.open(f"{gateway.origin}/payments")
    arrive(browser, "/login")
    browser.type("#password", "wrong")
    browser.press(ENTER)
    browser.wait_text("wrong password", "#message")
    assert browser.run("return document.getElementById('email').checkVisibility()") is False
    browser.run("document.getElementById('password').value = ''")
    browser.type("#password", PASSWORD)
    browser.press(ENTER)
    arrive(browser, "/payments")

    browser.open(f"{gateway.origin}/")
    browser.click("form button")
    arrive(browser, "/login")
    assert browser.run("return (await fetch('/me')).status") == 401


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_the_login_page_of_the_app_goes_to_no_other_site(browser, gateway, target):
    browser.open(f"{gateway.origin}/login?return_to={target}")
    log_in(browser)
    browser.wait_text("Who am I?")
    assert browser.url == f"{gateway.origin}/"


def test_the_pages_of_cloakroom_offer_no_password_to_a_user_of_the_app(browser, gateway):
    browser.open(f"{gateway.origin}/login?return_to=/auth/pages/account")
    log_in(browser)
    browser.wait_text("this device")
    assert browser.text("#inside p") == "You are logged in."
    assert browser.run("return document.getElementById('change').checkVisibility()") is False
    browser.open(f"{gateway.origin}/auth/pages/login?step_up=1")
    browser.wait_text("asks for your password itself")
    assert browser.run("return document.getElementById('confirm').checkVisibility()") is False
