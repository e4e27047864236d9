"""The response times while the server deletes expired sessions."""
import http.client
import shutil
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from . import server
from .bench import Bench
from .peers.launch import Running
from .quiet import undisturbed
from .rounds import BROKEN
from .wrk import CHECK, COOKIE, FORWARDED

SECONDS, QUICK_SECONDS = 10, 3
PACE = 0.005
"""The seconds between a response and the next request: a steady client, not a load."""
SWEPT, AFTERWARDS = "while the sweep deletes", "afterwards"
COOKIES = 4
"""The number of sessions, from the first on, that this scenario uses up."""


def estimate(bench: Bench) -> float:
    return bench.rounds * 2 * (_seconds(bench) + 3)


def _seconds(bench: Bench) -> int:
    return QUICK_SECONDS if bench.quick else SECONDS


@dataclass(frozen=True)
class Round:
    times: dict[str, dict[str, list[float]]]
    """The milliseconds of each response, by phase and by kind of request."""
    deleted: int


def run(bench: Bench, scenario: str, data: Path, size: int) -> None:
    """The first start of a store with expired sessions sweeps; the measurement is repeated after the sweep."""
    try:
        rounds = [undisturbed(lambda: _round(bench, data, number)) for number in range(1, bench.rounds + 1)]
    except BROKEN as failure:
        bench.results.add(scenario, SWEPT, "longest check", "ms", [], problem=str(failure), sessions=size)
        return
    disturbed = any(not quiet.is_quiet for _, quiet in rounds)

    def add(moment: str, metric: str, unit: str, values: list[float]) -> None:
        bench.results.add(scenario, moment, metric, unit, values, disturbed=disturbed, sessions=size)

    for moment in (SWEPT, AFTERWARDS):
        for asked in ("check", "renewal"):
            series = [sorted(one.times[moment][asked]) for one, _ in rounds]
            add(moment, f"longest {asked}", "ms", [times[-1] for times in series])
            add(moment, f"p99 {asked}", "ms", [times[len(times) * 99 // 100] for times in series])
    add(SWEPT, "deleted", f"sessions in {_seconds(bench)} s", [float(one.deleted) for one, _ in rounds])


def _round(bench: Bench, original: Path, number: int) -> Round:
    data = bench.work / "sweep-data"
    shutil.copytree(original, data)
    try:
        times = {}
        before = _rows(data)
        for order, moment in enumerate((SWEPT, AFTERWARDS)):
            bench.progress.say(f"round {number} of {bench.rounds}, longest answers {moment}")
            with server.cloakroom(bench, data, straggler_window=0) as running:
                times[moment] = _both(running, data, order, _seconds(bench))
            if moment == SWEPT:
                deleted = before - _rows(data)
        return Round(times, deleted)
    finally:
        shutil.rmtree(data)


def _both(running: Running, data: Path, number: int, seconds: int) -> dict[str, list[float]]:
    """`number`: the round, which selects the sessions, because a renewed session is spent."""
    with (data / "cookies").open() as lines:
        checked, renewed = list(islice((line.strip() for line in lines), number * 2, number * 2 + 2))
    with ThreadPoolExecutor(2) as pool:
        check = pool.submit(_steady, running.private_port, checked, _check, seconds)
        renew = pool.submit(_steady, running.port, renewed, _renew, seconds)
        return {"check": check.result(), "renewal": renew.result()}


Ask = Callable[[http.client.HTTPConnection, str, dict[str, str]], str]


def _steady(port: int, cookie: str, ask: Ask, seconds: int) -> list[float]:
    """The milliseconds of each response."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    origin = f"localhost:{port}"
    times, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        cookie = ask(connection, cookie, {"Host": origin, "Origin": f"http://{origin}"})
        times.append((time.monotonic() - began) * 1000)
        time.sleep(PACE)
    connection.close()
    return times


def _check(connection: http.client.HTTPConnection, cookie: str, headers: dict[str, str]) -> str:
    connection.request("GET", CHECK, headers=headers | FORWARDED | {"Cookie": COOKIE + cookie})
    answer = connection.getresponse()
    answer.read()
    if answer.status != 204:
        raise RuntimeError(f"the check answers {answer.status}")
    return cookie


def _renew(connection: http.client.HTTPConnection, cookie: str, headers: dict[str, str]) -> str:
    connection.request("POST", "/auth/refresh", headers=headers | {"Cookie": COOKIE + cookie, "Content-Length": "0"})
    answer = connection.getresponse()
    answer.read()
    successor = (answer.getheader("Set-Cookie") or "").partition(";")[0].removeprefix(COOKIE)
    if answer.status != 200:
        raise RuntimeError(f"the renewal answers {answer.status}")
    # Every second renewal confirms the current token, and returns no new one.
    return successor or cookie


def _rows(data: Path) -> int:
    database = sqlite3.connect(f"file:{data / 'cloakroom.sqlite'}?mode=rw", uri=True, timeout=30)
    try:
        return database.execute("SELECT count(*) FROM sessions").fetchone()[0]
    finally:
        database.close()
