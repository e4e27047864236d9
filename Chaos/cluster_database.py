"""PostgreSQL under Patroni."""
import http.client
import json
import pathlib
import subprocess
import sys

BINARIES = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
PATRONI = pathlib.Path(sys.prefix) / "bin/patroni"
PASSWORD = "chaos"
TTL, LOOP, RETRY = 20, 5, 5


class Database:
    """One server with its Patroni."""

    def __init__(self, machine, shim):
        self.machine = machine
        self.shim = shim
        self.delay = machine.directory / "delay"
        self.slow_down(0)

    def __str__(self):
        return self.machine.name

    def start(self, etcd, synchronous):
        path = self.machine.directory / "patroni.json"
        path.write_text(json.dumps(self.settings(etcd, synchronous), indent=1))
        self.process = self.machine.start(
            PATRONI, path, user="postgres", environment={"LD_PRELOAD": str(self.shim), "SLOW_DISK": str(self.delay)})

    def settings(self, etcd, synchronous):
        address, directory = self.machine.address, self.machine.directory
        logins = {"superuser": "postgres", "replication": "replicator", "rewind": "rewinder"}
        return {
            "scope": "chaos",
            "name": self.machine.name,
            "restapi": {"listen": f"{address}:8008", "connect_address": f"{address}:8008"},
            "etcd3": {"hosts": [member.endpoint for member in etcd]},
            "bootstrap": {
                "dcs": {
                    "ttl": TTL, "loop_wait": LOOP, "retry_timeout": RETRY, "synchronous_mode": synchronous,
                    # The lossy failover promotes a standby that is far behind.
                    "maximum_lag_on_failover": 1 << 20 if synchronous else 1 << 40,
                    "postgresql": {"use_pg_rewind": True, "parameters": {
                        "wal_log_hints": "on", "max_connections": 100, "shared_buffers": "64MB", "wal_keep_size": "512MB",
                        "log_min_messages": "warning"}}},
                "initdb": ["data-checksums", {"encoding": "UTF8"}, {"locale": "C"}]},
            "postgresql": {
                "listen": f"{address}:5432", "connect_address": f"{address}:5432", "bin_dir": str(BINARIES),
                "data_dir": str(directory / "data"), "pgpass": str(directory / "pgpass"),
                "authentication": {use: {"username": name, "password": PASSWORD} for use, name in logins.items()},
                "parameters": {"unix_socket_directories": str(directory)},
                "pg_hba": [f"host {kind} all 10.97.0.0/24 scram-sha-256" for kind in ("all", "replication")]}}

    def slow_down(self, milliseconds):
        """Delays each flush of this server's disk. Written in place: the server has the file mapped."""
        with open(self.delay, "r+b" if self.delay.exists() else "wb") as file:
            file.write((milliseconds * 1000).to_bytes(4, sys.byteorder))

    def kill(self):
        self.machine.kill()
        self.process.wait()

    def members(self):
        """What this Patroni knows of the cluster: for each member its role, state, timeline. None if it does not answer."""
        connection = http.client.HTTPConnection(self.machine.address, 8008, timeout=2)
        try:
            connection.request("GET", "/cluster")
            return {member["name"]: member for member in json.load(connection.getresponse())["members"]}
        except (OSError, http.client.HTTPException, ValueError, KeyError):
            return None
        finally:
            connection.close()

    def sql(self, *statements):
        """Runs statements as the superuser, and returns what they print."""
        commands = [argument for statement in statements for argument in ("-c", statement)]
        return subprocess.run(
            ["psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.machine.address, "-U", "postgres", *commands],
            env={"PGPASSWORD": PASSWORD, "PGCONNECT_TIMEOUT": "5", "PATH": "/usr/bin:/bin"}, check=True, capture_output=True,
            text=True, timeout=60).stdout.strip()
