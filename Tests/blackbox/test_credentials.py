"""`cloakroom credentials`, and what a key of the service API allows."""
import json
import re
import sqlite3

import pytest

from backend import ALL, Backend, add_credential
from browser import Client
from server import run, wait_until

KEY = r"crk_[0-9a-f]{12}_[A-Za-z0-9_-]{43}"


def command(server, *arguments):
    return run("credentials", *arguments, "--data-dir", server.directory)


def events(server, kind):
    result = run("events", "--json", "--data-dir", server.directory, "--kind", kind)
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_key_is_shown_once_and_kept_hashed(start):
    server = start()
    shown = command(server, "add", "--scope", "sessions:create,claims:write")
    assert shown.returncode == 0, shown.stderr
    key = re.search(KEY, shown.stdout)[0]
    listed = command(server, "list")
    _, id, secret = key.split("_", 2)
    assert id in listed.stdout and secret not in listed.stdout and "sessions:create,claims:write" in listed.stdout
    server.stop()
    for path in (f"{server.directory}/cloakroom.sqlite", server.log_path):
        assert secret.encode() not in open(path, "rb").read(), path


def test_rights_are_listed_as_they_were_given(shared):
    row = add_credential(
        shared, "--max-acr", "2", "--subject-prefix", "shop:", "--network", "10.0.0.0/8", "--expires", "90d", scope="events:read")
    listed = json.loads(command(shared, "list", "--json").stdout)
    found = next(one for one in listed if one["id"] == row["id"])
    assert found == {name: value for name, value in row.items() if name != "key"}
    assert found["scopes"] == ["events:read"] and found["max_acr"] == "2" and found["subject_prefix"] == "shop:"
    assert found["network"] == "10.0.0.0/8" and found["created_at"] < found["expires_at"]


@pytest.mark.parametrize("arguments", [
    [], ["--scope", ""], ["--scope", "sessions"], ["--scope", "sessions:create,everything"], ["--scope", ALL, "--max-acr", "9"],
    ["--scope", ALL, "--network", "10.0.0.0/99"], ["--scope", ALL, "--network", "office"], ["--scope", ALL, "--expires", "90"],
    ["--scope", ALL, "--expires", "0d"], ["--scope", ALL, "--expires", "-1d"], ["--scope", ALL, "--subject-prefix", "a b"],
])
def test_rights_that_mean_nothing_are_refused(shared, arguments):
    before = command(shared, "list", "--json").stdout
    assert command(shared, "add", *arguments).returncode == 64
    assert command(shared, "list", "--json").stdout == before


def test_a_removed_key_is_refused_at_once(shared):
    backend = Backend(shared)
    assert backend.begin().status == 201
    id = backend.key.split("_")[1]
    assert command(shared, "remove", id).returncode == 0
    assert backend.begin().code == "service_key_invalid"
    again = command(shared, "remove", id)
    assert again.returncode == 1 and "no such credential" in again.stderr


@pytest.mark.parametrize("change", [
    lambda key: None, lambda key: "", lambda key: f"Basic {key}", lambda key: f"Bearer {key}x", lambda key: f"Bearer {key[:-1]}",
    lambda key: f"Bearer crk_000000000000_{key[-43:]}", lambda key: f"Bearer {key[:-43]}{'A' * 43}",
    lambda key: f"Bearer {key[:-43]}_{key[-43:]}", lambda key: f"Bearer {key.upper()}", lambda key: "Bearer crk_", lambda key: "Bearer",
])
def test_a_wrong_key_is_refused(start, change):
    backend = Backend(start())
    for path in ("/service/events", "/service/subjects/42/sessions"):
        answer = backend.send("GET", path, headers={"Authorization": change(backend.key)})
        assert (answer.status, answer.code) == (401, "service_key_invalid"), answer
        assert answer.header("www-authenticate").startswith("Bearer")
    assert backend.send("GET", "/service/events").status == 200


def test_a_key_expires(start):
    server = start(clock="+0")
    backend = Backend(server, key=add_credential(server, "--expires", "1h")["key"])
    assert backend.begin().status == 201
    server.move(3601)
    assert backend.begin().code == "service_key_invalid"


def test_a_key_is_bound_to_its_network(shared):
    near = Backend(shared, key=add_credential(shared, "--network", "127.0.0.0/8")["key"])
    far = Backend(shared, key=add_credential(shared, "--network", "10.0.0.0/8")["key"])
    assert near.begin().status == 201
    for headers in ({}, {"X-Forwarded-For": "10.0.0.1"}, {"Forwarded": "for=10.0.0.1"}):
        answer = far.send("GET", "/service/events", headers=headers)
        assert (answer.status, answer.code) == (401, "service_key_invalid"), headers


CALLS = {
    "sessions:create": [("POST", "/service/sessions"), ("POST", "/service/sessions/some/step-up")],
    "sessions:read": [("GET", "/service/subjects/42/sessions")],
    "sessions:revoke": [
        ("DELETE", "/service/sessions/some"), ("DELETE", "/service/subjects/42/sessions"), ("PUT", "/service/subjects/42")],
    "claims:write": [("PUT", "/service/subjects/42/claims")],
    "events:read": [("GET", "/service/events")],
    "revocations:read": [("GET", "/service/revocations")],
}


@pytest.mark.parametrize("scope", CALLS)
def test_a_scope_allows_its_calls_and_no_other(shared, scope):
    backend = Backend(shared, scope=",".join(set(CALLS) - {scope}))
    for method, path in CALLS[scope]:
        answer = backend.send(method, path, {} if method in ("POST", "PUT") else None)
        assert (answer.status, answer.code) == (403, "service_scope"), (method, path)
    one = Backend(shared, scope=scope)
    for method, path in CALLS[scope]:
        if path != "/service/revocations":
            answer = one.send(method, path, {} if method in ("POST", "PUT") else None)
            assert answer.status in (200, 204, 400), (method, path, answer)


def test_a_prefix_bounds_the_subjects_of_a_key(shared):
    shop = Backend(shared, key=add_credential(shared, "--subject-prefix", "shop:")["key"])
    every = Backend(shared)
    mine, other = shop.log_in("shop:7"), every.log_in("blog:7")
    assert shop.begin("blog:7").code == "service_scope"
    for method, path, body in [
        ("GET", "/service/subjects/blog:7/sessions", None), ("DELETE", "/service/subjects/blog:7/sessions", None),
        ("PUT", "/service/subjects/blog:7", {"blocked": True}), ("PUT", "/service/subjects/blog:7/claims", {"claims": {}}),
    ]:
        answer = shop.send(method, path, body)
        assert (answer.status, answer.code) == (403, "service_scope"), (method, path)
    assert shop.step_up(other).code == "service_scope"
    assert shop.send("DELETE", f"/service/sessions/{other.session}").status == 204
    assert other.protected().status == 200, "a session of another prefix was ended"
    seen = shop.send("GET", "/service/events").json["events"]
    assert seen and all(event["subject"].startswith("shop:") for event in seen)
    assert shop.send("DELETE", f"/service/sessions/{mine.session}").status == 204
    assert wait_until(lambda: mine.protected().code == "session_revoked")


def test_a_key_asserts_no_higher_level_than_it_may(shared):
    backend = Backend(shared)
    for acr in ("2", "phr"):
        answer = backend.begin(authentication={"amr": ["pwd", "otp"], "acr": acr})
        assert (answer.status, answer.code) == (403, "service_scope"), acr
    strong = Backend(shared, key=add_credential(shared, "--max-acr", "2")["key"])
    assert strong.begin(authentication={"amr": ["pwd", "otp"], "acr": "2"}).json["session"]["acr"] == "2"
    assert strong.begin(authentication={"amr": ["hwk"], "acr": "phr"}).code == "service_scope"


def test_failed_tries_are_limited_and_a_right_key_still_passes(start):
    backend = Backend(start(clock="+0", holds_uptime=True))
    wrong = Backend(backend.server, key=f"crk_000000000000_{'A' * 43}")
    answers = [wrong.send("GET", "/service/events") for _ in range(60)]
    assert {answer.code for answer in answers} == {"service_key_invalid", "rate_limited"}
    limited = next(answer for answer in answers if answer.code == "rate_limited")
    assert limited.status == 429 and int(limited.header("retry-after")) > 0
    assert backend.begin().status == 201
    assert 0 < len(events(backend.server, "service_key_refused")) < 60


def test_each_use_is_on_record_with_the_id_of_the_credential(start):
    server = start()
    backend = Backend(server)
    id = backend.key.split("_")[1]
    client = backend.log_in()
    assert backend.step_up(client).status == 200
    backend.set_claims({})
    backend.send("GET", "/service/subjects/42/sessions")
    backend.send("DELETE", f"/service/sessions/{client.session}")
    backend.send("DELETE", "/service/subjects/42/sessions")
    backend.block()
    backend.block(blocked=False)
    for _ in range(5):
        backend.send("GET", "/service/events")
    recorded = backend.send("GET", "/service/events").json["events"]
    used = [(event["event"], event.get("operation"), event.get("subject")) for event in recorded if event.get("credential") == id]
    assert used == [
        ("credential_added", None, None), ("login", None, "42"), ("step_up", None, "42"), ("claims_change", None, "42"),
        ("service_call", "listSubjectSessions", None), ("revocation", None, "42"), ("service_call", "endSubjectSessions", "42"),
        ("subject_blocked", None, "42"), ("subject_unblocked", None, "42"), ("service_call", "listEvents", None)]
    assert [event["session"] for event in recorded if event["event"] == "revocation"] == [client.session]
    assert all(event["credential"] == id for event in events(server, "login"))


def test_credentials_can_be_added_before_the_first_start(tmp_path, start):
    directory = tmp_path / "data0"
    added = run("credentials", "add", "--json", "--data-dir", directory, "--scope", ALL)
    assert added.returncode == 0, added.stderr
    assert Backend(start(), key=json.loads(added.stdout)[0]["key"]).begin().status == 201


def test_a_key_is_no_bearer_token_of_a_session(shared):
    backend = Backend(shared)
    answer = Client(shared).get("/auth/sessions", headers={"Authorization": f"Bearer {backend.key}"})
    assert answer.status == 401
