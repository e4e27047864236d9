"""One run of RenewLoad against a server, with unused sessions."""
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from . import tool
from .load import Load, problem_of
from .peers.launch import Running


@dataclass
class Credentials:
    """Each run uses other sessions, because a renewed credential is spent."""

    lines: Iterator[str]
    directory: Path
    taken: int = field(default=0)

    def take(self, count: int) -> Path:
        chosen = list(islice(self.lines, count))
        if len(chosen) < count:
            raise RuntimeError("there are not enough sessions left")
        self.taken += 1
        file = self.directory / f"credentials-{self.taken}"
        file.write_text("\n".join(chosen) + "\n")
        return file


def load(
    program: Path,
    server: Running,
    delivery: str,
    clients: int,
    seconds: float,
    credentials: Path,
    cpus: set[int] | None = None,
) -> Load:
    before = server.cpu_seconds()
    argv = [str(program), str(server.port), delivery, str(clients), str(seconds), str(credentials)]
    said = json.loads(tool.run(argv, timeout=seconds + 60, cpus=cpus))
    processor = server.cpu_seconds() - before
    count, errors = said["count"], said["errors"]
    problem = problem_of(count, errors)
    if problem:
        problem += f"; answers by status: {said['statuses']}"
    elif said["rotated"] + said["served"] < count or said["rotated"] < said["served"]:
        problem = (
            f"{said['rotated']:,} of {count:,} answers brought another refresh token, {said['served']:,} confirmed one")
    return Load(
        count=count,
        rate=said["rate"],
        p50_ms=said["p50_ms"],
        p99_ms=said["p99_ms"],
        max_ms=said["max_ms"],
        cpu_us=processor / max(1, count + errors) * 1e6,
        pss_kib=server.pss_kib(),
        errors=errors,
        problem=problem,
    )
