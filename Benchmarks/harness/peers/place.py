"""The directory, port and cores of a peer."""
import socket
import string
from dataclasses import dataclass, field
from pathlib import Path


class Template(string.Template):
    delimiter = "%"  # nginx, HAProxy and Apache use $ themselves


@dataclass(frozen=True)
class Place:
    """The place of a peer: its port, its cores and its own directory."""

    directory: Path
    port: int
    cores: int

    def write(self, template: Path, **values: object) -> Path:
        """Fills in a configuration template and puts it into the directory."""
        known = {"port": self.port, "cores": self.cores, "directory": self.directory}
        target = self.directory / template.name
        target.write_text(Template(template.read_text()).substitute(known, **values))
        return target


@dataclass(frozen=True)
class Command:
    argv: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    cwd: Path | None = None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
