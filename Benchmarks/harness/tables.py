"""The tables, one scenario after the other."""
from collections.abc import Callable

from . import check, client_cost, idle, micro, renew, scale, storm, sweep
from .markdown import bullets, cell, count, number, table
from .results import Figure, Results


def check_tables(results: Results) -> str:
    return "\n".join(_check_table(results, conditions) for conditions in (check.APART, check.TOGETHER))


def _check_table(results: Results, conditions: list[check.At]) -> str:
    header = ["request", "job"]
    for at in conditions:
        where = ", load and server on all cores" if at.get("cores") == "shared" else ""
        header += [
            f"requests/s, {at['connections']} connections{where}", "times hello", "p50 / p99 ms", "CPU µs",
            "times hello's CPU"]
    rows = []
    for what in _names(results, check.SCENARIO):
        if not results.find(check.SCENARIO, what, "rate", **conditions[0]):
            continue
        row = [emphasized(what, what in check.OURS), results.jobs.get(what, "")]
        for at in conditions:
            find = finder(results, check.SCENARIO, what, **at)
            row += [
                cell(find("rate"), spread=True), cell(find("rate ratio")), f"{cell(find('p50'))} / {cell(find('p99'))}",
                cell(find("cpu")), cell(find("cpu ratio"))]
        rows.append([*row, cell(find("pss"))])
    return table([*header, "memory MiB"], rows) if rows else ""


def store_table(results: Results) -> str:
    header = ["in the store", "clients", "renewals/s", "p50 / p99 ms", "CPU µs", "over one transaction each",
              "over raw sqlite3", "disk, flushes/s"]
    ratios = {
        (figure.what, figure.at["clients"], figure.unit): figure for figure in results.of(renew.STORE, "rate ratio")}
    rows = []
    for figure in sorted(results.of(renew.STORE, "rate"), key=lambda one: one.at["clients"]):
        find = finder(results, renew.STORE, figure.what, **figure.at)
        over = [
            cell(ratios.get((figure.what, figure.at["clients"], f"times {base}")))
            for base in (renew.STORE_ONE, renew.STORE_RAW)]
        rows.append([
            emphasized(figure.what, figure.what == renew.STORE_OURS), str(figure.at["clients"]),
            cell(figure, spread=True), f"{cell(find('p50'))} / {cell(find('p99'))}", cell(find("cpu")), *over,
            cell(find("flushes"))])
    return table(header, rows)


def renew_table(results: Results) -> str:
    header = [
        "over HTTP", "clients", "renewals/s", "p50 / p99 / longest ms", "CPU µs", "memory MiB", "disk, flushes/s"]
    rows = []
    for figure in sorted(results.of(renew.SCENARIO, "rate"), key=lambda one: one.at.get("clients", 0)):
        find = finder(results, renew.SCENARIO, figure.what, **figure.at)
        rows.append([
            emphasized(figure.what, figure.what == renew.OURS), str(figure.at.get("clients", "")),
            cell(figure, spread=True), f"{cell(find('p50'))} / {cell(find('p99'))} / {cell(find('max'))}",
            cell(find("cpu")), cell(find("pss")), cell(find("flushes"))])
    return table(header, rows)


def storm_table(results: Results) -> str:
    header = ["clients that log in", "checks/s", "of those alone", "p99 ms", "longest ms", "logins/s",
              "503 with Retry-After", "memory MiB", "at most MiB more"]
    rows = []
    for figure in results.of(storm.SCENARIO, "rate"):
        if figure.what == storm.OURS:
            find = finder(results, storm.SCENARIO, storm.OURS, **figure.at)
            logins = finder(results, storm.SCENARIO, "logins", **figure.at)
            rows.append([
                str(figure.at["clients"] or "none"), cell(figure, spread=True), cell(find("rate ratio")),
                cell(find("p99")), cell(find("max")), cell(logins("rate")), cell(logins("busy")), cell(find("pss")),
                cell(find("growth"))])
    return table(header, rows)


def scale_table(results: Results) -> str:
    header = [
        "in the store", "start s", "memory at the start MiB", "after first sights MiB", "MiB per 100,000 live sessions",
        "checks/s", "check CPU µs", "renewals/s, 64 clients", "renewal CPU µs", "renewal p99 ms", "disk, flushes/s"]
    rows = []
    for start in results.of(scale.SCENARIO, "start"):
        find = finder(results, scale.SCENARIO, start.what)
        checks = finder(results, scale.SCENARIO, start.what, job="check")
        renewals = finder(results, scale.SCENARIO, start.what, job="renew")
        rows.append([
            start.what, cell(start), cell(find("memory at the start")), cell(find("memory after")),
            cell(find("memory per 100,000")), cell(checks("rate"), spread=True), cell(checks("cpu")),
            cell(renewals("rate"), spread=True), cell(renewals("cpu")), cell(renewals("p99")), cell(find("flushes"))])
    return table(header, rows)


def scale_facts(results: Results) -> str:
    said = []
    for moment in (sweep.SWEPT, sweep.AFTERWARDS):
        for figure in results.of(scale.SCENARIO):
            if figure.what == moment and figure.metric.startswith("longest ") and figure.values:
                asked = figure.metric.removeprefix("longest ")
                said.append(f"Longest answer to a {asked} {moment}: {cell(figure, spread=True)} ms.")
            if figure.what == moment and figure.metric == "deleted" and figure.values:
                said.append(f"Deleted meanwhile: {count(figure.median)} {figure.unit}.")
    for figure in results.of(scale.SCENARIO, "memory"):
        if figure.what == idle.WHAT and figure.values:
            said.append(f"{figure.at['connections']:,} idle connections: {number(figure.median)} KiB of memory each.")
    return bullets(said)


def client_tables(results: Results) -> str:
    requests = [
        [emphasized(figure.what, figure.what == client_cost.OURS), count(figure.median)]
        for figure in results.of(client_cost.SCENARIO, "request") if figure.values]
    script = [figure for figure in results.of(client_cost.SCENARIO) if figure.what == "client.js" and figure.values]
    inline = results.find(client_cost.SCENARIO, "cloakroom", "inline renewal")
    facts = [f"client.js: {count(figure.median)} {figure.unit}." for figure in script]
    if inline and inline.values:
        facts.append(
            "Extra round trips: none for a page load, none for a renewal on the way of a request (tried in this run), "
            "one for a renewal by `POST /auth/refresh`.")
    return table(["sent with each request", "bytes of header"], requests) + "\n" + bullets(facts)


def micro_table(results: Results) -> str:
    rows = []
    for figure in results.of(micro.SCENARIO, "cpu"):
        allocations = results.find(micro.SCENARIO, figure.what, "allocations")
        rows.append([figure.what, cell(figure, spread=True), cell(allocations)])
    return table(["step", "CPU µs", "allocations"], rows)


def problems(results: Results) -> list[str]:
    """Each series without a figure, once, with the reason."""
    said = {}
    for figure in results.figures:
        if figure.problem:
            said[(figure.scenario, figure.what, str(figure.at))] = (
                f"{figure.scenario}: {figure.what}{_at(figure)}: {figure.problem}")
    return [*said.values(), *results.skipped]


def _at(figure: Figure) -> str:
    return "".join(f", {value} {name}" for name, value in figure.at.items())


def _names(results: Results, scenario: str) -> list[str]:
    return list(dict.fromkeys(figure.what for figure in results.of(scenario)))


def finder(results: Results, scenario: str, what: str, **at: int | str) -> Callable[[str], Figure | None]:
    return lambda metric: results.find(scenario, what, metric, **at)


def emphasized(what: str, is_ours: bool) -> str:
    return f"**{what}**" if is_ours else what
