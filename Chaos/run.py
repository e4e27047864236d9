"""Scripts/chaos: brings the cluster up, lets a workload use it while faults hit it, and checks the history of what happened."""
import argparse
import pathlib
import random
import shutil
import sys
import threading
import time
import traceback

import checker
import history
import sandbox
import workload
from cluster import Cluster, NeverCameAbout, wait_until
from cluster_probe import Probe
from faults import FAULTS, MODES, SHORT

RESULTS = pathlib.Path(__file__).resolve().parent.parent / ".build/chaos"
RECOVERY = 150


def main():
    options = parse(sys.argv[1:])
    print(f"seed {options.seed}", flush=True)
    sys.exit(sandbox.run(lambda directory: Run(options, directory).run()))


def parse(arguments):
    parser = argparse.ArgumentParser(prog="Scripts/chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32), help="a run with this seed chooses the same faults")
    parser.add_argument("--minutes", type=float, default=30, help="no fault begins after this time")
    parser.add_argument("--operations", type=int, default=1_000_000, help="the workload ends after so many")
    parser.add_argument("--faults", type=lambda text: text.split(","), help=f"of {', '.join(FAULTS)}")
    parser.add_argument("--async", dest="asynchronous", action="store_true", help="replicate asynchronously")
    parser.add_argument("--short", action="store_true", help=f"once each: {', '.join(SHORT)}")
    options = parser.parse_args(arguments)
    options.mode = MODES[options.asynchronous]
    known = [name for name, fault in FAULTS.items() if options.mode in fault.modes]
    options.faults = options.faults or (list(SHORT) if options.short else known)
    if unknown := set(options.faults) - set(known):
        parser.error(f"no fault of a cluster in {options.mode} mode: {', '.join(sorted(unknown))}")
    return options


class Run:
    def __init__(self, options, directory):
        self.options, self.directory = options, directory
        self.random = random.Random(options.seed)
        self.violations = []
        self.path = directory / "history.jsonl"
        self.stop = threading.Event()

    def run(self):
        try:
            self.bring_up()
            self.break_things()
            self.calm_down()
            self.violations += checker.check(str(self.path))
        except Exception:
            self.violations.append(f"the run failed: {traceback.format_exc()}")
        return self.report()

    def bring_up(self):
        began = time.monotonic()
        self.cluster = Cluster(self.directory, not self.options.asynchronous)
        self.cluster.start()
        self.history = history.Writer(str(self.path))
        self.probe = Probe(self.cluster)
        self.probe.start()
        self.workload = threading.Thread(target=self.work, daemon=True)
        self.workload.start()
        print(f"{self.options.mode} replication; up after {time.monotonic() - began:.0f} s\n\n{HEADER}", flush=True)

    def work(self):
        cluster, options = self.cluster, self.options
        try:
            workload.run(
                cluster.proxy.url, [instance.private_url for instance in cluster.instances], cluster.service(), options.seed,
                options.operations, options.minutes * 60, str(self.path), self.stop)
        except Exception:
            self.violations.append(f"the workload failed: {traceback.format_exc()}")

    def break_things(self):
        end = time.monotonic() + self.options.minutes * 60
        for name in self.schedule():
            self.stop.wait(self.random.uniform(2, 6))
            if time.monotonic() > end or not self.workload.is_alive():
                return
            try:
                self.hit(FAULTS[name](self.cluster, self.random))
            except NeverCameAbout as failure:
                self.violations.append(f"no recovery from {name}: {failure}")
                return

    def schedule(self):
        """All faults in random order, again and again; for --short once, in order."""
        if self.options.short:
            yield from self.options.faults
            return
        while True:
            yield from self.random.sample(self.options.faults, len(self.options.faults))

    def hit(self, fault):
        before = self.cluster.timeline()
        began = self.note(fault, "begin")
        hit = fault.begin()
        self.stop.wait(self.random.uniform(*fault.seconds))
        fault.end()
        ended = self.note(fault, "end")
        wait_until(self.cluster.is_well, RECOVERY, "the cluster is not as before")
        well = time.monotonic()
        crashes = self.cluster.crashes()
        self.violations += crashes
        after = self.cluster.timeline()
        print(
            f"{fault.name:16} {ended - began:6.1f} {self.probe.longest_gap(began, well):7.1f} {well - ended:9.1f}"
            f"  {'promotion' if before != after else '':10} {hit}", *crashes, flush=True)

    def note(self, fault, phase):
        at = time.monotonic()
        self.history.write({"kind": "fault", "name": fault.name, "phase": phase, "at": at})
        return at

    def calm_down(self):
        """Ends the load. What was lost shows at the next renewal of each session."""
        self.stop.wait(6)
        self.stop.set()
        self.workload.join(120)
        if self.workload.is_alive():
            self.violations.append("the workload does not end")
        self.probe.stop()
        self.history.close()
        adoptions = self.cluster.adoptions()
        print(f"\nprobe: {dict(self.probe.outcomes)}; tokens newer than the store: {adoptions}")
        self.violations += self.probe.violations + self.cluster.violations
        if self.cluster.synchronous and adoptions:
            self.violations.append(f"the store lost {adoptions} acknowledged renewals")

    def report(self):
        for violation in self.violations:
            print(f"violation: {violation}")
        print(f"seed {self.options.seed}: {len(self.violations)} violations", flush=True)
        if self.violations:
            self.keep_evidence()
        return 1 if self.violations else 0

    def keep_evidence(self):
        """The history and the logs, without the data of the servers."""
        target = RESULTS / str(self.options.seed)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.directory, target, ignore=shutil.ignore_patterns("data", "keys", "pgpass", "*.so", "lock"))
        print(f"history and logs: {target}")


HEADER = f"{'fault':16} {'lasted':>6} {'outage':>7} {'recovery':>9}  {'':10} seconds"

if __name__ == "__main__":
    main()
