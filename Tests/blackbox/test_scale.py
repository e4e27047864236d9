"""The figures of docs/scale.md: the simulation gives them, and the tables of this build still cost what it was told."""
import json
import os
import subprocess
import sys

import pytest

from server import BINARY, ROOT

SCALE = ROOT / "Benchmarks/scale"
MEASURED = json.loads((SCALE / "measured.json").read_text())


def simulated(*arguments):
    result = subprocess.run([sys.executable, SCALE / "simulate.py", *arguments], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


def rows(text, title):
    """The lines of a table, below its head."""
    [part] = [part for part in text.split("\n\n") if part.startswith(title)]
    return [line.split("  ") for line in part.strip().splitlines()[2:]]


def number(cell):
    value, _, unit = cell.strip().partition(" ")
    return float(value) * {"": 1, "k": 1e3, "M": 1e6, "G": 1e9}[unit]


def test_the_simulation_prints_the_figures_of_the_page():
    assert simulated() == (SCALE / "figures.txt").read_text(), "run Benchmarks/scale/simulate.py"


def test_a_tenth_of_the_sample_gives_nearly_the_same():
    """The sample is large enough: a smaller one, of other chance, is not far away."""
    pages = [rows(text, "Renewals, writes and processors") for text in (simulated("--sample", "400"), (SCALE / "figures.txt").read_text())]
    for small, full in zip(*pages, strict=True):
        found, expected = (number([cell for cell in row if cell.strip()][2]) for row in (small, full))
        assert found == pytest.approx(expected, rel=0.15), (small, full)


@pytest.fixture(scope="module")
def measured():
    """The tables of this build, small."""
    result = subprocess.run(
        [sys.executable, SCALE / "measure.py", "--sessions", "5000", "--renewals", "5000", "--entries", "0"],
        capture_output=True, text=True, env=os.environ | {"CLOAKROOM_BIN": BINARY})
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_a_row_of_each_table_is_as_large_as_the_page_says(measured):
    assert measured["bytes_a_row"].keys() == MEASURED["bytes_a_row"].keys()
    for table, parts in measured["bytes_a_row"].items():
        expected = MEASURED["bytes_a_row"][table]
        assert parts.keys() == expected.keys(), table
        # Small tables have more unused room.
        assert parts["table"] == pytest.approx(expected["table"], rel=0.15), table
        assert sum(parts.values()) == pytest.approx(sum(expected.values()), rel=0.25), table


def test_renewals_are_hot_and_the_first_of_a_day_is_not(measured):
    renewals = measured["renewals"]
    assert renewals["updates"] == 5000 and renewals["hot_percent"] > 99
    assert renewals["first_of_day"]["hot_percent"] == 0
    assert renewals["wal_bytes"] == pytest.approx(MEASURED["renewals"]["wal_bytes"], rel=0.2)
