"""The steps of a check and of a renewal, without sockets."""
from . import tool
from .bench import Bench, tool_binary

SCENARIO = "micro"
STEPS = 20
"""The approximate number of operations in MicroBench, for the estimate of the time."""


def estimate(bench: Bench) -> float:
    return bench.rounds * STEPS * min(1, bench.seconds)


def run(bench: Bench) -> None:
    """Runs complete rounds, so that the spread is known."""
    program = str(tool_binary("MicroBench"))
    rows: dict[str, list[tuple[float, float]]] = {}
    for number in range(1, bench.rounds + 1):
        bench.progress.say(f"round {number} of {bench.rounds}")
        output = tool.run([program, str(min(1, bench.seconds))], timeout=600, cpus=bench.cores.load)
        for line in output.splitlines():
            name, *figures = line.split("\t")
            if len(figures) == 2 and _is_number(figures[0]):
                rows.setdefault(name, []).append((float(figures[0]), float(figures[1])))
    for name, values in rows.items():
        bench.results.add(SCENARIO, name, "cpu", "µs of CPU", [microseconds for microseconds, _ in values])
        bench.results.add(SCENARIO, name, "allocations", "allocations", [count for _, count in values])


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()
