"""Starts the processes of a server, watches them, and ends them, by process group."""
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import processes
from .place import Command, Place

START_TIMEOUT = 30
END_TIMEOUT = 5
POLL = 0.01


@dataclass(frozen=True)
class Running:
    port: int
    directory: Path
    refresh_tokens: list[str]
    _leaders: list[int]
    start_seconds: float = 0.0
    private_port: int = 0
    """The port of Cloakroom's private listener, which has the check; 0 for other servers."""
    _check: list[int] = field(default_factory=list)
    """The leaders of Cloakroom beside a proxy that asks it. They are among `_leaders` too."""
    _backend: list[int] = field(default_factory=list)
    """The leaders of the backend behind a proxy, or of the database: part of the benchmark, but not of what is measured."""
    others: "list[Running]" = field(default_factory=list)

    def asking(self, cloakroom: "Running") -> "Running":
        """This proxy and the Cloakroom that it asks, as one server."""
        return replace(self, _leaders=self._leaders + cloakroom._leaders, _check=cloakroom._leaders)

    def before(self, *backends: "Running") -> "Running":
        return replace(self, _backend=[leader for backend in backends for leader in backend._leaders])

    def with_others(self, others: "list[Running]") -> "Running":
        """The first of several servers that are measured together."""
        return replace(self, others=others)

    def pids(self) -> list[int]:
        return processes.of_sessions(self._leaders)

    def cpu_seconds(self) -> float:
        return processes.cpu_seconds(self.pids())

    def check_cpu_seconds(self) -> float | None:
        """The share of Cloakroom in `cpu_seconds`, if this is a proxy that asks it."""
        return processes.cpu_seconds(processes.of_sessions(self._check)) if self._check else None

    def cpu_seconds_with_backend(self) -> float:
        own = processes.cpu_seconds(processes.of_sessions(self._leaders + self._backend))
        return own + sum(other.cpu_seconds() for other in self.others)

    def pss_kib(self) -> int:
        return processes.pss_kib(self.pids())

    def rss_kib(self) -> int:
        return processes.rss_kib(self.pids())

    def highest_rss_kib(self) -> int:
        """Since the start, or since `forget_highest_rss`."""
        return processes.highest_rss_kib(self.pids())

    def forget_highest_rss(self) -> None:
        processes.forget_highest_rss(self.pids())


@contextmanager
def launched(
    name: str,
    place: Place,
    commands: list[Command],
    is_ready: Callable[[], bool],
    *,
    cpus: set[int] | None = None,
    open_files: int = 0,
    refresh_tokens: list[str] | None = None,
    start_timeout: float = START_TIMEOUT,
) -> Iterator[Running]:
    """Runs the commands, pinned to `cpus` if given, with a limit of `open_files`."""
    children: list[subprocess.Popen[bytes]] = []
    began = time.monotonic()
    try:
        for number, command in enumerate(commands):
            children.append(_start(command, log(place, number), cpus, open_files))
        _wait(name, place, children, is_ready, began + start_timeout)
        leaders = [child.pid for child in children]
        yield Running(place.port, place.directory, refresh_tokens or [], leaders, time.monotonic() - began)
    finally:
        _end(children)


def log(place: Place, number: int = 0) -> Path:
    """The file for a command's output."""
    return place.directory / f"log-{number}"


def _start(command: Command, output: Path, cpus: set[int] | None, open_files: int) -> "subprocess.Popen[bytes]":
    def prepare() -> None:
        if cpus:
            os.sched_setaffinity(0, cpus)
        if open_files:
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(open_files, hard), hard))

    with output.open("wb") as stream:
        return subprocess.Popen(
            command.argv,
            env=os.environ | command.environment,
            cwd=command.cwd,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=prepare,
        )


def _wait(
    name: str, place: Place, children: "list[subprocess.Popen[bytes]]", is_ready: Callable[[], bool], deadline: float
) -> None:
    while not is_ready():
        if any(child.poll() is not None for child in children) or time.monotonic() > deadline:
            logs = "".join(file.read_text(errors="replace")[-2000:] for file in place.directory.glob("*log*"))
            raise RuntimeError(f"{name} does not answer\n{logs}")
        time.sleep(POLL)


def _end(children: "list[subprocess.Popen[bytes]]") -> None:
    leaders = [child.pid for child in children]
    _signal(leaders, signal.SIGTERM)
    deadline = time.monotonic() + END_TIMEOUT
    while processes.of_sessions(leaders) and time.monotonic() < deadline:
        for child in children:
            child.poll()
        time.sleep(0.02)
    _signal(leaders, signal.SIGKILL)
    for child in children:
        child.wait()


def _signal(leaders: list[int], number: signal.Signals) -> None:
    for leader in leaders:
        try:
            os.killpg(leader, number)
        except ProcessLookupError:
            pass
