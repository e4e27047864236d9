"""The Debian package: what is in it, and what its installation, upgrade and removal do."""
import re
import shutil
import socket
import stat
import subprocess
import tarfile

import pytest

from browser import Client
from installation import CONFIG, HAS_RUNTIME, SCRIPT, UID, blocks, sections_and_libraries
from server import BINARY, NEEDS_ROOT, wait_until

EMAIL, PASSWORD = "ann@example.com", "correct horse battery"


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
        "/etc/cloakroom/cloakroom.yaml": "0o644", "/lib/systemd/system/cloakroom.service": "0o644",
        "/lib/systemd/system/cloakroom.socket": "0o644", "/usr/bin/cloakroom": "0o755",
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
    assert {"libc6", "libpq5", "libsodium23", "libsqlite3-0"} <= names <= {
        "libc6", "libpq5", "libsodium23", "libsqlite3-0", "libgcc-s1", "libstdc++6", "zlib1g"}, shown


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

@NEEDS_ROOT
def test_the_commands_of_the_page_install_and_start_the_service(machine_without_package):
    machine = machine_without_package
    block = blocks("docs/install.md")["Install the Debian package"]
    assert "Server started" in machine.follow(block), "the log"
    assert machine.is_serving() and "publicURL: https://app.example.com\n" in machine.path(CONFIG).read_text()
    machine.add_account(EMAIL, PASSWORD)
    login = {"email": EMAIL, "password": PASSWORD}
    assert Client(machine).post("/auth/login", login, headers={"Origin": "https://app.example.com"}).status == 200


@NEEDS_ROOT
def test_the_installed_service_serves_as_its_own_user(installation):
    installation.start_service()
    installation.add_account(EMAIL, PASSWORD)
    assert Client(installation).log_in(EMAIL, PASSWORD).status == 200
    owners = {name: status.st_uid for name, status in installation.data().items()}
    assert set(owners.values()) == {UID}, f"a command that root runs leaves no file of root: {owners}"
    assert {stat.S_IMODE(status.st_mode) for status in installation.data().values()} == {0o600}
    socket = installation.path("/run/cloakroom/private.sock").stat()
    assert (stat.S_IMODE(socket.st_mode), socket.st_uid) == (0o660, UID)
    assert str(socket.st_gid) == installation.run("getent", "group", "www-data").split(":")[2]
    installation.stop_service()


@NEEDS_ROOT
def test_the_commands_of_the_page_give_the_socket_to_systemd_and_a_restart_loses_no_connection(installation):
    installation.start_service()
    installation.follow(blocks("docs/install.md")["Lose no connection in a restart"])
    assert installation.is_serving() and installation.port == installation.listener.getsockname()[1]
    installation.stop_service()
    with socket.create_connection(("127.0.0.1", installation.port), 60) as waiting:
        waiting.sendall(b"GET /auth/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        installation.run("systemctl", "start", "cloakroom")
        assert waiting.recv(12) == b"HTTP/1.1 200"


@NEEDS_ROOT
def test_a_reload_reads_the_certificate_and_keeps_the_process(installation):
    installation.start_service()
    installation.run("systemctl", "reload", "cloakroom")
    wait_until(lambda: "SIGHUP: there is no certificate to read again" in installation.log())
    assert installation.is_serving()


@NEEDS_ROOT
def test_an_account_that_root_adds_before_the_first_start_belongs_to_the_service(installation):
    installation.add_account(EMAIL, PASSWORD)
    installation.start_service()
    assert Client(installation).log_in(EMAIL, PASSWORD).status == 200
    assert {status.st_uid for status in installation.data().values()} == {UID}


@NEEDS_ROOT
def test_an_installation_starts_nothing_and_an_upgrade_restarts_what_runs(installation, unpacked):
    assert not installation.path("/etc/systemd/system/multi-user.target.wants/cloakroom.service").exists()
    assert not installation.path("/var/lib/cloakroom").exists()
    scripts = {name: (unpacked / "DEBIAN" / name).read_text() for name in ("postinst", "prerm")}
    assert re.findall("deb-systemd-invoke (.+?) >", scripts["postinst"]) == ["try-restart 'cloakroom.service'"]
    assert re.findall("deb-systemd-invoke (.+?) >", scripts["prerm"]) == ["stop cloakroom.socket cloakroom.service"]


@NEEDS_ROOT
def test_an_upgrade_keeps_the_settings_that_were_changed(installation, packages):
    settings = installation.path(CONFIG)
    settings.write_text(settings.read_text().replace("signup: closed", "signup: open"))
    installation.install(packages[1])
    assert "signup: open" in settings.read_text()
    assert installation.run("dpkg-query", "--show", "--showformat=${Version}", "cloakroom").endswith("-2")


@NEEDS_ROOT
def test_a_removal_keeps_settings_and_data_and_a_purge_keeps_the_data(installation):
    installation.start_service()
    installation.stop_service()
    installation.run("dpkg", "--remove", "cloakroom")
    assert installation.path(CONFIG).exists() and not installation.path("/usr/bin/cloakroom").exists()
    said = installation.run("dpkg", "--purge", "cloakroom")
    assert not installation.path("/etc/cloakroom").exists() and "/var/lib/cloakroom" in said
    assert {"cloakroom.sqlite", "signing-keys.json"} <= set(installation.data())
    assert "cloakroom" not in installation.run("dpkg-query", "--show", "--showformat=${Package}\n").split()
