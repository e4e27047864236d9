"""Builds the Debian package, and installs it in a throw-away copy of this machine's file system."""
import configparser
import os
import pathlib
import re
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
        self.process = None
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
                assert words[-1] == "cloakroom", words
                if words[0] in ("stop", "restart"):
                    self.stop_service()
                if words[0] in ("start", "restart", "enable"):
                    self.start_service()
                order.unlink()

    def follow(self, block, code=0):
        """Runs a block of a document in the home directory of root, with the names of the packages under test, and says
        yes to apt."""
        for revision, package in enumerate(self.packages, 1):
            block = block.replace(f"cloakroom_0.1.0-{revision}_amd64.deb", package.name)
        return self.run("bash", "-euo", "pipefail", "-c", f"exec < <(yes)\ncd /root\n{block}", code=code)

    def install(self, package):
        return self.run("dpkg", "--install", f"/root/{package.name}")

    @property
    def unit(self):
        unit = configparser.ConfigParser(strict=False, interpolation=None)
        unit.optionxform = str
        unit.read_string(self.path("/lib/systemd/system/cloakroom.service").read_text())
        assert unit["Service"]["DynamicUser"] == "yes"
        return unit["Service"]

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
        with open(self.path(self.LOG), "ab") as log:
            self.process = subprocess.Popen(
                self.command(
                    "env", "-i", "CLOAKROOM_PORT=0", "setpriv", f"--reuid={UID}", f"--regid={UID}", f"--groups={groups}",
                    "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all",
                    "sh", "-c", f"cd / && umask {unit['UMask']} && exec {unit['ExecStart']}"),
                stdout=subprocess.PIPE, stderr=log, text=True)
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
        super().stop()
