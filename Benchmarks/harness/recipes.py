"""The price of the check in each proxy, with the files of deploy/proxies."""
from functools import partial

from . import fronts, gateway
from .backend import SMALL
from .bench import Bench
from .fronts import RECIPES, Front
from .gateway import At
from .rounds import Contestant, interleave

SCENARIO = "recipes"
CONDITIONS: list[At] = [{"connections": 32, "body": SMALL}]
WITHOUT, WITH = "without a check", "asks cloakroom"


def estimate(bench: Bench) -> float:
    return 5 + bench.rounds * 2 * len(RECIPES) * (bench.seconds + 6)


def run(bench: Bench) -> None:
    data = gateway.seeded(bench)

    def contestant(front: Front) -> Contestant:
        job = WITH if front.is_checked else WITHOUT
        start = partial(fronts.proxy, bench, front, data)
        return gateway.contestant(bench, front.name, start, gateway.requests(data), CONDITIONS, job)

    interleave(bench, SCENARIO, [contestant(front) for pair in RECIPES.values() for front in pair])
    for name, pair in RECIPES.items():
        _add_price(bench, name, pair)


def _add_price(bench: Bench, name: str, pair: tuple[Front, Front]) -> None:
    """The difference of the processor time, round by round."""
    for at in CONDITIONS:
        without, checked = (bench.results.find(SCENARIO, front.name, "cpu", **at) for front in pair)
        if without and checked and len(without.values) == len(checked.values):
            prices = [more - less for more, less in zip(checked.values, without.values)]
            bench.results.add(
                SCENARIO, name, "price", "µs of CPU more per request", prices,
                disturbed=without.disturbed or checked.disturbed, **at)
