"""The tables of the gateway, of the recipes for other proxies, and of renewals on the way."""
from . import crowd, gateway, idle, inline, recipes
from .fronts import RECIPES
from .goal import named
from .markdown import bullets, cell, number, table
from .results import Results
from .tables import emphasized, finder


def gateway_table(results: Results) -> str:
    header = [
        "front", "connections", "body", "requests/s", "times proxy_pass", "p50 / p99 ms", "times proxy_pass's p99",
        "CPU µs, all processes", "of it cloakroom beside nginx", "times auth_request's CPU", "memory MiB"]
    rows = []
    for at in gateway.CONDITIONS:
        for what in (gateway.PLAIN, gateway.AUTH_REQUEST, gateway.OURS, gateway.OURS_KINDS):
            if not results.find(gateway.SCENARIO, what, "rate", **at):
                continue
            find = finder(results, gateway.SCENARIO, what, **at)
            over = named(
                results.of(gateway.SCENARIO, "cpu ratio"), what, f"times {gateway.AUTH_REQUEST}", at)
            rows.append([
                emphasized(what, what in (gateway.OURS, gateway.OURS_KINDS)), str(at["connections"]), str(at["body"]),
                cell(find("rate"), spread=True), cell(find("rate ratio")), f"{cell(find('p50'))} / {cell(find('p99'))}",
                cell(find("p99 ratio")), cell(find("cpu")), cell(find("check cpu")), cell(over), cell(find("pss"))])
    return table(header, rows)


def crossing_table(results: Results) -> str:
    header = ["one body through the gateway", "resident memory before MiB", "highest MiB", "growth MiB"]
    rows = []
    for figure in results.of(gateway.SCENARIO, "growth"):
        find = finder(results, gateway.SCENARIO, figure.what, **figure.at)
        rows.append([
            emphasized(figure.what, True), cell(find("memory before")), cell(find("highest memory")),
            cell(figure, spread=True)])
    return table(header, rows)


def crowd_facts(results: Results) -> str:
    said = [
        f"{figure.at['held']:,} idle connections: {number(figure.median)} KiB of memory each."
        for figure in results.of(gateway.SCENARIO, "memory") if figure.what == idle.WHAT and figure.values]
    for rate in results.of(gateway.SCENARIO, "rate"):
        if rate.what == crowd.WHAT and rate.values:
            find = finder(results, gateway.SCENARIO, crowd.WHAT, **rate.at)
            said.append(
                f"{crowd.CONNECTIONS} other connections beside {rate.at['held']:,} idle ones: "
                f"{cell(rate, spread=True)} requests/s, p99 {cell(find('p99'))} ms, {cell(find('cpu'))} µs of CPU per "
                "request.")
    return bullets(said)


def recipes_table(results: Results) -> str:
    header = [
        "proxy", "requests/s without a check", "CPU µs", "requests/s, asks cloakroom", "p50 / p99 ms",
        "CPU µs, proxy and cloakroom", "of it cloakroom", "price of the check, CPU µs"]
    rows = []
    for name, (plain, recipe) in RECIPES.items():
        for at in recipes.CONDITIONS:
            without = finder(results, recipes.SCENARIO, plain.name, **at)
            checked = finder(results, recipes.SCENARIO, recipe.name, **at)
            price = results.find(recipes.SCENARIO, name, "price", **at)
            if without("rate") or checked("rate"):
                rows.append([
                    name, cell(without("rate"), spread=True), cell(without("cpu")), cell(checked("rate"), spread=True),
                    f"{cell(checked('p50'))} / {cell(checked('p99'))}", cell(checked("cpu")),
                    cell(checked("check cpu")), cell(price, spread=True)])
    return table(header, rows)


def inline_table(results: Results) -> str:
    header = [
        f"renewal, {inline.CONNECTIONS} connections", "renewals/s", "p50 / p99 / longest ms", "CPU µs", "memory MiB",
        "disk, flushes/s"]
    rows = []
    for figure in results.of(inline.SCENARIO, "rate"):
        find = finder(results, inline.SCENARIO, figure.what, **figure.at)
        rows.append([
            emphasized(figure.what, True), cell(figure, spread=True),
            f"{cell(find('p50'))} / {cell(find('p99'))} / {cell(find('max'))}", cell(find("cpu"), spread=True),
            cell(find("pss")), cell(find("flushes"))])
    return table(header, rows)

