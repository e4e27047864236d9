"""Shows that every peer accepts a good token and refuses bad ones: `python -m harness.peers.selfcheck`."""
import http.client
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from . import CHECK_PEERS, RENEWAL_PEERS
from .material import make, token, tokens
from .peer import Material, Peer, Running, running

SESSIONS = 4


def main() -> int:
    chosen = sys.argv[1:]
    failures = 0
    with tempfile.TemporaryDirectory() as directory:
        material = make(Path(directory), Path(sys.prefix))
        for peer in [*CHECK_PEERS, *RENEWAL_PEERS]:
            if not chosen or peer.slug in chosen:
                failures += not report(peer, material)
    print(f"{failures} failed")
    return 1 if failures else 0


def report(peer: Peer, material: Material) -> bool:
    try:
        with running(peer, material, sessions=SESSIONS) as server:
            problems = renewal_problems(server) if peer.sessions else check_problems(peer, material, server)
            cost = f"{len(server.pids())} processes, {server.pss_kib() // 1024} MiB, {server.cpu_seconds():.2f} s"
    except (RuntimeError, OSError) as failure:
        problems, cost = [str(failure)], "did not run"
    verdict = "FAIL" if problems else "ok  "
    print(f"{verdict} {peer.slug} [{peer.version()}] {cost}", *problems, sep="\n     ", flush=True)
    return not problems


def check_problems(peer: Peer, material: Material, server: Running) -> list[str]:
    def get(access: str | None) -> int:
        cookie = {"Cookie": f"first=1; access={access}; last=1"} if access else {}
        return request(server.port, "GET", peer.path, cookie)[0]

    problems = []
    for good in tokens(material, "ES256", 3):
        # Twice, so that a peer with a cache also answers from the cache.
        answers = [get(good), get(good)]
        if answers != [peer.ok, peer.ok]:
            problems.append(f"a good token: {answers}")
    if peer.algorithm == "-":
        return problems  # it needs no token
    for kind, bad in bad_tokens(material, peer.algorithm).items():
        if (answer := get(bad)) not in peer.refusals:
            problems.append(f"{kind}: {answer}")
    return problems + expiry_problems(peer, material, get)


def bad_tokens(material: Material, algorithm: str) -> dict[str, str | None]:
    head, payload, signature = token(material, algorithm).split(".")
    tampered = ("B" if signature[0] == "A" else "A") + signature[1:]
    other = "HS256" if algorithm != "HS256" else "ES256"
    return {
        "no cookie": None,
        "no token": "nonsense",
        "tampered signature": f"{head}.{payload}.{tampered}",
        "swapped claims": ".".join([head, token(material, algorithm).split(".")[1], signature]),
        "expired": token(material, algorithm, exp=int(time.time()) - 60),
        "alg none": token(material, "none"),
        "another algorithm": token(material, other),
        "wrong aud": token(material, algorithm, aud="other"),
        "wrong iss": token(material, algorithm, iss="https://other.example.org"),
    }


def expiry_problems(peer: Peer, material: Material, get: Callable[[str], int]) -> list[str]:
    """A valid token must expire on time. Apache counts whole seconds, so one second of delay is allowed."""
    short = token(material, peer.algorithm, exp=int(time.time()) + 2)
    before = get(short)
    time.sleep(3.2)
    after = get(short)
    return [] if before == peer.ok and after in peer.refusals else [f"a token at its end: {before}, then {after}"]


def renewal_problems(server: Running) -> list[str]:
    problems = []
    if len(set(server.refresh_tokens)) != SESSIONS:
        problems.append(f"sessions: {server.refresh_tokens}")
    for first in server.refresh_tokens:
        spent = first
        for _ in range(3):
            status, answer = renew(server, spent)
            if status != 200 or not answer.get("access") or answer.get("refresh") in (None, spent):
                problems.append(f"a rotation: {status} {answer}")
                break
            spent = answer["refresh"]
        if (replay := renew(server, first)[0]) != 401:
            problems.append(f"a spent token: {replay}")
    return problems


def renew(server: Running, refresh: str) -> tuple[int, dict]:
    body = json.dumps({"refresh": refresh})
    status, answer = request(server.port, "POST", "/refresh", {"Content-Type": "application/json"}, body)
    return status, json.loads(answer) if status == 200 else {}


def request(
    port: int, method: str, path: str, headers: dict[str, str], body: str | None = None
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
