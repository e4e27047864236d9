"""Checks whether other programs used the processors during a measurement."""
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from .load import Load
from .peers.launch import Running
from .peers.processes import TICKS

OTHERS_LIMIT = 0.08
TRIES = 3

SETTLED = 0.05
LONGEST_WAIT = 20

Measured = TypeVar("Measured")


@dataclass(frozen=True)
class Quiet:
    """Processor time as shares of one core."""

    others: float
    stolen: float

    @property
    def is_quiet(self) -> bool:
        return self.others <= OTHERS_LIMIT


def undisturbed(measure: Callable[[], Measured], server: Running | None = None) -> tuple[Measured, Quiet]:
    """Repeats a measurement while other programs were busy; after the last try, the least disturbed one counts."""
    tries = []
    while len(tries) < TRIES and not (tries and tries[-1][1].is_quiet):
        tries.append(_watched(measure, server))
    return min(tries, key=lambda one: one[1].others)


def undisturbed_load(measure: Callable[[], Load], server: Running) -> tuple[Load, Quiet]:
    """As `undisturbed`, but an error in any try counts."""
    tried: list[Load] = []

    def noted() -> Load:
        tried.append(measure())
        return tried[-1]

    load, quiet = undisturbed(noted, server)
    problem = next((one.problem for one in tried if one.problem), None)
    return replace(load, problem=problem), quiet


def settle(server: Running) -> None:
    """Waits until the server's deferred work is done: otherwise it would slow down the next measurement."""
    deadline = time.monotonic() + LONGEST_WAIT
    while time.monotonic() < deadline:
        before = server.cpu_seconds()
        time.sleep(0.3)
        if server.cpu_seconds() - before < 0.3 * SETTLED:
            return


def _watched(measure: Callable[[], Measured], server: Running | None) -> tuple[Measured, Quiet]:
    before = _Sample.now(server)
    measured = measure()
    return measured, _Sample.now(server) - before


@dataclass(frozen=True)
class _Sample:
    time: float
    busy: float
    stolen: float
    own: float

    @staticmethod
    def now(server: Running | None) -> "_Sample":
        user, nice, system, _, _, _, _, stolen = map(int, Path("/proc/stat").read_text().split()[1:9])
        # Excludes interrupts: the benchmark causes those of the loopback, but no process is charged for them.
        busy = (user + nice + system) / TICKS
        own = sum(os.times()[:4]) + (server.cpu_seconds_with_backend() if server else 0)
        return _Sample(time.monotonic(), busy, stolen / TICKS, own)

    def __sub__(self, before: "_Sample") -> Quiet:
        seconds = max(self.time - before.time, 1e-9)
        others = (self.busy - before.busy) - (self.own - before.own)
        return Quiet(max(0.0, others / seconds), (self.stolen - before.stolen) / seconds)
