"""The machine of a run, and the assignment of its cores."""
import os
import platform
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path


@dataclass(frozen=True)
class Cores:
    """Runs servers and load tools on different cores if there is more than one."""

    server: set[int] | None
    load: set[int] | None

    @property
    def of_server(self) -> int:
        """How many cores a server has."""
        return len(self.server or os.sched_getaffinity(0))

    @staticmethod
    def shared_out() -> "Cores":
        """One core for the server, so that a rate is per core, and the last core for the load."""
        available = sorted(os.sched_getaffinity(0))
        return Cores({available[0]}, {available[-1]}) if len(available) > 1 else Cores(None, None)


def facts(directory: Path) -> dict[str, str]:
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": _memory(),
        "kernel": f"{platform.system()} {platform.release()}",
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", "unknown"),
        "file system": _file_system(directory),
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _memory() -> str:
    kib = int(Path("/proc/meminfo").read_text().split()[1])
    return f"{kib / 1024**2:.0f} GiB"


def _file_system(directory: Path) -> str:
    """The file system of the innermost mount that contains the directory."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    above = [(len(mount[1]), mount[2]) for mount in mounts if directory.resolve().is_relative_to(mount[1])]
    return max(above)[1]
