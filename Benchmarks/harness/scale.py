"""The costs that grow with the number of sessions: memory, start, renewals, and pauses during the sweep."""
from functools import partial
from pathlib import Path

from . import disk, idle, renew_load, server, sweep, wrk
from .bench import Bench, tool_binary
from .load import Load
from .peers.launch import Running
from .quiet import TRIES
from .renew_load import Credentials
from .rounds import Contestant, Turn, interleave
from .wrk import checks

SCENARIO = "scale"
SIZES, QUICK_SIZES = [10_000, 100_000, 1_000_000], [2_000, 10_000]
CONNECTIONS = CLIENTS = 64
COOKIES = 100_000
HITS = 900
"""The number of cookies that are checked repeatedly: in every store as many as in the smallest, which has few."""
SHARE_OF_CHECKS = 10
"""At most one cookie in so many is used for checks only; each of the others is renewed once."""
SPREAD = 6_400
"""The sessions of one turn of renewals, spread over the whole store."""
SEEING = 2
"""The seconds in which all sessions of one turn can be checked once."""
IDLE_CONNECTIONS = 10_000


def sizes(bench: Bench) -> list[int]:
    return QUICK_SIZES if bench.quick else SIZES


def what(size: int) -> str:
    return f"{size:,} sessions"


def estimate(bench: Bench) -> float:
    seeding = sum(sizes(bench)) / 5_000
    round_of_one = 2 * (bench.seconds + 4) + SEEING
    return seeding + sweep.estimate(bench) + 40 + len(sizes(bench)) * (25 + bench.rounds * round_of_one)


def run(bench: Bench) -> None:
    sweep.run(bench, SCENARIO, _data(bench, max(sizes(bench))), max(sizes(bench)))
    for size in sizes(bench):
        _memory(bench, size)
    starts: dict[int, list[float]] = {size: [] for size in sizes(bench)}
    flushes: dict[int, list[float]] = {size: [] for size in sizes(bench)}
    interleave(bench, SCENARIO, [_contestant(bench, size, starts[size], flushes[size]) for size in sizes(bench)])
    for size in sizes(bench):
        bench.results.add(SCENARIO, what(size), "start", "s until it listens", starts[size])
        bench.results.add(SCENARIO, what(size), "flushes", "flushes/s of the disk then", flushes[size])
    idle.run(bench, SCENARIO, _data(bench, min(sizes(bench))), IDLE_CONNECTIONS)


def _data(bench: Bench, size: int) -> Path:
    # In the largest store, one session in ten has expired, for the sweep to delete.
    expired = size // 10 if size == max(sizes(bench)) else 0
    return server.seeded(
        bench, f"scale-{size}", users=size // 5, sessions=size + expired, cookies=min(size, COOKIES), expired=expired)


def _memory(bench: Bench, size: int) -> None:
    """The server's memory before and after it verified so many sessions for the first time."""
    data = _data(bench, size)
    distinct = min(size, COOKIES)
    bench.progress.say(f"{distinct:,} sessions of {size:,} seen for the first time")
    with server.cloakroom(bench, data) as running:
        before = running.pss_kib() / 1024
        requests = checks(data / "cookies")
        problem = None
        while requests.position < distinct and not problem:
            problem = wrk.load(running, requests, CONNECTIONS, bench.seconds, bench.cores.load).problem
        after = running.pss_kib() / 1024
    add = bench.results.add
    add(SCENARIO, what(size), "memory at the start", "MiB", [before])
    add(SCENARIO, what(size), "memory after", f"MiB after {distinct:,} sessions were seen", [after], problem=problem)
    if distinct == COOKIES:
        add(SCENARIO, what(size), "memory per 100,000", "MiB more for 100,000 live sessions", [after - before],
            problem=problem)


def _contestant(bench: Bench, size: int, starts: list[float], flushes: list[float]) -> Contestant:
    data = _data(bench, size)
    checked, renewed = _split(data)
    spread = min(SPREAD, len(renewed) // (bench.rounds * TRIES))
    credentials = Credentials(iter(renewed), bench.directory(f"scale-{size}-credentials"))
    requests = checks(checked)

    def check(running: Running) -> Load:
        return wrk.load(running, requests, CONNECTIONS, bench.seconds, bench.cores.load)

    def renew(running: Running) -> Load:
        file = credentials.take(spread)
        # A large store has more sessions for each connection: their first renewals would each verify a signature,
        # unlike the few of a small store.
        wrk.load(running, checks(file), CONNECTIONS, SEEING, bench.cores.load)
        flushes.append(disk.flushes_per_second(bench.work))
        return renew_load.load(
            tool_binary("RenewLoad"), running, "cookie", CLIENTS, bench.seconds, file, bench.cores.load)

    def warm_up(running: Running) -> None:
        starts.append(running.start_seconds)
        wrk.load(running, requests, CONNECTIONS, 1, bench.cores.load)

    turns = [Turn({"job": "check"}, check), Turn({"job": "renew"}, renew)]
    return Contestant(what(size), partial(server.cloakroom, bench, data, straggler_window=0), turns, warm_up)


def _split(data: Path) -> tuple[Path, list[str]]:
    lines = (data / "cookies").read_text().splitlines()[sweep.COOKIES:]
    share = max(SHARE_OF_CHECKS, len(lines) // HITS)
    checked = data / "cookies-checked"
    checked.write_text("\n".join(lines[::share]) + "\n")
    return checked, [line for number, line in enumerate(lines) if number % share]
