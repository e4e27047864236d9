"""The faults. Each one hits the cluster in `begin`, which returns what it hit, and ends in `end`. `seconds` is how long it
lasts. A deposed primary is replaced when its lock runs out (`TTL`), so faults of the primary last longer than that."""
import http.client
import json
import signal
import time

from cluster_database import TTL
from network import Link

PAST_TTL = (TTL + 5, TTL + 20)
MODES = ("synchronous", "asynchronous")


class Fault:
    seconds = (8, 15)
    modes = MODES

    def __init__(self, cluster, random):
        self.cluster, self.random = cluster, random
        self.primary = cluster.primary()

    def end(self):
        """What ends by itself has nothing to do here."""


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


class IsolateNode(Fault):
    """The primary is cut off from everybody."""
    name = "isolate-node"
    seconds = PAST_TTL

    def begin(self):
        self.primary.machine.unplug()
        return self.primary

    def end(self):
        self.primary.machine.plug_in()


class Cut(Fault):
    """Cuts the links that `links` chooses."""

    def begin(self):
        self.cut = self.links()
        for link in self.cut:
            link.cut()
        return ", ".join(map(str, self.cut))

    def end(self):
        for link in self.cut:
            link.mend()

    def between(self, one, others):
        return [Link(one.machine, other.machine) for other in others if other is not one]


class CutInstanceFromDatabase(Cut):
    name = "cut-app-db"

    def links(self):
        return self.between(self.random.choice(self.cluster.instances), [self.primary])


class CutDatabases(Cut):
    """The primary and one standby. In synchronous mode commits wait if it is the synchronous one, until Patroni takes another."""
    name = "cut-db-db"

    def links(self):
        return [self.random.choice(self.between(self.primary, self.cluster.databases))]


class CutDatabaseFromEtcd(Cut):
    """The primary and all of etcd: it steps down, although all clients reach it."""
    name = "cut-db-etcd"
    seconds = PAST_TTL

    def links(self):
        return self.between(self.primary, self.cluster.etcd)


class CutProxyFromInstance(Cut):
    name = "cut-proxy-app"

    def links(self):
        return self.between(self.cluster.proxy, [self.random.choice(self.cluster.instances)])


class CutPeers(Cut):
    """The primary is cut off from the other servers and from etcd, but not from its clients."""
    name = "cut-peers"
    seconds = PAST_TTL

    def links(self):
        return self.between(self.primary, [*self.cluster.databases, *self.cluster.etcd])


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


class Clock(Fault):
    """The wall clock of one instance is an hour wrong."""
    name = "clock"
    seconds = (10, 20)

    def begin(self):
        self.instance = self.random.choice(self.cluster.instances)
        hours = self.random.choice([-1, 1])
        self.instance.move_clock(hours * 3600)
        return f"{self.instance}: {hours:+d} h"

    def end(self):
        self.instance.move_clock(0)


class KillInstance(Fault):
    name = "kill-instance"
    seconds = (2, 8)

    def begin(self):
        self.instance = self.random.choice(self.cluster.instances)
        self.instance.kill()
        return self.instance

    def end(self):
        self.instance.start()


class RollingRestart(Fault):
    """An upgrade: one instance after the other ends by SIGTERM, starts, and is ready before the next one ends."""
    name = "rolling-restart"
    seconds = (1, 3)

    def begin(self):
        order = self.random.sample(self.cluster.instances, 3)
        for instance in order:
            self.cluster.restart(instance)
        return ", ".join(map(str, order))


class Switchover(Fault):
    """An operator moves the primary to another machine."""
    name = "switchover"

    def begin(self):
        connection = http.client.HTTPConnection(self.primary.machine.address, 8008, timeout=60)
        connection.request("POST", "/switchover", json.dumps({"leader": self.primary.machine.name}))
        status = connection.getresponse().status
        connection.close()
        return f"{self.primary}: {status}"


class LossyFailover(Cut):
    """The standbys are cut off, the primary goes on to acknowledge writes, and dies with them."""
    name = "lossy-failover"
    modes = ("asynchronous",)
    seconds = PAST_TTL

    def links(self):
        return self.between(self.primary, self.cluster.databases)

    def begin(self):
        hit = super().begin()
        time.sleep(self.random.uniform(1, 4))
        self.primary.kill()
        super().end()
        return hit

    def end(self):
        self.cluster.start_database(self.primary)


FAULTS = {fault.name: fault for fault in (
    KillPostgres, KillNode, KillPatroni, KillEtcd, PausePostgres, FreezeNode, IsolateNode, CutInstanceFromDatabase, CutDatabases,
    CutDatabaseFromEtcd, CutProxyFromInstance, CutPeers, SlowDisk, Clock, KillInstance, RollingRestart, Switchover, LossyFailover)}
SHORT = ("kill-postgres", "kill-instance", "kill-node", "cut-app-db", "rolling-restart")
