"""Machines: network namespaces on one bridge, with links that can be cut."""
import os
import pathlib
import signal
import subprocess

SUBNET = "10.97.0"
CLIENTS = f"{SUBNET}.254"
# No interface has this address, so the bridge delivers its frames to nobody.
NOWHERE = "02:00:00:00:00:01"


def ip(*arguments):
    subprocess.run(["ip", *map(str, arguments)], check=True)


def make_bridge():
    """The bridge, with the address of the clients, who are outside of all machines."""
    pathlib.Path("/run/netns").mkdir(exist_ok=True)
    ip("link", "add", "bridge", "type", "bridge")
    ip("address", "add", f"{CLIENTS}/24", "dev", "bridge")
    ip("link", "set", "bridge", "up")


class Machine:
    def __init__(self, name, number, directory):
        self.name = name
        self.address = f"{SUBNET}.{number}"
        self.directory = directory / name
        self.directory.mkdir()
        self.namespace = f"/run/netns/{name}"
        self.port = f"port-{name}"
        ip("netns", "add", name)
        ip("link", "add", self.port, "type", "veth", "peer", "name", "eth0", "netns", name)
        ip("link", "set", self.port, "master", "bridge", "up")
        self.ip("link", "set", "lo", "up")
        self.ip("address", "add", f"{self.address}/24", "dev", "eth0")
        self.ip("link", "set", "eth0", "up")
        self.inode = os.stat(self.namespace).st_ino

    def ip(self, *arguments):
        ip("-n", self.name, *arguments)

    def start(self, *command, user=None, environment=None, log="log"):
        """Starts a process on this machine. Its output is appended to a file in the machine's directory."""
        switch = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        with open(self.directory / log, "ab") as output:
            return subprocess.Popen(
                ["nsenter", f"--net={self.namespace}", *switch, *map(str, command)], stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, env=os.environ | (environment or {}), start_new_session=True)

    def processes(self, name=None):
        """The numbers of the machine's processes, or of those with this name."""
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if os.stat(path / "ns/net").st_ino == self.inode:
                    if name in (None, (path / "comm").read_text().strip()):
                        found.append(int(path.name))
            except OSError:
                continue
        return found

    def signal(self, number, name=None):
        """Sends a signal to all processes of the machine, again until it starts no new ones."""
        done = set()
        while new := set(self.processes(name)) - done:
            for process in new:
                try:
                    os.kill(process, number)
                except ProcessLookupError:
                    pass
            done |= new

    def kill(self):
        self.signal(signal.SIGKILL)

    def unplug(self):
        ip("link", "set", self.port, "down")

    def plug_in(self):
        ip("link", "set", self.port, "up")

    def lose_packets_to(self, other):
        """A connection attempt hangs, and an open connection goes silent, as behind a broken switch."""
        self.ip("neighbour", "replace", other.address, "lladdr", NOWHERE, "nud", "permanent", "dev", "eth0")

    def reach(self, other):
        self.ip("neighbour", "delete", other.address, "dev", "eth0")


class Link:
    """The link between two machines."""

    def __init__(self, one, other):
        self.ends = (one, other)

    def __str__(self):
        return "-".join(machine.name for machine in self.ends)

    def cut(self):
        one, other = self.ends
        one.lose_packets_to(other)
        other.lose_packets_to(one)

    def mend(self):
        one, other = self.ends
        one.reach(other)
        other.reach(one)
