"""How long nothing was written in each fault. This is printed; what is tolerable depends on the deployment."""
from checker_facts import is_acknowledged

WRITES = frozenset({"renew", "begin", "logout", "serviceEnd"})
RESOLUTION = 0.1
AFTERMATH = 30


class Outages:
    def __init__(self, faults):
        self.faults = faults
        # Which tenths of a second had an acknowledged write: a few kilobytes for a run of an hour.
        self.written = set()
        self.last = 0

    def add(self, operation):
        if operation["op"] in WRITES and is_acknowledged(operation):
            self.written.add(int(operation["ended"] / RESOLUTION))
            self.last = max(self.last, operation["ended"])

    def report(self):
        for name, began, ended in sorted(self.faults.spans, key=lambda span: span[1]):
            yield f"fault {name}: {self.longest_gap(began, min(ended + AFTERMATH, self.last)):.1f} s without an acknowledged write"

    def longest_gap(self, start, end):
        longest, last = 0, int(start / RESOLUTION)
        for moment in range(last, int(end / RESOLUTION) + 1):
            if moment in self.written:
                longest, last = max(longest, moment - last), moment
        return max(longest, int(end / RESOLUTION) - last) * RESOLUTION
