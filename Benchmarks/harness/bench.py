"""The state that all scenarios of a run share."""
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from .machine import Cores
from .peers.launch import Running
from .peers.peer import Material, Peer, running
from .progress import Progress
from .results import Results
from .tool import Missing


@dataclass(frozen=True)
class Bench:
    work: Path
    """A directory on the measured disk; deleted at the end."""
    material: Material
    results: Results
    progress: Progress
    cores: Cores
    rounds: int
    seconds: int
    quick: bool

    def directory(self, name: str) -> Path:
        directory = self.work / name
        directory.mkdir(exist_ok=True)
        return directory


def cloakroom_binary() -> Path:
    return _built("cloakroom", os.environ.get("CLOAKROOM_BIN"))


def tool_binary(name: str) -> Path:
    """The path of one of this package's executables."""
    directory = os.environ.get("CLOAKROOM_BENCH_BIN")
    return _built(name, directory and os.path.join(directory, name))


def _built(name: str, path: str | None) -> Path:
    if not path or not os.access(path, os.X_OK) or not os.path.isfile(path):
        raise Missing(f"{name} is not built")
    return Path(path).resolve()


@contextmanager
def installed(peer: Peer, material: Material, *, cpus: set[int] | None, sessions: int = 0) -> Iterator[Running]:
    """Runs a peer. A peer that is not installed counts as missing, not as failed."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running(peer, material, cpus=cpus, sessions=sessions))
        except FileNotFoundError as absent:
            raise Missing(f"{absent.filename} is not installed") from None
        yield server
