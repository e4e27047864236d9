"""A PostgreSQL server on the measured disk, a pgbouncer in front of it, and a standby that follows when it is asked to."""
import os
import shutil
import subprocess
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .. import tool
from ..bench import Bench
from ..peers.launch import Running, launched
from ..peers.place import Command, Place

SETTINGS = {"listen_addresses": "", "max_connections": "200", "shared_buffers": "512MB", "max_wal_size": "8GB"}
BOUNCER_PORT = 6432
USER = "postgres"
PGBOUNCER = """\
[databases]
* = host={directory} port=5432 user={user}
[pgbouncer]
listen_port = {port}
unix_socket_dir = {directory}
auth_type = any
pool_mode = transaction
max_client_conn = 500
default_pool_size = 20
"""


@dataclass(frozen=True)
class Cluster:
    directory: Path
    running: Running

    def psql(self, *statements: str, database: str = "postgres") -> str:
        argv = [program("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", str(self.directory), "-U", USER]
        commands = [part for statement in statements for part in ("-c", statement)]
        return tool.run([*argv, "-d", database, *commands], timeout=120).strip()

    def address(self, database: str, *, bouncer: bool = False) -> str:
        host = urllib.parse.quote(str(self.directory), safe="")
        end = f"&port={BOUNCER_PORT}&pooler=transaction" if bouncer else ""
        return f"postgres:///{database}?host={host}&user={USER}{end}"

    @contextmanager
    def bouncer(self) -> Iterator[Running]:
        file = self.directory / "pgbouncer.ini"
        file.write_text(PGBOUNCER.format(directory=self.directory, user=USER, port=BOUNCER_PORT))
        socket = self.directory / f".s.PGSQL.{BOUNCER_PORT}"
        command = Command(as_owner(shutil.which("pgbouncer") or "/usr/sbin/pgbouncer", file), cwd=self.directory)
        with launched("pgbouncer", Place(_owned(self.directory / "bouncer"), 0, 1), [command], socket.exists) as running:
            yield running

    @contextmanager
    def standby(self) -> Iterator[Running]:
        """Commits wait for it meanwhile."""
        place = Place(_owned(self.directory / "standby"), 0, 1)
        data = place.directory / "data"
        if not data.exists():
            _run(program("pg_basebackup"), "-h", self.directory, "-U", USER, "-D", data, "-R", "-c", "fast")
        with launched("standby", place, [_server(data, place.directory)], self._is_followed) as running:
            self._reload("ALTER SYSTEM SET synchronous_standby_names = '*'")
            try:
                yield running
            finally:
                self._reload("ALTER SYSTEM RESET synchronous_standby_names")

    def _is_followed(self) -> bool:
        return self.psql("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "1"

    def _reload(self, statement: str) -> None:
        self.psql(statement, "SELECT pg_reload_conf()")
        time.sleep(0.5)


@contextmanager
def cluster(bench: Bench) -> Iterator[Cluster]:
    directory = _owned(bench.work / "postgresql")
    data = directory / "data"
    _run(program("initdb"), "-D", data, "-A", "trust", "-U", USER, "-E", "UTF8", "--locale", "C")

    def is_ready() -> bool:
        return subprocess.run([program("pg_isready"), "-q", "-h", directory]).returncode == 0

    with launched("postgres", Place(directory, 0, 1), [_server(data, directory)], is_ready) as running:
        yield Cluster(directory, running)


def program(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    path = str(found[-1]) if found else shutil.which(name)
    if not path:
        raise tool.Missing(f"{name} is not installed")
    return path


def as_owner(*command: object) -> list[str]:
    """PostgreSQL refuses to run as root."""
    owner = ["setpriv", "--reuid", USER, "--regid", USER, "--init-groups"] if os.geteuid() == 0 else []
    return [*owner, *map(str, command)]


def _server(data: Path, directory: Path) -> Command:
    settings = SETTINGS | {"unix_socket_directories": str(directory)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return Command(as_owner(program("postgres"), "-D", data, *options), cwd=directory)


def _owned(directory: Path) -> Path:
    directory.mkdir(exist_ok=True)
    if os.geteuid() == 0:
        shutil.chown(directory, USER)
    return directory


def _run(*command: object) -> None:
    tool.run(as_owner(*command), timeout=120)
