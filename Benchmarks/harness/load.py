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
    check_cpu_us: float | None = None
    """The share of Cloakroom in `cpu_us`, if the server is a proxy that asks it."""

    def figures(self) -> dict[str, tuple[str, float]]:
        figures = {
            "rate": ("answers/s", self.rate),
            "p50": ("ms", self.p50_ms),
            "p99": ("ms", self.p99_ms),
            "max": ("ms", self.max_ms),
            "cpu": ("µs of CPU per answer", self.cpu_us),
            "pss": ("MiB", self.pss_kib / 1024),
        }
        if self.check_cpu_us is not None:
            figures["check cpu"] = ("µs of Cloakroom's CPU per answer", self.check_cpu_us)
        return figures


def problem_of(count: int, errors: int) -> str | None:
    if errors:
        return f"{errors:,} errors beside {count:,} good answers"
    return None if count else "no answer"
