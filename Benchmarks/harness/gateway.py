"""Cloakroom as the front of a backend, beside nginx without a check and nginx that asks Cloakroom."""
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from . import crossing, crowd, fronts, server, wrk
from .backend import LARGE, MEDIUM, PATHS, SMALL
from .bench import Bench
from .check import KINDS
from .fronts import nginx
from .load import Load
from .peers.launch import Running
from .quiet import settle
from .rounds import Contestant, Turn, interleave
from .wrk import COOKIE, Requests

At = dict[str, int | str]

SCENARIO = "gateway"
CONDITIONS: list[At] = [
    {"connections": 32, "body": SMALL},
    {"connections": 64, "body": SMALL},
    {"connections": 32, "body": MEDIUM},
    {"connections": 32, "body": LARGE},
]
USERS = 200
WARM_UP = 1
PLAIN, AUTH_REQUEST = nginx.PLAIN.name, nginx.AUTH_REQUEST.name
OURS = "cloakroom, gateway"
OURS_KINDS = f"cloakroom, gateway, {KINDS:,} kinds of clients"

COOKIES = f"theme=dark; lang=en; {COOKIE}"
HEADERS = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0",
    "Accept": "application/json, text/html;q=0.9, image/avif, image/webp, image/png, image/svg+xml, */*;q=0.8",
    "Accept-Language": "en-US,en;q=0.8,de;q=0.5,fr;q=0.3",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Referer": "http://localhost/items?page=2&sort=changed",
    "Sec-Fetch-Dest": "empty",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Site": "same-origin",
    "Priority": "u=4",
    "Cache-Control": "no-cache",
    "Pragma": "no-cache",
}
"""The headers of a browser. With the cookies, a request has about 1.3 kB."""


def estimate(bench: Bench) -> float:
    round_of_one = len(CONDITIONS) * (bench.seconds + 1) + WARM_UP + 4
    return 10 + bench.rounds * (4 * round_of_one + crossing.estimate(bench)) + crowd.estimate(bench)


def run(bench: Bench) -> None:
    data = seeded(bench)
    interleave(bench, SCENARIO, [
        contestant(bench, PLAIN, partial(fronts.proxy, bench, nginx.PLAIN, data), requests(data), CONDITIONS),
        contestant(
            bench, AUTH_REQUEST, partial(fronts.proxy, bench, nginx.AUTH_REQUEST, data), requests(data), CONDITIONS),
        contestant(bench, OURS, partial(fronts.gateway, bench, data), requests(data), CONDITIONS),
        contestant(
            bench, OURS_KINDS, partial(fronts.gateway, bench, data), requests(data, kinds=KINDS),
            [at for at in CONDITIONS if at["body"] == SMALL]),
    ])
    for metric in ("rate", "p99"):
        bench.results.add_ratios(SCENARIO, PLAIN, metric)
    for base in (AUTH_REQUEST, OURS):
        bench.results.add_ratios(SCENARIO, base, "cpu")
    crossing.run(bench, SCENARIO, data)
    crowd.run(bench, SCENARIO, data, requests(data)(SMALL))


def seeded(bench: Bench) -> Path:
    """A data directory with one session for each user."""
    return server.seeded(bench, "gateway-data", users=USERS, sessions=USERS, cookies=USERS)


def requests(data: Path, kinds: int = 0) -> Callable[[str], Requests]:
    """The requests for a body, with the headers and cookies of a browser."""

    def of(body: str) -> Requests:
        return Requests(PATHS[body], 200, data / "cookies", prefix=COOKIES, fixed=HEADERS, kinds=kinds)

    return of


def contestant(
    bench: Bench,
    name: str,
    start: Callable[[], AbstractContextManager[Running]],
    requests: Callable[[str], Requests],
    conditions: list[At],
    job: str = "",
) -> Contestant:
    def load(running: Running, connections: int, body: str, seconds: int = bench.seconds) -> Load:
        return wrk.load(running, requests(body), connections, seconds, bench.cores.load)

    def warm_up(running: Running) -> None:
        load(running, 64, SMALL, WARM_UP)
        settle(running)

    return Contestant(name, start, [Turn(at, partial(load, **at)) for at in conditions], warm_up, job)
