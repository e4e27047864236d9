#!/usr/bin/env python3
"""Measures the time from an acknowledged revocation to its refusal at every reader: three instances on PostgreSQL, and two backends
with the kits, which follow the streams of two of them.

    .build/python-tests/bin/python Benchmarks/feed/latency.py [--samples 200] [--rates 2 100] [--json]

A rate is of revocations per second; of those at a high rate, one in five is watched. The clock starts when the instance has
acknowledged the revocation. Each reader is asked every few milliseconds, which is part of what is measured. Prints a table, or with --json
what `Scripts/bench` reads.
"""
import argparse
import http.client
import json
import pathlib
import queue
import statistics
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/blackbox"))

from backend import Backend  # noqa: E402
from browser import tokens  # noqa: E402
from kit_app import KitApp  # noqa: E402
from server import Server  # noqa: E402
from postgres import Cluster  # noqa: E402

ASK_EVERY = 0.003
GIVE_UP = 30
# Of the revocations at a high rate, one in so many is watched.
STRIDE = 5


class Caller:
    """A connection that stays open while it is used."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def status(self, method, path, headers):
        try:
            return self.status_once(method, path, headers)
        except (http.client.HTTPException, ConnectionError):
            self.connection.close()     # the server has closed it, because it was idle
            return self.status_once(method, path, headers)

    def status_once(self, method, path, headers):
        self.connection.request(method, path, headers=headers)
        response = self.connection.getresponse()
        response.read()
        return response.status


class Reader(threading.Thread):
    """Asks one reader about the sessions that it is given, until each is refused."""

    def __init__(self, name, port, path, **headers):
        super().__init__(name=name, daemon=True)
        self.caller, self.path, self.headers = Caller(port), path, {name.replace("_", "-"): value for name, value in headers.items()}
        self.tasks = queue.Queue()
        self.seconds = []
        self.other = 0
        self.start()

    def ask(self, token):
        return self.caller.status("GET", self.path, self.headers | {"Authorization": f"Bearer {token}"})

    def run(self):
        while True:
            token, began = self.tasks.get()
            while (status := self.ask(token)) != 401:
                self.other += status >= 500
                if time.monotonic() > began + GIVE_UP:
                    break
                time.sleep(ASK_EVERY)
            self.seconds.append(time.monotonic() - began)
            self.tasks.task_done()


def start_readers(servers, apps):
    original = {"X_Forwarded_Method": "GET", "X_Forwarded_Uri": "/", "X_Forwarded_Proto": "http"}
    readers = [
        Reader(f"instance {number}", server.private_port, "/auth/check", **original, X_Forwarded_Host=f"127.0.0.1:{server.port}")
        for number, server in enumerate(servers, 1)]
    return readers + [Reader(f"kit for {app.kit}", app.port, "/notes") for app in apps]


def measure(rate, samples, backends, readers, sessions):
    """Ends sessions at the instances in turn.
    :return: the rate that was reached, and a row of figures for each reader.
    """
    callers = [(Caller(backend.server.private_port), {"Authorization": f"Bearer {backend.key}"}) for backend in backends]
    stride = STRIDE if rate >= 20 else 1
    begin = time.monotonic()
    for number in range(samples * stride):
        time.sleep(max(0, begin + number / rate - time.monotonic()))
        session, token = sessions.pop()
        caller, headers = callers[number % len(callers)]
        assert caller.status("DELETE", f"/service/sessions/{session}", headers) == 204
        if number % stride == 0:
            acknowledged = time.monotonic()
            for reader in readers:
                reader.tasks.put((token, acknowledged))
    took = time.monotonic() - begin
    for reader in readers:
        reader.tasks.join()
    rows = []
    for reader in readers:
        points = [1000 * point for point in statistics.quantiles(reader.seconds, n=100, method="inclusive")]
        rows.append({
            "reader": reader.name, "p50": points[49], "p99": points[98], "max": 1000 * max(reader.seconds), "unavailable": reader.other})
        reader.seconds, reader.other = [], 0
    return samples * stride / took, rows


def show(rate, rows):
    print(f"\nAt {rate:.1f} revocations/s, milliseconds:\n")
    print("| reader | p50 | p99 | max | 5xx |\n|---|---|---|---|---|")
    for row in rows:
        print(f"| {row['reader']} | {row['p50']:.0f} | {row['p99']:.0f} | {row['max']:.0f} | {row['unavailable']} |")


def log_in(backend, count):
    """Sessions of as many subjects."""
    found = []
    for number in range(count):
        client = backend.log_in(f"user{number}")
        found.append((client.session, tokens(client.cookie)[0]))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--rates", type=float, nargs="+", default=[2, 100])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="cloakroom-feed-"))
    directory.chmod(0o711)
    (directory / "cluster").mkdir()
    cluster = Cluster(directory / "cluster")
    store = cluster.address(cluster.database())
    servers = [Server(directory / "data", store=store, accessTokenLifetime=3600) for _ in range(3)]
    backends = [Backend(servers[0])]
    backends += [Backend(server, backends[0].key) for server in servers[1:]]
    apps = []
    try:
        for kit, server in zip(["python", "node"], servers[1:]):
            apps.append(KitApp(kit, directory / kit, server, longest_token_lifetime=3600))
            apps[-1].kit = kit
        readers = start_readers(servers, apps)
        for rate in options.rates:
            sessions = log_in(backends[0], options.samples * (STRIDE if rate >= 20 else 1))
            reached, rows = measure(rate, options.samples, backends, readers, sessions)
            print(json.dumps(rows)) if options.json else show(reached, rows)
    finally:
        for app in apps:
            app.stop()
        for server in servers:
            server.stop()
        cluster.end()


main()
