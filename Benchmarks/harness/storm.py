"""A login storm: the throughput of checks while many clients log in at the same time."""
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from . import server, wrk
from .bench import Bench
from .load import Load
from .logins import Logins, storm
from .peers.launch import Running
from .quiet import Quiet, undisturbed_load
from .wrk import Requests, checks

SCENARIO = "storm"
OURS = "cloakroom /auth/check"
CONNECTIONS = 4
CLIENTS = [16, 256]
"""Numbers of clients below and above the capacity of the password queue."""
ALONE = 0
USERS, SESSIONS, HITS = 400, 4_000, 2_000


def estimate(bench: Bench) -> float:
    return 15 + bench.rounds * (len(CLIENTS) + 1) * (bench.seconds + 3)


@dataclass(frozen=True)
class Outcome:
    load: Load
    logins: Logins
    before: int
    highest: int
    quiet: Quiet


def run(bench: Bench) -> None:
    outcomes: dict[int, list[Outcome]] = {clients: [] for clients in [ALONE, *CLIENTS]}
    data = server.seeded(bench, "storm-data", users=USERS, sessions=SESSIONS, cookies=HITS)
    for number in range(1, bench.rounds + 1):
        with server.cloakroom(bench, data, login_rate_limit="off") as running:
            requests = checks(data / "cookies")
            wrk.load(running, requests, CONNECTIONS, 1, bench.cores.load)
            for clients, series in outcomes.items():
                bench.progress.say(f"round {number} of {bench.rounds}, {clients} clients log in")
                series.append(_outcome(bench, running, requests, clients))
    for clients, series in outcomes.items():
        _add(bench, clients, series)
    _add_ratios(bench)


def _outcome(bench: Bench, running: Running, requests: Requests, clients: int) -> Outcome:
    seen: list[tuple[Logins, int, int]] = []

    def measure() -> Load:
        before = running.pss_kib()
        with _watching(running) as sizes, storm(running.port, clients, USERS, bench.cores.load) as logins:
            # The queue fills before the measurement begins.
            time.sleep(0.5 if clients else 0)
            load = wrk.load(running, requests, CONNECTIONS, bench.seconds, bench.cores.load)
        seen.append((logins, before, max([before, *sizes])))
        return load

    load, quiet = undisturbed_load(measure, running)
    return Outcome(load, *seen[-1], quiet)


@contextmanager
def _watching(running: Running) -> Iterator[list[int]]:
    """Records the server's memory a few times per second."""
    sizes: list[int] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.25):
            sizes.append(running.pss_kib())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield sizes
    finally:
        over.set()
        thread.join()


def _add(bench: Bench, clients: int, series: list[Outcome]) -> None:
    problem = next((one.load.problem for one in series if one.load.problem), None)
    wrong = next((one.logins.problem for one in series if one.logins.problem), None)
    disturbed = any(not one.quiet.is_quiet for one in series)
    add = bench.results.add
    for metric, (unit, _) in series[0].load.figures().items():
        values = [one.load.figures()[metric][1] for one in series]
        add(SCENARIO, OURS, metric, unit, values, problem=problem, disturbed=disturbed, clients=clients)
    growth = [(one.highest - one.before) / 1024 for one in series]
    add(SCENARIO, OURS, "growth", "MiB at most, more than before", growth, clients=clients)
    if clients:
        rates, busy = [one.logins.rate for one in series], [float(one.logins.busy) for one in series]
        add(SCENARIO, "logins", "rate", "logins/s", rates, problem=wrong, clients=clients)
        add(SCENARIO, "logins", "busy", "answers 503 with Retry-After", busy, problem=wrong, clients=clients)


def _add_ratios(bench: Bench) -> None:
    alone = bench.results.find(SCENARIO, OURS, "rate", clients=ALONE)
    for clients in CLIENTS:
        during = bench.results.find(SCENARIO, OURS, "rate", clients=clients)
        if alone and during and alone.values and during.values:
            ratios = [value / under for value, under in zip(during.values, alone.values)]
            bench.results.add(SCENARIO, OURS, "rate ratio", "times the check alone", ratios, clients=clients)
