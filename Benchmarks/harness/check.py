"""The cost of a check that allows a request, in Cloakroom and in the peers."""
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

from . import server, wrk
from .bench import Bench, installed
from .load import Load
from .machine import Cores
from .peers import CHECK_PEERS, nginx
from .peers.launch import Running
from .peers.material import tokens
from .peers.peer import Peer
from .quiet import settle
from .rounds import Contestant, Turn, interleave
from .tool import Missing
from .wrk import COOKIE, Requests, checks

At = dict[str, int | str]

SCENARIO = "check"
CONNECTIONS = [4, 64]
APART: list[At] = [{"connections": count} for count in CONNECTIONS]
TOGETHER: list[At] = [{"connections": 32, "cores": "shared"}]
"""Server and load share all cores, as in the measurements from which the goals come."""
HITS = 4_000
"""More credentials than a cache of a few entries holds."""
DISTINCT = 40_000
"""More than the 32,768 entries of Cloakroom's cache: in turn, each entry is evicted before its next request."""
USERS = 8_000
WARM_UP = 1
MOST_WARM_UPS = 40
KINDS = 10_000
"""Kinds of clients, each with its own User-Agent and trace headers: more than a cache of kinds would hold."""

HELLO = "plain Hummingbird, hello"
HELLO_COOKIE = "plain Hummingbird, hello, our cookie sent and not read"
HIT = "cloakroom /auth/check, cache hit"
HIT_KINDS = f"cloakroom /auth/check, cache hit, {KINDS:,} kinds of clients"
FIRST_SIGHT = "cloakroom /auth/check, first sight (ES256)"
FIRST_SEEN = "cloakroom /auth/check, first sight, and the session's activity saved"
APP_HELLO = "our middleware, hello without a cookie"
APP_HIT = "our middleware, protected route, cache hit"
APP_HS256 = "our verifier, HS256 on every request"
OURS = [HIT, HIT_KINDS, FIRST_SIGHT, FIRST_SEEN, APP_HELLO, APP_HIT, APP_HS256]

NOTHING, CACHED, VERIFIED = "does not read the token", "caches verified tokens", "verifies each time"
SAVED = "verifies each time, and saves"


def estimate(bench: Bench) -> float:
    apart, together = (len(conditions) * (bench.seconds + 1) + 3 for conditions in (APART, TOGETHER))
    return 30 + bench.rounds * ((len(CHECK_PEERS) + 9) * apart + 9 * together + 10)


def run(bench: Bench) -> None:
    together = replace(bench, cores=Cores(None, None))
    interleave(bench, SCENARIO, [*_ours(bench, APART), *_peers(bench), *_ours(together, TOGETHER)])
    for metric in ("rate", "p99", "cpu"):
        bench.results.add_ratios(SCENARIO, HELLO, metric)


def _ours(bench: Bench, conditions: list[At]) -> list[Contestant]:
    contestant = partial(_contestant, bench, conditions)

    def data() -> Path:
        return server.seeded(bench, "check-data", users=USERS, sessions=DISTINCT, cookies=DISTINCT)

    def serve():
        return server.cloakroom(bench, data())

    def app():
        return server.app(bench, data())

    def cookies(path: str, ok: int, count: int) -> Requests:
        return Requests(path, ok, _first(count, data() / "cookies"), prefix=COOKIE)

    def asked(count: int, kinds: int = 0) -> Requests:
        return checks(_first(count, data() / "cookies"), kinds)

    def bearers() -> Requests:
        if not (hs256 := data() / "hs256-tokens").exists():
            raise Missing("AppServer made no hs256-tokens")
        return Requests("/hs256", 204, hs256, "Authorization", "Bearer ")

    hello = partial(server.hello, bench)
    return [
        contestant(HELLO, NOTHING, hello, lambda: Requests("/hello", 200)),
        contestant(HELLO_COOKIE, NOTHING, hello, lambda: cookies("/hello", 200, HITS)),
        contestant(HIT, CACHED, serve, lambda: asked(HITS), HITS),
        contestant(HIT_KINDS, CACHED, serve, lambda: asked(HITS, kinds=KINDS), KINDS),
        # The server saves the activity of a session once a minute: after one pass all of them are saved.
        contestant(FIRST_SIGHT, VERIFIED, serve, lambda: asked(DISTINCT), DISTINCT),
        contestant(FIRST_SEEN, SAVED, serve, lambda: asked(DISTINCT)),
        contestant(APP_HELLO, NOTHING, app, lambda: Requests("/hello", 200)),
        contestant(APP_HIT, CACHED, app, lambda: cookies("/me", 200, HITS), HITS),
        contestant(APP_HS256, VERIFIED, app, bearers),
    ]


def _peers(bench: Bench) -> list[Contestant]:
    return [_peer(bench, peer) for peer in CHECK_PEERS]


def _peer(bench: Bench, peer: Peer) -> Contestant:
    def requests() -> Requests:
        if peer.algorithm == "-":
            return Requests(peer.path, peer.ok)
        file = bench.work / f"peer-tokens-{peer.algorithm}"
        if not file.exists():
            file.write_text("\n".join(tokens(bench.material, peer.algorithm, HITS)) + "\n")
        return Requests(peer.path, peer.ok, file, prefix="access=")

    job = NOTHING if peer.algorithm == "-" else CACHED if peer is nginx.LUA_CACHE else VERIFIED
    start = partial(installed, peer, bench.material, cpus=bench.cores.server)
    return _contestant(bench, APART, peer.name, job, start, requests, HITS if job == CACHED else 0)


def _contestant(
    bench: Bench,
    conditions: list[At],
    name: str,
    job: str,
    start: Callable[[], AbstractContextManager[Running]],
    requests: Callable[[], Requests],
    seen: int = 0,
) -> Contestant:
    """`seen`: the number of credentials that are sent at least once before the measurement."""
    current: list[Requests] = []

    def load(running: Running, connections: int, seconds: int) -> Load:
        return wrk.load(running, current[0], connections, seconds, bench.cores.load)

    def warm_up(running: Running) -> None:
        # New requests for each round, so that each round begins with the first credential.
        current[:] = [requests()]
        for _ in range(MOST_WARM_UPS):
            if load(running, CONNECTIONS[-1], WARM_UP).problem or current[0].position >= seen:
                break
        settle(running)

    turns = [Turn(at, partial(load, connections=at["connections"], seconds=bench.seconds)) for at in conditions]
    return Contestant(name, start, turns, warm_up, job)


def _first(count: int, cookies: Path) -> Path:
    file = cookies.with_name(f"cookies-{count}")
    if not file.exists():
        with cookies.open() as lines:
            file.write_text("".join(islice(lines, count)))
    return file
