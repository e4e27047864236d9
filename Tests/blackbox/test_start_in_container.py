"""What a container brings to the start: a user without root, volumes of other owners and modes, variables of the
orchestrator. test_container.py starts the image itself."""
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from browser import Client
from server import BINARY, NEEDS_ROOT, Server, clean_environment
from test_running import assert_sentence

USER, GROUP = 65532, 20000      # the process, and the group that `fsGroup` gives to the volume
FILES = ["cloakroom.sqlite", "cloakroom.sqlite.lock", "signing-keys.json", "refresh-secrets.json"]


@pytest.fixture(scope="module")
def binary():
    """The binary in a place that every user can reach."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="cloakroom-"))
    directory.chmod(0o755)
    shutil.copy(BINARY, directory / "cloakroom")
    yield directory / "cloakroom"
    shutil.rmtree(directory)


@pytest.fixture
def volume():
    """A volume as Kubernetes mounts it with `fsGroup`: of root, and open to the group."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="cloakroom-"))
    directory.chmod(0o755)
    (directory / "data").mkdir()
    mount(directory / "data")
    yield directory / "data"
    shutil.rmtree(directory)


def mount(volume):
    """Does what the kubelet does to a volume with `fsGroup` at each mount: SetVolumeOwnership of Kubernetes."""
    for path in [volume, *volume.rglob("*")]:
        os.chown(path, -1, GROUP)
        path.chmod(path.stat().st_mode & 0o7777 | (0o2770 if path.is_dir() else 0o660))
    volume.chmod(0o2770)


def as_user(binary):
    """The words before the command that run this binary without root instead."""
    identity = f"setpriv --reuid={USER} --regid={USER} --groups={GROUP} --no-new-privs"
    return ["sh", "-c", f'shift; exec {identity} "$0" "$@"', str(binary)]


def refuse_as_user(binary, directory):
    return subprocess.run(
        [*as_user(binary), BINARY, "serve", "--port", "0", "--data-dir", directory], capture_output=True, text=True, timeout=30,
        env=clean_environment())


# Volumes.

@NEEDS_ROOT
def test_a_volume_with_fs_group_serves_again_after_each_mount(binary, volume):
    cookie = None
    for _ in range(3):
        server = Server(volume, wrapper=as_user(binary))
        client = Client(server, cookie)
        if cookie is None:
            client.sign_up()
        assert client.get("/auth/session").json["authenticated"] is True
        cookie = client.cookie
        assert server.stop() == 0
        mount(volume)


@NEEDS_ROOT
def test_a_mount_after_a_crash_leaves_a_log_that_the_next_start_reads(binary, volume):
    server = Server(volume, wrapper=as_user(binary))
    client = Client(server)
    client.sign_up()
    server.kill()
    assert (volume / "cloakroom.sqlite-wal").stat().st_size > 0
    mount(volume)
    server = Server(volume, wrapper=as_user(binary))
    assert Client(server, client.cookie).get("/auth/session").json["authenticated"] is True
    assert server.stop() == 0


@NEEDS_ROOT
@pytest.mark.parametrize("round", range(3))
def test_two_processes_that_start_at_once_on_a_new_volume_share_one_set_of_keys(binary, volume, round):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        one, other = pool.map(lambda _: Server(volume, wrapper=as_user(binary)), range(2))
    client = Client(one)
    client.sign_up()
    assert Client(other, client.cookie).protected().status == 200
    assert one.stop() == other.stop() == 0


@NEEDS_ROOT
def test_a_volume_that_others_can_enter_is_refused_and_a_directory_below_it_serves(binary, volume):
    """`fsGroup` leaves the access of others to a new disk, whose root directory is 0755."""
    volume.chmod(0o2775)
    (volume / "lost+found").mkdir(mode=0o700)
    assert_sentence(refuse_as_user(binary, volume), volume)
    server = Server(volume / "cloakroom", wrapper=as_user(binary))
    assert server.stop() == 0


# Files of root.

@pytest.fixture
def roots(volume):
    """A data directory that root has made and used."""
    shutil.rmtree(volume)
    Server(volume).stop()
    return volume


@NEEDS_ROOT
@pytest.mark.parametrize("name", FILES)
def test_a_file_of_root_is_named(binary, roots, name):
    for path in [roots, *roots.iterdir()]:
        os.chown(path, USER, USER)
    os.chown(roots / name, 0, 0)
    assert_sentence(refuse_as_user(binary, roots), roots / name)


@NEEDS_ROOT
@pytest.mark.parametrize("name", FILES)
def test_the_message_about_a_file_of_root_says_what_to_run(binary, roots, name):
    for path in [roots, *roots.iterdir()]:
        os.chown(path, USER, USER)
    os.chown(roots / name, 0, 0)
    assert "chown" in refuse_as_user(binary, roots).stderr


@NEEDS_ROOT
def test_the_message_about_a_directory_of_root_says_what_to_run(binary, roots):
    result = refuse_as_user(binary, roots)
    assert_sentence(result, roots)
    assert "chown" in result.stderr


@NEEDS_ROOT
def test_the_message_about_an_empty_directory_of_root_says_what_helps(binary, volume):
    os.chown(volume, 0, 0)
    volume.chmod(0o755)
    result = refuse_as_user(binary, volume)
    assert_sentence(result, volume, codes=(1, 78))
    assert "chown" in result.stderr


@NEEDS_ROOT
def test_after_chown_the_data_of_root_serves(binary, roots):
    for path in [roots, *roots.iterdir()]:
        os.chown(path, USER, USER)
    server = Server(roots, wrapper=as_user(binary))
    assert Client(server).get("/readyz").status == 200
    assert server.stop() == 0


# Variables.

SERVICE_LINKS = {
    "CLOAKROOM_PORT": "tcp://10.0.0.1:8080", "CLOAKROOM_SERVICE_HOST": "10.0.0.1", "CLOAKROOM_SERVICE_PORT": "8080",
    "CLOAKROOM_SERVICE_PORT_HTTP": "8080", "CLOAKROOM_PORT_8080_TCP": "tcp://10.0.0.1:8080", "CLOAKROOM_PORT_8080_TCP_PROTO": "tcp",
    "CLOAKROOM_PORT_8080_TCP_PORT": "8080", "CLOAKROOM_PORT_8080_TCP_ADDR": "10.0.0.1"}


@pytest.fixture
def settings_file(tmp_path):
    path = tmp_path / "cloakroom.yaml"
    path.write_text("port: 0\n")
    return path


def test_all_variables_of_a_service_together_are_ignored_with_one_notice(tmp_path, settings_file):
    server = Server(tmp_path / "data", environment=SERVICE_LINKS, port=None, config=settings_file)
    assert Client(server).get("/healthz").status == 200
    assert server.stop() == 0
    about = [line for line in server.log_lines() if "CLOAKROOM_" in line]
    assert len(about) == 1 and all(name in about[0] for name in SERVICE_LINKS), about


def test_commands_ignore_the_variables_of_a_service_too(tmp_path):
    Server(tmp_path / "data").stop()
    result = subprocess.run(
        [BINARY, "users", "list", "--data-dir", tmp_path / "data"], capture_output=True, text=True, timeout=60,
        env=clean_environment() | SERVICE_LINKS)
    assert (result.returncode, result.stderr) == (0, "")


WITH_A_SYNTAX = [
    "CLOAKROOM_HOST", "CLOAKROOM_PORT", "CLOAKROOM_PUBLIC_URL", "CLOAKROOM_PRIVATE_LISTEN", "CLOAKROOM_PRIVATE_SOCKET_GROUP",
    "CLOAKROOM_STORE", "CLOAKROOM_DATA_DIR", "CLOAKROOM_CONFIG", "CLOAKROOM_SIGNUP", "CLOAKROOM_ISSUER", "CLOAKROOM_AUDIENCE",
    "CLOAKROOM_ACCESS_TOKEN_LIFETIME", "CLOAKROOM_LOGIN_RATE_LIMIT", "CLOAKROOM_COOKIE_NAME", "CLOAKROOM_LOG_LEVEL"]


@pytest.mark.parametrize("name", [
    "CLOAKROOM_TRUSTED_PROXIES", "CLOAKROOM_TRUSTED_ORIGINS", "CLOAKROOM_CLIENTS", "CLOAKROOM_DEMO",
    *WITH_A_SYNTAX])
def test_an_empty_variable_is_one_that_is_not_set(tmp_path, settings_file, name):
    """Compose and Helm pass on an empty text for a value that was not given."""
    flags = {"CLOAKROOM_CONFIG": f"--config={settings_file}", "CLOAKROOM_DATA_DIR": f"--data-dir={tmp_path}/data"}
    others = [flag for variable, flag in flags.items() if variable != name]
    arguments = ["serve", *others, *(["--port=0"] if name == "CLOAKROOM_CONFIG" else [])]
    process = subprocess.Popen(
        [BINARY, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        env=clean_environment() | {name: ""})
    Server.started.append(process)
    line = process.stdout.readline()
    process.terminate()
    _, log = process.communicate(timeout=20)
    assert line.startswith("cloakroom: listening on http://127.0.0.1:"), log
