"""Drives Chromium, Firefox and WebKit from Debian's packages: with W3C WebDriver over HTTP, and Firefox with Marionette,
because Debian has no WebDriver for it."""
import atexit
import base64
import contextlib
import functools
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

# Seconds until a step fails. The limit is long, so that a slow machine does not fail a test.
TIMEOUT = 120
ENTER, TAB, SPACE, SHIFT = "\ue007", "\ue004", "\ue00d", "\ue008"
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"

# Each command: method and path in WebDriver, and the name in Marionette.
COMMANDS = {
    "navigate": ("POST", "/url", "WebDriver:Navigate"),
    "back": ("POST", "/back", "WebDriver:Back"),
    "url": ("GET", "/url", "WebDriver:GetCurrentURL"),
    "script": ("POST", "/execute/async", "WebDriver:ExecuteAsyncScript"),
    "find": ("POST", "/element", "WebDriver:FindElement"),
    "click": ("POST", "/element/{id}/click", "WebDriver:ElementClick"),
    "type": ("POST", "/element/{id}/value", "WebDriver:ElementSendKeys"),
    "actions": ("POST", "/actions", "WebDriver:PerformActions"),
    "handles": ("GET", "/window/handles", "WebDriver:GetWindowHandles"),
    "handle": ("GET", "/window", "WebDriver:GetWindowHandle"),
    "new": ("POST", "/window/new", "WebDriver:NewWindow"),
    "switch": ("POST", "/window", "WebDriver:SwitchToWindow"),
    "close": ("DELETE", "/window", "WebDriver:CloseWindow"),
    "rectangle": ("POST", "/window/rect", "WebDriver:SetWindowRect"),
    "screenshot": ("GET", "/screenshot", "WebDriver:TakeScreenshot"),
    "timeouts": ("POST", "/timeouts", "WebDriver:SetTimeouts"),
}


class DriverError(Exception):
    pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait(what, condition, seconds=TIMEOUT):
    """Repeats `condition` until it returns a true value, and returns that value."""
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(DriverError):
            result = condition()
            if result:
                return result
        assert time.monotonic() < end, f"waited {seconds} s in vain: {what}"
        time.sleep(0.05)


class Process:
    """A program and its children, ended as one process group: a killed driver would leave its browsers running."""

    def __init__(self, arguments, environment=None, directory=None):
        self.output = tempfile.TemporaryFile()
        self.popen = subprocess.Popen(
            arguments, cwd=directory, stdout=self.output, stderr=self.output, start_new_session=True,
            env=os.environ | (environment or {}))

    def end(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGTERM)
            try:
                self.popen.wait(5)
            except subprocess.TimeoutExpired:
                pass
        self.kill()

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()
        self.output.close()


class WebDriver:
    def __init__(self, arguments, capabilities, environment=None):
        self.port = free_port()
        self.process = Process([*arguments, f"--port={self.port}"], environment)
        try:
            wait("the driver to listen", lambda: self.is_listening())
            answer = self.request("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        except BaseException:
            self.process.end()
            raise
        self.session = answer["sessionId"]

    def is_listening(self):
        with contextlib.suppress(OSError):
            return self.request("GET", "/status") is not None

    def request(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2 * TIMEOUT)
        connection.request(method, path, json.dumps(body) if body is not None else None)
        response = connection.getresponse()
        value = json.loads(response.read())["value"]
        connection.close()
        if response.status >= 400:
            raise DriverError(f"{value['error']}: {value['message']}")
        return value

    def send(self, command, **parameters):
        method, path, _ = COMMANDS[command]
        path = path.format(**parameters)
        body = {name: value for name, value in parameters.items() if name != "id"} if method == "POST" else None
        return self.request(method, f"/session/{self.session}{path}", body)

    def end(self):
        with contextlib.suppress(Exception):
            self.request("DELETE", f"/session/{self.session}")
        self.process.end()


class Marionette:
    PREFERENCES = {
        "browser.shell.checkDefaultBrowser": False, "browser.startup.homepage": "about:blank",
        "datareporting.policy.dataSubmissionEnabled": False, "app.update.auto": False,
        "network.captive-portal-service.enabled": False, "network.connectivity-service.enabled": False,
        "signon.rememberSignons": False, "toolkit.cosmeticAnimations.enabled": False,
        # The tests close tabs that are still busy; the browser must not ask.
        "browser.tabs.warnOnClose": False, "dom.disable_beforeunload": True,
    }

    def __init__(self, capabilities, preferences=None, template=None):
        """`template`: a profile that is copied; None for an empty one."""
        self.port = free_port()
        self.profile = tempfile.mkdtemp(prefix="cloakroom-firefox-")
        if template:
            shutil.copytree(template, self.profile, dirs_exist_ok=True)
        preferences = self.PREFERENCES | (preferences or {}) | {"marionette.port": self.port}
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in preferences.items()]
        pathlib.Path(self.profile, "user.js").write_text("\n".join(lines))
        self.process = Process(["firefox-esr", "--headless", "--marionette", "--no-remote", "-profile", self.profile])
        self.count = 0
        try:
            self.socket = wait("Firefox to listen", self.connect)
            self.reader = self.socket.makefile("rb")
            self.read()
            self.call("WebDriver:NewSession", capabilities)
        except BaseException:
            self.process.end()
            raise

    def connect(self):
        with contextlib.suppress(OSError):
            return socket.create_connection(("127.0.0.1", self.port), timeout=2 * TIMEOUT)

    def read(self):
        length = b""
        while (byte := self.reader.read(1)) != b":":
            if not byte:
                raise DriverError("Firefox has gone")
            length += byte
        return json.loads(self.reader.read(int(length)))

    def call(self, name, parameters):
        self.count += 1
        message = json.dumps([0, self.count, name, parameters]).encode()
        self.socket.sendall(b"%d:%s" % (len(message), message))
        _, _, error, value = self.read()
        if error:
            raise DriverError(f"{error['error']}: {error['message']}")
        return value["value"] if isinstance(value, dict) and set(value) == {"value"} else value

    def send(self, command, **parameters):
        return self.call(COMMANDS[command][2], parameters)

    def quit(self):
        """Ends Firefox, and waits until it has written its profile."""
        with contextlib.suppress(Exception):
            self.call("Marionette:Quit", {"flags": ["eForceQuit"]})
            self.process.popen.wait(TIMEOUT)
        self.process.end()

    def end(self):
        self.process.kill()
        shutil.rmtree(self.profile, ignore_errors=True)


class Display:
    """A virtual screen: WebKit's browser has no headless mode."""

    def __init__(self):
        reading, writing = os.pipe()
        arguments = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"]
        self.popen = subprocess.Popen(
            arguments, pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            self.name = f":{int(pipe.readline())}"

    def end(self):
        self.popen.terminate()
        self.popen.wait()


def start_chromium(dark, third_party_cookies):
    arguments = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]
    if dark:
        arguments.append("--blink-settings=preferredColorScheme=0")
    options = {"binary": "/usr/bin/chromium", "args": arguments}
    return WebDriver(["chromedriver"], {"acceptInsecureCerts": True, "goog:chromeOptions": options})


@functools.cache
def firefox_profile():
    """A profile without history. A Firefox that finds none takes twice the time to start, because it makes one."""
    firefox = Marionette({})
    firefox.quit()
    for name in ("lock", ".parentlock"):
        pathlib.Path(firefox.profile, name).unlink(missing_ok=True)
    atexit.register(shutil.rmtree, firefox.profile, ignore_errors=True)
    return firefox.profile


def start_firefox(dark, third_party_cookies):
    preferences = {"layout.css.prefers-color-scheme.content-override": 0 if dark else 1, "ui.systemUsesDarkTheme": int(dark)}
    return Marionette({"acceptInsecureCerts": True}, preferences, firefox_profile())


class WebKit(WebDriver):
    def __init__(self, third_party_cookies):
        self.display = Display()
        browser = next(pathlib.Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser"))
        # By default WebKit refuses even a sibling host's cookies.
        policy = ["--cookies-policy=always"] if third_party_cookies else []
        options = {"binary": str(browser), "args": ["--automation", *policy]}
        capabilities = {"browserName": "MiniBrowser", "acceptInsecureCerts": True, "webkitgtk:browserOptions": options}
        # Software rendering and no session bus, so that it runs on machines without a desktop.
        environment = {"DISPLAY": self.display.name, "LIBGL_ALWAYS_SOFTWARE": "1", "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"}
        try:
            super().__init__(["WebKitWebDriver"], capabilities, environment)
        except BaseException:
            self.display.end()
            raise

    def end(self):
        super().end()
        self.display.end()


ENGINES = {"chromium": start_chromium, "firefox": start_firefox, "webkit": lambda dark, third_party_cookies: WebKit(third_party_cookies)}


class Browser:
    """One browser with its own cookie jar."""

    def __init__(self, engine, dark=False, third_party_cookies=False):
        self.engine = engine
        self.driver = ENGINES[engine](dark, third_party_cookies)
        self.driver.send("timeouts", script=TIMEOUT * 1000, pageLoad=TIMEOUT * 1000, implicit=0)
        self.first = self.tab

    def end(self):
        self.driver.end()

    def open(self, url):
        self.driver.send("navigate", url=url)

    def back(self):
        self.driver.send("back")

    @property
    def url(self):
        return self.driver.send("url")

    def run(self, script, *arguments):
        """Runs the body of an async function in the page, and returns its result."""
        wrapped = (
            "const done = arguments[arguments.length - 1]; const args = [...arguments].slice(0, -1);"
            f"(async () => {{ {script} }})().then((value) => done({{ value }}), (error) => done({{ failure: String(error) }}));")
        answer = self.driver.send("script", script=wrapped, args=list(arguments))
        if answer is None:      # Firefox, if another page was loaded meanwhile
            raise DriverError("the page is no longer there")
        if answer.get("failure"):
            raise DriverError(answer["failure"])
        return answer.get("value")

    def element(self, selector, command, **parameters):
        """Waits until the element exists and is enabled."""
        def use():
            found = self.driver.send("find", using="css selector", value=selector)[ELEMENT]
            self.driver.send(command, id=found, **parameters)
            return True

        wait(f"{selector} to {command}", use)

    def click(self, selector):
        self.element(selector, "click")

    def type(self, selector, text):
        self.element(selector, "type", text=text)

    def press(self, *keys, holding=None):
        """Presses keys one after the other, in the focused element."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        if holding:
            actions = [{"type": "keyDown", "value": holding}, *actions, {"type": "keyUp", "value": holding}]
        self.driver.send("actions", actions=[{"type": "key", "id": "keyboard", "actions": actions}])

    def write(self, text):
        self.press(*text)

    def text(self, selector="body"):
        return self.run("return document.querySelector(args[0])?.innerText ?? ''", selector)

    def wait_text(self, text, selector="body"):
        return wait(f"{text!r} in {selector}", lambda: text in self.text(selector))

    @property
    def tab(self):
        return self.driver.send("handle")

    def new_tab(self, url):
        answer = self.driver.send("new", type="tab")
        self.switch(answer["handle"])
        self.open(url)
        return answer["handle"]

    def switch(self, tab):
        self.driver.send("switch", handle=tab)

    def close_tab(self, tab=None):
        if tab:
            self.switch(tab)
        self.driver.send("close")

    def close_other_tabs(self):
        for tab in self.driver.send("handles"):
            if tab != self.first:
                self.close_tab(tab)
        self.switch(self.first)

    def resize(self, width, height):
        """Chromium's windows have a minimum width, so its device emulation sets the size."""
        if self.engine == "chromium":
            metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
            command = {"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics}
            self.driver.request("POST", f"/session/{self.driver.session}/goog/cdp/execute", command)
        else:
            self.driver.send("rectangle", width=width, height=height)

    def screenshot(self, path):
        image = self.driver.send("screenshot")
        pathlib.Path(path).write_bytes(base64.b64decode(image))
