"""What the proxies have in common: each runs the files of its directory in deploy/proxies, with the names and ports of a test."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

from server import ROOT

PATIENCE = 30


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"still waiting for {what}"
        time.sleep(0.02)


def with_own_login(text):
    """A file of a recipe as the page says for an app that keeps its login."""
    text = text.replace("login=/auth/pages/login", "login=/login").replace("login=%2Fauth%2Fpages%2Flogin", "login=%2Flogin")
    parts = text.split("If the app keeps its own login, ")
    return parts[0] + "".join("If the app keeps its own login, " + uncommented(part) for part in parts[1:])


def uncommented(text):
    """Removes the `#` before the lines of the first paragraph that are no comment."""
    paragraph, separator, rest = text.partition("\n\n")
    return re.sub(r"^(\s*)#(?! \S)", r"\1", paragraph, flags=re.M) + separator + rest


class Proxy:
    """A subclass names the program, and writes its configuration."""
    name = program = None
    group = "www-data"          # of the proxy's processes in Debian
    stop_signal = signal.SIGTERM
    allows_on = b"204 No Content"
    allows_on_every_success = False
    has_http2 = False
    connections = 4             # at most, that it opens to the check for requests one after the other
    needs = ()                  # further files of Debian packages

    def __init__(self, place, replacements=None):
        """`replacements`: further ones in the configuration, for this test."""
        self.place = place
        self.port = free_port()
        self.directory = place.directory / self.name
        self.directory.mkdir()
        self.directory.chmod(0o755)
        self.changes = replacements or {}
        command = self.write()
        self.log = open(self.directory / "output.log", "ab")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, cwd=self.directory, env=self.environment())
        wait_for(self.listens, self.name)

    @classmethod
    def path(cls):
        return shutil.which(cls.program)

    @classmethod
    def is_installed(cls):
        return cls.path() is not None and all(pathlib.Path(file).exists() for file in cls.needs)

    def environment(self):
        return dict(os.environ)

    def file(self, name, replacements):
        """Writes a file of the recipe. Each text that is replaced occurs in it."""
        text = (ROOT / "deploy/proxies" / self.name / name).read_text()
        for old, new in (replacements | {old: new for old, new in self.changes.items() if old in text}).items():
            assert old in text, f"{name} does not have {old}"
            text = text.replace(old, str(new))
        if self.place.has_own_login:
            text = with_own_login(text)
        written = self.directory / name
        written.parent.mkdir(exist_ok=True)
        written.write_text(text)
        return written

    def listens(self):
        assert self.process.poll() is None, (self.directory / "output.log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:       # a connection is still open
            self.process.kill()
            self.process.wait(5)
        self.log.close()
