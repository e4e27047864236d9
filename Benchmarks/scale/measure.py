#!/usr/bin/env python3
"""Measures what a session costs in PostgreSQL: bytes, HOT updates and WAL of its writes, processor time and round trips.

    CLOAKROOM_BIN=.build/release/cloakroom Benchmarks/scale/measure.py --sessions 1000000 > Benchmarks/scale/measured.json

It starts a PostgreSQL server of its own, lets the binary make the tables and a real session, and copies its rows."""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests/blackbox"), str(pathlib.Path(__file__).parent)]

import postgres                                                                                # noqa: E402
from backend import Backend                                                                    # noqa: E402
from browser import Client                                                                     # noqa: E402
from server import Server, wait_until                                                                      # noqa: E402
from delay import Delay                                                                        # noqa: E402

HOUR, DAY = 3_600_000, 86_400_000
# What differs between the copies of a row; the other columns keep the values of the real one. `n` is the number of the copy.
SUBJECT = "'u_' || substr(md5('subject' || n), 1, 22)"
SESSION = "substr(md5('session' || n), 1, 24)"
DIFFERENT = {
    "sessions": {
        "id": SESSION, "subject": SUBJECT, "secret": "decode(md5('a' || n) || md5('b' || n), 'hex')",
        "version": "hashint8extended(n, 1)", "created_at": f"created_at - n % 30 * {DAY}", "expires_at": f"expires_at - n % 30 * {DAY}",
        "last_seen_at": f"last_seen_at - n % 24 * {HOUR}", "last_seen_day": "last_seen_day - n % 2"},
    "accounts": {"subject": SUBJECT, "email": "'user' || n || '@example.com'"},
    "subjects": {"subject": SUBJECT},
    "known_networks": {"subject": SUBJECT, "network": "'198.' || n % 100 || '.' || n % 250 || '.0/24'"},
    "revocations": {"session": SESSION, "time": "time - n"},
    "events": {"id": "gen_random_uuid()", "subject": SUBJECT, "session": SESSION},
}


class Database:
    def __init__(self, cluster):
        self.cluster, self.name = cluster, cluster.database()

    def address(self, **parameters):
        return self.cluster.address(self.name, **parameters)

    def run(self, *statements):
        return self.cluster.psql(*(word for sql in statements for word in ("-c", sql)), database=self.name)

    def rows(self, sql):
        return [line.split("|") for line in self.run(sql).splitlines()]

    def columns(self, table):
        return [name for [name] in self.rows(
            f"SELECT attname FROM pg_attribute WHERE attrelid = 'cloakroom.{table}'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum")]

    def copy(self, table, count):
        """Fills a table with copies of its one row."""
        changes = DIFFERENT[table]
        columns = self.columns(table)
        assert changes.keys() <= set(columns), (table, changes.keys() - set(columns))
        values = ", ".join(changes.get(name, name) for name in columns)
        self.run(f"INSERT INTO cloakroom.{table} SELECT {values} FROM (SELECT * FROM cloakroom.{table} LIMIT 1) AS row, generate_series(1::int8, {count - 1}) AS n")

    def sizes(self, table):
        """Bytes a row: of the table, and of each index."""
        relations = self.rows(f"""
            SELECT CASE WHEN r.relkind = 'i' THEN coalesce(p.relname, r.relname) ELSE 'table' END, pg_relation_size(r.oid), t.reltuples
            FROM pg_class AS t LEFT JOIN pg_index AS i ON i.indrelid = t.oid JOIN pg_class AS r ON r.oid IN (t.oid, i.indexrelid)
            LEFT JOIN pg_inherits AS h ON h.inhrelid = r.oid AND r.relkind = 'i' LEFT JOIN pg_class AS p ON p.oid = h.inhparent
            WHERE t.relnamespace = 'cloakroom'::regnamespace AND t.relkind = 'r' AND regexp_replace(t.relname, '_[0-9]{{4}}_[0-9]{{2}}$', '') = '{table}'
            GROUP BY 1, 2, 3 ORDER BY 1""")
        return {name: round(int(size) / float(count), 1) for name, size, count in relations}


def renewal(database, client):
    """The text with which the server saves a renewal, with its parameters as $1, $2, ..."""
    database.run(
        "CREATE TABLE captured (query text)",
        "CREATE FUNCTION capture() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN INSERT INTO public.captured VALUES (current_query()); RETURN NULL; END $$",
        "CREATE TRIGGER capture AFTER UPDATE ON cloakroom.sessions FOR EACH ROW EXECUTE FUNCTION capture()")
    assert client.refresh().json["session"]["rotated"]
    text = database.run("SELECT query FROM captured LIMIT 1")
    database.run("DROP TABLE captured", "DROP FUNCTION capture CASCADE")
    return " ".join(text.split())


def script(text, sessions, day):
    """A script of pgbench that renews a random session. `day` is an expression for the day of the last activity."""
    now = "(extract(epoch FROM clock_timestamp()) * 1000)::int8"
    values = {
        "version": "hashint8extended(version, 2)", "generation": "generation + 1", "pending": "NOT pending", "window_opened_at": now,
        "rotated_at": now, "handed_out_at": now, "last_seen_at": now, "last_seen_day": day, "details": "details"}
    names = re.findall(r"(\w+) = (?:coalesce\()?\$\d+", text.split(" WHERE ")[0])
    assert values.keys() <= set(names) and text.startswith("UPDATE cloakroom.sessions SET "), text
    changes = ", ".join(f"{name} = {values.get(name, name)}" for name in names)
    number = f"random(1, {sessions - 1})"
    return f"\\set n {number}\nUPDATE cloakroom.sessions SET {changes} WHERE id = {SESSION.replace('n)', ':n)')};\n"


class Updates:
    """Renewals by pgbench, and what they cost."""

    def __init__(self, database, text, sessions):
        self.database, self.text, self.sessions = database, text, sessions

    def run(self, count, day="last_seen_day"):
        clients = 8
        path = pathlib.Path(self.database.cluster.directory) / "renew.sql"
        path.write_text(script(self.text, self.sessions, day))
        before = self.counters()
        command = [
            shutil.which("pgbench"), "-n", "-M", "prepared", "-c", clients, "-j", 2, "-t", count // clients, "-f", path,
            "-h", self.database.cluster.directory, "-U", "postgres", self.database.name]
        run_command([str(word) for word in command])
        after = self.counters()
        return {name: after[name] - before[name] for name in after}

    def counters(self):
        self.database.run("SELECT pg_stat_force_next_flush()")
        time.sleep(1)                           # statistics of the backends that have ended
        row, = self.database.rows("""
            SELECT n_tup_upd, n_tup_hot_upd, wal_bytes, wal_fpi FROM pg_stat_user_tables, pg_stat_wal
            WHERE schemaname = 'cloakroom' AND relname = 'sessions'""")
        return dict(zip(("updates", "hot", "bytes", "images"), map(int, row)))


def run_command(command):
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def updates(database, text, sessions, count):
    """HOT share and WAL of renewals, without and with images of whole pages."""
    runs = Updates(database, text, sessions)
    settings(database, full_page_writes="off")
    runs.run(count // 2)                        # until free room has settled
    warm = runs.run(count)
    cold = runs.run(max(count // 20, 2000), day="last_seen_day + 1")
    settings(database, full_page_writes="on")
    database.run("CHECKPOINT")
    imaged = runs.run(max(count // 20, 2000))
    wal = warm["bytes"] / warm["updates"]
    return {
        "updates": warm["updates"], "hot_percent": round(100 * warm["hot"] / warm["updates"], 2), "wal_bytes": round(wal),
        "first_of_day": {
            "hot_percent": round(100 * cold["hot"] / cold["updates"], 2), "wal_bytes": round(cold["bytes"] / cold["updates"])},
        "page_image_bytes": round((imaged["bytes"] - wal * imaged["updates"]) / imaged["images"])}


def settings(database, **values):
    database.run(*(f"ALTER SYSTEM SET {name} = '{value}'" for name, value in values.items()), "SELECT pg_reload_conf()")


def seconds(pids):
    """Processor time of processes."""
    total = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def processor(database, server, clients, rounds):
    """Processor time of one renewal over HTTP, of the server and of the database's processes for it."""
    backend = Backend(server)
    browsers = [backend.log_in(f"p{number}") for number in range(clients)]

    def of_database():
        return seconds([pid for [pid] in database.rows(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")])

    def renew(browser):
        for _ in range(rounds):
            assert browser.refresh().status == 200
    threads = [threading.Thread(target=renew, args=[browser]) for browser in browsers]
    before = seconds([server.process.pid]), of_database()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = seconds([server.process.pid]), of_database()
    count = clients * rounds
    return {
        "clients": clients, "renewals": count, "server_us": round((after[0] - before[0]) / count * 1e6),
        "database_us": round((after[1] - before[1]) / count * 1e6)}


def memory(server):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{server.process.pid}/status").read_text())[1]) * 1024


def feed(database, directory, count):
    """Bytes of memory of an entry of the feed in a server that has just read the whole feed."""
    sizes = []
    for entries in (1, count):
        server = Server(directory, store=database.address())
        client = logged_in(server)
        session = client.get("/auth/session").json["session"]["id"]
        server.stop()
        database.run("TRUNCATE cloakroom.revocations")
        # In transactions of a hundred, because a cursor of the feed is about transactions.
        database.run(f"""DO $$ BEGIN FOR step IN 1..{entries // 100} LOOP
            INSERT INTO cloakroom.revocations (session, time) SELECT md5(step || ' ' || n), 1900000000000 FROM generate_series(1, 100) AS n;
            COMMIT; END LOOP; END $$""")
        # In a later transaction, so it is the last to be read.
        database.run(f"INSERT INTO cloakroom.revocations (session, time) VALUES ('{session}', 1900000000000)")
        server.start()
        wait_until(lambda: client.check().status == 401, 600)
        sizes.append(memory(server))
        server.stop()
    return {"entries": count, "bytes": round((sizes[1] - sizes[0]) / count)}


ONE_WAY = 0.05


def round_trips(database, directory):
    """How often a request waits for the database, one after the other: the delay that a proxy adds, over the delay of one trip."""
    with Delay(f"{database.cluster.directory}/.s.PGSQL.5432") as delay:
        server = Server(directory, store=database.address().replace(str(database.cluster.directory).replace("/", "%2F"), delay.host), stragglerWindow=0, reissueDelay=0,
            # Limits that are never reached: they are charged all the same.
            loginRateLimit=1000, signupRateLimit=1000)
        found = {name: operation(server, delay) for name, operation in TRIPS.items()}
        server.stop()
    return found


def measured(delay, action):
    """The smallest of a few, because other work of the server shares its connections."""
    times = {}
    for one_way in (0, ONE_WAY):
        delay.seconds = one_way
        spans = []
        for _ in range(5):
            start = time.monotonic()
            action()
            spans.append(time.monotonic() - start)
        times[one_way] = min(spans)
    delay.seconds = 0
    return round((times[ONE_WAY] - times[0]) / (2 * ONE_WAY))


def trip(name):
    return lambda function: TRIPS.setdefault(name, function)


TRIPS = {}


def logged_in(server):
    client = Client(server)
    client.sign_up()
    return client


@trip("check")
def check(server, delay):
    client = logged_in(server)
    return measured(delay, lambda: client.check())


@trip("renewal")
def renew(server, delay):
    client = logged_in(server)
    return measured(delay, lambda: client.refresh())


@trip("login")
def login(server, delay):
    client = logged_in(server)
    return measured(delay, lambda: client.log_in())


@trip("sign-up")
def sign_up(server, delay):
    return measured(delay, lambda: Client(server).sign_up())


@trip("logout")
def log_out(server, delay):
    clients = [logged_in(server) for _ in range(10)]
    return measured(delay, lambda: clients.pop().post("/auth/logout"))


@trip("list of sessions")
def list_sessions(server, delay):
    client = logged_in(server)
    return measured(delay, lambda: client.protected())


@trip("password change")
def change_password(server, delay):
    client = logged_in(server)
    passwords = ["correct horse battery", "another horse battery"]

    def change():
        assert client.post("/auth/password", {"current_password": passwords[0], "new_password": passwords[1]}).status in (200, 204)
        passwords.reverse()
    return measured(delay, change)


def measure(sessions, renewals, entries, rounds):
    """The whole report. Without `entries`, only what does not depend on the speed of the machine."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="cloakroom-scale-"))
    cluster = postgres.start(directory)
    try:
        database, data = Database(cluster), directory.with_name(f"{directory.name}-data")
        server = Server(data, store=database.address(), stragglerWindow=0, reissueDelay=0)
        text = renewal(database, logged_in(server))
        report = {"sessions": sessions}
        if entries:
            report["processor"] = processor(database, server, 16, rounds)
            report["round_trips"] = round_trips(Database(cluster), directory.with_name(f"{directory.name}-trips"))
            report["feed"] = feed(Database(cluster), directory.with_name(f"{directory.name}-feed"), entries)
        server.stop()
        return report | storage(database, text, sessions, renewals)
    finally:
        cluster.end()


def storage(database, text, sessions, renewals):
    """Bytes of a row of each table, before and after renewals."""
    database.run("DELETE FROM cloakroom.sessions WHERE id <> (SELECT id FROM cloakroom.sessions WHERE generation = 1 LIMIT 1)",
                 "INSERT INTO cloakroom.revocations (session, time) VALUES ('first', 1900000000000)")
    for table in DIFFERENT:
        database.copy(table, sessions)
    database.run("VACUUM ANALYZE")
    sizes = {table: database.sizes(table) for table in DIFFERENT}
    written = updates(database, text, sessions, renewals)
    return {"bytes_a_row": sizes, "renewals": written, "sessions_after_renewals": database.sizes("sessions")}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=1_000_000)
    parser.add_argument("--renewals", type=int, default=1_000_000)
    parser.add_argument("--entries", type=int, default=100_000, help="entries of the feed; 0 leaves out what depends on the speed of the machine")
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    print(json.dumps(measure(options.sessions, options.renewals, options.entries, options.rounds), indent=2))
