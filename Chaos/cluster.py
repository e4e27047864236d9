"""The deployment: three instances behind HAProxy, three PostgreSQL servers under Patroni, three members of etcd."""
import json
import os
import pathlib
import subprocess
import time

from cluster_database import PASSWORD, Database
from cluster_etcd import Etcd
from cluster_instance import HOST, SETTINGS, STOP, Instance
from cluster_proxy import Proxy
from network import Machine, make_bridge

HERE = pathlib.Path(__file__).resolve().parent
SCOPES = "sessions:create,sessions:read,sessions:revoke,claims:write,events:read,revocations:read"


class NeverCameAbout(Exception):
    pass


def wait_until(condition, seconds, what):
    end = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > end:
            raise NeverCameAbout(f"after {seconds} s: {what}")
        time.sleep(0.2)
    return result


class Cluster:
    def __init__(self, directory, synchronous):
        self.directory = directory
        self.synchronous = synchronous
        self.violations = []
        make_bridge()
        slow_disk, wrong_clock = self.build("slow_disk"), self.build("wrong_clock")
        self.etcd = [Etcd(self.database_machine(f"etcd{number}", 10 + number)) for number in (1, 2, 3)]
        self.databases = [Database(self.database_machine(f"db{number}", number), slow_disk) for number in (1, 2, 3)]
        proxy = Machine("proxy", 31, directory)
        machines = [database.machine for database in self.databases]
        self.instances = [
            Instance(Machine(f"app{number}", 20 + number, directory), machines, proxy, wrong_clock) for number in (1, 2, 3)]
        self.proxy = Proxy(proxy, self.instances)

    def build(self, name):
        """A library that is preloaded into a process."""
        library = self.directory / f"{name}.so"
        subprocess.run(["gcc", "-Wall", "-Werror", "-O2", "-shared", "-fPIC", "-o", library, HERE / f"{name}.c"], check=True)
        return library

    def database_machine(self, name, number):
        machine = Machine(name, number, self.directory)
        subprocess.run(["chown", "postgres:", machine.directory], check=True)
        return machine

    def start(self):
        for member in self.etcd:
            member.start(self.etcd)
        first, *others = self.databases
        self.start_database(first)
        wait_until(self.primary, 60, "PostgreSQL has no primary")
        for database in others:
            self.start_database(database)
        wait_until(self.databases_are_well, 60, "the standbys do not stream")
        self.primary().sql(
            f"CREATE ROLE cloakroom LOGIN PASSWORD '{PASSWORD}'", "CREATE DATABASE cloakroom OWNER cloakroom")
        for instance in self.instances:
            instance.start()
        self.proxy.start()
        wait_until(self.is_well, 60, "the instances are not ready")
        self.service_key = self.add_service_key()

    def start_database(self, database):
        database.start(self.etcd, self.synchronous)

    def members(self):
        """The members of the PostgreSQL cluster by name, from the first Patroni that knows the primary."""
        for database in self.databases:
            members = database.members()
            if members and any(is_primary(member) for member in members.values()):
                return members
        return {}

    def primary(self):
        """The primary, or None while there is none."""
        members = self.members()
        return next(
            (one for one in self.databases if is_primary(members.get(one.machine.name)) and answers_as_primary(one)), None)

    def databases_are_well(self):
        """Whether there is a primary and two standbys that stream from it."""
        members = self.members()
        primary = next((member for member in members.values() if is_primary(member)), None)
        standbys = [member for member in members.values() if member.get("state") == "streaming"]
        one_is_synchronous = any(member["role"] == "sync_standby" for member in standbys)
        return bool(
            primary and primary["state"] == "running" and len(standbys) == 2
            and all(member["timeline"] == primary["timeline"] for member in standbys)
            and (one_is_synchronous or not self.synchronous))

    def is_well(self):
        return self.databases_are_well() and all(instance.is_ready() for instance in self.instances)

    def restart(self, instance):
        code = instance.stop()
        if code != 0:
            how = f"did not end within {STOP} s" if code is None else f"ended with {code}"
            self.violations.append(f"{instance} {how} after SIGTERM")
        instance.start()
        wait_until(instance.is_ready, 60, f"{instance} is not ready after its restart")

    def crashes(self):
        """Instances that ended without being asked to."""
        ended = [one for one in self.instances if one.process.poll() is not None]
        return [f"{one} ended by itself with {one.process.returncode}" for one in ended]

    def timeline(self):
        return next((member["timeline"] for member in self.members().values() if is_primary(member)), None)

    def add_service_key(self):
        command = self.instances[0].command("credentials", "add", "--scope", SCOPES, "--json")
        text = subprocess.run(
            list(map(str, command)), check=True, capture_output=True, text=True, timeout=60,
            env=os.environ | self.instances[0].environment()).stdout
        return json.loads(text)[0]["key"]

    def service(self):
        """What a workload needs besides the address of the proxy."""
        return {
            "key": self.service_key, "urls": [instance.private_url for instance in self.instances],
            "public_urls": [instance.url for instance in self.instances], "host": HOST, "origin": f"https://{HOST}",
            "settings": SETTINGS, "synchronous": self.synchronous}


def is_primary(member):
    return bool(member) and member["role"] == "leader"


def answers_as_primary(database):
    members = database.members()
    return bool(members) and is_primary(members.get(database.machine.name))
