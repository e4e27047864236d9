"""The project's goals, and whether this run meets them."""
from collections.abc import Callable
from dataclasses import dataclass

from . import check, renew, scale, storm, sweep
from .markdown import DISTURBED, number
from .results import Figure, Results


@dataclass(frozen=True)
class Goal:
    text: str
    wanted: str
    measured: str
    is_met: bool | None
    """Empty if there is no figure."""


def goals(results: Results) -> list[Goal]:
    return [*_check(results), *_renew(results), *_storm(results), *_scale(results)]


def _check(results: Results) -> list[Goal]:
    def figures(what: str, metric: str) -> list[Figure | None]:
        return [results.find(check.SCENARIO, what, metric, **at) for at in check.APART + check.TOGETHER]

    def over_hello(text: str, what: str, limit: float) -> Goal:
        return _at_least(
            f"{text}, requests/s over plain Hummingbird's", limit, "times", figures(what, "rate ratio"))

    def p99(text: str, what: str) -> Goal:
        return _at_most(f"{text}, p99 over plain Hummingbird's", 1.3, "times", figures(what, "p99 ratio"))

    return [
        over_hello("Check, cache hit, forward-auth", check.HIT, 0.95),
        over_hello(f"Check, cache hit, forward-auth, {check.KINDS:,} kinds of clients", check.HIT_KINDS, 0.95),
        over_hello("Check, cache hit, middleware", check.APP_HIT, 0.95),
        over_hello("Check, first sight, ES256", check.FIRST_SIGHT, 0.36),
        over_hello("Check, first sight, ES256, and the activity saved", check.FIRST_SEEN, 0.36),
        over_hello("Check, HS256", check.APP_HS256, 0.85),
        p99("Check, cache hit, forward-auth", check.HIT),
        p99("Check, cache hit, middleware", check.APP_HIT),
        _at_most("Check, cache hit, forward-auth, CPU", 15, "µs", figures(check.HIT, "cpu")),
    ]


def _renew(results: Results) -> list[Goal]:
    def over(text: str, base: str, clients: int, limit: float) -> Goal:
        figure = _named(
            results.of(renew.STORE, "rate ratio"), renew.STORE_OURS, f"times {base}", {"clients": clients})
        return _at_least(text, limit, "times", [figure])

    return [
        over("Store, 64 clients, renewals/s over one transaction each", renew.STORE_ONE, 64, 8),
        over("Store, 64 clients, renewals/s over raw sqlite3 in the same batches", renew.STORE_RAW, 64, 0.9),
        over("Store, 1 client, renewals/s over one transaction each", renew.STORE_ONE, 1, 1),
    ]


def _storm(results: Results) -> list[Goal]:
    ratios = [results.find(storm.SCENARIO, storm.OURS, "rate ratio", clients=count) for count in storm.CLIENTS]
    p99 = [results.find(storm.SCENARIO, storm.OURS, "p99", clients=count) for count in storm.CLIENTS]
    busy = results.find(storm.SCENARIO, "logins", "busy", clients=max(storm.CLIENTS))
    return [
        _at_least("Check during a login storm, requests/s over those without", 0.8, "times", ratios),
        _at_most("Check during a login storm, p99", 10, "ms", p99),
        _at_least("Logins beyond the queue, answers 503 with Retry-After", 1, "answer(s)", [busy]),
    ]


def _scale(results: Results) -> list[Goal]:
    sizes = sorted({int(figure.what.split()[0].replace(",", "")) for figure in results.of(scale.SCENARIO, "start")})
    if not sizes:
        return []
    small, large = scale.what(sizes[0]), scale.what(sizes[-1])

    def ratio(job: str, metric: str, above: str, below: str) -> Figure | None:
        figures = [results.find(scale.SCENARIO, what, metric, job=job) for what in (above, below)]
        if not all(figures) or not all(figure.values for figure in figures):
            return None
        values = [one / other for one, other in zip(figures[0].values, figures[1].values)]
        disturbed = any(figure.disturbed for figure in figures)
        return Figure(scale.SCENARIO, above, f"{metric} ratio", "times", values, disturbed=disturbed)

    longest = [
        results.find(scale.SCENARIO, sweep.SWEPT, f"longest {name}", sessions=sizes[-1])
        for name in ("check", "renewal")
    ]
    start = results.find(scale.SCENARIO, large, "start")
    cpu, rate = ratio("check", "cpu", large, small), ratio("renew", "rate", small, large)
    return [
        _at_most(f"Check with {large}, CPU over that with {small}", 1.1, "times", [cpu]),
        _at_most(f"Renewals/s with {small}, over those with {large}", 1.2, "times", [rate]),
        _at_most(f"Start with {large}", 2, "s", [start]),
        _at_most(f"Longest answer while the sweep deletes, {large}", 50, "ms", longest),
    ]


def _named(figures: list[Figure], what: str, unit: str, at: dict[str, int | str]) -> Figure | None:
    return next((one for one in figures if (one.what, one.unit, one.at) == (what, unit, at)), None)


def _at_least(text: str, limit: float, unit: str, figures: list[Figure | None]) -> Goal:
    return _goal(text, f"at least {limit:g} {unit}", unit, figures, lambda value: value >= limit)


def _at_most(text: str, limit: float, unit: str, figures: list[Figure | None]) -> Goal:
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
    at += ["all cores"] if figure.at.get("cores") == "shared" else []
    kind = [figure.metric.removeprefix("longest ")] if figure.metric.startswith("longest ") else []
    return f" ({', '.join(at + kind)})" if at + kind else ""
