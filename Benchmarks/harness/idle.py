"""The cost of a connection that is open and idle."""
import resource
import select
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from . import server
from .bench import Bench
from .rounds import BROKEN

SPARE = 500
"""Descriptors that are reserved for everything else."""
LISTENERS = 2
"""Each listener may have its share of the server's descriptors in connections."""
TIMEOUT = 10
WHAT = "idle connections"


def run(bench: Bench, scenario: str, data: Path, wanted: int) -> None:
    open_files, count = limits(wanted)
    bench.progress.say(f"{count:,} idle connections")
    try:
        with server.cloakroom(bench, data, open_files=open_files) as running:
            before = running.pss_kib()
            with held(count, lambda: connected(running.port, "/healthz")) as connections:
                after = running.pss_kib()
                lost = closed(connections)
    except BROKEN as failure:
        bench.results.add(scenario, WHAT, "memory", "KiB a connection", [], problem=str(failure), connections=count)
        return
    bench.results.add(
        scenario, WHAT, "memory", "KiB a connection", [(after - before) / count], problem=problem_of(lost),
        connections=count)


def limits(wanted: int) -> tuple[int, int]:
    """The limit of open files for the server, and how many of the wanted connections it permits."""
    open_files = _raised(LISTENERS * (wanted + SPARE))
    return open_files, min(wanted, open_files // LISTENERS - SPARE)


@contextmanager
def held(count: int, connect: Callable[[], socket.socket]) -> Iterator[list[socket.socket]]:
    """Opens connections, and closes them at the end of the block."""
    connections: list[socket.socket] = []
    try:
        for _ in range(count):
            connections.append(connect())
        yield connections
    finally:
        for connection in connections:
            connection.close()


def problem_of(lost: int) -> str | None:
    return f"the server closed {lost:,} of them" if lost else None


def _raised(wanted: int) -> int:
    """Raises the limit of open files of this process and its children to `wanted`, or as far as possible."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY:
        hard = wanted
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(wanted, hard)))
        return wanted
    except (ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return hard


def connected(port: int, path: str, headers: dict[str, str] | None = None) -> socket.socket:
    """A connection on which one response was read."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
    lines = [f"{name}: {value}\r\n" for name, value in ({"Host": f"localhost:{port}"} | (headers or {})).items()]
    connection.sendall(f"GET {path} HTTP/1.1\r\n{''.join(lines)}\r\n".encode())
    if not (answer := connection.recv(4096)).startswith(b"HTTP/1.1 200"):
        connection.close()
        raise RuntimeError(f"{path} answers {answer[:20].decode(errors='replace')}")
    return connection


def closed(connections: list[socket.socket]) -> int:
    """The number of readable connections: closed by the server, or with the rest of a response."""
    poll = select.poll()
    for connection in connections:
        poll.register(connection, select.POLLIN)
    ready = {descriptor for descriptor, _ in poll.poll(0)}
    return sum(_has_ended(connection) for connection in connections if connection.fileno() in ready)


def _has_ended(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        while data := connection.recv(4096):
            pass
        return not data
    except BlockingIOError:
        return False
    except OSError:
        return True
