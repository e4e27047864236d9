"""etcd, on machines of its own: a leader of etcd that was frozen ends the leases of others when it wakes up, and Patroni's
primary then loses its lock. https://github.com/etcd-io/etcd/issues/15247"""
import itertools


class Etcd:
    """One member. The members know each other from the start."""

    CLIENT_PORT = 2379

    def __init__(self, machine):
        self.machine = machine
        self.endpoint = f"{machine.address}:{self.CLIENT_PORT}"
        self.peer_url = f"http://{machine.address}:2380"

    def __str__(self):
        return self.machine.name

    def start(self, members):
        url = f"http://{self.endpoint}"
        everybody = ",".join(f"{member.machine.name}={member.peer_url}" for member in members)
        arguments = {
            "name": self.machine.name, "data-dir": self.machine.directory / "data", "listen-client-urls": url,
            "advertise-client-urls": url, "listen-peer-urls": self.peer_url, "initial-advertise-peer-urls": self.peer_url,
            "initial-cluster": everybody, "initial-cluster-state": "new", "log-level": "warn"}
        flags = itertools.chain.from_iterable((f"--{name}", value) for name, value in arguments.items())
        self.process = self.machine.start("etcd", *flags, user="postgres")

    def kill(self):
        self.machine.kill()
        self.process.wait()
