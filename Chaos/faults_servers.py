"""Faults of PostgreSQL, Patroni and etcd."""
import json
import signal

from cluster_database import REST
from cluster_http import request
from faults_base import PAST_TTL, Fault


class KillPostgres(Fault):
    """kill -9 of the primary's processes. Patroni starts the server again."""
    name = "kill-postgres"

    def begin(self):
        self.primary.machine.signal(signal.SIGKILL, "postgres")
        return self.primary


class KillNode(Fault):
    """The machine of the primary loses its power, and a member of etcd goes with it."""
    name = "kill-node"
    seconds = PAST_TTL

    def begin(self):
        self.member = self.random.choice(self.cluster.etcd)
        self.primary.kill()
        self.member.kill()
        return f"{self.primary}, {self.member}"

    def end(self):
        self.member.start(self.cluster.etcd)
        self.cluster.start_database(self.primary)


class KillPatroni(Fault):
    """PostgreSQL lives on without Patroni: there are two servers that take writes."""
    name = "kill-patroni"
    seconds = PAST_TTL

    def begin(self):
        self.primary.process.kill()
        self.primary.process.wait()
        return self.primary

    def end(self):
        self.cluster.start_database(self.primary)


class KillEtcd(Fault):
    name = "kill-etcd"

    def begin(self):
        self.member = self.random.choice(self.cluster.etcd)
        self.member.kill()
        return self.member

    def end(self):
        self.member.start(self.cluster.etcd)


class PausePostgres(Fault):
    """SIGSTOP of the primary's processes. Their kernel still acknowledges what clients send."""
    name = "pause-postgres"
    seconds = PAST_TTL
    processes = "postgres"

    def begin(self):
        self.primary.machine.signal(signal.SIGSTOP, self.processes)
        return self.primary

    def end(self):
        self.primary.machine.signal(signal.SIGCONT, self.processes)


class FreezeNode(PausePostgres):
    """SIGSTOP of the whole machine. When it goes on, it still believes that it is the primary."""
    name = "freeze-node"
    processes = None


class SlowDisk(Fault):
    name = "slow-disk"

    def begin(self):
        self.hit = self.random.choice([[self.primary], self.cluster.databases])
        milliseconds = self.random.choice([20, 100, 500])
        for database in self.hit:
            database.slow_down(milliseconds)
        return f"{', '.join(map(str, self.hit))}: {milliseconds} ms for each flush"

    def end(self):
        for database in self.hit:
            database.slow_down(0)


class Switchover(Fault):
    """An operator moves the primary to another machine."""
    name = "switchover"

    def begin(self):
        order = json.dumps({"leader": self.primary.machine.name})
        status, _, text = request("POST", f"{self.primary.machine.address}:{REST}", "/switchover", order, timeout=60)
        return f"{self.primary}: {status} {text.decode()}"
