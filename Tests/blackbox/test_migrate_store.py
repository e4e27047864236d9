"""`cloakroom migrate-store` moves the data of a server from SQLite to PostgreSQL while it serves, as docs/migrate-store.md has it."""
import concurrent.futures
import json
import shutil
import subprocess
import urllib.parse

import pytest

from backend import Backend
from browser import PASSWORD, Client, generation, part, tokens
from postgres import cluster  # noqa: F401, a fixture
from server import BINARY, MASTER_SECRET, ROOT, Server, clean_environment, refuse_to_serve, run, wait_until
from shell import Shell

SNIPPETS = ROOT / "docs/snippets"
BLOCKS = {path.stem: path.read_text() for path in (SNIPPETS / "migrate-store").glob("*.sh")}
TABLES = [
    "accounts", "subjects", "credentials", "known_networks", "one_time", "sessions", "revocations", "stale_marks", "events", "unannounced"]
# Statements that write sessions into PostgreSQL wait at the gate if they are the call with this number, counted from 1.
GATE = """
CREATE TABLE public.gate (call int); CREATE SEQUENCE public.calls;
CREATE FUNCTION public.wait() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE number int := nextval('public.calls');
BEGIN
    WHILE EXISTS (SELECT FROM public.gate WHERE gate.call = number) LOOP PERFORM pg_sleep(0.05); END LOOP;
    RETURN NULL;
END $$;
"""
HELD = "FROM pg_stat_activity WHERE datname = current_database() AND usename = 'app' AND wait_event = 'PgSleep'"
SPOIL = """
CREATE FUNCTION public.spoil() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN NEW.generation := NEW.generation + 1; RETURN NEW; END $$;
CREATE TRIGGER spoil BEFORE INSERT OR UPDATE ON cloakroom.sessions FOR EACH ROW EXECUTE FUNCTION public.spoil()
"""


class Move:
    """A server on SQLite, and an empty database in PostgreSQL."""

    def __init__(self, cluster, directory, **settings):
        self.cluster, self.name, self.directory = cluster, cluster.database(), directory / "data"
        self.target = cluster.address(self.name)
        self.source = self.directory / "cloakroom.sqlite"
        self.server = Server(self.directory, **{"stragglerWindow": 0, "reissueDelay": 0} | settings)
        self.arguments = ["migrate-store", f"sqlite:{self.source}", self.target]
        self.settings = {"dataDir": self.directory, "masterSecret": MASTER_SECRET}

    def client(self, *email):
        client = Client(self.server)
        client.sign_up(*email)
        return client

    def run(self, *flags, **settings):
        return run(*self.arguments, *flags, **self.settings | settings)

    def succeed(self, *flags):
        """The rows of the printed table, by their tables."""
        result = self.run("--json", *flags)
        assert result.returncode == 0, result.stderr
        rows = {row["table"]: row for row in json.loads(result.stdout)}
        assert list(rows) == TABLES
        return rows

    def begin(self, *flags):
        return subprocess.Popen(
            [BINARY, *map(str, self.arguments), *flags], env=clean_environment(**self.settings), stdout=subprocess.DEVNULL)

    def psql(self, sql):
        return self.cluster.psql("-c", sql, database=self.name)

    def gate(self, table="sessions", event="INSERT"):
        """Makes statements wait at the gate, which stands open."""
        if self.psql("SELECT to_regclass('cloakroom.sessions')") == "":
            assert run("migrate", store=self.target, dataDir=self.directory).returncode == 0
        self.psql(GATE)
        self.psql(f"CREATE TRIGGER wait BEFORE {event} ON cloakroom.{table} FOR EACH STATEMENT EXECUTE FUNCTION public.wait()")

    def close(self, call):
        self.psql(f"INSERT INTO public.gate VALUES ({call})")

    def open(self):
        self.psql("DELETE FROM public.gate")

    def kill_at_gate(self, call, *flags, meanwhile=lambda: None):
        """Kills a run that waits at the gate, and takes back the statement."""
        self.close(call)
        process = self.begin(*flags)
        wait_until(lambda: process.poll() is not None or self.is_held())
        assert process.poll() is None
        meanwhile()
        process.kill()
        process.wait()
        self.psql(f"SELECT pg_terminate_backend(pid) {HELD}")
        wait_until(lambda: not self.is_held())
        self.open()

    def is_held(self):
        return self.psql(f"SELECT count(*) {HELD}") != "0"

    def start(self):
        """Ends the server on SQLite, and starts one on PostgreSQL in its place."""
        assert self.server.stop() == 0
        self.server.settings["store"] = self.target
        self.server.settings["masterSecret"] = MASTER_SECRET
        self.server.port_arguments = ["--port", str(self.server.port)]
        self.server.start()


@pytest.fixture
def start(cluster, tmp_path):
    moves = []

    def start(**settings):
        moves.append(Move(cluster, tmp_path, **settings))
        return moves[-1]

    yield start
    for move in moves:
        move.server.kill()


@pytest.fixture
def move(start):
    return start()


def test_all_that_a_server_knows_is_in_the_new_store(start):
    move = start(claims="role")
    backend = Backend(move.server)
    stream = backend.stream()
    stream.until_current()
    honest, victim, ended, other = (move.client() for _ in range(4))
    stolen = victim.cookie
    for _ in range(2):
        assert victim.refresh().status == 200
    assert move.succeed()["sessions"]["rows"] == 4
    # After the first copy: a renewal, a logout, a changed password, a new account, claims, a block.
    assert honest.refresh().status == 200
    gone = ended.cookie
    assert ended.post("/auth/logout").status == 204
    assert other.post("/auth/password", {"current_password": PASSWORD, "new_password": "another good one"}).status == 204
    late = move.client()
    session = backend.log_in("42")
    assert backend.set_claims({"role": "admin"}, "42").status in (200, 204)
    assert backend.block("43").status in (200, 204)
    while stream.next()[0] != "revoked":
        pass
    old_events = move.server.run("events", "--json").stdout.splitlines()
    rows = move.succeed("--finish")
    assert all(row["digest"] for row in rows.values())
    assert rows["sessions"]["rows"] == 6 and rows["sessions"]["written"] < 6
    cursor = stream.last
    stream.close()
    move.start()
    for client in (honest, victim, other, late, session):
        assert client.protected().status == 200
        assert client.check().status == 204
        assert client.refresh().status == 200
    backend.server = move.server
    assert Client(move.server, gone).refresh().code == "session_revoked"
    assert Client(move.server, gone).check().status == 401
    assert Client(move.server, stolen).refresh().code == "refresh_token_reused"
    assert victim.refresh().code == "session_revoked"
    assert other.log_in().status == 401 and other.log_in(password="another good one").status == 200
    assert backend.begin("43").status == 409
    assert backend.sessions("42")[0]["id"] == session.session
    follower = backend.stream(cursor)
    names = [name for name, _ in follower.until_current()]
    assert names[0] == "reset" and "revoked" in " ".join(names)
    follower.close()
    events = move.server.run("events", "--json").stdout.splitlines()
    assert events[:len(old_events)] == old_events


def test_a_straggler_is_one_after_the_move(start):
    move = start(stragglerWindow=600)
    client = move.client()
    old = client.cookie
    for _ in range(2):
        assert client.refresh().status == 200
    assert generation(client.cookie) == 1
    move.succeed("--finish")
    move.start()
    answer = client.refresh(cookie=old, keep=False)
    assert (answer.status, answer.set_cookies) == (200, [])
    assert client.protected().status == 200


def test_a_run_that_is_killed_is_continued_by_the_next(move):
    clients = [move.client() for _ in range(5)]
    move.gate()
    move.kill_at_gate(1)
    assert clients[0].refresh().status == 200
    move.kill_at_gate(2)
    move.succeed()
    assert clients[1].refresh().status == 200
    rows = move.succeed("--finish")
    assert rows["sessions"]["written"] == 1, "the run before has copied the others"
    move.start()
    for client in clients:
        assert client.refresh().status == 200


def test_while_the_rest_is_copied_checks_pass_and_a_renewal_waits(move):
    client = move.client()
    move.succeed()
    move.psql(SPOIL)
    assert client.refresh().status == 200
    move.gate()
    with concurrent.futures.ThreadPoolExecutor() as threads:
        renewals = []

        def meanwhile():
            renewals.append(threads.submit(client.refresh))
            for _ in range(20):
                assert client.copy().check().status == 204
            assert not renewals[0].done()

        # The spoiled row differs again in the pass in which writes wait.
        move.kill_at_gate(2, "--finish", meanwhile=meanwhile)
        answer = renewals[0].result()
    assert answer.status in (200, 503) and (answer.status == 200 or answer.header("retry-after"))
    assert client.refresh().status == 200, "the lock ended with the process"


def test_a_copy_that_differs_moves_nothing(move):
    client = move.client()
    assert run("migrate", store=move.target, dataDir=move.directory).returncode == 0
    move.psql(SPOIL)
    result = move.run("--finish")
    assert result.returncode == 1 and "the copy of sessions differs" in result.stderr
    assert client.refresh().status == 200
    move.psql("DROP TRIGGER spoil ON cloakroom.sessions")
    move.succeed("--finish")
    move.start()
    assert client.refresh().status == 200


def test_after_the_move_nothing_uses_sqlite_again(move):
    client = move.client()
    backend = Backend(move.server)
    move.gate()
    move.succeed()
    refused = refuse_to_serve(move.directory, store=move.target)
    assert refused.returncode == 1 and "migrate-store --finish" in refused.stderr
    move.psql("DROP TRIGGER wait ON cloakroom.sessions")
    move.psql("CREATE TRIGGER wait BEFORE UPDATE ON cloakroom.moves FOR EACH STATEMENT EXECUTE FUNCTION public.wait()")
    # A second database that the migration has begun to fill.
    other = move.cluster.address(move.cluster.database())
    assert run("migrate-store", f"sqlite:{move.source}", other, **move.settings).returncode == 0
    # Between the mark in SQLite and the one in PostgreSQL.
    move.psql("SELECT setval('public.calls', 1, false)")
    move.kill_at_gate(1, "--finish")
    for answer in (client.refresh(), client.protected(), client.log_in(), backend.begin()):
        assert answer.status == 503 and answer.header("retry-after")
    wait_until(lambda: client.check().status == 503)
    wait_until(lambda: client.get("/readyz", private=True).status == 503)
    assert move.server.stop() == 0
    for result in [refuse_to_serve(move.directory, store=f"sqlite:{move.source}"), run("users", "list", dataDir=move.directory)]:
        assert result.returncode == 78 and "has moved to postgres" in result.stderr, result.stderr
    assert "migrate-store --finish" in refuse_to_serve(move.directory, store=move.target).stderr
    for place in (other, move.cluster.address(move.cluster.database())):
        result = run("migrate-store", f"sqlite:{move.source}", place, "--finish", **move.settings)
        assert result.returncode == 78 and "has moved to postgres" in result.stderr
    # The same database under another address.
    move.arguments[2] += "&connections=6"
    move.succeed("--finish")
    result = move.run("--finish")
    assert result.returncode == 0 and "already" in result.stderr
    move.server.settings |= {"store": move.target, "masterSecret": MASTER_SECRET}
    move.server.port_arguments = ["--port", str(move.server.port)]
    move.server.start()
    assert client.refresh().status == 200


def test_two_runs_exclude_each_other(move):
    move.client()
    move.gate()
    move.close(1)
    first = move.begin()
    wait_until(move.is_held)
    second = move.run()
    assert second.returncode == 1 and "another cloakroom migrate-store" in second.stderr
    move.open()
    assert first.wait(60) == 0


def test_a_renewal_while_rows_are_copied_is_not_lost(move):
    clients = [move.client() for _ in range(3)]
    move.gate()
    move.close(1)
    process = move.begin("--finish")
    wait_until(move.is_held)
    for client in clients:
        assert client.refresh().status == 200
    move.open()
    assert process.wait(60) == 0
    move.start()
    for client in clients:
        before = generation(client.cookie)
        assert client.refresh().status == 200 and generation(client.cookie) <= before + 1


@pytest.mark.parametrize("arguments", [
    [], ["sqlite:/x"], ["sqlite:/x", "sqlite:/y"], ["postgres://a/b", "sqlite:/x"], ["/x", "postgres://a/b"],
    ["sqlite:/x", "postgres://a/b?pooler=x"]])
def test_wrong_arguments_have_their_exit_code(arguments, tmp_path):
    assert run("migrate-store", *arguments, dataDir=tmp_path).returncode == 64


def test_targets_and_sources_that_do_not_fit_are_refused(move, tmp_path):
    move.client()
    assert move.run(masterSecret=None).returncode == 78
    assert "there are no keys" in move.run(dataDir=move.directory.parent).stderr
    missing = run("migrate-store", f"sqlite:{tmp_path}/none.sqlite", move.target, **move.settings)
    assert missing.returncode == 1 and "there is no database" in missing.stderr
    occupied = Server(tmp_path / "other", store=move.target)
    result = move.run()
    assert result.returncode == 1 and "fills an empty database" in result.stderr
    occupied.stop()
    move.psql("INSERT INTO cloakroom.migrations (version, works_with) VALUES (99, 99)")
    result = move.run()
    assert result.returncode == 1 and "run the newer build" in result.stderr


def test_keys_that_were_rotated_before_the_move_are_the_same_after_it(move):
    client = move.client()
    assert move.server.run("keys", "rotate", "--now").returncode == 0
    wait_until(lambda: client.refresh().status == 200)
    ids = {row["kid"] for row in json.loads(move.server.run("keys", "list", "--json").stdout)}
    move.succeed("--finish")
    move.start()
    listed = run("keys", "list", "--json", store=move.target, dataDir=move.directory)
    assert {row["kid"] for row in json.loads(listed.stdout)} == ids
    assert client.check().status == 204


def test_a_directory_without_the_keys_of_the_sessions_moves_nothing(move, tmp_path):
    client = move.client()
    old = tmp_path / "old"
    shutil.copytree(move.directory, old)
    foreign = tmp_path / "foreign"
    assert Server(foreign).stop() == 0
    assert "need the refresh secret" in move.run("--finish", dataDir=foreign).stderr
    assert move.server.run("keys", "rotate", "--refresh-secret", "--now").returncode == 0
    known = {row["kid"] for row in json.loads(run("keys", "list", "--json", dataDir=old).stdout)}
    wait_until(lambda: client.refresh().status == 200 and part(tokens(client.cookie)[1], 0)["kid"] not in known)
    result = move.run("--finish", dataDir=old)
    assert result.returncode == 1 and "need the refresh secret" in result.stderr
    assert client.refresh().status == 200
    move.succeed("--finish")
    move.start()
    assert client.refresh().status == 200


def test_a_database_from_before_the_move_is_not_taken_for_the_moved_one(move):
    move.client()
    move.succeed()
    assert move.server.stop() == 0
    copy = move.source.read_bytes()
    move.succeed("--finish")
    move.source.write_bytes(copy)
    result = move.run("--finish")
    assert result.returncode == 1 and "a copy from before the move" in result.stderr


def test_keys_that_another_master_secret_has_sealed_name_the_setting(move):
    move.client()
    move.succeed()
    move.gate("moves", "UPDATE")
    move.kill_at_gate(1, "--finish")
    result = move.run("--finish", masterSecret=run("keys", "secret").stdout.strip())
    assert result.returncode == 78 and "masterSecret" in result.stderr, result.stderr
    move.succeed("--finish")


@pytest.fixture
def machine(cluster, tmp_path):
    return Machine(cluster, tmp_path)


class Machine:
    """A server of the package, and a shell that does not stop at a failure, as that of a reader."""

    def __init__(self, cluster, directory):
        cluster.psql("-f", SNIPPETS / "postgresql.sql")
        self.directory, self.config = directory, directory / "cloakroom.yaml"
        self.config.write_text(f"dataDir: {directory}/data\nstore: sqlite:{directory}/data/cloakroom.sqlite\n")
        self.shell = Shell(directory)
        self.shell.add("systemctl", f'echo "$*" >> {directory}/systemctl')
        self.hosts = urllib.parse.quote(str(cluster.directory), safe="")
        self.server = Server(directory / "data", config=self.config, environment={"CREDENTIALS_DIRECTORY": str(directory)})

    def run(self, block, hosts=None):
        return self.shell.run(BLOCKS[block], {
            "/etc/systemd/system": self.directory, "/etc/cloakroom": self.directory, "verify-full": "prefer",
            "/var/lib/cloakroom": self.directory / "data", "db1,db2,db3": hosts or self.hosts}, stops=False)

    def systemctl(self):
        path = self.directory / "systemctl"
        return path.read_text().splitlines() if path.exists() else []


def test_the_page(machine):
    server = machine.server
    client = Client(server)
    client.sign_up()
    for name in ("prepare", "copy", "copy"):
        result = machine.run(name)
        assert result.returncode == 0, result.stderr
    secret, settings = machine.directory / "master-secret", machine.directory / "postgresql.yaml"
    assert secret.stat().st_mode & 0o777 == 0o600
    drop_in = machine.directory / "cloakroom.service.d/master-secret.conf"
    assert drop_in.read_text() == f"[Service]\nLoadCredential=master-secret:{secret}\n"
    before = secret.read_text()
    machine.run("prepare")
    assert secret.read_text() == before and settings.read_text().count("store:") == 1
    result = machine.run("finish", hosts="%2Fnowhere")
    assert result.returncode != 0 and settings.exists() and not machine.systemctl()
    assert client.refresh().status == 200
    result = machine.run("finish")
    assert result.returncode == 0, result.stderr
    assert machine.systemctl() == ["daemon-reload", "restart cloakroom"]
    assert set(BLOCKS) == {"prepare", "copy", "finish"}
    assert server.stop() == 0
    server.port_arguments = ["--port", str(server.port)]
    server.start()
    assert client.refresh().status == 200
    assert server.stop() == 0
