"""Durable renewals in the store alone, beside pgbench on the same rows in the same server."""
import re
from collections.abc import Callable
from pathlib import Path

from .. import disk, tool
from ..bench import Bench, tool_binary
from ..quiet import undisturbed
from .cluster import Cluster, program

CLIENTS = [1, 64]
SESSIONS = 20_000
"""As many as StoreBench renews in turn."""
OURS, UPDATE, PIPELINE = "cloakroom on PostgreSQL", "pgbench, one UPDATE each", "pgbench, pipelines of 32 CAS updates"
STATEMENTS = 32
"""The updates of one transaction of the pipeline. Two connections with so many take the place of 64 clients."""
FILLING = 5

_CHANGE = """
UPDATE {schema}.sessions SET version = version + 1, generation = generation + 1, pending = true, stragglers_from = generation,
    rotated_at = rotated_at + 1000, handed_out_at = rotated_at + 1000, last_seen_at = last_seen_at + 1000
WHERE id = 'session-' || (:{number})::text{condition};
""".replace("\n    ", " ").replace("\nWHERE", " WHERE")

Measure = Callable[[int], dict[str, float]]


def estimate(bench: Bench) -> float:
    return FILLING + bench.rounds * len(CLIENTS) * 3 * (bench.seconds + 2)


def run(bench: Bench, scenario: str, cluster: Cluster) -> None:
    contestants = _contestants(bench, cluster)
    figures: dict[tuple[str, int, str], list[float]] = {}
    disturbed: set[tuple[str, int]] = set()
    for number in range(1, bench.rounds + 1):
        for clients in CLIENTS:
            for name, measure in contestants.items():
                bench.progress.say(f"round {number} of {bench.rounds}, {name}, {clients}")
                figures.setdefault((name, clients, "flushes"), []).append(disk.flushes_per_second(bench.work))
                found, quiet = undisturbed(lambda: measure(clients), cluster.running)
                for metric, value in found.items():
                    figures.setdefault((name, clients, metric), []).append(value)
                if not quiet.is_quiet:
                    disturbed.add((name, clients))
    units = {"flushes": "flushes/s of the disk then", "rate": "renewals/s", "p50": "ms", "p99": "ms",
             "cpu": "µs of CPU per renewal"}
    for (name, clients, metric), values in figures.items():
        bench.results.add(
            scenario, name, metric, units[metric], values, clients=clients, disturbed=(name, clients) in disturbed)
    for base in (UPDATE, PIPELINE):
        bench.results.add_ratios(scenario, base, "rate")


def _contestants(bench: Bench, cluster: Cluster) -> dict[str, Measure]:
    """StoreBench makes one session, and the database makes copies of it; the others get copies of its rows."""
    cluster.psql("CREATE DATABASE store")
    ours = _ours(bench, cluster)
    bench.progress.say(f"making {SESSIONS:,} sessions")
    _store_bench(cluster, 0, 1)
    cluster.psql(
        f"""INSERT INTO cloakroom.sessions
        SELECT (jsonb_populate_record(first, jsonb_build_object('id', 'session-' || n, 'subject', 'u_bench-' || n / 50))).*
        FROM cloakroom.sessions AS first, generate_series(1, {SESSIONS - 1}) AS n WHERE first.id = 'session-0'""",
        "VACUUM ANALYZE cloakroom.sessions", database="store")
    scripts = bench.directory("pgbench")
    # No group of ours has a session twice, and so no pipeline here waits for another: one has the even ones.
    pipeline = [f"\\set n{index} random(0, {SESSIONS // 2 - 1}) * 2 + :client_id % 2\n" for index in range(STATEMENTS)]
    changes = [
        _change(f"n{index}", PIPELINE_SCHEMA, " AND version > 0") for index in range(STATEMENTS)]
    pipeline += ["\\startpipeline\n", *changes, "\\endpipeline\n"]
    update = [f"\\set n random(0, {SESSIONS - 1})\n", _change("n", UPDATE_SCHEMA, "")]
    return {
        OURS: ours,
        UPDATE: _pgbench(bench, cluster, scripts / "update.sql", UPDATE_SCHEMA, update, lambda clients: (clients, 1)),
        PIPELINE: _pgbench(
            bench, cluster, scripts / "pipeline.sql", PIPELINE_SCHEMA, pipeline, lambda clients: (min(clients, 2), STATEMENTS)),
    }


UPDATE_SCHEMA, PIPELINE_SCHEMA = "plain", "pipelined"


def _change(number: str, schema: str, condition: str) -> str:
    return _CHANGE.format(schema=schema, number=number, condition=condition).strip() + "\n"


def _ours(bench: Bench, cluster: Cluster) -> Measure:
    def measure(clients: int) -> dict[str, float]:
        rate, p50, p99, cpu = _store_bench(cluster, bench.seconds, clients).split()
        return {"rate": float(rate), "p50": float(p50), "p99": float(p99), "cpu": float(cpu)}

    return measure


def _store_bench(cluster: Cluster, seconds: int, clients: int) -> str:
    argv = [str(tool_binary("StoreBench")), "postgres", cluster.address("store"), str(seconds), str(clients)]
    return tool.run(argv, timeout=seconds + 60)


def _pgbench(
    bench: Bench, cluster: Cluster, file: Path, schema: str, script: list[str], share: Callable[[int], tuple[int, int]]
) -> Measure:
    """`share`: the number of connections in place of so many clients, and of the updates in each transaction."""
    file.write_text("".join(script))
    cluster.psql(
        f"CREATE SCHEMA {schema}", f"CREATE TABLE {schema}.sessions (LIKE cloakroom.sessions INCLUDING ALL)",
        f"ALTER TABLE {schema}.sessions SET (fillfactor = 80)",
        f"INSERT INTO {schema}.sessions SELECT * FROM cloakroom.sessions", f"VACUUM ANALYZE {schema}.sessions",
        database="store")

    def measure(clients: int) -> dict[str, float]:
        connections, updates = share(clients)
        argv = [program("pgbench"), "-n", "-M", "prepared", "-h", str(cluster.directory), "-U", "postgres"]
        argv += ["-c", str(connections), "-j", str(min(connections, 2)), "-T", str(bench.seconds), "-f", str(file), "store"]
        output = tool.run(argv, timeout=bench.seconds + 60)
        found = re.search(r"tps = ([\d.]+)", output)
        if not found:
            raise RuntimeError(f"pgbench printed no rate: {output[-300:]}")
        return {"rate": float(found[1]) * updates}

    return measure
