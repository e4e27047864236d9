"""Keys: created in one step at the first start, rotated, removed, and read again when a file changes."""
import json
import os
import pathlib
import subprocess
import time

import pytest

from browser import PASSWORD, Client, generation, part, tokens
from server import BINARY, NEEDS_ROOT, Server, clean_environment, refuse_to_serve, run, wait_until


def kid(client):
    return part(tokens(client.cookie)[0], 0)["kid"]


def published(client):
    return {key["kid"]: key for key in client.get("/.well-known/jwks.json").json["keys"]}


def key_files(server):
    return sorted(path for path in pathlib.Path(server.directory).iterdir() if path.suffix == ".json")


@pytest.mark.parametrize("algorithm, name", [("Ed25519", "EdDSA"), ("RS256", "RS256"), ("ES256", "ES256")])
def test_a_rotation_keeps_the_algorithm_of_the_keys(start, algorithm, name):
    server = start(signingAlgorithm=algorithm)
    client = Client(server)
    client.sign_up()
    assert run("keys", "rotate", "--now", "--data-dir", server.directory).returncode == 0
    wait_until(lambda: len(published(client)) == 2)
    assert {key["alg"] for key in published(client).values()} == {name}
    wait_until(lambda: client.log_in().status == 200 and len({kid(client)} & set(published(client))) == 1)
    assert part(tokens(client.cookie)[0], 0)["alg"] == name


def test_keys_rotate_by_interval(start):
    server = start(clock="+0", keyRotation=24 * 3600, stragglerWindow=0, reissueDelay=0)
    client = Client(server)
    client.sign_up()

    def used():
        """The second renewal of a confirmed token brings a new one."""
        for _ in range(2):
            assert client.refresh().status == 200
        return kid(client)

    def count(use):
        listed = json.loads(run("keys", "list", "--json", "--data-dir", server.directory).stdout)
        return sum(key["use"] == use for key in listed)

    for number in range(1, 4):
        old = used()
        server.move(24 * 3600 - 600)
        wait_until(lambda: len(published(client)) == 2)
        assert used() == old
        server.move(599)
        assert used() == old
        server.move(1)
        assert used() in set(published(client)) - {old}
        # Secrets in files sign at once.
        wait_until(lambda: count("refresh") == number + 1)
        assert count("access") == number + 1
    server.move(3600)
    assert set(published(client)) == {used()}


def removed(server, client):
    """Removes the key that signed the client's access token."""
    old = kid(client)
    data = ["--data-dir", server.directory]
    assert run("keys", "rotate", "--now", *data).returncode == 0
    assert run("keys", "remove", old, *data).returncode == 0
    wait_until(lambda: old not in published(client))
    return old


def test_after_the_removal_of_a_key_a_logout_still_ends_the_session(start):
    server = start()
    client = Client(server)
    client.sign_up()
    access, refresh = tokens(client.cookie)
    removed(server, client)
    assert client.post("/auth/logout", keep=False).status == 204
    for cookie in (f"~{refresh}", f"{access}~{refresh}"):
        assert client.refresh(cookie=cookie, keep=False).code == "session_revoked"


def test_after_the_removal_of_a_key_a_renewal_uses_the_new_one(start):
    server = start()
    client = Client(server)
    client.sign_up()
    old = removed(server, client)
    assert client.refresh().status == 200
    assert generation(client.cookie) == 1 and kid(client) != old
    assert client.protected().status == 200


def test_after_the_removal_of_a_key_its_access_tokens_are_refused(start):
    server = start()
    client = Client(server)
    client.sign_up()
    bearer = {"Authorization": "Bearer " + tokens(client.cookie)[0]}
    removed(server, client)
    wait_until(lambda: client.protected(cookie=False, headers=bearer).status == 401)


def test_keys_that_no_token_needs_are_removed(start):
    server = start(clock="+0", accessTokenLifetime=60)
    client = Client(server)
    client.sign_up()
    for _ in range(4):
        assert server.run("keys", "rotate", "--now").returncode == 0
    wait_until(lambda: len(published(client)) >= 4)
    server.move(30 * 86400)
    assert server.run("keys", "rotate", "--now").returncode == 0
    wait_until(lambda: len(published(client)) <= 3)
    assert client.log_in().status == 200 and client.protected().status == 200


def test_a_key_file_that_is_written_twice_within_a_moment_is_read_twice(start):
    """The server notices a replaced file by its content, also if size and time of change are the same."""
    server = start()
    client = Client(server)
    client.sign_up()
    first = kid(client)
    (ring,) = [path for path in key_files(server) if first in path.read_text()]
    before = ring.stat()
    assert run("keys", "rotate", "--now", "--data-dir", server.directory).returncode == 0
    os.utime(ring, ns=(before.st_atime_ns, before.st_mtime_ns))
    wait_until(lambda: client.log_in().status == 200 and kid(client) != first)
    second, middle = kid(client), ring.stat()
    for _ in range(2):
        assert run("keys", "rotate", "--now", "--data-dir", server.directory).returncode == 0
    os.utime(ring, ns=(middle.st_atime_ns, middle.st_mtime_ns))
    wait_until(lambda: client.log_in().status == 200 and kid(client) not in (first, second))
    listed = json.loads(run("keys", "list", "--data-dir", server.directory, "--json").stdout)
    signing = [key["kid"] if "kid" in key else key["id"] for key in listed if key["use"] == "access" and key["stage"] == "signing"]
    wait_until(lambda: client.log_in().status == 200 and [kid(client)] == signing)


# The first start, interrupted.

def start_and_kill(directory, count):
    """Starts a server on a new directory, and kills it as soon as there are `count` files or it accepts connections."""
    process = subprocess.Popen(
        [BINARY, "serve", "--port", "0", "--data-dir", directory], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=clean_environment())
    os.set_blocking(process.stdout.fileno(), False)
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        try:
            names = os.listdir(directory)
        except FileNotFoundError:
            names = []
        if len(names) >= count or process.stdout.read(1):
            break
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.parametrize("count", range(9))
def test_a_first_start_that_was_killed_at_any_time_prevents_no_later_one(tmp_path, count):
    for attempt in range(3):
        directory = tmp_path / f"data{attempt}"
        start_and_kill(directory, count)
        server = Server(directory)
        client = Client(server)
        client.sign_up()
        assert server.stop() == 0
        server.start()
        assert client.get("/auth/session").json["authenticated"] is True
        assert server.stop() == 0


@pytest.mark.parametrize("kind", ["loop", "directory", "empty", "rubbish", "dangling"])
def test_an_unreadable_key_file_is_not_treated_as_missing(tmp_path, kind):
    """The server must not create new keys here: they would log all users out, and the old keys would be lost."""
    server = Server(tmp_path / "data")
    client = Client(server)
    client.sign_up()
    server.stop()
    for path in key_files(server):
        saved = path.read_bytes()
        path.unlink()
        if kind == "loop":
            path.symlink_to(path)
        elif kind == "dangling":
            path.symlink_to(tmp_path / "nowhere")
        elif kind == "directory":
            path.mkdir(mode=0o700)
        else:
            path.write_text("" if kind == "empty" else "{")
            path.chmod(0o600)
        result = refuse_to_serve(server.directory)
        assert result.returncode in (1, 78) and path.name in result.stderr, (path, result)
        assert not (tmp_path / "nowhere").exists()
        path.rmdir() if kind == "directory" else path.unlink()
        path.write_bytes(saved)
        path.chmod(0o600)
    server.start()
    assert client.get("/auth/session").json["authenticated"] is True
    assert server.stop() == 0


# File modes.

@NEEDS_ROOT
@pytest.mark.parametrize("mode, group, is_accepted", [
    (0o600, None, True), (0o400, None, True), (0o640, None, True), (0o660, None, True), (0o604, None, False), (0o606, None, False), (0o666, None, False),
    (0o640, 54321, False), (0o660, 54321, False), (0o600, 54321, True),
])
def test_key_files_may_be_accessible_to_the_owner_and_the_group_of_the_process(tmp_path, mode, group, is_accepted):
    """A Kubernetes volume with an `fsGroup` gives the group of the process access to each file at each mount."""
    server = Server(tmp_path / "data")
    server.stop()
    for path in key_files(server):
        path.chmod(mode)
        if group:
            os.chown(path, -1, group)
    if is_accepted:
        server.start()
        assert server.stop() == 0
    else:
        result = refuse_to_serve(server.directory)
        assert result.returncode in (1, 78) and str(key_files(server)[0].parent) in result.stderr and "chmod" in result.stderr


@pytest.mark.parametrize("name, mode", [("cloakroom.sqlite", 0o644), ("cloakroom.sqlite", 0o666), (".", 0o777), (".", 0o755)])
def test_the_database_and_the_directory_are_as_private_as_the_keys(tmp_path, name, mode):
    server = Server(tmp_path / "data")
    Client(server).sign_up()
    server.stop()
    path = tmp_path / "data" / name
    path.chmod(mode)
    result = refuse_to_serve(server.directory, signup="open")
    assert result.returncode in (1, 78), "it was started"
    assert str(tmp_path / "data") in result.stderr and "chmod" in result.stderr


def test_an_account_added_before_the_first_start_has_a_directory_as_private(tmp_path):
    data = tmp_path / "data"
    assert run("users", "add", "ann@example.com", "--data-dir", data, stdin=PASSWORD + "\n").returncode == 0
    for path in (data, *data.iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path
