"""Starts, stops and kills the real process. A test can ask for a clock that it moves itself."""
import contextlib
import functools
import os
import pathlib
import re
import signal
import ssl
import struct
import subprocess
import tempfile
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("CLOAKROOM_BIN", str(ROOT / ".build/debug/cloakroom"))
START_TIMEOUT = 20
MASTER_SECRET = "wMH4_EoS40h4qPhTgR8cGvGHqhBM7JzxPkNLG1e2Y5s"
NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="makes a namespace of its own, which takes root")
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def environment_name(setting):
    """The environment variables for settings: `accessTokenLifetime` becomes `CLOAKROOM_ACCESS_TOKEN_LIFETIME`."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", setting)
    return "CLOAKROOM_" + words.upper()


def clean_environment(**settings):
    """A server on PostgreSQL has a master secret; `masterSecret=None` leaves it out."""
    if str(settings.get("store", "")).startswith("postgres") and "masterSecretFile" not in settings:
        settings.setdefault("masterSecret", MASTER_SECRET)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CLOAKROOM_")}
    return inherited | {environment_name(name): str(value) for name, value in settings.items() if value is not None}


def run(*arguments, stdin="", wrapper=(), **settings):
    """Runs one command and waits for its end. `wrapper`: a command that executes its arguments."""
    return subprocess.run(
        [*wrapper, BINARY, *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=60,
        env=clean_environment(**settings))


def refuse_to_serve(data, *arguments, **settings):
    """Runs `serve` with input that must stop the start, and waits for its end. Fails at once if the server starts."""
    process = subprocess.Popen(
        [BINARY, "serve", "--port", "0", "--data-dir", str(data), *map(str, arguments)], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env=clean_environment(**settings))
    watchdog = threading.Timer(START_TIMEOUT, process.kill)
    watchdog.start()
    line = process.stdout.readline()
    if line:
        process.kill()
    stdout, stderr = process.communicate()
    watchdog.cancel()
    assert not line, f"it started, and said {line!r}"
    return subprocess.CompletedProcess(process.args, process.returncode, line + stdout, stderr)


def wait_until(condition, seconds=20):
    """Waits for an event. The limit is long, so that a slow machine does not fail the test."""
    end = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < end, "this never came about"
        time.sleep(0.05)
    return result


@functools.cache
def preloaded(name):
    """A library to preload, such as that for steered clocks, compiled once by each process of tests."""
    library = pathlib.Path(tempfile.mkdtemp(prefix="cloakroom-"), f"{name}.so")
    source = ROOT / f"Tests/blackbox/{name}.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", library, source], check=True)
    return library


class Address:
    """Where `Client` and `Wire` reach a server."""

    port = certificate = private_socket = private_port = None


class Server(Address):
    started = []

    def __init__(
            self, directory=None, clock=None, holds_uptime=False, private=True, wrapper=(), environment=None, port="0", descriptors=(),
            **settings):
        """`clock`: the first error of the server's wall clock, such as `+0` or `-1d`. The clock stands still and only `move`
        changes it, so that a slow machine changes no result. The monotonic clock, which rate limits follow, stays right; with
        `holds_uptime` it stands still too, but then many timers of the server do not fire.
        `wrapper`: a command that executes its arguments; `descriptors`: of this process, for the wrapper. A setting or `port`
        of None is not set."""
        self.directory = str(directory or tempfile.mkdtemp(prefix="cloakroom-"))
        self.settings = {"signup": "open", "loginRateLimit": "off", "signupRateLimit": "off"}
        if private:
            self.settings["privateListen"] = "127.0.0.1:0"
        self.settings |= settings
        own = f"{self.directory}/development-certificate.pem" if settings.get("tlsSelfSigned") else None
        self.certificate = settings.get("tlsCert") or own
        self.port_arguments = ["--port", port] if port else []
        self.wrapper = list(wrapper)
        self.descriptors = descriptors
        self.environment = environment or {}
        self.log_path = self.directory.rstrip("/") + ".log"
        self.clock_path = self.directory.rstrip("/") + ".clock"
        # Later than the kernel's clock ever is. A timer that is due for the kernel and not for the server is set again without end.
        self.uptime = 10**9 if holds_uptime else 0
        self.time = None
        if clock:
            sign, number, unit = re.fullmatch(r"([+-])([\d.]+)([smhd]?)", clock).groups()
            self.time = int(time.time())
            self.move(float(sign + number) * UNITS[unit])
        self.start()

    def start(self):
        arguments = ["serve", "--host", "127.0.0.1", *self.port_arguments, "--data-dir", self.directory]
        with open(self.log_path, "ab") as log:
            # Passwords are hashed at the lowest priority. Linux applies it only among the processes of one session; in that of the
            # tests a hash would wait for all servers and browsers of other tests.
            self.process = subprocess.Popen(
                [*self.wrapper, *self._steering(), BINARY, *arguments], stdout=subprocess.PIPE, stderr=log, text=True,
                pass_fds=self.descriptors, start_new_session=True, env=clean_environment(**self.settings) | self.environment)
        Server.started.append(self.process)
        watchdog = threading.Timer(START_TIMEOUT, self.process.kill)
        watchdog.start()
        try:
            self.port = int(self._line(r"cloakroom: listening on %s://127\.0\.0\.1:(\d+)\n" % self.scheme))
            if self.settings.get("privateListen"):
                self._read_private_address()
        finally:
            watchdog.cancel()

    def _read_private_address(self):
        address = self._line(r"cloakroom: private listener on (http://[\d.]+:\d+|unix:.+)\n")
        self.private_socket = address.removeprefix("unix:") if address.startswith("unix:") else None
        self.private_port = None if self.private_socket else int(address.rsplit(":", 1)[1])

    def _line(self, pattern):
        line = self.process.stdout.readline()
        match = re.fullmatch(pattern, line)
        if not match:
            self.process.kill()
            self.process.wait()
        assert match, f"{line!r} is not {pattern}\n{self.log()}"
        return match[1]

    def _steering(self):
        if self.time is None:
            return []
        return ["env", f"LD_PRELOAD={preloaded('steered_clock')}", f"CLOCKS={self.clock_path}"]

    def move(self, seconds, uptime=0):
        """Moves the server's wall clock forward or back, in seconds. `uptime`: the same for a held monotonic clock."""
        self.time += seconds
        self.uptime += uptime
        # Not another file in its place: the server has mapped this one.
        file = os.open(self.clock_path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(file, struct.pack("=qq", round(self.time * 1e9), round(self.uptime * 1e9)))
        os.close(file)

    def run(self, *arguments):
        """Runs one command with the data directory and the clock of the server."""
        return run(*arguments, "--data-dir", self.directory, wrapper=self._steering())

    @property
    def scheme(self):
        return "https" if self.certificate else "http"

    @property
    def origin(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def tls(self, *protocols):
        """A context for TLS that trusts the server's certificate and offers `protocols` by ALPN."""
        context = ssl.create_default_context(cafile=self.certificate)
        context.set_alpn_protocols(list(protocols))
        return context

    def kill(self):
        if self.is_alive():
            self.process.kill()
        self.process.wait()

    def terminate(self):
        if self.is_alive():
            self.process.send_signal(signal.SIGTERM)

    def stop(self):
        self.terminate()
        return self.process.wait(15)

    @contextlib.contextmanager
    def paused(self):
        """While it hangs. A signal to stop returns before all threads stand still, and one that still runs would respond."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            wait_until(lambda: set(self.thread_states()) == {"T"})
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def thread_states(self):
        for status in pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/stat"):
            yield status.read_text().rpartition(")")[2].split()[0]

    def is_alive(self):
        return self.process.poll() is None

    def log(self):
        return pathlib.Path(self.log_path).read_text()

    def log_lines(self):
        return self.log().splitlines()
