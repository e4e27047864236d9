"""Every transaction on PostgreSQL writes rows of one session or of one subject: that is what lets the tables be divided among
servers. Triggers note each row that any process writes, while every operation and every command is used.

docs/scale.md says what follows from it."""
import concurrent.futures

import pytest

import every_operation
import postgres
from described import document
from every_operation import Product
from host_browser import LOGIN, SHOP
from server import ROOT, Server, run, wait_until

AUDIT = ROOT / "Tests/blackbox/audit.sql"
# Writes of rows of many subjects: the operation and the table, and why it may.
OF_MANY = {
    ("DELETE", "sessions"): "the sweep deletes what has ended; a part of it may be done alone or again",
    ("DELETE", "revocations"): "as the sessions",
    ("DELETE", "stale_marks"): "as the sessions",
    ("DELETE", "one_time"): "as the sessions",
    ("DELETE", "allowances"): "as the sessions",
    ("INSERT", "allowances"): "a try is charged to its account and to the networks around its client, all or none",
    ("UPDATE", "allowances"): "as the insertions",
    ("DELETE", "unannounced"): "a server takes the events of commands for its log, however many subjects they are of",
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = postgres.start(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.end()


class Audit:
    """A database whose writes are noted."""

    AGED = {"sessions": "expires_at", "revocations": "time", "stale_marks": "time", "one_time": "expires_at", "allowances": "restored_at"}

    def __init__(self, cluster, directory):
        self.cluster, self.name, self.directory = cluster, cluster.database(), directory

    def start(self, **settings):
        server = Server(self.directory, **every_operation.SETTINGS | settings)
        self.cluster.psql("-f", AUDIT, database=self.name)
        return server

    def address(self, **parameters):
        return self.cluster.address(self.name, **parameters)

    def age(self, days):
        """Makes all rows older, without the triggers; allowances, whose times are in microseconds, by less."""
        updates = [f"UPDATE cloakroom.{table} SET {column} = {column} - {days * 86_400_000};" for table, column in self.AGED.items()]
        self.cluster.psql("-c", f"SET session_replication_role = replica; {' '.join(updates)}", database=self.name)

    def query(self, sql):
        return [line.split("|") for line in self.cluster.psql("-c", sql, database=self.name).splitlines()]

    def of_many(self, unit):
        """The transactions or statements that wrote rows of more than one subject: the operations and tables of each, with the
        statements."""
        rows = self.query(f"""
            SELECT string_agg(DISTINCT operation || ' ' || table_name, ','), string_agg(DISTINCT left(translate(query, E'\\n|', '  '), 300), ' ; ')
            FROM audit.writes GROUP BY {unit} HAVING count(DISTINCT subject) > 1""")
        return [({tuple(write.split()) for write in writes.split(",")}, text) for writes, text in rows]

    def violations(self, unit):
        return [
            (writes, text) for writes, text in self.of_many(unit)
            if len({table for _, table in writes}) > 1 or not writes <= OF_MANY.keys()]


@pytest.fixture
def audit(cluster, tmp_path):
    return Audit(cluster, tmp_path / "data")


def test_every_operation_and_every_command_is_used_here():
    documented = {operation["operationId"] for path in document()["paths"].values() for operation in path.values()}
    assert set(every_operation.OPERATIONS) == documented
    assert set(every_operation.COMMANDS) | every_operation.WITHOUT_STORE == every_operation.commands()


def test_with_groups_of_one_every_transaction_writes_rows_of_one_subject(audit):
    store = audit.address(group=1)
    server = audit.start(store=store)
    product = Product(server)
    for function in every_operation.functions():
        function(product)
    wait_until(lambda: audit.query("SELECT count(*) FROM cloakroom.unannounced") == [["0"]])
    assert server.stop() == 0
    audit.age(days=200)
    server.start()                              # sweeps at its start
    for table in Audit.AGED:
        wait_until(lambda: audit.query(f"SELECT count(*) FROM cloakroom.{table}") == [["0"]])
    assert audit.violations("transaction") == []
    assert server.stop() == 0
    written = {name for [name] in audit.query("SELECT DISTINCT table_name FROM audit.writes")}
    tables = {name for [name] in audit.query(
        "SELECT relname FROM pg_class WHERE relnamespace = 'cloakroom'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition")}
    assert tables - written == {"migrations", "epochs", "moves"}, "written before the audit begins, or by migrate-store"
    happened = set().union(*(writes for writes, _ in audit.of_many("transaction")))
    assert happened == OF_MANY.keys(), "each exception is needed"
    assert audit.query("SELECT DISTINCT table_name FROM audit.writes WHERE subject LIKE 'unknown session%'") == []


def test_a_group_is_statements_of_one_subject_each(audit):
    """Writes of many browsers share transactions, and no statement depends on another one."""
    server = audit.start(store=audit.address())
    product = Product(server)
    browsers = [product.browser() for _ in range(8)]

    def renew(browser):
        every_operation.post(browser, "/auth/refresh")
        every_operation.post(browser, "/auth/refresh", host=SHOP)
        return browser.send(LOGIN, "GET", "/auth/sessions").status

    with concurrent.futures.ThreadPoolExecutor(len(browsers)) as pool:
        def grouped():
            assert set(pool.map(renew, browsers)) == {200}
            return audit.of_many("transaction")
        wait_until(grouped, 60)
    for function in every_operation.OPERATIONS.values():
        function(product)
    assert audit.violations("transaction, statement") == []
    assert server.stop() == 0


@pytest.mark.parametrize("unit, found", [("transaction", 2), ("transaction, statement", 1)])
def test_the_audit_finds_a_transaction_and_a_statement_of_two_subjects(audit, unit, found):
    assert run("migrate", dataDir=audit.directory, store=audit.address()).returncode == 0
    audit.cluster.psql("-f", AUDIT, database=audit.name)
    insert = "INSERT INTO cloakroom.subjects (subject) VALUES"
    audit.cluster.psql(
        "-c", f"{insert} ('one')", "-c", f"{insert} ('two'), ('three')",
        "-c", "BEGIN", "-c", f"{insert} ('four')", "-c", f"{insert} ('five')", "-c", "COMMIT", database=audit.name)
    assert len(audit.violations(unit)) == found
