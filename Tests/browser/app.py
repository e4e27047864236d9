"""What a person, or the app's own script, does in a browser."""
from urllib.parse import urlsplit

from drivers import wait

PASSWORD = "correct horse battery"

# For servers whose clock the test moves: lives that no busy machine outlasts by itself.
STEERED = {"clock": "+0", "accessTokenLifetime": 3600, "stragglerWindow": 600, "reissueDelay": 300}
# So far on, the access token has expired and the straggler window is closed; a lost answer is given again.
EXPIRY, REISSUE = 4000, 301

# The app's script: a session as any page makes it, and what it has been told.
BLANK = """<!doctype html><html lang=en><title>App</title><link rel=icon href="data:,">
<body><p id=who>nobody</p><script type=module>
import { createSession } from "/auth/client.js";
window.session = createSession();
window.states = [];
session.onChange((state) => { states.push(state.authenticated); who.textContent = state.user?.email ?? "nobody"; });
await session.current();
window.isReady = true;
</script>"""


def open_app(browser, site, host="localhost", path="/app"):
    """An empty page of the app, with `session` within reach of the test."""
    site.page(path, BLANK)
    browser.open(site.origin(host) + path)
    ready(browser)


def ready(browser):
    browser.run("while (!window.isReady) await new Promise((go) => setTimeout(go, 10));")


def arrive(browser, path):
    """Waits until the browser shows this path. A page that is opened before a form's answer has arrived is replaced by that answer."""
    wait(f"{path} to be shown", lambda: urlsplit(browser.url).path == path)


def sign_up(browser, email, **fields):
    browser.run("await session.signup(args[0])", {"email": email, "password": PASSWORD} | fields)


def log_in(browser, email, **fields):
    browser.run("await session.login(args[0])", {"email": email, "password": PASSWORD} | fields)


def who(browser):
    """Who the server says is logged in."""
    return browser.run("return (await (await fetch('/auth/session')).json()).user?.email ?? null")


def confirm(browser):
    """Shows the server the newest cookie, so that its straggler window opens now. Nothing is handed out for that."""
    assert browser.run("return (await fetch('/auth/refresh', { method: 'POST' })).status") == 200


def is_let_in(browser):
    """Whether a protected route answers, whatever it takes."""
    return browser.run("return (await session.fetch('/auth/sessions')).status") == 200
