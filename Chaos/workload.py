"""The workload: honest browsers and thieves use a deployment, and everything that they see goes into a history.

`run` is called by the fault test. To try one server without any cluster:

    python3 Chaos/workload.py --base http://127.0.0.1:8080 --private http://127.0.0.1:8081 --key crk_... \\
        --window 30 --history history.jsonl --operations 100000 --seconds 100
    python3 Chaos/checker.py history.jsonl

The honest browsers keep the assumption of the rotation protocol (docs/refresh.md): less than one straggler window passes
between reading the jar and the decision, and from the decision to the jar. They give up after 0.4 windows and at most 5 s. The
server may still decide about such a request: it waits up to 10 s in the queue of the store, and a commit takes up to 2 s. So a run with
faults of the store needs a `stragglerWindow` of 18 s or more. With a shorter one, honest browsers may be logged out through
the fault of the workload.
"""
import argparse
import http.client
import json
import os
import pathlib
import random
import subprocess
import sys
import threading
import time
import urllib.parse

import history

PROCESS = pathlib.Path(__file__).resolve().parent / "workload_process.py"
# One process of Python sends about this many requests in a second beside a busy server.
RATE_OF_A_PROCESS = 1500
EVENTS = ("refresh_token_reused", "adoption")


def run(base_url, instances, service, seed, operations, seconds, history_path, stop, advance=None):
    """Sends `operations` requests, evenly over `seconds`, and then checks that what was acknowledged is still there; by then,
    and when `stop` is set, every fault must be over.

    `instances`: the private base URLs. `service`: `key` (all scopes of sessions, and events:read), `origin` of the public URL,
    `public_urls` of the instances, and `settings` (`stragglerWindow`, `reissueDelay`, `accessTokenLifetime`, `signup`).

    `advance` moves the clock of every instance forward by so many seconds, and returns by how many it did. With it, requests are sent in
    rounds, and the clock is moved between them, while nothing is in flight: then no assumption depends on the speed of the machine.
    The run goes on until `stop`."""
    settings = service["settings"]
    writer = history.Writer(history_path)
    writer.write({
        "kind": "run", "seed": seed, "instances": len(instances), "window": settings["stragglerWindow"],
        "reissueDelay": settings["reissueDelay"], "accessTokenLifetime": settings["accessTokenLifetime"], "at": time.monotonic()})
    cursor = read_events(instances, service["key"], None, lambda event: None)
    rate = operations / seconds
    count = 1 if advance else max(1, min(os.cpu_count() or 1, round(rate / RATE_OF_A_PROCESS)))
    # So many that each sends a request every half window or so.
    browsers = int(min(3000, max(20, rate * min(settings["stragglerWindow"], 30) / 15)))
    shared = {
        "seed": seed, "base": base_url, "public": service["public_urls"], "private": instances, "key": service["key"],
        "origin": service["origin"], "window": settings["stragglerWindow"], "signup": settings.get("signup") == "open",
        "history": str(history_path), "seconds": seconds, "operations": operations / count, "rate": rate / count,
        "browsers": browsers // count, "steered": advance is not None}
    processes = [start(shared | {"number": number}) for number in range(count)]
    try:
        if advance:
            steer(processes[0], settings["stragglerWindow"], random.Random(seed), advance, stop)
        else:
            wait(processes, stop)
    finally:
        for process in processes:
            process.stdin.close()
    failed = [process.wait() for process in processes]
    read_events(instances, service["key"], cursor, writer.write)
    writer.close()
    if any(failed):
        raise RuntimeError("a process of the workload failed")


def start(settings):
    process = subprocess.Popen([sys.executable, PROCESS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdin.write(json.dumps(settings) + "\n")
    process.stdin.flush()
    return process


def wait(processes, stop):
    """Waits for the end of all processes, or for `stop`."""
    while any(process.poll() is None for process in processes):
        if stop.wait(0.2):
            return


def steer(process, window, random, advance, stop):
    """Moves the clock whenever the process says that nothing is in flight: within a window, or beyond its end."""
    for line in process.stdout:
        if stop.is_set():
            return
        moved = advance(random.choice([0.4, 1.05, 1.3]) * window)
        process.stdin.write(f"{moved}\n")
        process.stdin.flush()


def read_events(instances, key, cursor, write):
    """Reads the record of security events from the cursor on, and writes those that the rules ask for. Returns the new cursor."""
    for _ in range(100_000):
        page = ask_one_of(instances, "/service/events?limit=100" + (f"&after={cursor}" if cursor else ""), key)
        cursor = page["next"]
        for event in page["events"]:
            if event["event"] in EVENTS:
                write({"kind": "event", "event": event["event"], "session": event["session"], "time": event["time"]})
        if not page["events"]:
            return cursor
    raise RuntimeError("the record of events has no end")


def ask_one_of(instances, path, key):
    """Asks one instance after the other until one answers; for a minute at most."""
    end = time.monotonic() + 60
    while True:
        for url in instances:
            connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=10)
            try:
                connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
                response = connection.getresponse()
                body = response.read()
                if response.status == 200:
                    return json.loads(body)
                failure = f"{response.status} {body[:200]!r}"
            except (OSError, http.client.HTTPException) as error:
                failure = repr(error)
            finally:
                connection.close()
        if time.monotonic() > end:
            raise RuntimeError(f"no instance answers {path}: {failure}")
        time.sleep(0.5)


def main():
    parser = argparse.ArgumentParser(description="Honest browsers and thieves at one server.")
    parser.add_argument("--base", required=True, help="public URL")
    parser.add_argument("--private", required=True, help="URL of the private listener")
    parser.add_argument("--key", required=True, help="service key")
    parser.add_argument("--history", default="history.jsonl")
    parser.add_argument("--window", type=float, default=30, help="the server's stragglerWindow")
    parser.add_argument("--reissue-delay", type=float, default=2)
    parser.add_argument("--access-token-lifetime", type=float, default=300)
    parser.add_argument("--signup", default="closed", choices=["open", "closed"])
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
    asked = parser.parse_args()
    print(f"seed {asked.seed}")
    service = {
        "key": asked.key, "origin": asked.base, "public_urls": [asked.base], "settings": {
            "stragglerWindow": asked.window, "reissueDelay": asked.reissue_delay, "accessTokenLifetime": asked.access_token_lifetime,
            "signup": asked.signup}}
    run(asked.base, [asked.private], service, asked.seed, asked.operations, asked.seconds, asked.history, threading.Event())


if __name__ == "__main__":
    main()
