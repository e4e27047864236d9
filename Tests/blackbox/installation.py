"""Builds the Debian package, and installs it in a throw-away copy of this machine's file system."""
import configparser
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading

from server import BINARY, ROOT, START_TIMEOUT, Address

SCRIPT = ROOT / "Scripts/package"
CONFIG = "/etc/cloakroom/cloakroom.yaml"
UID = 61184     # the first that systemd gives to a DynamicUser
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def sections_and_libraries(binary):
    return subprocess.run(["readelf", "--wide", "--sections", "--dynamic", binary], capture_output=True, text=True, check=True).stdout


HAS_RUNTIME = "[libswift" not in sections_and_libraries(BINARY)


def build(directory, revision):
    """Packages the binary under test. A debug build needs the Swift runtime of the toolchain."""
    runtime = [] if HAS_RUNTIME else ["--toolchain-runtime"]
    result = subprocess.run(
        [SCRIPT, "--binary", BINARY, "--revision", str(revision), "--output", directory, *runtime], capture_output=True, text=True,
        env=os.environ | {
            "DEB_BUILD_OPTIONS": "noautodbgsym", "DPKG_DEB_COMPRESSOR_TYPE": "gzip", "DPKG_DEB_COMPRESSOR_LEVEL": "1"})
    assert result.returncode == 0, result.stderr
    [package] = result.stdout.split()
    return pathlib.Path(package)


def blocks(document):
    """The blocks of a document with the mark `run`, by the heading above them."""
    found, heading = {}, None
    for part in re.finditer(r"^#+ ([^\n]+)$|^<!-- run -->\n```sh\n(.*?)^```$", (ROOT / document).read_text(), re.M | re.S):
        if part[1]:
            heading = part[1]
        else:
            assert heading not in found, f"two blocks below {heading}"
            found[heading] = part[2]
    assert found, document
    return found


class Overlay:
    """A copy of the root file system in a mount namespace. Changes go to memory, and end with it."""
    PREPARE = """
    set -e
    mount -t tmpfs tmpfs "$1" && mkdir "$1/upper" "$1/work" "$1/root"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
    mount -t proc proc "$1/root/proc" && mount --rbind /dev "$1/root/dev"
    mount -t tmpfs tmpfs "$1/root/run"
    echo ready
    exec cat
    """

    def __init__(self, directory):
        self.root = directory / "root"
        self.keeper = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", self.PREPARE, "sh", directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.keeper.stdout.readline() == "ready\n"

    def command(self, *arguments):
        return ["nsenter", f"--target={self.keeper.pid}", "--mount", "chroot", str(self.root), *map(str, arguments)]

    def run(self, *arguments, stdin="", code=0, **environment):
        """Runs a command as root."""
        result = subprocess.run(
            self.command("env", "-i", f"PATH={PATH}", "HOME=/root", "DEBIAN_FRONTEND=noninteractive",
                         *(f"{name}={value}" for name, value in environment.items()), *arguments),
            input=stdin, capture_output=True, text=True, timeout=300)
        assert result.returncode == code, result
        return result.stdout + result.stderr

    def path(self, name):
        """The path of a file in the copy, for this process."""
        return pathlib.Path(f"/proc/{self.keeper.pid}/root{self.root}{name}")

    def stop(self):
        self.keeper.stdin.close()
        self.keeper.wait(30)
        self.keeper.stdout.close()


class Installation(Overlay, Address):
    """A machine with the package, and its service as systemd runs it: directories, user, groups, environment and file
    modes are those of the installed unit."""
    LOG = "/var/log/cloakroom.log"
    ORDER = "/run/order"
    COMMANDS = {
        "systemctl": f'echo "$*" > {ORDER}.new && mv {ORDER}.new {ORDER} && while [ -e {ORDER} ]; do sleep 0.05; done',
        "journalctl": f"cat {LOG}"}

    def __init__(self, directory, packages):
        super().__init__(directory)
        self.process = self.listener = None
        self.packages = packages
        for package in packages:
            self.path(f"/root/{package.name}").write_bytes(package.read_bytes())
        for name, script in self.COMMANDS.items():
            command = self.path(f"/usr/local/bin/{name}")
            command.write_text(f"#!/bin/sh\n{script}\n")
            command.chmod(0o755)
        self.is_done = threading.Event()
        self.manager = threading.Thread(target=self._obey, daemon=True)
        self.manager.start()

    def _obey(self):
        """Carries out what systemctl is asked for."""
        order = self.path(self.ORDER)
        while not self.is_done.wait(0.05):
            if order.exists():
                words = order.read_text().split()
                if words[-1] == "cloakroom.socket":
                    assert words[:-1] == ["enable", "--now"], words
                    self.open_socket()
                else:
                    self._obey_for_service(words)
                order.unlink()

    def _obey_for_service(self, words):
        assert words[-1] == "cloakroom", words
        if words[0] in ("stop", "restart"):
            self.stop_service()
        if words[0] in ("start", "restart", "enable"):
            self.start_service()
        if words[0] == "reload":
            assert self.unit["ExecReload"] == "/bin/kill -HUP $MAINPID"
            self.process.send_signal(signal.SIGHUP)

    def follow(self, block, code=0):
        """Runs a block of a document in the home directory of root, with the names of the packages under test, and says
        yes to apt."""
        for revision, package in enumerate(self.packages, 1):
            block = block.replace(f"cloakroom_0.1.0-{revision}_amd64.deb", package.name)
        return self.run("bash", "-euo", "pipefail", "-c", f"exec < <(yes)\ncd /root\n{block}", code=code)

    def install(self, package):
        return self.run("dpkg", "--install", f"/root/{package.name}")

    def read_unit(self, name):
        unit = configparser.ConfigParser(strict=False, interpolation=None)
        unit.optionxform = str
        unit.read_string(self.path(f"/lib/systemd/system/{name}").read_text())
        return unit

    @property
    def unit(self):
        unit = self.read_unit("cloakroom.service")
        assert unit["Service"]["DynamicUser"] == "yes"
        return unit["Service"]

    def open_socket(self):
        """Listens as the unit of the socket says, on a free port instead of 8080."""
        unit = self.read_unit("cloakroom.socket")["Socket"]
        host, port = unit["ListenStream"].split(":")
        assert port == "8080" and "Accept" not in unit
        self.listener = socket.create_server((host, 0), backlog=128)
        self.port = self.listener.getsockname()[1]

    def _inheritance(self):
        """The variables and the command by which the service gets the socket as descriptor 3."""
        if not self.listener:
            return [], ""
        name = self.read_unit("cloakroom.socket")["Socket"]["FileDescriptorName"]
        number = self.listener.fileno()
        move = "" if number == 3 else f"exec 3<&{number} {number}<&- && "
        return ["LISTEN_FDS=1", f"LISTEN_FDNAMES={name}"], f"{move}export LISTEN_PID=$$ && "

    def _make(self, directory, mode):
        """systemd gives a directory of another owner, and what is in it, to the user of the service."""
        if not self.path(directory).exists() or self.path(directory).stat().st_uid != UID:
            self.run("mkdir", "-p", directory)
            self.run("chown", "-R", f"{UID}:{UID}", directory)
        self.run("chmod", mode, directory)

    def start_service(self):
        """Starts the service, on a free port instead of 8080."""
        unit = self.unit
        self._make(f"/var/lib/{unit['StateDirectory']}", unit["StateDirectoryMode"])
        self._make(f"/run/{unit['RuntimeDirectory']}", unit["RuntimeDirectoryMode"])
        groups = self.run("getent", "group", unit["SupplementaryGroups"]).split(":")[2]
        variables, inherit = self._inheritance()
        with open(self.path(self.LOG), "ab") as log:
            self.process = subprocess.Popen(
                self.command(
                    "env", "-i", "CLOAKROOM_PORT=0", *variables, "setpriv", f"--reuid={UID}", f"--regid={UID}", f"--groups={groups}",
                    "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all",
                    "bash", "-c", f"{inherit}cd / && umask {unit['UMask']} && exec {unit['ExecStart']}"),
                stdout=subprocess.PIPE, stderr=log, text=True, pass_fds=[self.listener.fileno()] if self.listener else [])
        watchdog = threading.Timer(START_TIMEOUT, self.process.kill)
        watchdog.start()
        lines = [self.process.stdout.readline() for _ in range(2)]
        watchdog.cancel()
        if lines[0]:
            assert lines[1] == "cloakroom: private listener on unix:/run/cloakroom/private.sock\n"
            self.port = int(lines[0].rsplit(":", 1)[1])
            self.origin = f"http://127.0.0.1:{self.port}"

    def is_serving(self):
        return self.process is not None and self.process.poll() is None

    def stop_service(self):
        if self.process:
            self.process.terminate()
            self.process.wait(20)

    def kill_service(self):
        self.process.kill()
        self.process.wait()

    def log(self):
        return self.path(self.LOG).read_text()

    def add_account(self, email, password):
        self.run("cloakroom", "users", "add", email, stdin=password, CLOAKROOM_CONFIG=CONFIG)

    def data(self):
        """The status of the files in the data directory."""
        return {path.name: path.stat() for path in self.path("/var/lib/cloakroom").iterdir()}

    def stop(self):
        self.is_done.set()
        self.manager.join()
        if self.is_serving():
            self.kill_service()
        if self.listener:
            self.listener.close()
        super().stop()
