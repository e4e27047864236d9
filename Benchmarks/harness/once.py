"""A client that sends one request for each session, and keeps the renewed cookies."""
import os
import selectors
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from .peers.launch import Running
from .wrk import COOKIE

PATIENCE = 30
END_OF_HEAD = b"\r\n\r\n"
SET_COOKIE = f"\r\nset-cookie: {COOKIE}".lower().encode()


@dataclass(frozen=True)
class Ask:
    """One kind of request."""

    method: str
    path: str
    headers: dict[str, str]
    ok: int
    is_private: bool = False
    """Whether it goes to the private listener."""

    def port(self, server: Running) -> int:
        return server.private_port if self.is_private else server.port

    def head(self, server: Running) -> str:
        origin = f"localhost:{server.port}"
        headers = {"Host": origin} | self.headers
        if self.method == "POST":
            headers |= {"Origin": f"http://{origin}", "Content-Length": "0"}
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{name}: {text}" for name, text in headers.items())]
        return "".join(f"{line}\r\n" for line in lines)


@dataclass
class Answers:
    cookies: list[str]
    """One for each session: the renewed one, or the one that was sent."""
    renewed: int = 0
    milliseconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0


def send(
    server: Running, ask: Ask, cookies: list[str], connections: int, cpus: set[int] | None = None
) -> Answers:
    """Sends all requests over so many connections, on the given cores.

    Raises an error if a connection fails.
    """
    failures: list[BaseException] = []
    client = _Client(server, ask, cookies)

    def run() -> None:
        if cpus:
            os.sched_setaffinity(0, cpus)  # of this thread
        try:
            client.run(connections)
        except (OSError, ValueError, RuntimeError) as failure:
            failures.append(failure)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failures:
        raise RuntimeError(str(failures[0]) or type(failures[0]).__name__)
    return client.answers


@dataclass
class _Pending:
    """The request on a connection, and what has arrived of its response."""

    number: int
    began: float
    received: bytes = b""


class _Client:
    def __init__(self, server: Running, ask: Ask, cookies: list[str]) -> None:
        self.address = ("127.0.0.1", ask.port(server))
        self.head = ask.head(server)
        self.answers = Answers(list(cookies))
        self.sent = 0

    def run(self, connections: int) -> None:
        with selectors.DefaultSelector() as selector:
            try:
                for _ in range(min(connections, len(self.answers.cookies))):
                    connection = socket.create_connection(self.address, timeout=PATIENCE)
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    selector.register(connection, selectors.EVENT_READ)
                began = time.perf_counter()
                self._exchange(selector)
                self.answers.seconds = time.perf_counter() - began
            finally:
                for key in selector.get_map().values():
                    key.fileobj.close()

    def _exchange(self, selector: selectors.BaseSelector) -> None:
        """Each connection sends its next request when the last response is complete."""
        pending = {key.fileobj: self._send(key.fileobj) for key in selector.get_map().values()}
        while pending:
            if not (ready := selector.select(PATIENCE)):
                raise RuntimeError(f"no response for {PATIENCE} s")
            for key, _ in ready:
                connection, request = key.fileobj, pending[key.fileobj]
                if not (received := connection.recv(65536)):
                    raise RuntimeError("the server closed a connection")
                request.received += received
                if _is_complete(request.received):
                    self._note(request)
                    del pending[connection]
                    if self.sent < len(self.answers.cookies):
                        pending[connection] = self._send(connection)

    def _send(self, connection: socket.socket) -> _Pending:
        request = _Pending(self.sent, time.perf_counter())
        self.sent += 1
        connection.sendall(f"{self.head}Cookie: {COOKIE}{self.answers.cookies[request.number]}\r\n\r\n".encode())
        return request

    def _note(self, request: _Pending) -> None:
        self.answers.milliseconds.append((time.perf_counter() - request.began) * 1000)
        self.answers.statuses[int(request.received[9:12])] += 1
        head = request.received.partition(END_OF_HEAD)[0]
        if (start := head.lower().find(SET_COOKIE)) >= 0:
            value = head[start + len(SET_COOKIE):].partition(b";")[0]
            self.answers.cookies[request.number] = value.decode()
            self.answers.renewed += 1


def _is_complete(received: bytes) -> bool:
    head, end, body = received.partition(END_OF_HEAD)
    if not end:
        return False
    length = head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
    return len(body) >= int(length or 0)
