"""A newer build changes the tables while instances of this build serve, as docs/decisions/0025 has it: first a step that only adds,
with which older builds work, later one with which they do not. The steps are written by hand here, because there is one build."""
import threading

import pytest

import postgres
from backend import Backend, add_credential
from browser import Client
from server import Server, refuse_to_serve, run, wait_until

EXPAND = "ALTER TABLE cloakroom.sessions ADD COLUMN color text; ALTER TABLE cloakroom.accounts ADD COLUMN color text DEFAULT 'red'"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = postgres.start(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.end()


class Tables:
    """The tables of a database, and the steps that a newer build takes."""

    def __init__(self, cluster):
        self.cluster, self.name = cluster, cluster.database()
        self.store = cluster.address(self.name)

    def run(self, sql):
        return self.cluster.psql("-c", sql, database=self.name)

    def version(self):
        return int(self.run("SELECT max(version) FROM cloakroom.migrations"))

    def step(self, change, works_with):
        """As a newer build does: in one transaction, which waits for its locks a short time only, again and again."""
        version = self.version() + 1
        self.run(f"""DO $$ BEGIN LOOP
            BEGIN
                PERFORM set_config('lock_timeout', '100ms', true);
                {change};
                INSERT INTO cloakroom.migrations (version, works_with) VALUES ({version}, {works_with});
                EXIT;
            EXCEPTION WHEN lock_not_available THEN NULL;
            END;
        END LOOP; END $$""")


class Load:
    """Users who begin sessions, renew, check and log out, at the instances that a load balancer sends them to."""

    def __init__(self, servers):
        self.serving, self.key = list(servers), add_credential(servers[0])["key"]
        self.lock, self.is_over = threading.Lock(), False
        self.busy = {server: 0 for server in servers}
        self.failures, self.rounds = [], 0
        self.threads = [threading.Thread(target=self.run, args=[number]) for number in range(4)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        turn, client = number, None
        while not self.is_over:
            client = client or self.ask(lambda server: self.backend(server).log_in(f"load{number}-{turn}"), turn)
            for action in (Client.refresh, Client.check, Client.protected):
                turn += 1
                self.ask(lambda server: self.demand(action(self.at(client, server)).status in (200, 204)), turn)
            if turn % 5 == number:
                self.ask(lambda server: self.demand(self.at(client, server).post("/auth/logout").status == 204), turn)
                client = None
            with self.lock:
                self.rounds += 1

    def backend(self, server):
        return Backend(server, self.key)

    @staticmethod
    def at(client, server):
        client.server = server
        return client

    @staticmethod
    def demand(is_right):
        assert is_right

    def ask(self, action, turn):
        """One request at an instance that serves."""
        with self.lock:
            server = self.serving[turn % len(self.serving)]
            self.busy[server] += 1
        try:
            return action(server)
        except Exception as error:
            self.failures.append(error)
        finally:
            with self.lock:
                self.busy[server] -= 1

    def restart(self, server):
        """Sends no more requests to an instance, waits for those in flight, and starts it again."""
        with self.lock:
            self.serving.remove(server)
        wait_until(lambda: not self.busy[server])
        assert server.stop() == 0
        server.start()
        with self.lock:
            self.serving.append(server)

    def goes_on(self):
        """Waits until every user has gone through all requests again."""
        start = self.rounds
        wait_until(lambda: self.rounds >= start + 2 * len(self.threads) or self.failures, 120)

    def end(self):
        self.is_over = True
        for thread in self.threads:
            thread.join()
        assert self.failures == []


@pytest.fixture
def tables(cluster):
    return Tables(cluster)


def test_instances_go_on_and_start_again_while_a_newer_build_adds_to_the_tables(tables, tmp_path):
    servers = [Server(tmp_path / "data", store=tables.store, stragglerWindow=0, reissueDelay=0) for _ in range(2)]
    version = tables.version()
    load = Load(servers)
    load.goes_on()
    tables.step(EXPAND, works_with=version)
    tables.run("UPDATE cloakroom.sessions SET color = 'blue'")
    colored = Client(servers[1])
    colored.sign_up("blue@example.com")
    tables.run("UPDATE cloakroom.sessions SET color = 'blue' WHERE subject = (SELECT subject FROM cloakroom.accounts WHERE email = 'blue@example.com')")
    load.goes_on()
    old = Client(servers[0])
    old.sign_up("old@example.com")
    tables.run("UPDATE cloakroom.sessions SET expires_at = 1 WHERE subject = (SELECT subject FROM cloakroom.accounts WHERE email = 'old@example.com')")
    for server in servers:
        load.restart(server)
        load.goes_on()
    load.end()
    assert tables.run("SELECT count(*) FROM cloakroom.sessions WHERE expires_at = 1") == "0", "the sweep goes on"
    for _ in range(2):
        assert colored.refresh().status == 200
    assert tables.run("SELECT DISTINCT color FROM cloakroom.sessions WHERE generation > 0 AND color IS NOT NULL") == "blue", "an older build leaves it"
    assert "have the version" in run("migrate", store=tables.store, dataDir=tmp_path / "data").stdout
    assert tables.version() == version + 1
    for server in servers:
        assert "ERROR" not in server.log() and '"level":"error"' not in server.log(), server.log()
        server.stop()


def test_a_step_that_older_builds_do_not_work_with_stops_their_start(tables, tmp_path):
    server = Server(tmp_path / "data", store=tables.store)
    version = tables.version()
    tables.step(EXPAND, works_with=version + 1)
    assert Client(server).sign_up("ann@example.com").status == 201, "one that runs is not stopped"
    server.stop()
    sentence = f"has schema version {version + 1}, and this build knows version {version}: run the newer build"
    started = refuse_to_serve(tmp_path / "data", store=tables.store)
    commands = [run(*words, store=tables.store, dataDir=tmp_path / "data") for words in (["migrate"], ["users", "list"], ["sessions", "revoke", "--all"])]
    for result in [started, *commands]:
        assert result.returncode == 1 and sentence in result.stderr, result.stderr
    assert tables.version() == version + 1 and "ann@example.com" in tables.run("SELECT email FROM cloakroom.accounts")
