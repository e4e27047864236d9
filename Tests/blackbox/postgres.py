"""A PostgreSQL server for tests, with a pgbouncer in front of it."""
import itertools
import pathlib
import subprocess
import urllib.parse

import pytest

from server import ROOT

PORTS = {"direct": 5432, "pgbouncer": 6432}


# PostgreSQL finds its own functions last, by the search path of the database.
CLOCK = """
CREATE SCHEMA fake; CREATE TABLE fake.clock (ahead interval); INSERT INTO fake.clock VALUES ('0');
CREATE FUNCTION fake.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
AS 'SELECT pg_catalog.clock_timestamp() + ahead FROM fake.clock';
GRANT USAGE ON SCHEMA fake TO app; GRANT SELECT ON fake.clock TO app
"""


class Cluster:
    """Both have sockets in a directory, and no TCP ports."""

    def __init__(self, directory):
        self.directory = directory
        script = ROOT / "Tests/CloakroomPostgresTests/cluster.sh"
        self.process = subprocess.Popen([script, directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"
        self.numbers = itertools.count()

    def end(self):
        self.process.stdin.close()
        self.process.wait(180)

    def psql(self, *arguments, database="postgres", stdin=None):
        result = subprocess.run(
            ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.directory, "-U", "postgres", "-d", database, *arguments],
            input=stdin, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        return result.stdout.strip()

    def address(self, name, path="direct", user="app", password=None, **parameters):
        host = urllib.parse.quote(str(self.directory), safe="")
        parameters |= {"pooler": "transaction"} if path == "pgbouncer" else {}
        parameters |= {"password": password} if password else {}
        more = "".join(f"&{key}={value}" for key, value in parameters.items())
        return f"postgres:///{name}?host={host}&port={PORTS[path]}&user={user}{more}"

    def database(self):
        name = f"blackbox{next(self.numbers)}"
        self.psql("-c", f"CREATE DATABASE {name} OWNER app")
        return name

    def database_with_clock(self):
        """A database whose clock, which the instances share, is moved by `move_clock`."""
        name = self.database()
        commands = [*CLOCK.split(";\n"), f"ALTER DATABASE {name} SET search_path = fake, pg_catalog, public"]
        self.psql(*(word for command in commands for word in ("-c", command)), database=name)
        return name

    def move_clock(self, name, seconds):
        self.psql("-c", f"UPDATE fake.clock SET ahead = ahead + '{seconds} seconds'", database=name)

    def hold_clock(self, name):
        """Stops the clock: from now on only `move_clock` moves it."""
        now = self.psql("-c", "SELECT pg_catalog.clock_timestamp()", database=name)
        self.psql("-c", f"""
            CREATE OR REPLACE FUNCTION fake.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
            AS $$SELECT '{now}'::timestamptz + ahead FROM fake.clock$$""", database=name)


def start(directory):
    """Starts a cluster whose server, which runs as another user, can reach the directory."""
    for parent in [directory, *directory.parents]:
        if parent.stat().st_uid == directory.stat().st_uid and parent != pathlib.Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)
    return Cluster(directory)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = start(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.end()
