"""Follows docs/backup-and-restore.md and docs/upgrade.md block by block, on a machine with the package."""
import re

import pytest

from browser import PASSWORD, Client
from installation import CONFIG, UID, blocks
from server import NEEDS_ROOT, ROOT, wait_until

BACKUP_PAGE, UPGRADE_PAGE = "docs/backup-and-restore.md", "docs/upgrade.md"
RESTORE, UPGRADE = blocks(BACKUP_PAGE), blocks(UPGRADE_PAGE)
BACKUP = "/var/backups/cloakroom/cloakroom.sqlite"
DATABASE = "/var/lib/cloakroom/cloakroom.sqlite"
pytestmark = NEEDS_ROOT


@pytest.fixture
def machine(installation):
    """The service, with open sign-up, and renewals that hand out a new token without a pause."""
    settings = installation.path(CONFIG)
    text = settings.read_text().replace("signup: closed", "signup: open")
    settings.write_text(text + "stragglerWindow: 0\nreissueDelay: 0\nsignupRateLimit: off\n")
    installation.start_service()
    return installation


def signed_up(machine, email):
    client = Client(machine)
    client.sign_up(email)
    return client


def is_logged_in(client):
    return client.get("/auth/session").json["authenticated"]


def renew_twice(client):
    """The database of the backup then is two generations behind."""
    renewed = 0

    def renews():
        nonlocal renewed
        renewed += client.refresh().json["session"]["rotated"]
        return renewed >= 2

    wait_until(renews)


class Past:
    """A backup, and what happened before and after it."""

    def __init__(self, machine):
        self.machine = machine
        self.before = signed_up(machine, "before@example.com")
        self.left = signed_up(machine, "left@example.com")
        self.changed = signed_up(machine, "changed@example.com")
        machine.follow(RESTORE["Back up while the server runs"])
        self.stolen = self.left.cookie
        assert self.left.post("/auth/logout").status == 204
        self.after = Client(machine)
        self.after.email = self.before.email
        assert self.after.log_in().status == 200
        self.late = signed_up(machine, "late@example.com")
        new = {"current_password": PASSWORD, "new_password": "another horse battery"}
        assert self.changed.post("/auth/password", new).status == 204
        renew_twice(self.before)


@pytest.fixture
def past(machine):
    return Past(machine)


def test_every_block_of_the_pages_is_followed_here():
    code = (ROOT / "Tests/blackbox/test_backup_and_restore.py").read_text()
    for heading in [*RESTORE, *UPGRADE]:
        assert f'["{heading}"]' in code, heading


def test_a_backup_is_private(past):
    directory = past.machine.path("/var/backups/cloakroom")
    assert {path.name for path in directory.iterdir()} == {
        "cloakroom.sqlite", "signing-keys.json", "refresh-secrets.json", "cloakroom.yaml"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in [directory, *directory.iterdir()])


def test_a_trial_shows_the_accounts_of_the_backup_and_leaves_the_server_alone(past):
    said = past.machine.follow(RESTORE["Try a backup"])
    assert "before@example.com" in said and "late@example.com" not in said
    assert is_logged_in(past.late) and not past.machine.path("/root/trial").exists()


@pytest.mark.parametrize("is_killed", [False, True])
def test_users_see_after_a_restore_what_the_page_says(past, is_killed):
    """A server that was killed leaves a write-ahead log with everything from after the backup."""
    machine = past.machine
    if is_killed:
        machine.kill_service()
        assert machine.path(DATABASE + "-wal").stat().st_size > 0
    machine.follow(RESTORE["Restore the database"])
    assert {status.st_uid for status in machine.data().values()} == {UID}
    assert '"event":"restore"' in machine.log()
    assert past.before.refresh().status == 200 and is_logged_in(past.before)
    assert '"event":"adoption"' in machine.log()
    assert past.after.refresh(keep=False).status == 401 and past.after.log_in().status == 200
    assert Client(machine, past.stolen).refresh().status == 200, "a session that was ended exists again"
    assert past.late.refresh(keep=False).status == 401
    assert past.late.log_in().code == "invalid_credentials", "an account from after the backup"
    assert past.changed.log_in(password="another horse battery").status == 401 and past.changed.log_in().status == 200


def test_a_running_server_is_not_restored(past):
    restore = RESTORE["Restore the database"].splitlines()[1]
    assert "in use" in past.machine.follow(restore, code=1)
    assert is_logged_in(past.late)


def test_all_sessions_can_end_before_the_server_serves_again(past):
    past.machine.follow(RESTORE["End all sessions after a restore"])
    for cookie in (past.before.cookie, past.stolen):
        assert Client(past.machine, cookie).refresh(keep=False).code == "session_revoked"
    assert past.before.log_in().status == 200


def test_restored_keys_are_those_of_the_cookies(past):
    machine = past.machine
    machine.stop_service()
    for name in ("signing-keys.json", "refresh-secrets.json"):
        machine.path(f"/var/lib/cloakroom/{name}").unlink()
    machine.start_service()
    assert past.before.refresh(keep=False).status == 401
    machine.stop_service()
    machine.path("/var/lib/cloakroom/signing-keys.json").unlink()
    machine.follow(RESTORE["Restore the keys"])
    assert past.before.refresh().status == 200
    assert {status.st_uid for status in machine.data().values()} == {UID}


def test_a_key_file_of_root_stops_the_start_with_the_sentence_of_the_page(past):
    past.machine.stop_service()
    without_owner = [line for line in RESTORE["Restore the keys"].splitlines() if not line.startswith("chown")]
    past.machine.follow("rm /var/lib/cloakroom/*.json\n" + "\n".join(without_owner))
    past.machine.process.wait(20)
    sentence = "signing-keys.json cannot be read: Permission denied"
    assert sentence in past.machine.log() and sentence in page(BACKUP_PAGE)


def test_a_new_machine_takes_over(past):
    machine = past.machine
    machine.stop_service()
    machine.run("rm", "-r", "/var/lib/cloakroom", "/run/cloakroom")
    machine.path(CONFIG).write_text("port: 80\n")
    machine.follow(RESTORE["Restore on a new machine"])
    assert is_logged_in(past.before) and past.late.refresh(keep=False).status == 401
    assert {status.st_uid for status in machine.data().values()} == {UID}


def page(document):
    return " ".join((ROOT / document).read_text().split())


def change_schema_version(machine, path, change):
    version = int(machine.run("sqlite3", path, "PRAGMA user_version"))
    machine.run("sqlite3", path, f"PRAGMA user_version = {version + change}")


def assert_told(message, document):
    """Asserts that a document has this message, apart from the numbers of the versions."""
    def pattern(text):
        return re.sub(r"\d+", "N", text)
    assert pattern(message) in pattern(page(document)), message


@pytest.mark.parametrize("change", [1, -1])
def test_a_backup_of_another_version_is_refused_and_the_database_stays(past, change):
    machine = past.machine
    change_schema_version(machine, BACKUP, change)
    said = machine.follow(RESTORE["Restore the database"], code=1)
    assert_told(said.strip().removeprefix(f"cloakroom: {BACKUP} "), BACKUP_PAGE)
    machine.start_service()
    assert is_logged_in(past.late)


# Upgrade.

def test_an_upgrade_logs_nobody_out(machine):
    client = signed_up(machine, "ann@example.com")
    said = machine.follow(UPGRADE["Upgrade the Debian package"])
    assert "sign_up" in said, "the log"
    assert machine.run("dpkg-query", "--show", "--showformat=${Version}", "cloakroom").endswith("-2")
    machine.stop_service()
    machine.start_service()
    assert is_logged_in(client) and client.refresh().status == 200


def test_a_newer_database_is_refused_and_the_way_back_leads_to_the_backup(past, packages):
    machine = past.machine
    machine.install(packages[1])
    machine.stop_service()
    change_schema_version(machine, DATABASE, 1)
    machine.start_service()
    machine.process.wait(20)
    assert_told(machine.log().splitlines()[-1], UPGRADE_PAGE)
    machine.follow(UPGRADE["Go back to the version before"])
    assert machine.run("dpkg-query", "--show", "--showformat=${Version}", "cloakroom").endswith("-1")
    assert is_logged_in(past.before) and past.late.refresh(keep=False).status == 401


def test_a_removal_keeps_what_the_page_says(machine):
    machine.stop_service()
    said = machine.follow(UPGRADE["Remove the package"])
    assert "/var/lib/private/cloakroom" in said and "cloakroom.sqlite" in machine.data()
