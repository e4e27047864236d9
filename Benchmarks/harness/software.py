"""The versions of all software in the run."""
import json
import platform
import subprocess
from collections.abc import Callable
from pathlib import Path

from .bench import cloakroom_binary
from .fronts import FRONTS
from .peers import CHECK_PEERS, RENEWAL_PEERS
from .tool import Missing

RESOLVED = Path(__file__).parents[1] / "Package.resolved"
PINS = {"grdb.swift": "GRDB", "hummingbird": "Hummingbird", "swift-nio": "SwiftNIO"}
ABSENT = "not installed"


def versions() -> dict[str, str]:
    found = {
        "cloakroom": _known(lambda: _first_line([str(cloakroom_binary()), "--version"])),
        "Swift": _known(lambda: _first_line(["swift", "--version"])),
        "wrk": _known(lambda: _first_line(["wrk", "--version"], status=1).partition(" [")[0].removeprefix("wrk ")),
        "Python": platform.python_version(),
    }
    peers = {peer.name: _known(peer.version) for peer in [*CHECK_PEERS, *RENEWAL_PEERS, *FRONTS]}
    return found | _pinned() | peers


def _pinned() -> dict[str, str]:
    if not RESOLVED.exists():
        return {}
    pins = json.loads(RESOLVED.read_text())["pins"]
    return {
        PINS[pin["identity"]]: pin["state"].get("version", "unreleased") for pin in pins if pin["identity"] in PINS}


def _first_line(argv: list[str], status: int = 0) -> str:
    """wrk exits with 1 after it prints its version."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20)
    lines = (done.stdout or done.stderr).strip().splitlines()
    return lines[0] if lines and done.returncode == status else ABSENT


def _known(version: Callable[[], str]) -> str:
    try:
        return version() or ABSENT
    except (Missing, ImportError, OSError, subprocess.SubprocessError):
        return ABSENT
