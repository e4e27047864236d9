"""Runs a program that ends by itself, with a time limit."""
import os
import signal
import subprocess
from pathlib import Path


class Missing(Exception):
    """A program that a figure needs is not installed or not built."""


def run(
    argv: list[str], *, timeout: float, cpus: set[int] | None = None, environment: dict[str, str] | None = None
) -> str:
    """Returns the program's output. The program runs in its own process group, which is always ended."""
    try:
        process = subprocess.Popen(
            argv,
            env=os.environ | (environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=(lambda: os.sched_setaffinity(0, cpus)) if cpus else None,
        )
    except FileNotFoundError:
        raise Missing(f"{Path(argv[0]).name} is not installed") from None
    try:
        output, errors = process.communicate(timeout=timeout)
    finally:
        _end(process)
    if process.returncode:
        said = (errors or output)[-1000:].strip()
        raise RuntimeError(f"{Path(argv[0]).name} ended with {process.returncode}: {said}")
    return output


def _end(process: "subprocess.Popen[str]") -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
