"""Follows docs/postgresql-backup.md block by block, as root on the machine of the database."""
import os
import pathlib
import subprocess
import time

import pytest

import postgres
from backend import Backend
from browser import Client
from server import MASTER_SECRET, NEEDS_ROOT, ROOT, Server, wait_until
from shell import Shell

SNIPPETS = ROOT / "docs/snippets"
BLOCKS = {path.stem: path.read_text() for path in (SNIPPETS / "postgresql-backup").glob("*.sh")}
PROGRAMS = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), default=pathlib.Path("/usr/bin"))
END_SESSIONS = next(line for line in BLOCKS["restore_dump"].splitlines(keepends=True) if "sessions revoke" in line)
pytestmark = NEEDS_ROOT
# What systemctl does here, where systemd does not run: the servers are those of the test.
SYSTEMCTL = """
case "$*" in
    "stop cloakroom")
        for pid in $(cat {pids}); do
            kill -TERM $pid
            while [ -e /proc/$pid ] && ! grep -q "^State:.Z" /proc/$pid/status; do sleep 0.05; done
        done ;;
    "start cloakroom") touch {started} ;;
    "stop postgresql") runuser -u postgres -- {programs}/pg_ctl -D {data} -w -m fast stop ;;
    "start postgresql") runuser -u postgres -- {programs}/pg_ctl -D {data} -w -l {data}/log start ;;
    *) exit 1 ;;
esac
"""


class Machine:
    """A database server with two instances, and a shell of root on it."""

    def __init__(self, tmp_path, directory):
        self.cluster = postgres.start(directory)
        self.cluster.psql("-f", SNIPPETS / "postgresql.sql")
        self.data, self.directory = directory / "data", tmp_path
        self.config = tmp_path / "cloakroom.yaml"
        self.config.write_text(f"store: {self.cluster.address('cloakroom', user='cloakroom')}\ndataDir: {tmp_path}/data\n")
        self.servers = [Server(tmp_path / "data", config=self.config, masterSecret=MASTER_SECRET, stragglerWindow=0, reissueDelay=0) for _ in range(2)]
        self.shell = Shell(tmp_path)
        self.shell.add("systemctl", SYSTEMCTL.format(
            pids=tmp_path / "pids", started=tmp_path / "started", programs=PROGRAMS, data=self.data))

    def follow(self, block, **replacements):
        paths = {
            "/var/backups/cloakroom": self.cluster.directory / "backups", "/etc/cloakroom/cloakroom.yaml": self.config,
            "/var/lib/postgresql/15/main": self.data}
        (self.directory / "pids").write_text(" ".join(str(server.process.pid) for server in self.servers))
        os.environ["PGHOST"] = str(self.cluster.directory)
        result = self.shell.run(block, paths | replacements)
        del os.environ["PGHOST"]
        assert result.returncode == 0, result.stderr
        if (self.directory / "started").exists():
            (self.directory / "started").unlink()
            for server in self.servers:
                assert not server.is_alive()
                server.start()
        return result.stdout

    def end(self):
        for server in self.servers:
            server.kill()
        stop = ["runuser", "-u", "postgres", "--", PROGRAMS / "pg_ctl", "-D", self.data, "-m", "immediate", "stop"]
        subprocess.run(stop, capture_output=True)
        self.cluster.end()


@pytest.fixture
def machine(tmp_path, tmp_path_factory):
    machine = Machine(tmp_path, tmp_path_factory.mktemp("cluster"))
    yield machine
    machine.end()


class Past:
    """A backup, and what happened before and after it."""

    def __init__(self, machine, backup):
        self.machine = machine
        self.one, self.two = machine.servers
        self.backend = Backend(self.one)
        self.before = self.signed_up("before@example.com")
        self.left = self.signed_up("left@example.com")
        machine.follow(BLOCKS[backup])
        self.ended = self.left.cookie
        assert self.left.post("/auth/logout").status == 204
        self.late = self.signed_up("late@example.com")
        stream = self.backend.stream()
        assert stream.next()[0] == "revoked"
        self.last = stream.last
        stream.close()
        # The page ends the sessions from before a time in whole seconds.
        now = int(time.time())
        wait_until(lambda: int(time.time()) > now)

    def signed_up(self, email):
        client = Client(self.one)
        client.sign_up(email)
        return client


RESTORES = {"dump": "restore_dump", "base": "restore_base"}


def test_every_block_of_the_page_is_followed_here():
    assert set(BLOCKS) == {*RESTORES, *RESTORES.values(), "drop_before"}
    page = (ROOT / "docs/postgresql-backup.md").read_text()
    assert page.count("<!-- file: docs/snippets/postgresql-backup/") == len(BLOCKS)


@pytest.mark.parametrize("backup", RESTORES)
def test_after_a_restore_and_an_end_of_all_sessions_users_log_in_again(machine, backup):
    past = Past(machine, backup)
    machine.follow(BLOCKS[RESTORES[backup]])
    for cookie in (past.before.cookie, past.ended):
        assert Client(past.two, cookie).refresh(keep=False).code == "session_revoked"
    assert past.before.log_in().status == 200
    assert past.late.log_in().code == "invalid_credentials", "an account from after the backup"
    stream = past.backend.stream(past.last)
    assert stream.next() == ("reset", {}), "a reader that was further starts again"
    assert len({stream.next()[1]["session"] for _ in range(2)}) == 2
    stream.close()


@pytest.mark.parametrize("backup", RESTORES)
def test_without_the_end_of_sessions_users_stay_logged_in_and_readers_miss_no_revocation(machine, backup):
    past = Past(machine, backup)
    restore = BLOCKS[RESTORES[backup]]
    machine.follow(restore.replace(END_SESSIONS, ""))
    assert past.before.refresh().status == 200 and Client(past.two, past.before.cookie).check().status == 204
    assert Client(past.two, past.ended).refresh().status == 200, "a session that was ended lives again"
    stream = past.backend.stream(past.last)
    assert stream.next() == ("reset", {})
    assert past.before.post("/auth/logout").status == 204
    name, revoked = stream.next()
    assert name == "revoked" and stream.last.split("-")[0] != past.last.split("-")[0]
    stream.close()
    wait_until(lambda: Client(past.two, past.before.cookie or "").check().status == 401, 5)


def test_the_old_database_is_kept_until_it_is_dropped(machine):
    Past(machine, "dump")
    machine.follow(BLOCKS["restore_dump"])
    assert machine.cluster.psql("-c", "SELECT count(*) FROM cloakroom.accounts", database="cloakroom_before") == "3"
    machine.follow(BLOCKS["drop_before"])
    assert machine.cluster.psql("-c", "SELECT count(*) FROM pg_database WHERE datname = 'cloakroom_before'") == "0"


def test_a_backup_is_private(machine):
    for backup in RESTORES:
        machine.follow(BLOCKS[backup])
    backups = machine.cluster.directory / "backups"
    assert all(path.stat().st_mode & 0o077 == 0 for path in [backups, *backups.iterdir()])
