"""The time from an acknowledged revocation to its refusal by every reader."""
import json
import os
from pathlib import Path

from .. import tool
from ..bench import Bench, cloakroom_binary
from ..tool import Missing

TOOL = Path(__file__).parents[2] / "feed/latency.py"
RATE = 100
"""Revocations per second."""
SAMPLES, QUICK_SAMPLES = 200, 20
STRIDE = 5
"""Of the revocations, one in so many is watched."""
INSTANCE, KIT = "instance", "kit"
"""The first words of the readers' names."""


def estimate(bench: Bench) -> float:
    return 30 + _samples(bench) * STRIDE / RATE


def _samples(bench: Bench) -> int:
    return QUICK_SAMPLES if bench.quick else SAMPLES


def run(bench: Bench, scenario: str) -> None:
    bench.progress.say(f"{RATE} revocations/s, three instances and two kits")
    # The helpers of the tests need packages in other versions than the peers.
    python = os.environ.get("CLOAKROOM_TESTS_PYTHON")
    if not python:
        raise Missing("the Python of the tests is not installed")
    argv = [python, str(TOOL), "--json", "--rates", str(RATE), "--samples", str(_samples(bench))]
    output = tool.run(argv, timeout=600, environment={"CLOAKROOM_BIN": str(cloakroom_binary())})
    for reader in json.loads(output):
        for metric, unit in (("p50", "ms"), ("p99", "ms"), ("max", "ms"), ("unavailable", "answers 503")):
            bench.results.add(scenario, reader["reader"], metric, unit, [reader[metric]], rate=RATE)
