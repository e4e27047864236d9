"""Two PostgreSQL servers: a primary, and a standby that follows it by streaming replication."""
import os
import pathlib
import shutil
import signal
import subprocess
import urllib.parse

from server import wait_until


def as_owner(*command):
    """PostgreSQL refuses to run as root."""
    owner = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups"] if os.geteuid() == 0 else []
    return [*owner, *map(str, command)]


def program(name):
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return found[-1] if found else shutil.which(name)


class Postgres:
    """One server, with its socket in a directory."""

    def __init__(self, directory):
        self.directory = directory
        self.data = directory / "data"
        directory.mkdir()
        if os.geteuid() == 0:
            shutil.chown(directory, "postgres")
        self.process = None

    def run(self, *command):
        result = subprocess.run(as_owner(*command), cwd=self.directory, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr

    def start(self):
        settings = {"listen_addresses": "", "unix_socket_directories": self.directory, "fsync": "off", "max_connections": 100}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with open(self.directory.parent / f"{self.directory.name}.log", "ab") as log:
            self.process = subprocess.Popen(
                as_owner(program("postgres"), "-D", self.data, *options), cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(lambda: subprocess.run(["pg_isready", "-q", "-h", self.directory]).returncode == 0, 60)

    def stop(self):
        """At once, as by a loss of power."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(60)

    def psql(self, *statements, database="postgres"):
        commands = [part for statement in statements for part in ("-c", statement)]
        result = subprocess.run(
            ["psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.directory, "-U", "postgres", "-d", database, *commands],
            capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        return result.stdout.strip()


class Replicas:
    def __init__(self, directory):
        # The servers run as another user, who must reach the directory.
        for parent in [directory, *directory.parents]:
            if parent.stat().st_uid == directory.stat().st_uid and parent != pathlib.Path("/"):
                parent.chmod(parent.stat().st_mode | 0o011)
        self.primary, self.standby = Postgres(directory / "a"), Postgres(directory / "b")
        self.primary.run(program("initdb"), "-D", self.primary.data, "-A", "trust", "-U", "postgres", "--no-sync")
        self.primary.start()
        self.primary.psql("CREATE ROLE app LOGIN", "CREATE DATABASE app OWNER app")
        self.standby.run(
            program("pg_basebackup"), "-h", self.primary.directory, "-U", "postgres", "-D", self.standby.data, "-R", "-c", "fast", "--no-sync")
        self.standby.start()

    def address(self, *servers):
        """Of both servers, or of these."""
        hosts = ",".join(urllib.parse.quote(str(server.directory), safe="") for server in servers or (self.primary, self.standby))
        return f"postgres:///app?host={hosts}&user=app"

    def wait_for_standby(self):
        """Waits until the standby has what the primary has committed so far."""
        position = self.primary.psql("SELECT pg_current_wal_lsn()")
        wait_until(lambda: self.standby.psql(f"SELECT pg_last_wal_replay_lsn() >= '{position}'") == "t", 60)

    def cut(self):
        """The standby gets nothing from now on."""
        self.standby.psql("ALTER SYSTEM SET primary_conninfo = ''", "SELECT pg_reload_conf()")
        wait_until(lambda: self.standby.psql("SELECT count(*) FROM pg_stat_wal_receiver") == "0", 60)

    def promote(self):
        assert self.standby.psql("SELECT pg_promote()") == "t"

    def stop(self):
        self.primary.stop()
        self.standby.stop()
