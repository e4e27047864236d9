"""One run of wrk against a server."""
import http.client
import json
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from . import tool
from .load import Load, problem_of
from .peers.launch import Running

SCRIPT = Path(__file__).with_name("cookies.lua")
PROBES = 3
COOKIE = "__Host-Http-session="
CHECK = "/auth/check"
FORWARDED = {"X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/api/items/42", "X-Forwarded-For": "203.0.113.7"}
"""The headers with which a proxy describes the request."""


@dataclass
class Requests:
    """The requests of a run. Their credentials are sent in turn, and the next run continues."""

    path: str
    ok: int
    file: Path | None = None
    header: str = "Cookie"
    prefix: str = ""
    position: int = 0
    fixed: dict[str, str] = field(default_factory=dict)
    """Headers of every request."""
    kinds: int = 0
    """The number of kinds of clients, each with its own User-Agent and trace headers; 0 for clients without them."""
    is_private: bool = False
    """Whether the requests go to the private listener."""

    def port(self, server: Running) -> int:
        return server.private_port if self.is_private else server.port

    def credentials(self, count: int) -> list[dict[str, str]]:
        """The headers of the next few requests."""
        if not self.file:
            return [self.fixed]
        with self.file.open() as lines:
            return [self.fixed | {self.header: self.prefix + line.strip()} for line in islice(lines, count)]


def checks(file: Path, kinds: int = 0) -> Requests:
    """The check that a proxy sends to the private listener for a request with each of these cookies."""
    return Requests(CHECK, 204, file, prefix=COOKIE, fixed=FORWARDED, kinds=kinds, is_private=True)


def load(
    server: Running, requests: Requests, connections: int, seconds: int, cpus: set[int] | None = None
) -> Load:
    if wrong := _unexpected(server, requests):
        return Load(0, 0, 0, 0, 0, 0, 0, 1, wrong)
    before, check_before = server.cpu_seconds(), server.check_cpu_seconds()
    said = _run(server, requests, connections, seconds, cpus)
    processor, check_after = server.cpu_seconds() - before, server.check_cpu_seconds()
    requests.position += said["count"] + connections
    count, errors = said["count"] - said["status"], said["status"] + said["socket"]
    return Load(
        count=count,
        rate=count / said["us"] * 1e6,
        p50_ms=said["p50"] / 1000,
        p99_ms=said["p99"] / 1000,
        max_ms=said["max"] / 1000,
        cpu_us=processor / max(1, said["count"]) * 1e6,
        pss_kib=server.pss_kib(),
        errors=errors,
        problem=problem_of(count, errors),
        check_cpu_us=check_after and (check_after - check_before) / max(1, said["count"]) * 1e6,
    )


def _run(
    server: Running, requests: Requests, connections: int, seconds: int, cpus: set[int] | None
) -> dict[str, float]:
    # Shorter than the run, so that an answer which takes most of it is an error.
    patience = max(1, seconds - 1)
    size = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", f"{patience}s", "--latency"]
    headers = {"Host": f"localhost:{server.port}"} | requests.fixed
    lines = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    target = ["-s", str(SCRIPT), *lines, f"http://127.0.0.1:{requests.port(server)}{requests.path}"]
    credentials = ["--", str(requests.file), requests.header, requests.prefix, str(requests.position)]
    credentials += [str(requests.kinds)]
    output = tool.run(["wrk", *size, *target, *(credentials if requests.file else [])], timeout=seconds + 30, cpus=cpus)
    return json.loads(output.rpartition("JSON ")[2])


def _unexpected(server: Running, requests: Requests) -> str | None:
    """wrk distinguishes errors from responses, but not one success status from another."""
    for credential in requests.credentials(PROBES):
        connection = http.client.HTTPConnection("127.0.0.1", requests.port(server), timeout=10)
        try:
            connection.request("GET", requests.path, headers={"Host": f"localhost:{server.port}"} | credential)
            if (status := connection.getresponse().status) != requests.ok:
                return f"answers {status} instead of {requests.ok}"
        finally:
            connection.close()
    return None
