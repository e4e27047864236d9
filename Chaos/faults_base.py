"""A fault of the cluster."""
from cluster import wait_until
from cluster_database import TTL

# A deposed primary is replaced when its lock runs out, so most faults of the primary last longer than that.
PAST_TTL = (TTL + 5, TTL + 20)
SYNCHRONOUS, ASYNCHRONOUS = MODES = ("synchronous", "asynchronous")


class Fault:
    """`begin` hits the cluster and returns what it hit, `end` repairs it, and `seconds` is the shortest and longest time between."""

    seconds = (8, 15)
    modes = MODES

    def __init__(self, cluster, random):
        self.cluster, self.random = cluster, random
        self.primary = wait_until(cluster.primary, 30, "there is no primary")

    def end(self):
        """What ends by itself has nothing to do here."""
