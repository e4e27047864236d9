"""Renewals over HTTP on PostgreSQL, and the price of what an operator may add to it."""
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from .. import disk, renew_load, server, tool
from ..bench import Bench, cloakroom_binary, tool_binary
from ..load import Load, problem_of
from ..peers.launch import Running
from ..quiet import TRIES
from ..renew_load import Credentials
from ..rounds import Contestant, Turn, interleave
from .cluster import Cluster

CLIENTS = 64
INSTANCES = 3
SQLITE, DIRECT = "SQLite", "PostgreSQL"
BOUNCER, STANDBY, THREE = "through pgbouncer", "with a synchronous standby", "three instances"

Start = Callable[[], AbstractContextManager[Running]]


def estimate(bench: Bench) -> float:
    return 20 + bench.rounds * 5 * (bench.seconds + 6)


def run(bench: Bench, scenario: str, cluster: Cluster) -> None:
    sessions = CLIENTS * TRIES * bench.rounds * 5
    data = server.seeded(bench, "postgres-data", users=sessions // 5, sessions=sessions, cookies=sessions)
    lines = iter((data / "cookies").read_text().splitlines())
    credentials = Credentials(lines, bench.directory("postgres-credentials"))
    secret = tool.run([str(cloakroom_binary()), "keys", "secret"], timeout=20).strip()
    address = _moved(bench, cluster, data, secret)
    flushes: dict[str, list[float]] = {}

    def on(address: str, *beside: Start) -> Start:
        return partial(_serving, bench, cluster, address, secret, beside)

    starts = {
        SQLITE: partial(server.cloakroom, bench, data, straggler_window=0),
        DIRECT: on(address),
        BOUNCER: on(cluster.address("moved", bouncer=True), cluster.bouncer),
        STANDBY: on(address, cluster.standby),
        THREE: partial(_several, bench, cluster, address, secret),
    }
    contestants = [
        Contestant(
            name, start,
            [Turn({"clients": CLIENTS}, partial(_load, bench, credentials, flushes.setdefault(name, [])))], job="renews")
        for name, start in starts.items()]
    interleave(bench, scenario, contestants)
    for name, values in flushes.items():
        bench.results.add(scenario, name, "flushes", "flushes/s of the disk then", values, clients=CLIENTS)
    bench.results.add_ratios(scenario, SQLITE, "cpu")
    bench.results.add_ratios(scenario, DIRECT, "rate")


def _moved(bench: Bench, cluster: Cluster, data: Path, secret: str) -> str:
    """A copy of the seeded sessions in PostgreSQL, made as an operator makes it."""
    cluster.psql("CREATE DATABASE moved")
    copy = bench.work / "postgres-moved"
    shutil.copytree(data, copy)
    address = cluster.address("moved")
    argv = [str(cloakroom_binary()), "migrate-store", f"sqlite:{copy}/cloakroom.sqlite", address, "--finish"]
    tool.run(
        [*argv, "--data-dir", str(copy)], timeout=300, environment={"CLOAKROOM_MASTER_SECRET": secret})
    return address


@contextmanager
def _serving(
    bench: Bench, cluster: Cluster, address: str, secret: str, beside: tuple[Start, ...], number: int = 0,
) -> Iterator[Running]:
    """`beside`: other servers of the database that run meanwhile."""
    with ExitStack() as stack:
        others = [cluster.running, *(stack.enter_context(other()) for other in beside)]
        data = bench.directory(f"postgres-instance-{number}")
        running = stack.enter_context(
            server.cloakroom(bench, data, store=address, master_secret=secret, straggler_window=0))
        yield running.before(*others)


@contextmanager
def _several(bench: Bench, cluster: Cluster, address: str, secret: str) -> Iterator[Running]:
    with ExitStack() as stack:
        instances = [
            stack.enter_context(_serving(bench, cluster, address, secret, (), number)) for number in range(INSTANCES)]
        yield instances[0].with_others(instances[1:])


def _load(bench: Bench, credentials: Credentials, flushes: list[float], running: Running) -> Load:
    """On several instances each gets its share of the clients, at the same time."""
    flushes.append(disk.flushes_per_second(bench.work))
    instances = [running, *running.others]
    share = CLIENTS // len(instances)
    files = [credentials.take(share) for _ in instances]

    def load(instance: Running, file: Path) -> Load:
        return renew_load.load(
            tool_binary("RenewLoad"), instance, "cookie", share, bench.seconds, file, bench.cores.load)

    with ThreadPoolExecutor(len(instances)) as threads:
        loads = list(threads.map(load, instances, files))
    return _sum(loads)


def _sum(loads: list[Load]) -> Load:
    """The processor time of a response is the mean of all responses, and so is its median; the others are the worst."""
    count = sum(load.count for load in loads)
    errors = sum(load.errors for load in loads)

    def mean(values: list[float]) -> float:
        return sum(value * load.count for value, load in zip(values, loads)) / max(1, count)

    return replace(
        loads[0], count=count, rate=sum(load.rate for load in loads), p50_ms=mean([load.p50_ms for load in loads]),
        p99_ms=max(load.p99_ms for load in loads), max_ms=max(load.max_ms for load in loads),
        cpu_us=mean([load.cpu_us for load in loads]), pss_kib=sum(load.pss_kib for load in loads), errors=errors,
        problem=next((load.problem for load in loads if load.problem), problem_of(count, errors)))
