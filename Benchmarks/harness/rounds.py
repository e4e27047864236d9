"""Interleaves contestants over rounds, so that a slow minute of the machine affects all of them."""
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from .bench import Bench
from .load import Load
from .peers.launch import Running
from .quiet import Quiet, undisturbed_load
from .tool import Missing

BROKEN = (RuntimeError, OSError, ValueError, LookupError, subprocess.SubprocessError)


@dataclass(frozen=True)
class Turn:
    at: dict[str, int | str]
    measure: Callable[[Running], Load]


@dataclass(frozen=True)
class Contestant:
    name: str
    open: Callable[[], AbstractContextManager[Running]]
    turns: list[Turn]
    warm_up: Callable[[Running], object] = lambda server: None
    job: str = ""


@dataclass
class _Series:
    loads: list[Load] = field(default_factory=list)
    quiet: list[Quiet] = field(default_factory=list)
    problem: str | None = None


def interleave(bench: Bench, scenario: str, contestants: list[Contestant]) -> None:
    """Runs all contestants and records their figures. The failure of one does not stop the others."""
    series = {id(turn): _Series() for contestant in contestants for turn in contestant.turns}
    missing: set[str] = set()
    for number in range(1, bench.rounds + 1):
        for contestant in contestants:
            if contestant.name in missing:
                continue
            try:
                _round(bench, number, contestant, series)
            except Missing as reason:
                missing.add(contestant.name)
                bench.results.skipped.append(f"{scenario}: {contestant.name}: {reason}")
                bench.progress.say(f"{contestant.name}: skipped, {reason}")
            except BROKEN as failure:
                bench.progress.say(f"{contestant.name}: {failure}")
                for turn in contestant.turns:
                    if len(series[id(turn)].loads) < number:
                        series[id(turn)].problem = f"round {number}: {_first_line(failure)}"
    for contestant in contestants:
        if contestant.name not in missing:
            bench.results.jobs[contestant.name] = contestant.job
            for turn in contestant.turns:
                _add(bench, scenario, contestant.name, turn, series[id(turn)])


def _round(bench: Bench, number: int, contestant: Contestant, series: dict[int, _Series]) -> None:
    bench.progress.say(f"round {number} of {bench.rounds}, {contestant.name}")
    with contestant.open() as server:
        contestant.warm_up(server)
        for turn in contestant.turns:
            load, quiet = undisturbed_load(lambda: turn.measure(server), server)
            series[id(turn)].loads.append(load)
            series[id(turn)].quiet.append(quiet)


def _add(bench: Bench, scenario: str, name: str, turn: Turn, series: _Series) -> None:
    problem = series.problem or next((load.problem for load in series.loads if load.problem), None)
    disturbed = any(not quiet.is_quiet for quiet in series.quiet)
    rows = [load.figures() for load in series.loads]
    for metric, (unit, _) in (rows[0] if rows else {"rate": ("answers/s", 0.0)}).items():
        values = [row[metric][1] for row in rows]
        bench.results.add(scenario, name, metric, unit, values, problem=problem, disturbed=disturbed, **turn.at)


def _first_line(failure: Exception) -> str:
    return str(failure).strip().splitlines()[0] if str(failure).strip() else type(failure).__name__
