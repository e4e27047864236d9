"""One goal, and whether the figures of a run meet it."""
from collections.abc import Callable
from dataclasses import dataclass

from .markdown import DISTURBED, number
from .results import Figure


@dataclass(frozen=True)
class Goal:
    text: str
    wanted: str
    measured: str
    is_met: bool | None
    """Empty if there is no figure."""


def named(figures: list[Figure], what: str, unit: str, at: dict[str, int | str]) -> Figure | None:
    return next((one for one in figures if (one.what, one.unit, one.at) == (what, unit, at)), None)


def at_least(text: str, limit: float, unit: str, figures: list[Figure | None]) -> Goal:
    return _goal(text, f"at least {limit:g} {unit}", unit, figures, lambda value: value >= limit)


def at_most(text: str, limit: float, unit: str, figures: list[Figure | None]) -> Goal:
    return _goal(text, f"at most {limit:g} {unit}", unit, figures, lambda value: value <= limit)


def _goal(
    text: str, wanted: str, unit: str, figures: list[Figure | None], holds: Callable[[float], bool]
) -> Goal:
    """Met only if every condition meets it; unknown if a condition has no figure."""
    if not all(figure and figure.values for figure in figures):
        return Goal(text, wanted, "no figure", None)
    measured = [
        f"{number(figure.median)}{DISTURBED if figure.disturbed else ''} {unit}{_condition(figure)}"
        for figure in figures]
    return Goal(text, wanted, ", ".join(measured), all(holds(figure.median) for figure in figures))


def _condition(figure: Figure) -> str:
    at = [
        f"{value} {name if value != 1 else name[:-1]}" for name, value in figure.at.items()
        if name in ("connections", "clients")]
    at += [str(figure.at["body"])] if "body" in figure.at else []
    at += ["all cores"] if figure.at.get("cores") == "shared" else []
    kind = [figure.metric.removeprefix("longest ")] if figure.metric.startswith("longest ") else []
    kind += [figure.what] if figure.metric == "growth" else []
    return f" ({', '.join(at + kind)})" if at + kind else ""
