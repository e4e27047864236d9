"""Many instances on PostgreSQL: the store beside PostgreSQL's own tool, renewals over HTTP, and the feed of revocations."""
from ..bench import Bench
from ..tool import Missing
from . import feed, renewals, store
from .cluster import cluster

SCENARIO = "postgres"


def estimate(bench: Bench) -> float:
    return 20 + store.estimate(bench) + renewals.estimate(bench) + feed.estimate(bench)


def run(bench: Bench) -> None:
    """Each part is measured even if another one fails."""
    with cluster(bench) as started:
        for part in (store, renewals):
            try:
                part.run(bench, SCENARIO, started)
            except (Missing, RuntimeError) as reason:
                bench.results.skipped.append(f"{SCENARIO}: {reason}")
                bench.progress.say(f"skipped: {reason}")
    feed.run(bench, SCENARIO)
