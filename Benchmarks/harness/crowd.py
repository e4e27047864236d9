"""The gateway with thousands of idle connections of signed-in browsers, while other clients are served."""
from pathlib import Path

from . import fronts, idle, wrk
from .backend import PATHS, SMALL
from .bench import Bench
from .peers.launch import Running
from .quiet import settle, undisturbed_load
from .rounds import BROKEN
from .wrk import Requests

IDLE, QUICK_IDLE = 5_000, 500
CONNECTIONS = 32
WHAT = "requests of others"


def estimate(bench: Bench) -> float:
    return 25 + bench.rounds * 2 * (bench.seconds + 1)


def run(bench: Bench, scenario: str, data: Path, requests: Requests) -> None:
    open_files, count = idle.limits(QUICK_IDLE if bench.quick else IDLE)
    try:
        with fronts.gateway(bench, data, open_files=open_files) as running:
            wrk.load(running, requests, CONNECTIONS, 1, bench.cores.load)
            settle(running)
            _serve(bench, scenario, running, requests, held=0)
            bench.progress.say(f"{count:,} idle connections")
            cookie = requests.credentials(1)[0]
            before = running.pss_kib()
            with idle.held(count, lambda: idle.connected(running.port, PATHS[SMALL], cookie)) as connections:
                memory = (running.pss_kib() - before) / count
                _serve(bench, scenario, running, requests, held=count)
                lost = idle.closed(connections)
    except BROKEN as failure:
        bench.results.add(scenario, idle.WHAT, "memory", "KiB a connection", [], problem=str(failure), held=IDLE)
        return
    bench.results.add(
        scenario, idle.WHAT, "memory", "KiB a connection", [memory], problem=idle.problem_of(lost), held=count)


def _serve(bench: Bench, scenario: str, running: Running, requests: Requests, held: int) -> None:
    """The load of other clients, beside so many idle connections."""
    bench.progress.say(f"others are served beside {held:,} idle connections")
    measured = [
        undisturbed_load(
            lambda: wrk.load(running, requests, CONNECTIONS, bench.seconds, bench.cores.load), running)
        for _ in range(bench.rounds)]
    problem = next((load.problem for load, _ in measured if load.problem), None)
    disturbed = any(not quiet.is_quiet for _, quiet in measured)
    for metric, (unit, _) in measured[0][0].figures().items():
        values = [load.figures()[metric][1] for load, _ in measured]
        bench.results.add(scenario, WHAT, metric, unit, values, problem=problem, disturbed=disturbed, held=held)
