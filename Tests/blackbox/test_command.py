"""The command: settings, administration, verification of tokens."""
import json
import os
import time
from pathlib import Path

import pytest

from browser import PASSWORD, Client, part, tokens
from server import Server, refuse_to_serve, run, wait_until


def serve(tmp_path, *arguments, **settings):
    """Runs `serve` with input that must stop the start."""
    return refuse_to_serve(tmp_path / "data", *arguments, **settings)


@pytest.mark.parametrize(
    "yaml, named",
    [
        ("acessTokenLifetime: 3", "acessTokenLifetime"), ("accessTokenLifetime: soon", "accessTokenLifetime"),
        ("accessTokenLifetime: -1", "accessTokenLifetime"), ("accessTokenLifetime: 1e300", "accessTokenLifetime"),
        ("accessTokenLifetime: .inf", "accessTokenLifetime"), ("accessTokenLifetime: .nan", "accessTokenLifetime"), ("idleLifetime: 9e18", "idleLifetime"),
        ("absoluteLifetime: 1e17", "absoluteLifetime"), ("stragglerWindow: 1e300", "stragglerWindow"), ("reissueDelay: -1", "reissueDelay"),
        ("reissueDelay: 1e300", "reissueDelay"), ("maxSessions: 0", "maxSessions"), ("maxSessions: many", "maxSessions"),
        ("signupRateLimit: 0", "signupRateLimit"), ("signupRateLimit: -3", "signupRateLimit"), ("cookieName: session", "cookieName"),
        ("cookieName: '__Host-'", "cookieName"), ("cookieName: '__Host-a;b'", "cookieName"), ("cookieName: '__Host-a=b'", "cookieName"),
        ("privateListen: nowhere", "privateListen"), ("privateListen: '127.0.0.1'", "privateListen"), ("privateListen: 'unix:'", "privateListen"),
        ("privateListen: 127.0.0.1:99999", "privateListen"), ("signup: perhaps", "signup"), ("loginRateLimit: 0", "loginRateLimit"),
        ("publicURL: app.example.com", "publicURL"), ("publicURL: http://app.example.com", "publicURL"),
        ("trustedOrigins: ['null']", "trustedOrigins"), ("trustedProxies: [everyone]", "trustedProxies"),
        ("signingAlgorithm: none", "signingAlgorithm"), ("clients: [{id: a, delivery: mail}]", "clients"),
        ("clients: [{id: a, deliver: body}]", "clients"), ("store: mongodb://x", "store"), ("- a", "mapping"),
        ("host: 0.0.0.0", "publicURL"), ("sameSite: None", "sameSite"), ("a: [", "YAML"),
    ],
)
def test_a_bad_file_stops_the_start_naming_the_file_and_the_key(tmp_path, yaml, named):
    path = tmp_path / "cloakroom.yaml"
    path.write_text(yaml)
    result = serve(tmp_path, "--config", path)
    assert result.returncode == 78 and result.stdout == ""
    assert str(path) in result.stderr and named in result.stderr


def test_a_flag_overrides_the_environment_which_overrides_the_file(tmp_path):
    path = tmp_path / "cloakroom.yaml"
    path.write_text("accessTokenLifetime: bad-file\n")
    assert "CLOAKROOM_ACCESS_TOKEN_LIFETIME" in serve(tmp_path, "--config", path, accessTokenLifetime="bad-env").stderr
    flag = serve(tmp_path, "--config", path, "--access-token-lifetime", "bad-flag", accessTokenLifetime="60")
    assert "--access-token-lifetime" in flag.stderr and "bad-flag" in flag.stderr


def test_settings_of_a_file_are_used(tmp_path):
    path = tmp_path / "cloakroom.yaml"
    path.write_text("signup: open\naudience: api\nclients:\n  - {id: app, delivery: body}\n")
    server = Server(tmp_path / "data", config=path)
    client = Client(server)
    client.sign_up()
    native = {"Origin": None, "Sec-Fetch-Site": None}
    login = {"email": client.email, "password": PASSWORD, "client_id": "app"}
    assert client.post("/auth/login", login, headers=native, cookie=False).json["delivery"] == "body"
    assert server.stop() == 0


def test_there_is_an_event_loop_for_each_processor_that_may_be_used(tmp_path):
    def loops(processors):
        allowed = os.sched_getaffinity(0)
        os.sched_setaffinity(0, processors)
        try:
            server = Server(tmp_path / "data")
        finally:
            os.sched_setaffinity(0, allowed)
        names = [path.read_text() for path in Path(f"/proc/{server.process.pid}/task").glob("*/comm")]
        assert server.stop() == 0
        return sum(name.startswith("NIO-") for name in names)

    available = os.sched_getaffinity(0)
    assert loops({min(available)}) == 1
    assert (loops(available) > 1) == (len(available) > 1)


def test_a_key_file_that_others_can_read_stops_the_start(tmp_path):
    server = Server(tmp_path / "data")
    server.stop()
    keys = [path for path in (tmp_path / "data").iterdir() if path.suffix == ".json"]
    assert keys
    for path in (tmp_path / "data").iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
    for path in keys:
        os.chmod(path, 0o604)
        result = serve(tmp_path)
        assert result.returncode == 1 and str(path) in result.stderr and "chmod 600" in result.stderr
        os.chmod(path, 0o600)


def test_an_address_in_use_is_reported_in_one_line(shared, tmp_path):
    result = run("serve", "--port", shared.port, "--data-dir", tmp_path / "data")
    assert result.returncode == 1 and str(shared.port) in result.stderr and "errno" not in result.stderr
    assert len(result.stderr.splitlines()) <= 2, "no backtrace"


@pytest.mark.parametrize("arguments", [[], ["serve"], ["users"], ["users", "add"], ["sessions", "revoke"], ["keys"], ["verify"]])
def test_help_prints_the_usage_of_each_command(arguments):
    result = run(*arguments, "--help")
    assert result.returncode == 0 and "USAGE" in result.stdout


def test_wrong_usage_has_its_own_exit_code():
    assert run("frobnicate").returncode == 64
    assert run("sessions", "revoke").returncode == 64
    mistyped = run("serve", "--publc-url", "https://a.example")
    assert mistyped.returncode == 64 and "--public-url" in mistyped.stderr


def test_the_start_warns_of_unsafe_values(tmp_path):
    server = Server(tmp_path / "data", clients="old=body+insecureAllowBrowser", loginRateLimit="5")
    assert server.stop() == 0
    warnings = [line for line in map(json.loads, server.log_lines()) if line["level"] == "warning"]
    assert [(line["setting"], "read its tokens" in line["message"]) for line in warnings] == [("clients", True)]


def test_accounts_are_managed_from_the_command_line(start):
    server = start(signup="closed")
    data = ["--data-dir", server.directory, "--json"]
    added = run("users", "add", "ann@example.com", *data, stdin=PASSWORD + "\n")
    assert added.returncode == 0 and json.loads(added.stdout)[0]["email"] == "ann@example.com"
    assert run("users", "add", "ann@example.com", *data, stdin=PASSWORD + "\n").returncode == 1
    weak = run("users", "add", "bob@example.com", *data, stdin="password\n")
    assert weak.returncode == 1 and "too common" in weak.stderr
    assert [user["email"] for user in json.loads(run("users", "list", *data).stdout)] == ["ann@example.com"]
    client = Client(server)
    assert client.log_in("ann@example.com").status == 200
    assert run("users", "disable", "ann@example.com", *data).returncode == 0
    wait_until(lambda: client.protected().code == "session_revoked")
    assert client.log_in("ann@example.com").code == "invalid_credentials"
    assert run("users", "enable", "ann@example.com", *data).returncode == 0
    assert client.log_in("ann@example.com").status == 200
    assert run("users", "set-password", "ann@example.com", *data, stdin="another fine phrase\n").returncode == 0
    wait_until(lambda: client.protected().code == "session_revoked")
    assert client.log_in("ann@example.com", "another fine phrase").status == 200
    assert run("users", "disable", "nobody@example.com", *data).returncode == 1


def test_an_account_added_before_the_first_start_creates_no_keys(tmp_path):
    data = tmp_path / "data"
    assert run("users", "add", "ann@example.com", "--data-dir", data, stdin=PASSWORD + "\n").returncode == 0
    assert run("keys", "list", "--data-dir", data).returncode == 1
    server = Server(data, signingAlgorithm="RS256")
    client = Client(server)
    assert client.log_in("ann@example.com").status == 200
    assert part(tokens(client.cookie)[0], 0)["alg"] == "RS256"
    assert server.stop() == 0


def test_sessions_are_ended_from_the_command_line_within_a_second(start):
    server = start()
    data = ["--data-dir", server.directory, "--json"]
    clients = [Client(server) for _ in range(4)]
    ids = [client.sign_up().json["session"]["id"] for client in clients]
    listed = json.loads(run("sessions", "list", *data).stdout)
    assert {session["id"] for session in listed} == set(ids)
    assert json.loads(run("sessions", "revoke", ids[0], *data).stdout) == [{"revoked": 1}]
    wait_until(lambda: clients[0].protected().code == "session_revoked")
    assert run("sessions", "revoke", ids[0], *data).returncode == 1
    run("sessions", "revoke", "--user", clients[1].email, *data)
    wait_until(lambda: clients[1].protected().code == "session_revoked")
    subject = ["--user", clients[2].get("/auth/session").json["user"]["id"]]
    assert [session["id"] for session in json.loads(run("sessions", "list", *subject, *data).stdout)] == [ids[2]]
    assert json.loads(run("sessions", "revoke", "--created-before", "2020-01-01", *data).stdout) == [{"revoked": 0}]
    assert clients[2].protected().status == 200
    assert json.loads(run("sessions", "revoke", "--all", *data).stdout) == [{"revoked": 2}]
    wait_until(lambda: clients[3].protected().code == "session_revoked")


def test_a_new_key_is_published_before_it_signs_and_old_tokens_stay_valid(start):
    server = start()
    data = ["--data-dir", server.directory, "--json"]
    client = Client(server)
    client.sign_up()
    before = [key["kid"] for key in client.get("/.well-known/jwks.json").json["keys"]]
    assert run("keys", "rotate", *data).returncode == 0
    wait_until(lambda: len(client.get("/.well-known/jwks.json").json["keys"]) == 2)
    assert client.protected().status == 200
    assert part(tokens(client.log_in().cookie)[0], 0)["kid"] == before[0]
    assert run("keys", "rotate", "--now", *data).returncode == 0
    wait_until(lambda: part(tokens(client.log_in().cookie)[0], 0)["kid"] not in before)
    stages = [key["stage"] for key in json.loads(run("keys", "list", *data).stdout) if key["use"] == "access"]
    assert sorted(stages) == ["published", "signing", "verifying"]
    assert run("keys", "rotate", "--refresh-secret", *data).returncode == 0
    time.sleep(1.5)
    assert client.refresh().status == 200 and client.protected().status == 200


@pytest.fixture(scope="module")
def issued(shared, tmp_path_factory):
    """An access token of a real server, and the key set that verifies it."""
    client = Client(shared)
    client.sign_up()
    path = tmp_path_factory.mktemp("jwks") / "jwks.json"
    path.write_bytes(client.get("/.well-known/jwks.json").body)
    return path, tokens(client.cookie)[0]


def test_verify_prints_the_claims_of_a_good_token(issued):
    jwks, token = issued
    for arguments, stdin in (([token], ""), (["-"], token + "\n"), ([], token)):
        result = run("verify", "--jwks", jwks, "--issuer", "http://localhost", "--audience", "http://localhost", *arguments, stdin=stdin)
        assert result.returncode == 0 and json.loads(result.stdout)["client_id"] == "browser"


@pytest.mark.parametrize(
    "options, code",
    [
        (["--issuer", "x"], "token_invalid"), (["--audience", "x"], "token_invalid"), (["--typ", "JWT"], "token_invalid"),
        (["--now", "4102444800"], "token_expired"), (["--now", "0"], "token_invalid"),
    ],
)
def test_verify_prints_the_code_and_the_reason(issued, options, code):
    jwks, token = issued
    result = run("verify", "--jwks", jwks, *options, token)
    assert result.returncode == 1 and result.stdout == "" and code in result.stderr


@pytest.mark.parametrize("now", ["1e300", "nan", "inf", "-1", "-5e30", "9.3e15", "soon"])
def test_verify_refuses_an_invalid_time(issued, now):
    jwks, token = issued
    result = run("verify", "--jwks", jwks, f"--now={now}", token)
    assert result.returncode == 64 and "--now" in result.stderr
