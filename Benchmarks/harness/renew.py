"""Renewals: in the store alone, and over HTTP beside the peers."""
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from . import disk, renew_load, server, tool
from .bench import Bench, installed, tool_binary
from .load import Load
from .peers import RENEWAL_PEERS
from .peers.launch import Running
from .peers.peer import Peer
from .quiet import TRIES
from .renew_load import Credentials
from .rounds import Contestant, Turn, interleave

SCENARIO = "renew"
STORE = "store"
CLIENTS = [1, 16, 64]
OURS = "cloakroom POST /auth/refresh"
DISK = "the disk, 4 KiB and fdatasync"
PER_ROUND = sum(CLIENTS) * TRIES
"""The sessions for one round, even if every turn is repeated."""
STORE_CLIENTS = 4
STORE_CONTESTANTS = 3
FILLING = 60

STORE_OURS, STORE_ONE, STORE_RAW = "cloakroom", "one transaction each", "raw sqlite3"


def estimate(bench: Bench) -> float:
    store = FILLING + bench.rounds * STORE_CLIENTS * (STORE_CONTESTANTS * bench.seconds + 1)
    return store + bench.rounds * (len(RENEWAL_PEERS) + 1) * (len(CLIENTS) * (bench.seconds + 1) + 5)


def run(bench: Bench) -> None:
    try:
        _store(bench)
    except (tool.Missing, RuntimeError) as reason:
        bench.results.skipped.append(f"{STORE}: {reason}")
        bench.progress.say(f"store: skipped, {reason}")
    flushes: dict[tuple[str, int], list[float]] = {}
    interleave(bench, SCENARIO, [_ours(bench, flushes), *(_peer(bench, peer, flushes) for peer in RENEWAL_PEERS)])
    for (name, clients), values in flushes.items():
        bench.results.add(SCENARIO, name, "flushes", "flushes/s of the disk then", values, clients=clients)


def _store(bench: Bench) -> None:
    """StoreBench interleaves its contestants itself, and prints one line per turn."""
    bench.progress.say("StoreBench")
    argv = [str(tool_binary("StoreBench")), str(bench.directory("store")), str(bench.seconds), str(bench.rounds)]
    output = tool.run(argv, timeout=3 * estimate(bench) + 60)
    for (name, clients), rows in _series(output).items():
        columns = {
            "flushes": "flushes/s of the disk then", "rate": "renewals/s", "p50": "ms", "p99": "ms",
            "cpu": "µs of CPU per renewal",
        }
        for number, (metric, unit) in enumerate(columns.items()):
            if values := [float(row[number]) for row in rows if row[number]]:
                bench.results.add(STORE, name, metric, unit, values, clients=clients)
    for base in (STORE_ONE, STORE_RAW):
        bench.results.add_ratios(STORE, base, "rate")


def _series(output: str) -> dict[tuple[str, int], list[list[str]]]:
    series: dict[tuple[str, int], list[list[str]]] = {}
    for line in output.splitlines()[1:]:
        _, clients, flushes, name, *rest = line.split("\t")
        name = STORE_RAW if name.startswith(STORE_RAW) else name
        series.setdefault((name, int(clients)), []).append([flushes, *rest])
    return series


def _ours(bench: Bench, flushes: dict[tuple[str, int], list[float]]) -> Contestant:
    sessions = PER_ROUND * bench.rounds
    left: list[Credentials] = []

    def start() -> AbstractContextManager[Running]:
        data = server.seeded(bench, "renew-data", users=sessions // 5, sessions=sessions, cookies=sessions)
        if not left:
            left.append(Credentials(iter((data / "cookies").read_text().splitlines()), bench.directory("renew-ours")))
        # Without a straggler window every second renewal rotates; the one between confirms the new token. The server
        # saves both.
        return server.cloakroom(bench, data, straggler_window=0)

    return _contestant(bench, OURS, "cookie", start, lambda running: left[0], flushes)


def _peer(bench: Bench, peer: Peer, flushes: dict[tuple[str, int], list[float]]) -> Contestant:
    start = partial(installed, peer, bench.material, cpus=bench.cores.server, sessions=PER_ROUND)
    current: dict[int, Credentials] = {}

    def credentials(running: Running) -> Credentials:
        if running.port not in current:
            current[running.port] = Credentials(iter(running.refresh_tokens), running.directory)
        return current[running.port]

    return _contestant(bench, peer.name, "json", start, credentials, flushes)


def _contestant(
    bench: Bench,
    name: str,
    delivery: str,
    start: Callable[[], AbstractContextManager[Running]],
    credentials: Callable[[Running], Credentials],
    flushes: dict[tuple[str, int], list[float]],
) -> Contestant:
    def load(running: Running, clients: int) -> Load:
        file = credentials(running).take(clients)
        flushes.setdefault((name, clients), []).append(disk.flushes_per_second(running.directory))
        return renew_load.load(
            tool_binary("RenewLoad"), running, delivery, clients, bench.seconds, file, bench.cores.load)

    turns = [Turn({"clients": clients}, partial(load, clients=clients)) for clients in CLIENTS]
    return Contestant(name, start, turns, job="renews")
