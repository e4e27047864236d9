"""Servers with PostgreSQL: the flows of a browser, several instances, commands, and a server that takes no writes."""
import json
import subprocess
import urllib.parse

import pytest

from browser import Client
from postgres import PORTS, cluster  # noqa: F401, a fixture
from server import BINARY, ROOT, Server, clean_environment, refuse_to_serve, run, wait_until

SNIPPETS = ROOT / "docs/snippets"


@pytest.mark.parametrize("path", PORTS)
def test_a_session_begins_renews_and_ends(cluster, tmp_path, path):
    server = Server(tmp_path / "data", store=cluster.address(cluster.database(), path), stragglerWindow=0, reissueDelay=0)
    client = Client(server)
    assert client.sign_up("ann@example.com").status == 201
    for _ in range(3):
        assert client.refresh().status == 200
    other = Client(server)
    assert other.log_in("ann@example.com", "wrong wrong wrong").status == 401
    assert other.log_in("ann@example.com").status == 200
    assert other.post("/auth/logout").status == 204
    assert other.refresh().status == 401
    assert client.get("/readyz").status == 200
    assert server.stop() == 0
    server.start()
    assert client.refresh().status == 200, "after a restart"
    server.stop()


def test_a_spent_token_ends_the_session(cluster, tmp_path):
    server = Server(tmp_path / "data", store=cluster.address(cluster.database()), stragglerWindow=0, reissueDelay=0)
    client = Client(server)
    client.sign_up()
    thief = client.copy()
    for _ in range(4):
        assert client.refresh().status == 200
    assert thief.refresh().code == "refresh_token_reused"
    assert wait_until(lambda: client.refresh().status == 401)
    server.stop()


def test_two_instances_share_sessions_and_their_ends(cluster, tmp_path):
    store = cluster.address(cluster.database())
    one = Server(tmp_path / "data", store=store)
    two = Server(tmp_path / "data", store=store)
    client = Client(one)
    client.sign_up("ann@example.com")
    there = Client(two, client.cookie)
    assert there.check().status == 204, "the token of the first instance"
    ended = run("sessions", "revoke", "--user", "ann@example.com", "--json", dataDir=tmp_path / "data")
    assert json.loads(ended.stdout) == [{"revoked": 1}], ended.stderr
    for reader in [client, there]:
        wait_until(lambda: reader.check().status == 401)
    events = run("events", "--kind", "revocation", dataDir=tmp_path / "data").stdout
    assert "reason=ended_by_administrator" in events
    one.stop()
    two.stop()


@pytest.mark.parametrize("grace", [0, 600])
def test_without_a_server_that_takes_writes_nothing_is_ready_and_nobody_is_logged_out(cluster, tmp_path, grace):
    """Such a server may have been replaced: no instance knows which sessions have ended elsewhere."""
    name = cluster.database()
    settings = {"insecureStaleRevocations": grace} if grace else {}
    server = Server(tmp_path / "data", store=cluster.address(name), **settings)
    client = Client(server)
    client.sign_up()
    assert client.check().status == 204
    cut = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    cluster.psql("-c", f"ALTER DATABASE {name} SET default_transaction_read_only = on", "-c", cut)
    wait_until(lambda: client.get("/readyz").status == 503)
    assert client.refresh().status == 503
    if grace:
        assert client.check().status == 204
    else:
        assert wait_until(lambda: (answer := client.check()).status == 503 and answer).code == "unavailable"
    cluster.psql("-c", f"ALTER DATABASE {name} RESET default_transaction_read_only")
    wait_until(lambda: client.get("/readyz").status == 200)
    wait_until(lambda: client.check().status == 204)
    assert client.refresh().status == 200
    server.stop()


def test_a_password_is_in_no_log_no_message_and_no_file(cluster, tmp_path):
    name = cluster.database()
    server = Server(tmp_path / "data", store=cluster.address(name, password="s3cret-s3cret"))
    Client(server).sign_up()
    cluster.psql("-c", f"ALTER DATABASE {name} SET default_transaction_read_only = on", "-c",
                 f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    wait_until(lambda: "PostgreSQL cannot be reached" in server.log())
    server.stop()
    refused = refuse_to_serve(tmp_path / "other", store=cluster.address(name, password="s3cret-s3cret"))
    invalid = refuse_to_serve(tmp_path / "other", store="postgres://app:s3cret-s3cret@h:x/d")
    assert refused.returncode == 1 and invalid.returncode == 78
    files = [path.read_bytes() for path in (tmp_path / "data").iterdir() if path.is_file()]
    for text in [server.log().encode(), refused.stderr.encode(), invalid.stderr.encode(), *files]:
        assert b"s3cret" not in text, text


def test_the_page(cluster, tmp_path):
    cluster.psql("-f", SNIPPETS / "postgresql.sql")
    settings = tmp_path / "cloakroom.yaml"
    address = (SNIPPETS / "postgresql.yaml").read_text()
    host = urllib.parse.quote(str(cluster.directory), safe="")
    # Sockets in place of the three hosts. There is no TLS on them.
    secret = tmp_path / "master-secret"
    settings.write_text(
        address.replace("db1,db2,db3", host).replace("verify-full", "prefer").replace("/etc/cloakroom/master-secret", str(secret))
        + f"dataDir: {tmp_path}/data\n")
    execute((SNIPPETS / "postgresql_secret.sh").read_text(), secret)
    assert settings.read_text() != address
    script = (SNIPPETS / "postgresql.sh").read_text().replace("cloakroom.yaml", str(settings))
    assert "have the version" not in run("migrate", config=settings).stdout
    server = Server(tmp_path / "data", config=settings)
    Client(server).sign_up("ann@example.com")
    outputs = [run(*line.split()[1:]) for line in script.splitlines()]
    assert [output.returncode for output in outputs] == [0, 0, 0], [output.stderr for output in outputs]
    assert "have the version" in outputs[0].stdout and "ann@example.com" in outputs[1].stdout
    assert cluster.psql("-f", SNIPPETS / "postgresql_hot.sql", database="cloakroom").count("|") == 1
    before = secret.read_text()
    for line in (SNIPPETS / "postgresql_reseal.sh").read_text().splitlines():
        output = execute(line.replace("cloakroom.yaml", str(settings)), secret)
        assert "reseal" not in line or output.split() == ["RESEALED", "2"]
    assert len(secret.read_text()) == 44 and secret.read_text() != before and secret.stat().st_mode & 0o777 == 0o600
    server.stop()
    server.start()
    server.stop()


def execute(script, secret):
    """Runs lines of the page, with the file of the master secret elsewhere."""
    script = script.replace("/etc/cloakroom/master-secret", str(secret)).replace("cloakroom keys", f"{BINARY} keys")
    return subprocess.run(["bash", "-ec", script], check=True, capture_output=True, text=True, env=clean_environment()).stdout


# A wrong value of each parameter and part of the address, and what the message says about it.
WRONG_ADDRESSES = [
    ("/x?connections=4", "connections: expected a number from 6 to 100"),
    ("/x?group=s3cret", "group: expected a number from 1 to 1024"),
    ("/x?pooler=session", "pooler: expected none or transaction"),
    ("/x?sslmode=verify_full", "sslmode: expected disable, allow, prefer, require, verify-ca or verify-full"),
    ("/x?target_session_attrs=standby", "target_session_attrs: expected read-write, primary or any: a store writes"),
    ("/x?connect_timeout=2s", "connect_timeout: expected a number from 0 to 86400"),
    ("/x?tcp_user_timeout=-1", "tcp_user_timeout: expected a number from 0 to 86400000"),
    ("/x?keepalives=yes", "keepalives: expected 0 or 1"),
    ("/x?ssl_mode=require", "ssl_mode: is not a parameter of an address; there are "),
    ("/x?pooler=none&pooler=none", "pooler: stands twice"),
    (":s3cret/x", "port: expected a number from 1 to 65535"),
    ("", "database: expected its name, as in postgres://HOST/DATABASE"),
]


@pytest.mark.parametrize("rest, problem", WRONG_ADDRESSES)
def test_a_wrong_address_stops_the_start_and_the_commands(tmp_path, rest, problem):
    store = f"postgres://app:s3cret@127.0.0.1{rest}"
    file = tmp_path / "cloakroom.yaml"
    file.write_text(f"store: '{store}'\n")
    started = refuse_to_serve(tmp_path / "data", "--config", file)
    assert f"{file}: store: {problem}" in started.stderr
    for result in (started, refuse_to_serve(tmp_path / "data", store=store), run("users", "list", store=store)):
        assert result.returncode == 78 and problem in result.stderr, result.stderr
        assert "s3cret" not in result.stderr


@pytest.mark.parametrize("command", [["migrate"], ["users", "list"]])
def test_a_command_names_a_server_that_it_cannot_reach(tmp_path, command):
    Server(tmp_path / "data").stop()
    result = run(*command, dataDir=tmp_path / "data", store=f"postgres:///x?host={tmp_path}")
    assert result.returncode == 1 and f"postgres://{tmp_path}/x" in result.stderr, result.stderr


def test_commands_for_the_other_database_are_refused(cluster, tmp_path):
    store = cluster.address(cluster.database())
    restored = run("restore", "/dev/null", dataDir=tmp_path / "data", store=store)
    migrated = run("migrate", dataDir=tmp_path / "data")
    assert restored.returncode == migrated.returncode == 1
    assert "restore is for SQLite" in restored.stderr and "migrate is for PostgreSQL" in migrated.stderr
