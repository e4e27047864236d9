"""The description of a proxy in front of the backend, and the functions that start one, or the gateway."""
import http.client
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from .. import server
from ..backend import IDENTITY, PATHS, SMALL, backend
from ..bench import Bench
from ..peers.launch import Running, launched
from ..peers.peer import answers
from ..peers.place import Command, Place, free_port
from ..tool import Missing
from ..wrk import COOKIE


@dataclass(frozen=True)
class Site:
    """The addresses that a proxy needs."""

    backend_port: int
    cloakroom_port: int = 0
    """The port of Cloakroom's public listener; 0 without a check."""
    private_socket: Path = Path()
    """The Unix socket of Cloakroom's private listener."""


@dataclass(frozen=True)
class Front:
    name: str
    commands: Callable[[Place, Site], list[Command]]
    version: Callable[[], str]
    is_checked: bool = True
    """Whether the proxy asks Cloakroom about each request."""

    @property
    def slug(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


@contextmanager
def proxy(bench: Bench, front: Front, data: Path) -> Iterator[Running]:
    """Runs the backend, the proxy in front of it, and Cloakroom if the proxy asks it."""
    with ExitStack() as stack:
        behind = stack.enter_context(backend(bench))
        if front.is_checked:
            socket = bench.directory("private") / "private.sock"
            asked = stack.enter_context(server.cloakroom(bench, data, private_socket=socket))
            site = Site(behind.port, asked.port, socket)
        else:
            site = Site(behind.port)
        place = Place(bench.directory(front.slug), free_port(), bench.cores.of_server)
        try:
            running = stack.enter_context(launched(
                front.name, place, front.commands(place, site), lambda: answers(place.port, PATHS[SMALL]),
                cpus=bench.cores.server))
        except FileNotFoundError as absent:
            raise Missing(f"{absent.filename} is not there") from None
        running = running.before(behind)
        prove(running, data, front.is_checked)
        yield running.asking(asked) if front.is_checked else running


@contextmanager
def gateway(bench: Bench, data: Path, **settings: object) -> Iterator[Running]:
    """Runs the backend, and Cloakroom as its front."""
    with backend(bench) as behind, server.cloakroom(
        bench, data, upstream=f"http://127.0.0.1:{behind.port}", **settings) as running:
        running = running.before(behind)
        prove(running, data, True)
        yield running


def prove(running: Running, data: Path, is_checked: bool) -> None:
    """Shows that a front does the whole work: it refuses requests without a session, and tells the backend the user.

    - Raises: RuntimeError if not.
    """
    with (data / "cookies").open() as lines:
        cookie = COOKIE + next(lines).strip()
    if (status := _get(running, PATHS[SMALL], "")[0]) != (wanted := 401 if is_checked else 200):
        raise RuntimeError(f"without a session it answers {status} instead of {wanted}")
    if is_checked:
        status, body = _get(running, IDENTITY, f"theme=dark; {cookie}; lang=en")
        bearer, subject, cookies, *_ = [*body.splitlines(), "", "", ""]
        if status != 200 or not bearer.startswith("Bearer ") or not subject or cookies != "theme=dark; lang=en":
            raise RuntimeError(f"the backend receives {status}, {bearer[:10]}, {subject}, {cookies[:40]}")


def _get(running: Running, path: str, cookie: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
    try:
        headers = {"Host": f"localhost:{running.port}", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
        connection.request("GET", path, headers=headers | ({"Cookie": cookie} if cookie else {}))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()
