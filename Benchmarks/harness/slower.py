"""The peers that are faster than Cloakroom in this run."""
from . import check, gateway, renew
from .goals import goals
from .markdown import number
from .results import Figure, Results

CONNECTIONS = max(check.CONNECTIONS)
COMPARABLE = {
    check.NOTHING: check.HIT,
    check.CACHED: check.HIT,
    check.VERIFIED: check.FIRST_SIGHT,
}
"""Maps a contestant's task to the task of Cloakroom with which it is compared."""


def slower(results: Results) -> list[str]:
    return [*_checks(results), *_gateway(results), *_renewals(results), *_missed(results)]


def unmeasured(results: Results) -> int:
    """The number of goals for which this run has no figure."""
    return sum(goal.is_met is None for goal in goals(results))


def _checks(results: Results) -> list[str]:
    said = []
    for figure in results.of(check.SCENARIO, "cpu"):
        job = results.jobs.get(figure.what, "")
        ours = results.find(check.SCENARIO, COMPARABLE.get(job, ""), "cpu", connections=CONNECTIONS)
        if figure.at != {"connections": CONNECTIONS} or figure.what in check.OURS or not _is_less(figure, ours):
            continue
        said.append(
            f"{figure.what} ({job}): {number(figure.median)} µs of CPU per check at {CONNECTIONS} connections; "
            f"{ours.what}: {number(ours.median)} µs.")
    return said


def _gateway(results: Results) -> list[str]:
    said = []
    for at in gateway.CONDITIONS:
        ours = results.find(gateway.SCENARIO, gateway.OURS, "cpu", **at)
        for what in (gateway.PLAIN, gateway.AUTH_REQUEST):
            figure = results.find(gateway.SCENARIO, what, "cpu", **at)
            if _is_less(figure, ours):
                checks = " (no check)" if what == gateway.PLAIN else ""
                said.append(
                    f"{what}{checks}: {number(figure.median)} µs of CPU per request ({at['body']}, {at['connections']} "
                    f"connections); {ours.what}: {number(ours.median)} µs.")
    return said


def _renewals(results: Results) -> list[str]:
    said = []
    for figure in results.of(renew.SCENARIO, "rate"):
        ours = results.find(renew.SCENARIO, renew.OURS, "rate", **figure.at)
        if figure.what != renew.OURS and _is_less(ours, figure):
            clients = figure.at["clients"]
            said.append(
                f"{figure.what}: {number(figure.median)} renewals/s with {clients} "
                f"client{'s' if clients != 1 else ''}; ours: {number(ours.median)}.")
    return said


def _missed(results: Results) -> list[str]:
    return [
        f"A goal missed: {goal.text}: {goal.measured}, wanted {goal.wanted}."
        for goal in goals(results) if goal.is_met is False
    ]


def _is_less(one: Figure | None, other: Figure | None) -> bool:
    return bool(one and other and one.values and other.values and one.median < other.median)
