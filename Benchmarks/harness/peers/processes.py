"""Reads /proc for the processes of a session."""
import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")

# Fields after the command's name, counted from 0 (proc(5) counts from 1 and from two fields earlier).
PARENT, SESSION = 1, 3
TIMES = slice(11, 15)  # utime, stime, and the same of reaped children


def of_sessions(leaders: list[int]) -> list[int]:
    """With the children of the leaders that have made sessions of their own, as PostgreSQL's do."""
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [
        pid for pid in pids
        if (fields := _stat(pid)) and (int(fields[SESSION]) in leaders or int(fields[PARENT]) in leaders)]


def cpu_seconds(pids: list[int]) -> float:
    return sum(sum(map(int, _stat(pid)[TIMES])) for pid in pids) / TICKS


def pss_kib(pids: list[int]) -> int:
    return sum(_kib(pid, "smaps_rollup", "Pss:") for pid in pids)


def rss_kib(pids: list[int]) -> int:
    return sum(_kib(pid, "status", "VmRSS:") for pid in pids)


def highest_rss_kib(pids: list[int]) -> int:
    return sum(_kib(pid, "status", "VmHWM:") for pid in pids)


def forget_highest_rss(pids: list[int]) -> None:
    """Sets the highest resident memory to the current one (proc(5), clear_refs)."""
    for pid in pids:
        Path(f"/proc/{pid}/clear_refs").write_text("5")


def _stat(pid: int) -> list[str]:
    """Empty for a process that has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _kib(pid: int, file: str, name: str) -> int:
    """0 for a process that has ended."""
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(name)), 0)
