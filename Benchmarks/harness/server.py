"""Cloakroom's servers, which run like the peers, and their data."""
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from . import tool
from .bench import Bench, cloakroom_binary, tool_binary
from .peers.launch import Running, launched, log
from .peers.peer import answers
from .peers.place import Command, Place, free_port

LONG_ENOUGH = 7200
"""The lifetime of an access token in seconds, so that none expires in a run."""
SEEDED_PER_SECOND = 1000
START_TIMEOUT = 120


@contextmanager
def cloakroom(
    bench: Bench, data: Path, *, private_socket: Path | None = None, open_files: int = 0, **settings: object
) -> Iterator[Running]:
    """`settings` have the names of the environment variables, in lower case: `straggler_window=0`."""
    place, private_port = _place(bench, "cloakroom"), 0 if private_socket else free_port()
    private = f"127.0.0.1:{private_port}"
    if private_socket:
        private = f"unix:{private_socket}"
        # The group of the proxies' workers, if root starts them.
        settings = settings | ({"private_socket_group": "www-data"} if os.getuid() == 0 else {})
    argv = [str(cloakroom_binary()), "serve", "--port", str(place.port), "--data-dir", str(data)]
    command = Command([*argv, "--private-listen", private], _environment(settings))
    with _listening("cloakroom", place, command, bench.cores.server, open_files, b"private listener on") as server:
        yield replace(server, private_port=private_port)


@contextmanager
def app(bench: Bench, data: Path) -> Iterator[Running]:
    """A Hummingbird app with Cloakroom as its middleware."""
    place = _place(bench, "app")
    argv = [str(tool_binary("AppServer")), str(place.port), str(data)]
    with _listening("AppServer", place, Command(argv, _environment({})), bench.cores.server) as server:
        yield server


@contextmanager
def hello(bench: Bench) -> Iterator[Running]:
    place = _place(bench, "hello")
    command = Command([str(tool_binary("HelloServer")), str(place.port)])
    ready = lambda: answers(place.port, "/hello")  # noqa: E731
    with launched("HelloServer", place, [command], ready, cpus=bench.cores.server) as server:
        yield server


def seeded(
    bench: Bench, name: str, *, users: int, sessions: int, cookies: int, expired: int = 0, **settings: object
) -> Path:
    """Creates a data directory with accounts and sessions. Its file `cookies` has one value per line."""
    data = bench.work / name
    if not data.exists():
        seeder = tool_binary("SeedSessions")
        data.mkdir(mode=0o700)
        bench.progress.say(f"making {sessions:,} sessions")
        argv = [str(seeder), str(data), str(users), str(sessions), str(cookies)]
        argv += [str(expired)] if expired else []
        try:
            tool.run(argv, timeout=120 + sessions / SEEDED_PER_SECOND, environment=_environment(settings))
        except BaseException:
            shutil.rmtree(data)
            raise
    return data


def _environment(settings: dict[str, object]) -> dict[str, str]:
    settings = {"access_token_lifetime": LONG_ENOUGH, "log_level": "error"} | settings
    return {f"CLOAKROOM_{name.upper()}": str(value) for name, value in settings.items()}


def _place(bench: Bench, name: str) -> Place:
    return Place(bench.directory(f"{name}-server"), free_port(), 1)


@contextmanager
def _listening(
    name: str, place: Place, command: Command, cpus: set[int] | None, open_files: int = 0, line: bytes = b"listening"
) -> Iterator[Running]:
    """Waits for the line that the server prints, not for a response: the start is measured as well."""
    output = log(place)
    output.unlink(missing_ok=True)
    with launched(
        name,
        place,
        [command],
        lambda: output.exists() and line in output.read_bytes(),
        cpus=cpus,
        open_files=open_files,
        start_timeout=START_TIMEOUT,
    ) as server:
        yield server
