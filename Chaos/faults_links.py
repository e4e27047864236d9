"""Faults of the network."""
import time

from faults_base import ASYNCHRONOUS, PAST_TTL, Fault
from network import Link


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
    """The primary and one standby, the synchronous one if there is one: commits wait until the primary gives it up."""
    name = "cut-db-db"
    seconds = (15, 25)

    def links(self):
        members = self.cluster.members()
        standbys = [one for one in self.cluster.databases if one is not self.primary]
        synchronous = [one for one in standbys if members.get(str(one), {}).get("role") == "sync_standby"]
        return self.between(self.primary, [self.random.choice(synchronous or standbys)])


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


class LossyFailover(Cut):
    """The standbys are cut off, the primary goes on to acknowledge writes, and dies with them."""
    name = "lossy-failover"
    modes = (ASYNCHRONOUS,)
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
