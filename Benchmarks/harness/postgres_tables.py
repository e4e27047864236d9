"""The tables of many instances on PostgreSQL."""
from . import postgresql
from .goal import named
from .markdown import cell, table
from .postgresql import feed, renewals, store
from .results import Results
from .tables import emphasized, finder


def store_table(results: Results) -> str:
    header = ["in the store, on PostgreSQL", "clients", "renewals/s", "p50 / p99 ms", "CPU µs, our process", "over one UPDATE each",
              "over the pipeline", "disk, flushes/s"]
    ratios = results.of(postgresql.SCENARIO, "rate ratio")
    rows = []
    for clients in store.CLIENTS:
        for what in (store.OURS, store.UPDATE, store.PIPELINE):
            find = finder(results, postgresql.SCENARIO, what, clients=clients)
            if not find("rate"):
                continue
            over = [
                cell(named(ratios, what, f"times {base}", {"clients": clients})) for base in (store.UPDATE, store.PIPELINE)]
            rows.append([
                emphasized(what, what == store.OURS), str(clients), cell(find("rate"), spread=True),
                f"{cell(find('p50'))} / {cell(find('p99'))}", cell(find("cpu")), *over, cell(find("flushes"))])
    return table(header, rows)


def renewals_table(results: Results) -> str:
    header = ["over HTTP, 64 clients", "renewals/s", "times PostgreSQL's", "p50 / p99 / longest ms", "CPU µs, our processes",
              "times SQLite's CPU", "memory MiB", "disk, flushes/s"]
    rows = []
    for what in (renewals.SQLITE, renewals.DIRECT, renewals.BOUNCER, renewals.STANDBY, renewals.THREE):
        find = finder(results, postgresql.SCENARIO, what, clients=renewals.CLIENTS)
        if find("rate"):
            rows.append([
                emphasized(what, True), cell(find("rate"), spread=True), cell(find("rate ratio")),
                f"{cell(find('p50'))} / {cell(find('p99'))} / {cell(find('max'))}", cell(find("cpu"), spread=True),
                cell(find("cpu ratio")), cell(find("pss")), cell(find("flushes"))])
    return table(header, rows)


def feed_table(results: Results) -> str:
    header = [f"from the acknowledged revocation to the refusal, {feed.RATE} revocations/s", "p50 ms", "p99 ms", "longest ms",
              "answers 503"]
    rows = []
    for figure in results.of(postgresql.SCENARIO, "unavailable"):
        find = finder(results, postgresql.SCENARIO, figure.what, **figure.at)
        rows.append([figure.what, cell(find("p50")), cell(find("p99")), cell(find("max")), cell(figure)])
    return table(header, rows)
