"""Records runs of the workload against real servers, all at once: each takes as long as a few straggler windows."""
import concurrent.futures
import math
import pathlib
import re
import sys
import threading
import time
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Chaos"), str(ROOT / "Tests/blackbox")]

import checker
import planted
import planted_proxy
import workload
from backend import add_credential
from server import Server, wait_until
from postgres import Cluster

# The clocks of the servers stand at the start of the test, or go on from there with PostgreSQL, and `advance` moves them. So no
# window closes by itself, and no assumption of the protocol depends on the speed of the machine.
WINDOW = 600
# The clock of the database is moved slowly.
SHORT_WINDOW = 60


def settings(window):
    return {"stragglerWindow": window, "reissueDelay": 0.3, "accessTokenLifetime": 1.3 * window}


# A run ends as soon as it has what the tests need. The limit is long, so that a slow machine does not fail the tests.
LONGEST = 1200


class Run:
    """One run of the workload, in a thread. It goes on until `is_enough`, a function of the history so far."""

    def __init__(self, pool, path, origins, private, key, rate, seed, is_enough, advance, passwords, window):
        self.path = path
        self.is_enough = is_enough
        self.stop = threading.Event()
        signup = {"signup": "open" if passwords else "closed"}
        service = {"key": key, "origin": origins[0], "public_urls": origins, "settings": settings(window) | signup}
        self.future = pool.submit(
            workload.run, origins[0], private, service, seed, rate * LONGEST, LONGEST, str(path), self.stop, advance)
        pool.submit(self.watch)

    def watch(self):
        end = time.monotonic() + LONGEST
        try:
            while not self.future.done() and time.monotonic() < end and not (self.path.exists() and self.is_enough(self.path)):
                time.sleep(1)
        finally:
            self.stop.set()

    def history(self):
        self.future.result()
        return self.path

    def violations(self):
        return checker.check(self.history())


def has_all_that_is_planted(path):
    recorded = planted.Recorded.read(path)
    try:
        for plant in planted.PLANTED:
            if plant not in planted.NEED_THE_END:
                plant(recorded.copy())
    except LookupError:
        return False
    return DONE <= done(recorded)


# What a run must have done for the rules to mean something.
DONE = {
    "begin", "login", "signup", "renew", "check", "bearer", "session", "listed", "logout", "endOther", "endOthers", "serviceEnd",
    "serviceEndAll"}


def done(recorded):
    return {operation["op"] for operation in recorded.operations(outcome="acknowledged")}


def has_rotated_twice(path):
    """In ten sessions at least."""
    newest = {}
    for operation in planted.Recorded.read(path).operations(op="renew", outcome="acknowledged"):
        newest[operation["session"]] = operation["held"][0]
    return sum(generation > 1 for generation in newest.values()) > 10


def moving(server):
    def advance(seconds):
        server.move(seconds)
        return seconds
    return advance


# An instance takes more than two seconds for a step of the clock, and its windows are then longer by the step.
NO_STEP = 1.5


def moving_shared(cluster, database, instances):
    """Moves the clock of the database little by little, each time until the instances know."""
    def ahead():
        return [-clock_difference(instance) for instance in instances]

    def advance(seconds):
        count = math.ceil(seconds / NO_STEP)
        for _ in range(count):
            before = ahead()
            cluster.move_clock(database, seconds / count)
            wait_until(lambda: all(now > was + NO_STEP / 4 for now, was in zip(ahead(), before)))
        return seconds
    return advance


def clock_difference(instance):
    with urllib.request.urlopen(f"http://127.0.0.1:{instance.private_port}/metrics", timeout=60) as response:
        metrics = response.read().decode()
    return float(re.search(r"^cloakroom_clock_difference_seconds (\S+)$", metrics, re.M)[1])


def standing_still(seconds):
    """Rounds without a move: the server has other clients."""
    return 0


def finds(broken):
    if broken is planted_proxy.SwallowsPasswordChanges:
        # The workload changes each password at its end.
        return lambda path: bool(planted.Recorded.read(path).operations(op="signup", outcome="acknowledged"))
    return lambda path: broken.found_by <= {violation.split(": ")[0] for violation in checker.check(path)}


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """The recorded runs by name: `sqlite`, `postgres` with two instances, and one for each broken proxy."""
    directory = tmp_path_factory.mktemp("chaos")
    database = tmp_path_factory.mktemp("postgres")
    for parent in [database, *database.parents[:2]]:
        parent.chmod(0o711)
    cluster = Cluster(database)
    shared = cluster.database_with_clock()
    sqlite, behind_proxies, behind_a_proxy_with_windows = (
        Server(directory / name, clock="+0", **settings(WINDOW)) for name in ("sqlite", "behind-proxies", "behind-a-proxy-with-windows"))
    # The two instances have one directory, and one log.
    instances = [Server(directory / "shared", store=cluster.address(shared), **settings(SHORT_WINDOW)) for _ in range(2)]
    servers = [sqlite, behind_proxies, behind_a_proxy_with_windows, *instances]
    proxies, runs = [], {}
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        def record(name, server, public, private, rate, is_enough, advance, passwords=True, window=WINDOW):
            urls = [[f"http://127.0.0.1:{port}" for port in ports] for ports in (public, private)]
            key = add_credential(server)["key"]
            runs[name] = Run(pool, directory / f"{name}.jsonl", *urls, key, rate, len(runs), is_enough, advance, passwords, window)

        record("sqlite", sqlite, [sqlite.port], [sqlite.private_port], 20, has_all_that_is_planted, moving(sqlite))
        record(
            "postgres", instances[0], [one.port for one in instances], [one.private_port for one in instances], 15,
            has_rotated_twice, moving_shared(cluster, shared, instances), passwords=False, window=SHORT_WINDOW)
        for broken in planted_proxy.BROKEN:
            server = behind_a_proxy_with_windows if broken.needs_windows else behind_proxies
            proxies.append(planted_proxy.Proxy(broken(), [server.port, server.private_port]))
            record(
                broken.__name__, server, proxies[-1].ports[:1], proxies[-1].ports[1:], 10, finds(broken),
                moving(server) if broken.needs_windows else standing_still, broken is planted_proxy.SwallowsPasswordChanges)
        yield runs
    for proxy in proxies:
        proxy.stop()
    for server in servers:
        server.kill()
    cluster.end()
