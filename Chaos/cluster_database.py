"""PostgreSQL under Patroni."""
import json
import pathlib
import subprocess
import sys

import yaml

from cluster_http import request
from network import SUBNET

CONFIGURATION = pathlib.Path(__file__).resolve().parent.parent / "deploy/ha/patroni.yaml"
BINARIES = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
PATRONI = pathlib.Path(sys.prefix) / "bin/patroni"
PASSWORD = "chaos"
REST = 8008
TTL = yaml.safe_load(CONFIGURATION.read_text())["bootstrap"]["dcs"]["ttl"]


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
        """The file as it is deployed, with the addresses and directories of this network. There is no TLS and no watchdog."""
        settings = yaml.safe_load(CONFIGURATION.read_text())
        address, directory = self.machine.address, self.machine.directory
        settings["name"] = self.machine.name
        settings["restapi"] = {"listen": f"{address}:{REST}", "connect_address": f"{address}:{REST}"}
        settings["etcd3"]["hosts"] = [member.endpoint for member in etcd]
        shared = settings["bootstrap"]["dcs"]
        shared["synchronous_mode"] = synchronous
        if not synchronous:
            shared["maximum_lag_on_failover"] = 1 << 40     # the lossy failover promotes a standby that is far behind
        server = settings["postgresql"]
        for login in server["authentication"].values():
            login["password"] = PASSWORD
        server |= {
            "listen": f"{address}:5432", "connect_address": f"{address}:5432", "bin_dir": str(BINARIES),
            "data_dir": str(directory / "data"), "pgpass": str(directory / "pgpass"),
            "parameters": {
                "unix_socket_directories": str(directory), "shared_buffers": "64MB", "max_wal_size": "128MB",
                "log_min_messages": "warning"},
            "pg_hba": [
                line.replace("hostssl", "host").replace("10.0.0.0/16", f"{SUBNET}.0/24") for line in server["pg_hba"]]}
        settings["watchdog"]["mode"] = "off"
        return settings

    def slow_down(self, milliseconds):
        """Delays each flush of this server's disk. Written in place: the server has the file mapped."""
        with open(self.delay, "r+b" if self.delay.exists() else "wb") as file:
            file.write((milliseconds * 1000).to_bytes(4, sys.byteorder))

    def kill(self):
        self.machine.kill()
        self.process.wait()

    def members(self):
        """What this Patroni knows of the cluster: for each member its role, state, timeline. None if it does not answer."""
        status, _, text = request("GET", f"{self.machine.address}:{REST}", "/cluster")
        return {member["name"]: member for member in json.loads(text)["members"]} if status == 200 else None

    def sql(self, *statements):
        """Runs statements as the superuser, and returns what they print."""
        commands = [argument for statement in statements for argument in ("-c", statement)]
        return subprocess.run(
            ["psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.machine.address, "-U", "postgres", *commands],
            env={"PGPASSWORD": PASSWORD, "PGCONNECT_TIMEOUT": "5", "PATH": "/usr/bin:/bin"}, check=True, capture_output=True,
            text=True, timeout=60).stdout.strip()
