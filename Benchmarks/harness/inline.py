"""The price of a renewal: each request presents a session whose access token has expired."""
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from . import disk, fronts, gateway, once, server
from .backend import PATHS, SMALL
from .bench import Bench
from .load import Load, problem_of
from .once import Ask
from .peers.launch import Running
from .rounds import Contestant, Turn, interleave
from .wrk import CHECK, FORWARDED

SCENARIO = "inline"
SESSIONS, QUICK_SESSIONS = 10_000, 1_000
CONNECTIONS = 64
LIFETIME = 2
"""The seconds that an access token is valid."""
REFRESH = "cloakroom POST /auth/refresh"
CHECKED = "cloakroom GET /auth/check, renewed inline"
PROXIED = "cloakroom, gateway, renewed inline"

_REFRESH = Ask("POST", "/auth/refresh", {"Sec-Fetch-Site": "same-origin"}, 200)
ASKS = {
    REFRESH: _REFRESH,
    CHECKED: Ask("GET", CHECK, gateway.HEADERS | FORWARDED, 204, is_private=True),
    PROXIED: Ask("GET", PATHS[SMALL], gateway.HEADERS, 200),
}


def estimate(bench: Bench) -> float:
    sessions = _sessions(bench)
    return 5 + sessions / 5_000 + bench.rounds * len(ASKS) * (6 + LIFETIME + 3 * sessions / 5_000)


def _sessions(bench: Bench) -> int:
    return QUICK_SESSIONS if bench.quick else SESSIONS


def run(bench: Bench) -> None:
    count = _sessions(bench)
    data = server.seeded(bench, "inline-data", users=count // 5, sessions=count + 1, cookies=count + 1)
    flushes: dict[str, list[float]] = {}
    interleave(bench, SCENARIO, [_contestant(bench, name, data, flushes.setdefault(name, [])) for name in ASKS])
    for name, values in flushes.items():
        bench.results.add(SCENARIO, name, "flushes", "flushes/s of the disk then", values, connections=CONNECTIONS)


@dataclass
class _Sessions:
    """The cookies of all sessions, as the browsers have them."""

    cookies: list[str]
    renewed_at: float = 0.0


def _contestant(bench: Bench, name: str, data: Path, flushes: list[float]) -> Contestant:
    current: list[_Sessions] = []

    def warm_up(running: Running) -> None:
        """Renews all sessions once: then the server itself has issued each access token, as in practice."""
        # `fronts.prove` has used the first one.
        sessions = _Sessions((data / "cookies").read_text().splitlines()[1:])
        current[:] = [sessions]
        _pass(bench, running, _REFRESH, sessions)

    def measure(running: Running) -> Load:
        [sessions] = current
        # The second request with a refresh token confirms it: only then does the next one renew.
        _pass(bench, running, _REFRESH, sessions)
        time.sleep(max(0.0, sessions.renewed_at + LIFETIME + 0.1 - time.monotonic()))
        flushes.append(disk.flushes_per_second(bench.work))
        return _load(bench, running, ASKS[name], sessions)

    start = partial(_serving, bench, data, with_gateway=name == PROXIED)
    return Contestant(name, start, [Turn({"connections": CONNECTIONS}, measure)], warm_up, "renews")


@contextmanager
def _serving(bench: Bench, original: Path, with_gateway: bool) -> Iterator[Running]:
    """Each round begins with the sessions as they were seeded."""
    data = bench.work / "inline-round"
    shutil.copytree(original, data)
    settings = {"access_token_lifetime": LIFETIME, "straggler_window": 0}
    try:
        start = fronts.gateway if with_gateway else server.cloakroom
        with start(bench, data, **settings) as running:
            yield running
    finally:
        shutil.rmtree(data)


def _pass(bench: Bench, running: Running, ask: Ask, sessions: _Sessions) -> once.Answers:
    answers = once.send(running, ask, sessions.cookies, CONNECTIONS, bench.cores.load)
    if answers.renewed:
        sessions.cookies, sessions.renewed_at = answers.cookies, time.monotonic()
    return answers


def _load(bench: Bench, running: Running, ask: Ask, sessions: _Sessions) -> Load:
    before = running.cpu_seconds()
    answers = _pass(bench, running, ask, sessions)
    processor = running.cpu_seconds() - before
    count = answers.statuses[ask.ok]
    errors = answers.statuses.total() - count
    problem = problem_of(count, errors)
    if not problem and answers.renewed < count:
        problem = f"only {answers.renewed:,} of {count:,} responses have a renewed cookie"
    times = sorted(answers.milliseconds)
    return Load(
        count=count,
        rate=count / answers.seconds,
        p50_ms=times[len(times) // 2],
        p99_ms=times[len(times) * 99 // 100],
        max_ms=times[-1],
        cpu_us=processor / max(1, count + errors) * 1e6,
        pss_kib=running.pss_kib(),
        errors=errors,
        problem=problem,
    )
