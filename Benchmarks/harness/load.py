"""The result of a load on a server."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    count: int
    rate: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    cpu_us: float
    """The server's processor time per response."""
    pss_kib: int
    errors: int
    problem: str | None = None
    """The reason why the result is no figure; any error is one."""

    def figures(self) -> dict[str, tuple[str, float]]:
        return {
            "rate": ("answers/s", self.rate),
            "p50": ("ms", self.p50_ms),
            "p99": ("ms", self.p99_ms),
            "max": ("ms", self.max_ms),
            "cpu": ("µs of CPU per answer", self.cpu_us),
            "pss": ("MiB", self.pss_kib / 1024),
        }


def problem_of(count: int, errors: int) -> str | None:
    if errors:
        return f"{errors:,} errors beside {count:,} good answers"
    return None if count else "no answer"
