"""`cloakroom events`: the record of security events, by user, session, kind and time."""
import json
import sqlite3
import subprocess

import pytest

from browser import PASSWORD, Client
from server import BINARY, clean_environment, run


@pytest.fixture
def recorded(start):
    """A server where two people logged in, one made a mistake, and one logged out."""
    server = start()
    ann, bob = Client(server), Client(server)
    ann.sign_up("ann@example.com")
    bob.sign_up("bob@example.com")
    bob.log_in("bob@example.com", password="wrong password")
    ann.post("/auth/logout", {})
    return server


def events(server, *arguments):
    result = run("events", "--json", "--data-dir", server.directory, *arguments)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_events_are_listed_oldest_first_with_their_fields(recorded):
    found = events(recorded)
    assert [event["event"] for event in found] == ["sign_up", "login", "sign_up", "login", "login_failed", "revocation"]
    assert [event["time"] for event in found] == sorted(event["time"] for event in found)
    ended = found[-1]
    assert ended["reason"] == "logout" and ended["subject"] == found[0]["subject"] and ended["session"] == found[1]["session"]
    lines = run("events", "--data-dir", recorded.directory).stdout.splitlines()
    assert len(lines) == len(found) and "reason=logout" in lines[-1]
    assert not any(PASSWORD in line or "@" in line for line in lines)


def test_events_are_selected_by_user_session_kind_and_time(recorded):
    everything = events(recorded)
    session = everything[1]["session"]
    rows = [
        (["--user", "bob@example.com"], ["sign_up", "login", "login_failed"]),
        (["--session", session], ["login", "revocation"]),
        (["--kind", "login", "--kind", "revocation"], ["login", "login", "revocation"]),
        (["--since", "2020-01-01"], [event["event"] for event in everything]), (["--until", "2020-01-01"], []),
        (["--user", "ann@example.com", "--kind", "login"], ["login"]),
    ]
    for arguments, expected in rows:
        assert [event["event"] for event in events(recorded, *arguments)] == expected, arguments


@pytest.mark.parametrize("arguments, code", [
    (["--kind", "nothing"], 64), (["--since", "yesterday"], 64), (["--until", "12:00"], 64), (["--user", "nobody@example.com"], 1),
])
def test_an_invalid_selection_is_refused(recorded, arguments, code):
    result = run("events", "--data-dir", recorded.directory, *arguments)
    assert result.returncode == code and result.stderr and not result.stdout


def test_follow_prints_events_as_they_are_recorded(recorded):
    follower = subprocess.Popen(
        [BINARY, "events", "--follow", "--json", "--kind", "password_change", "--data-dir", recorded.directory],
        stdout=subprocess.PIPE, text=True, env=clean_environment())
    try:
        client = Client(recorded)
        client.log_in("bob@example.com")
        client.post("/auth/password", {"current_password": PASSWORD, "new_password": "another fine phrase"})
        event = json.loads(follower.stdout.readline())
        assert event["event"] == "password_change"
    finally:
        follower.kill()
        follower.wait()
        follower.stdout.close()


def test_events_that_a_newer_version_wrote_are_shown_as_unknown_and_passed_over(recorded):
    database = sqlite3.connect(f"{recorded.directory}/cloakroom.sqlite")
    with database:
        database.execute("INSERT INTO events (kind, time, details) VALUES ('passkey_added', 1, ?)", (b'{"device": [1]}',))
        database.execute("INSERT INTO events (kind, time, details) VALUES ('login', 2, ?)", (b"no JSON",))
    database.close()
    before, added, broken = events(recorded)[-3:]
    assert before["event"] == "revocation" and "known" not in before
    assert added["event"] == "passkey_added" and added["known"] is False and added["unknown"] == "device"
    assert broken["event"] == "login" and broken["unknown"] == "details"
    lines = run("events", "--data-dir", recorded.directory).stdout.splitlines()
    assert " passkey_added (unknown) " in lines[-2] and "unknown=details" in lines[-1]
