"""The real process, started, stopped and killed."""
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("CLOAKROOM_BIN", str(ROOT / ".build/debug/cloakroom"))
START_TIMEOUT = 20


def environment_name(setting):
    """`accessTokenLifetime` is `CLOAKROOM_ACCESS_TOKEN_LIFETIME`."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", setting)
    return "CLOAKROOM_" + words.upper()


def clean_environment(**settings):
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CLOAKROOM_")}
    return inherited | {environment_name(name): str(value) for name, value in settings.items()}


def run(*arguments, stdin="", **settings):
    """Runs one command to its end."""
    return subprocess.run(
        [BINARY, *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=60,
        env=clean_environment(**settings))


class Server:
    def __init__(self, directory=None, clock=None, **settings):
        """`clock`: how wrong the server's clock is, in the words of faketime, such as `+1d`."""
        self.wrapper = ["faketime", "-f", clock] if clock else []
        self.directory = str(directory or tempfile.mkdtemp(prefix="cloakroom-"))
        self.settings = {"signup": "open", "loginRateLimit": "off"} | settings
        self.log_path = self.directory.rstrip("/") + ".log"
        self.start()

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*self.wrapper, BINARY, "serve", "--host", "127.0.0.1", "--port", "0", "--data-dir", self.directory],
                stdout=subprocess.PIPE, stderr=log, text=True, env=clean_environment(**self.settings))
        watchdog = threading.Timer(START_TIMEOUT, self.process.kill)
        watchdog.start()
        line = self.process.stdout.readline()
        watchdog.cancel()
        match = re.fullmatch(r"cloakroom: listening on http://127\.0\.0\.1:(\d+)\n", line)
        assert match, f"no listening line but {line!r}\n{self.log()}"
        self.port = int(match[1])

    @property
    def origin(self):
        return f"http://127.0.0.1:{self.port}"

    def kill(self):
        self._signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self._signal(signal.SIGTERM)
        return self.process.wait(15)

    def _signal(self, number):
        """faketime keeps signals to itself, and ends when the server does."""
        if self.process.poll() is not None:
            return
        wrapper = self.process.pid
        children = pathlib.Path(f"/proc/{wrapper}/task/{wrapper}/children").read_text().split() if self.wrapper else []
        for process in children or [wrapper]:
            os.kill(int(process), number)

    def is_alive(self):
        return self.process.poll() is None

    def log(self):
        return pathlib.Path(self.log_path).read_text()
