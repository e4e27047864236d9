"""Actions of a user, or of the app's own script, in a browser."""
from urllib.parse import urlsplit

from drivers import wait

PASSWORD = "correct horse battery"

# Settings for servers whose clock the test moves. The lifetimes are so long that they never pass by themselves.
STEERED = {"clock": "+0", "accessTokenLifetime": 3600, "stragglerWindow": 600, "reissueDelay": 300}
# After EXPIRY seconds the access token has expired and the straggler window is closed; after REISSUE seconds a lost response
# is sent again.
EXPIRY, REISSUE = 4000, 301

# A page of the app: creates a session, and records the states that `onChange` received.
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
    """Opens an empty page of the app. The test can use its `session`."""
    site.page(path, BLANK)
    browser.open(site.origin(host) + path)
    ready(browser)


def ready(browser):
    browser.run("while (!window.isReady) await new Promise((go) => setTimeout(go, 10));")


def arrive(browser, path):
    """Waits until the browser shows this path. If a test opens a page before that, the response to the form replaces it."""
    wait(f"{path} to be shown", lambda: urlsplit(browser.url).path == path)


def sign_up(browser, email, **fields):
    browser.run("await session.signup(args[0])", {"email": email, "password": PASSWORD} | fields)


def log_in(browser, email, **fields):
    browser.run("await session.login(args[0])", {"email": email, "password": PASSWORD} | fields)


def who(browser):
    """The e-mail address that the server returns for the session; None without one."""
    return browser.run("return (await (await fetch('/auth/session')).json()).user?.email ?? null")


def confirm(browser):
    """Sends the newest cookie, so that its straggler window opens now. The response sets no cookie."""
    assert browser.run("return (await fetch('/auth/refresh', { method: 'POST' })).status") == 200


def is_let_in(browser):
    """Whether a protected route responds 200, after a renewal if needed."""
    return browser.run("return (await session.fetch('/auth/sessions')).status") == 200
