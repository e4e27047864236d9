"""Full, damaged, replaced and too new disks and databases: acknowledged writes are kept, impossible ones are refused."""
import os
import pathlib
import shutil
import sqlite3

import pytest

from browser import NAME, Client, tokens
from server import NEEDS_ROOT, Server, refuse_to_serve, run, wait_until



def database(server):
    return pathlib.Path(server.directory) / "cloakroom.sqlite"


# A full disk.

@pytest.fixture
def small(tmp_path):
    """A server on a disk of a few mebibytes in its own mount namespace, and a way to fill this disk."""
    directory = tmp_path / "data"
    directory.mkdir(mode=0o700)
    mount = f'mount -t tmpfs -o size=6m,mode=0700 tmpfs "{directory}" && exec "$@"'
    server = Server(directory, wrapper=["unshare", "--mount", "sh", "-c", mount, "sh"])
    inside = pathlib.Path(f"/proc/{server.process.pid}/root{directory}")
    assert (inside / "cloakroom.sqlite").exists() and not (directory / "cloakroom.sqlite").exists()
    yield server, inside / "filler"
    server.stop()


def fill(path):
    """Fills the disk to the last byte."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for size in (64 * 1024, 512, 1):
        try:
            while os.write(file, b"x" * size):
                pass
        except OSError:
            pass
    os.close(file)


def refuse_writes(server, filler):
    """Fills the disk until logins fail. SQLite may still have free space inside its own files."""
    client = Client(server)
    for _ in range(2000):
        fill(filler)
        answer = client.post("/auth/signup", {"email": f"full{os.urandom(4).hex()}@example.com", "password": "correct horse battery"}, cookie=False)
        if answer.status != 201:
            return answer
    raise AssertionError("the disk is never full")


@NEEDS_ROOT
def test_a_full_disk_is_503_and_nothing_is_half_done(small):
    server, filler = small
    client = Client(server)
    client.sign_up()
    saved = client.cookie
    answer = refuse_writes(server, filler)
    assert (answer.status, answer.code, answer.set_cookies) == (503, "unavailable", [])
    assert int(answer.header("retry-after")) >= 1
    wait_until(lambda: client.get("/readyz").status == 503)
    assert client.get("/readyz", private=True).status == 503 and client.get("/healthz").status == 200
    assert client.protected().status == 200, "a check needs no disk"
    out = client.post("/auth/logout", keep=False)
    assert (out.status, out.code) == (503, "unavailable")
    assert [value.split(";")[0] for value in out.set_cookies] == [f"{NAME}="] and "Max-Age=0" in out.set_cookies[0]
    bearer = {"Authorization": "Bearer " + tokens(saved)[0]}
    assert client.protected(cookie=False, headers=bearer).code == "session_revoked", "revoked in memory"
    assert client.check(cookie=saved, keep=False).code == "session_revoked"
    filler.unlink()
    wait_until(lambda: client.get("/readyz").status == 200)
    assert client.log_in().status == 200
    assert client.protected(cookie=saved, keep=False).code == "session_revoked"
    wait_until(lambda: client.refresh(cookie=saved, keep=False).code == "session_revoked")
    assert server.stop() == 0


# Another version.

def test_an_older_binary_refuses_a_newer_schema(tmp_path):
    server = Server(tmp_path / "data")
    server.stop()
    with sqlite3.connect(database(server)) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        connection.execute(f"PRAGMA user_version = {version + 7}")
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "grdb_migrations" in tables:
            connection.execute("INSERT INTO grdb_migrations VALUES ('99 what a later version does')")
    for result in (refuse_to_serve(server.directory), run("users", "list", "--data-dir", server.directory)):
        assert result.returncode in (1, 78)
        assert any(digit.isdigit() for digit in result.stderr) and "newer" in result.stderr


def test_a_missing_table_stops_the_start(tmp_path):
    server = Server(tmp_path / "data")
    Client(server).sign_up()
    server.stop()
    with sqlite3.connect(database(server)) as connection:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'grdb_%'")
        tables = [row[0] for row in rows]
    assert tables
    for table in tables:
        copy = tmp_path / f"without-{table}"
        shutil.copytree(server.directory, copy)
        with sqlite3.connect(copy / "cloakroom.sqlite") as connection:
            connection.execute(f'DROP TABLE "{table}"')
        result = refuse_to_serve(copy)
        assert result.returncode in (1, 78) and table in result.stderr, (table, result)


# Backup and restore.

def backup(server, path):
    source, target = sqlite3.connect(database(server)), sqlite3.connect(path)
    with target:
        source.backup(target)
    target.close()
    source.close()


@pytest.fixture
def after_backup(tmp_path):
    """A server with a backup, and a session that began after the backup."""
    server = Server(tmp_path / "data")
    early, late = Client(server), Client(server)
    early.sign_up()
    backup(server, tmp_path / "backup.sqlite")
    late.sign_up()
    yield server, early, late, tmp_path / "backup.sqlite"
    server.stop()


def assert_restored(server, early, late):
    for path in pathlib.Path(server.directory).iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
    server.start()
    assert early.get("/auth/session").json["authenticated"] is True
    assert late.refresh(keep=False).status == 401
    assert late.log_in().code == "invalid_credentials", "the account is from after the backup"
    assert early.log_in().status == 200


def test_a_stop_leaves_no_log_beside_the_database(after_backup):
    """An operator restores with `cp` instead of `cloakroom restore`."""
    server, early, late, path = after_backup
    assert server.stop() == 0
    wal = pathlib.Path(f"{database(server)}-wal")
    assert not wal.exists() or wal.stat().st_size == 0
    database(server).write_bytes(path.read_bytes())
    assert_restored(server, early, late)


@pytest.mark.parametrize("is_killed", [False, True])
def test_restore_works_with_any_files_left_by_a_server(after_backup, is_killed):
    server, early, late, path = after_backup
    server.kill() if is_killed else server.stop()
    result = run("restore", path, "--data-dir", server.directory)
    assert result.returncode == 0, result.stderr
    assert_restored(server, early, late)


def test_restore_refuses_while_a_server_runs(after_backup):
    server, early, late, path = after_backup
    result = run("restore", path, "--data-dir", server.directory)
    assert result.returncode == 1 and result.stderr.strip()
    assert early.protected().status == late.protected().status == 200


@pytest.mark.parametrize("content", [b"", b"rubbish", b"SQLite format 3\x00" + b"\x00" * 5000, None])
def test_restore_refuses_a_file_that_is_not_a_backup(after_backup, tmp_path, content):
    server, early, late, _ = after_backup
    server.stop()
    path = tmp_path / "other"
    if content is not None:
        path.write_bytes(content)
    result = run("restore", path, "--data-dir", server.directory)
    assert result.returncode == 1 and str(path) in result.stderr
    server.start()
    assert early.protected().status == late.protected().status == 200


# Files that go away.

def stops_acknowledging(server):
    """Waits until the server refuses writes, and asserts that it goes on refusing them."""
    client = Client(server)

    def is_refused():
        answer = client.post("/auth/signup", {"email": f"lost{os.urandom(6).hex()}@example.com", "password": "correct horse battery"}, cookie=False)
        return answer.status == 503

    wait_until(is_refused, 30)
    wait_until(lambda: client.get("/readyz").status == 503, 30)
    for _ in range(5):
        assert is_refused()


def test_a_renamed_directory_is_detected(tmp_path):
    server = Server(tmp_path / "data")
    Client(server).sign_up()
    lines = len(server.log_lines())
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    stops_acknowledging(server)
    assert [line for line in server.log_lines()[lines:] if "data" in line], "and logged"
    (tmp_path / "elsewhere").rename(tmp_path / "data")
    server.kill()


@pytest.mark.parametrize("suffix", ["-wal", ""])
def test_a_deleted_database_file_is_detected(tmp_path, suffix):
    server = Server(tmp_path / "data")
    Client(server).sign_up()
    path = pathlib.Path(f"{database(server)}{suffix}")
    assert path.exists()
    path.unlink()
    stops_acknowledging(server)
    server.kill()


def test_a_page_that_was_damaged_and_repaired_needs_no_restart(tmp_path):
    server = Server(tmp_path / "data")
    client = Client(server)
    client.sign_up()
    server.stop()
    server.start()
    path = database(server)
    with open(path, "r+b") as file:
        page = file.read(4096)
        file.seek(0)
        file.write(b"\xff" * 100)
    for _ in range(10):
        client.copy().log_in(email=client.email)
        client.get("/readyz")
    with open(path, "r+b") as file:
        file.write(page)
    wait_until(lambda: client.copy().log_in(email=client.email).status == 200 and client.get("/readyz").status == 200, 30)
    assert server.stop() == 0
