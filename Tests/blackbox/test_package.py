"""Builds the Debian package, and installs, upgrades and removes it in a throw-away copy of this machine's file system."""
import configparser
import os
import pathlib
import re
import shutil
import stat
import subprocess
import tarfile
import threading

import pytest

from browser import Client
from server import BINARY, NEEDS_ROOT, ROOT, START_TIMEOUT

SCRIPT = ROOT / "Scripts/package"
UID = 61184     # the first that systemd gives to a DynamicUser
pytestmark = pytest.mark.skipif(shutil.which("dh") is None, reason="there is no debhelper here")


def sections_and_libraries(binary):
    return subprocess.run(["readelf", "--wide", "--sections", "--dynamic", binary], capture_output=True, text=True, check=True).stdout


HAS_RUNTIME = "[libswift" not in sections_and_libraries(BINARY)


def build(directory, revision):
    """Packages the binary under test. A debug build has the Swift runtime of the toolchain."""
    runtime = [] if HAS_RUNTIME else ["--toolchain-runtime"]
    result = subprocess.run(
        [SCRIPT, "--binary", BINARY, "--revision", str(revision), "--output", directory, *runtime], capture_output=True, text=True,
        env=os.environ | {
            "DEB_BUILD_OPTIONS": "noautodbgsym", "DPKG_DEB_COMPRESSOR_TYPE": "gzip", "DPKG_DEB_COMPRESSOR_LEVEL": "1"})
    assert result.returncode == 0, result.stderr
    [package] = result.stdout.split()
    return pathlib.Path(package)


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    directory = tmp_path_factory.mktemp("packages")
    return [build(directory, revision) for revision in (1, 2)]


@pytest.fixture(scope="module")
def unpacked(packages, tmp_path_factory):
    directory = tmp_path_factory.mktemp("unpacked")
    subprocess.run(["dpkg-deb", "--raw-extract", packages[0], directory], check=True)
    return directory


def test_the_package_holds_these_files_with_these_modes(packages, tmp_path):
    archive = tmp_path / "data.tar"
    with open(archive, "wb") as file:
        subprocess.run(["dpkg-deb", "--fsys-tarfile", packages[0]], stdout=file, check=True)
    with tarfile.open(archive) as members:
        files = {member.name.lstrip("."): member for member in members if not member.isdir()}
        owners = {(member.uname, member.gname) for member in members}
    documents = {name for name in files if name.startswith(("/usr/share/doc/", "/usr/share/lintian/"))}
    assert owners == {("root", "root")}
    assert {name: oct(member.mode) for name, member in files.items() if name not in documents} == {
        "/etc/cloakroom/cloakroom.yaml": "0o644", "/lib/systemd/system/cloakroom.service": "0o644", "/usr/bin/cloakroom": "0o755",
        "/usr/share/bash-completion/completions/cloakroom": "0o644"}
    assert {"/usr/share/doc/cloakroom/copyright", "/usr/share/doc/cloakroom/changelog.Debian.gz"} <= documents


def test_the_settings_are_a_file_that_an_upgrade_does_not_overwrite(unpacked):
    assert (unpacked / "DEBIAN/conffiles").read_text().split() == ["/etc/cloakroom/cloakroom.yaml"]


def test_the_version_is_that_of_the_command(packages):
    version = subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    shown = [subprocess.run(["dpkg-deb", "--field", package, "Version"], capture_output=True, text=True).stdout.strip() for package in packages]
    assert shown == [f"{version}-1", f"{version}-2"]


def test_the_dependencies_are_those_of_the_binary(packages):
    shown = subprocess.run(["dpkg-deb", "--field", packages[0], "Depends"], capture_output=True, text=True, check=True).stdout
    names = set(re.findall(r"(?:^|, )([\w.+-]+)", shown))
    assert {"libc6", "libsodium23", "libsqlite3-0"} <= names <= {
        "libc6", "libsodium23", "libsqlite3-0", "libgcc-s1", "libstdc++6", "zlib1g"}, shown


def test_the_binary_has_no_debug_information_and_runs(unpacked):
    binary = unpacked / "usr/bin/cloakroom"
    assert not re.search(r"\.debug_info|\.symtab", sections_and_libraries(binary))
    assert subprocess.run([binary, "--help"], capture_output=True, text=True).stdout.startswith("OVERVIEW")


def test_the_completions_are_those_of_the_command(unpacked):
    """Loads them as bash-completion does."""
    completions = unpacked / "usr/share/bash-completion/completions/cloakroom"
    shown = subprocess.run(
        ["bash", "-c", f'source {completions}; complete -p cloakroom'], capture_output=True, text=True, check=True).stdout
    assert shown.split()[-1] == "cloakroom"


@pytest.mark.skipif(HAS_RUNTIME, reason="the binary under test has the Swift runtime")
def test_a_binary_that_needs_a_toolchain_is_not_packaged(tmp_path):
    result = subprocess.run([SCRIPT, "--binary", BINARY, "--output", tmp_path / "out"], capture_output=True, text=True)
    assert result.returncode == 1 and "--static-swift-stdlib" in result.stderr and not (tmp_path / "out").exists()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_the_unit_is_as_restricted_as_it_was(unpacked):
    """`systemd-analyze security` counts from 0, restricted in every way it knows, to 10; the threshold is ten times that."""
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=18", unpacked / "lib/systemd/system/cloakroom.service"],
        capture_output=True, text=True)
    assert judged.returncode == 0, judged.stdout[-500:]


# On a machine.

class Overlay:
    """A copy of this machine's root file system in a mount namespace. Changes go to memory, and end with it."""
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
        result = subprocess.run(
            self.command("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive",
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


class Service:
    """The service of the installed unit: directories, user, groups and file modes as systemd makes them from the unit."""

    def __init__(self, machine):
        self.machine = machine
        unit = configparser.ConfigParser(strict=False, interpolation=None)
        unit.optionxform = str
        unit.read_string(machine.path("/lib/systemd/system/cloakroom.service").read_text())
        self.unit = unit["Service"]
        assert self.unit["DynamicUser"] == "yes"
        self.process = None

    def start(self):
        for kind, parent in (("State", "/var/lib"), ("Runtime", "/run")):
            directory = f"{parent}/{self.unit[f'{kind}Directory']}"
            self.machine.run("install", "-d", "-m", self.unit[f"{kind}DirectoryMode"], "-o", UID, "-g", UID, directory)
        groups = self.machine.run("getent", "group", self.unit["SupplementaryGroups"]).split(":")[2]
        self.process = subprocess.Popen(
            self.machine.command(
                "env", "-i", "CLOAKROOM_PORT=0", "setpriv", f"--reuid={UID}", f"--regid={UID}", f"--groups={groups}", "--no-new-privs",
                "--bounding-set=-all", "--inh-caps=-all", "sh", "-c", f"cd / && umask {self.unit['UMask']} && exec {self.unit['ExecStart']}"),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        watchdog = threading.Timer(START_TIMEOUT, self.process.kill)
        watchdog.start()
        lines = [self.process.stdout.readline() for _ in range(2)]
        watchdog.cancel()
        assert lines[1] == "cloakroom: private listener on unix:/run/cloakroom/private.sock\n", (lines, self.stop(), self.process.stderr.read())
        self.port = int(lines[0].rsplit(":", 1)[1])
        self.origin = f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.process.terminate()
        return self.process.wait(20)


@pytest.fixture
def machine(tmp_path):
    machine = Overlay(tmp_path)
    yield machine
    machine.stop()


@pytest.fixture
def service(machine, packages):
    for package in packages:
        shutil.copy(package, machine.path("/"))
    machine.run("dpkg", "--install", f"/{packages[0].name}")
    service = Service(machine)
    yield service
    if service.process and service.process.poll() is None:
        service.process.kill()
        service.process.wait()


CONFIG = "/etc/cloakroom/cloakroom.yaml"
EMAIL, PASSWORD = "ann@example.com", "correct horse battery"


def add_account(machine):
    machine.run("cloakroom", "users", "add", EMAIL, stdin=PASSWORD, CLOAKROOM_CONFIG=CONFIG)


def owners(machine):
    return {path.name: path.stat().st_uid for path in machine.path("/var/lib/cloakroom").iterdir()}


@NEEDS_ROOT
def test_the_installed_service_serves_as_its_own_user(machine, service):
    service.start()
    add_account(machine)
    client = Client(service)
    assert client.log_in(EMAIL, PASSWORD).status == 200
    assert set(owners(machine).values()) == {UID}, "a command that root runs leaves no file of root's"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in machine.path("/var/lib/cloakroom").iterdir()}
    assert set(modes.values()) == {0o600}, modes
    socket = machine.path("/run/cloakroom/private.sock").stat()
    assert (stat.S_IMODE(socket.st_mode), socket.st_uid) == (0o660, UID)
    assert str(socket.st_gid) == machine.run("getent", "group", "www-data").split(":")[2]
    assert service.stop() == 0


@NEEDS_ROOT
def test_accounts_added_before_the_first_start_are_those_of_the_service(machine, service):
    """Root creates the directory here. systemd gives it to the user of the service when that starts."""
    add_account(machine)
    machine.run("chown", "-R", f"{UID}:{UID}", "/var/lib/cloakroom")
    service.start()
    assert Client(service).log_in(EMAIL, PASSWORD).status == 200
    assert service.stop() == 0


@NEEDS_ROOT
def test_an_upgrade_keeps_settings_accounts_and_sessions(machine, service, packages):
    settings = machine.path(CONFIG)
    settings.write_text(settings.read_text().replace("signup: closed", "signup: open"))
    service.start()
    client = Client(service)
    client.sign_up(EMAIL)
    assert service.stop() == 0
    machine.run("dpkg", "--install", f"/{packages[1].name}")
    assert "signup: open" in settings.read_text()
    assert machine.run("dpkg-query", "--show", "--showformat=${Version}", "cloakroom").endswith("-2")
    service.start()
    client = Client(service, client.cookie)
    assert client.get("/auth/session").json["authenticated"] is True
    assert service.stop() == 0


@NEEDS_ROOT
def test_a_removal_keeps_settings_and_data_and_a_purge_keeps_the_data(machine, service):
    service.start()
    assert service.stop() == 0
    machine.run("dpkg", "--remove", "cloakroom")
    assert machine.path(CONFIG).exists() and not machine.path("/usr/bin/cloakroom").exists()
    said = machine.run("dpkg", "--purge", "cloakroom")
    assert not machine.path("/etc/cloakroom").exists() and "/var/lib/cloakroom" in said
    assert {"cloakroom.sqlite", "signing-keys.json"} <= set(owners(machine))
    assert "cloakroom" not in machine.run("dpkg-query", "--show", "--showformat=${Package}\n").split()


@NEEDS_ROOT
def test_an_installation_starts_nothing(machine, service):
    assert not machine.path("/etc/systemd/system/multi-user.target.wants/cloakroom.service").exists()
    assert not machine.path("/var/lib/cloakroom").exists()
