"""The description of a peer, and the function that starts it."""
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .launch import Running, launched
from .place import Command, Place, free_port


@dataclass(frozen=True)
class Material:
    """The keys and names that every peer of a run shares."""

    directory: Path
    issuer: str
    audience: str
    kid: str
    ec_private_pem: Path
    ec_public_pem: Path
    jwks: Path
    hs_secret: Path
    venv: Path

    @property
    def python(self) -> str:
        return str(self.venv / "bin" / "python")

    @property
    def environment(self) -> dict[str, str]:
        """For the peers that this package contains."""
        return {
            "PEER_ISSUER": self.issuer,
            "PEER_AUDIENCE": self.audience,
            "PEER_KID": self.kid,
            "PEER_PRIVATE_KEY": str(self.ec_private_pem),
            "PEER_PUBLIC_KEY": str(self.ec_public_pem),
        }


@dataclass(frozen=True)
class Peer:
    name: str
    version: Callable[[], str]
    commands: Callable[[Material, Place], list[Command]]
    algorithm: str = "ES256"
    path: str = "/check"
    ok: int = 204
    refusals: frozenset[int] = frozenset({401})
    sessions: Callable[[Material, Place, int], list[str]] | None = None
    """Creates refresh tokens before the start; only renewal peers have it."""

    @property
    def slug(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


@contextmanager
def running(
    peer: Peer, material: Material, *, cpus: set[int] | None = None, sessions: int = 0
) -> Iterator[Running]:
    """Runs a peer with one worker per core in `cpus`, and creates the requested number of sessions."""
    directory = material.directory / peer.slug
    directory.mkdir(exist_ok=True)
    place = Place(directory, free_port(), len(cpus or os.sched_getaffinity(0)))
    refresh_tokens = peer.sessions(material, place, sessions) if peer.sessions else []
    commands = peer.commands(material, place)
    with launched(
        peer.name, place, commands, lambda: answers(place.port, peer.path), cpus=cpus, refresh_tokens=refresh_tokens
    ) as server:
        yield server


def answers(port: int, path: str) -> bool:
    """Whether a server responds, with any status."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2).close()
    except urllib.error.HTTPError as answer:
        answer.close()
    except OSError:
        return False
    return True
