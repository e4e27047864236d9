"""The backend behind the gateway and the proxies: nginx, which has one small response and files of two sizes."""
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .bench import Bench
from .peers import nginx
from .peers.launch import Running, launched
from .peers.peer import answers
from .peers.place import Place, free_port

SMALL, MEDIUM, LARGE = "small body", "64 kB", "1 MB"
PATHS = {SMALL: "/small", MEDIUM: "/medium", LARGE: "/large"}
SIZES = {MEDIUM: 64 * 1024, LARGE: 1024 * 1024}
IDENTITY = "/identity"
"""The path whose response contains the headers about the user, as the backend received them."""
CONFIGURATION = Path(__file__).with_name("backend.conf")


@contextmanager
def backend(bench: Bench) -> Iterator[Running]:
    """Runs on the core of the load: what it costs is not measured."""
    place = Place(bench.directory("backend"), free_port(), 1)
    for body, size in SIZES.items():
        file = place.directory / PATHS[body].removeprefix("/")
        if not file.exists():
            file.write_bytes(os.urandom(size))
    with launched(
        "the backend", place, nginx.commands(CONFIGURATION, place), lambda: answers(place.port, PATHS[SMALL]),
        cpus=bench.cores.load) as server:
        yield server
