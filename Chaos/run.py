"""Brings a deployment up, lets browsers and thieves use it while faults hit it, and checks the history of what happened."""
import pathlib
import random
import shutil
import sys
import threading
import time
import traceback

import checker
import history
import run_options
import sandbox
import workload
from cluster import Cluster, NeverCameAbout, wait_until
from cluster_probe import Probe
from faults import FAULTS

RESULTS = pathlib.Path(__file__).resolve().parent.parent / ".build/chaos"
# Seconds; on a busy machine it takes minutes until a server has caught up.
RECOVERY = 300


def main():
    options = run_options.parse(sys.argv[1:], __doc__)
    print(f"seed {options.seed}", flush=True)
    sys.exit(sandbox.run(lambda directory: Run(options, directory).run()))


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
            self.check()
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
        """The workload gets more time than the faults, and is stopped after the last one. It ends by looking for what was lost."""
        cluster, options = self.cluster, self.options
        seconds = options.minutes * 60
        operations = round(options.operations * (seconds + RECOVERY) / seconds)
        try:
            workload.run(
                cluster.proxy.url, [instance.private_url for instance in cluster.instances], cluster.service(), options.seed,
                operations, seconds + RECOVERY, str(self.path), self.stop)
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
        self.stop.wait(2)
        self.stop.set()
        self.workload.join(RECOVERY)
        if self.workload.is_alive():
            self.violations.append(f"the workload does not end within {RECOVERY} s")
        self.probe.stop()
        self.history.close()
        print(f"\nprobe: {dict(self.probe.outcomes)}", flush=True)
        self.violations += self.probe.violations + self.cluster.violations

    def check(self):
        violations, lines = checker.report(str(self.path), self.options.asynchronous)
        self.violations += violations
        adopted = sum(1 for event in history.read(str(self.path), "event") if event["event"] == "adoption")
        print(*lines, f"{adopted} renewals that the store had lost and the browser brought back", sep="\n", flush=True)

    def report(self):
        for violation in self.violations:
            print(f"violation: {violation}", flush=True)
        print(f"seed {self.options.seed}: {len(self.violations)} violations", flush=True)
        if self.violations:
            self.keep_evidence()
        return 1 if self.violations else 0

    def keep_evidence(self):
        """The history and the logs, without the data of the servers."""
        target = RESULTS / str(self.options.seed)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.directory, target, ignore=shutil.ignore_patterns("data", "keys", "pgpass", "*.so", ".s.*"))
        print(f"history and logs: {target}")


HEADER = f"{'fault':16} {'lasted':>6} {'outage':>7} {'recovery':>9}  {'':10} seconds"

if __name__ == "__main__":
    main()
