"""2,000 slow clients and 1,000 idle ones at the gateway, while other clients are served. The tests wait for events, with long
limits; what they print depends on the machine, what they assert does not."""
import asyncio
import re
import resource
import selectors
import time

import pytest

from browser import Client
from crowd import BODIES, BYTES, PATIENCE, CrowdBackend, Idle, slow_body, slow_head, slow_reader
from gateway import Gateway, ask, head
from http2 import HTTP2, secured
from server import wait_until
from test_gateway_bodies import memory
from test_slow_and_many import open_sockets, processor_seconds
from wire import Wire

IDLE, HEADS, UPLOADS, READERS, PATIENT, STUCK = 1000, 700, 700, 480, 20, 100
SLOW = HEADS + UPLOADS + READERS + PATIENT + STUCK
SECURE = 400
# The gateway's connections to browsers may use a half of the descriptors.
DESCRIPTORS = 2 * (IDLE + SLOW) + 2000
# Seconds of the deadline for heads.
DEADLINE = 10
KILOBYTE = 1024


@pytest.fixture
def descriptors():
    """Raises the limit of open files of this process and of the servers that it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < DESCRIPTORS:
        pytest.skip(f"this machine allows {hard} open files, and the test needs {DESCRIPTORS}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Honest:
    """A client with a session, served again and again while the others are slow."""

    def __init__(self, visitor):
        self.visitor = visitor
        self.seconds = []
        self.is_over = False

    def go_on(self):
        while not self.is_over:
            began = time.monotonic()
            self.be_served()
            self.seconds.append(time.monotonic() - began)
            time.sleep(0.05)

    def be_served(self):
        assert self.visitor.get("/page").status == 200
        assert self.visitor.ask("POST", "/page", body=b"a form").status == 200
        assert Client(self.visitor.gateway, self.visitor.cookie).get("/auth/session").json["authenticated"]

    def __str__(self):
        ordered = sorted(self.seconds)
        return f"{len(ordered)} rounds of three requests, median {ordered[len(ordered) // 2]:.3f} s, slowest {ordered[-1]:.3f} s"


def chunks(count):
    return [b"1\r\nx\r\n"] * count + [b"0\r\n\r\n"]


def slow_clients(visitor):
    """The clients of each kind, as tasks."""
    port = visitor.gateway.port
    framings = f"Content-Length: {BYTES}", "Transfer-Encoding: chunked"
    upload = [visitor.head("POST", "/upload", framing) for framing in framings]
    pieces = [[b"x"] * BYTES, chunks(BYTES)]
    beginning = visitor.head("GET", "/page")[:-2] + b"X-Slow: "
    kinds = {
        "heads": [slow_head(port, beginning) for _ in range(HEADS)],
        "bodies": [slow_body(port, upload[number % 2], pieces[number % 2]) for number in range(UPLOADS)],
        "readers": [slow_reader(port, visitor.head("GET", "/large"), size=len(BODIES[b"/large"]) * (number % 2))
                    for number in range(READERS)],
        "patient": [slow_reader(port, visitor.head("GET", "/huge"), size=len(BODIES[b"/huge"])) for _ in range(PATIENT)],
        "stuck": [slow_reader(port, visitor.head("GET", "/huge"), count=PATIENCE * 2) for _ in range(STUCK)]}
    return {kind: [asyncio.ensure_future(client) for client in clients] for kind, clients in kinds.items()}


async def eventually(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "this never came about"
        await asyncio.sleep(0.2)


async def measure_idle(gateway, idle):
    before = memory(gateway)
    await idle.enter(IDLE)
    await eventually(lambda: open_sockets(gateway) >= len(idle.open) >= IDLE * 0.9)
    grown, spent = memory(gateway) - before, processor_seconds(gateway)
    await asyncio.sleep(5)
    spent = processor_seconds(gateway) - spent
    print(f"\n{len(idle.open)} idle connections: {memory(gateway) // KILOBYTE} KiB of memory, "
          f"{grown / IDLE / KILOBYTE:.1f} KiB for each, {spent / 5:.1%} of a core")
    assert grown / IDLE < 64 * KILOBYTE
    assert spent < 2.5, "idle connections use a core"


async def slow_and_idle(visitor, backend):
    """Returns what the slow clients of each kind received."""
    gateway, honest = visitor.gateway, Honest(visitor)
    idle = Idle(gateway.port, visitor.head("GET", "/page"))
    await measure_idle(gateway, idle)
    before = memory(gateway)
    serving = asyncio.ensure_future(asyncio.to_thread(honest.go_on))
    slow = slow_clients(visitor)
    try:
        await asyncio.sleep(DEADLINE / 2)
        grown = (memory(gateway) - before) / SLOW
        print(f"{SLOW} slow connections beside {len(idle.open)} idle ones: {grown / KILOBYTE:.1f} KiB for each")
        assert grown < 128 * KILOBYTE
        received = {kind: await asyncio.gather(*clients) for kind, clients in slow.items() if kind != "stuck"}
        # They read, but the kernel's buffers stay full, so that the gateway sees no progress for a minute.
        await eventually(lambda: backend.ended["/huge", "cancelled"] == STUCK)
        await eventually(lambda: not idle.open)
    finally:
        honest.is_over = True
        await serving
        for client in slow["stuck"]:
            client.cancel()
    print(f"the others: {honest}")
    return received


def body(answer):
    return answer.partition(b"\r\n\r\n")[2]


async def crowd(directory, descriptors):
    backend = CrowdBackend()
    gateway = Gateway(directory / "data", upstream=await backend.start())
    visitor = gateway.visitor()
    metrics = visitor.account.get("/metrics", private=True).body.decode()
    assert float(re.search(r"^process_max_fds (\S+)", metrics, re.M)[1]) == descriptors
    sockets, lines = open_sockets(gateway), len(gateway.log_lines())
    received = await slow_and_idle(visitor, backend)
    for answer, seconds in received["heads"]:
        assert answer.startswith(b"HTTP/1.1 408 ") and seconds >= DEADLINE, (answer, seconds)
    assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in received["bodies"])
    assert backend.bodies.count(b"x" * BYTES) == UPLOADS
    assert all(body(answer) == BODIES[b"/large"] for answer in received["readers"][1::2])
    assert all(body(answer) == BODIES[b"/huge"] for answer in received["patient"])
    assert backend.ended["/huge", "whole"] == PATIENT
    await eventually(lambda: open_sockets(gateway) < sockets + 200)
    assert len(gateway.log_lines()) < lines + 50, "a line for each connection fills the disk"
    assert gateway.stop() == 0


def test_others_are_served_beside_2000_slow_connections_and_1000_idle_ones(tmp_path, descriptors):
    asyncio.run(crowd(tmp_path, descriptors))


def http1(gateway, visitor):
    wire = Wire(gateway)
    wire.send(visitor.head("GET", "/page"))
    assert wire.answer().status == 200
    return wire


def http2(gateway, visitor):
    connection = HTTP2(gateway)
    assert connection.ask("GET", "/page", cookie=visitor.cookie).status == 200
    return connection


def read_frames(crowd):
    """Reads what has arrived, as browsers do at any time. The library acknowledges PING, without which GOAWAY ends nothing."""
    with selectors.DefaultSelector() as selector:
        for connection in crowd:
            if isinstance(connection, HTTP2) and not connection.closed:
                selector.register(connection.socket, selectors.EVENT_READ, connection)
        for key, _ in selector.select(0) if selector.get_map() else []:
            key.data._read()


@pytest.mark.parametrize("enter", [http1, http2])
def test_idle_connections_with_tls_cost_little_and_end_after_a_minute(tmp_path, descriptors, enter):
    gateway = Gateway(tmp_path / "data", **secured(tmp_path))
    visitor = gateway.visitor()
    sockets, before = open_sockets(gateway), memory(gateway)
    crowd = [enter(gateway, visitor) for _ in range(SECURE)]
    grown = memory(gateway) - before
    print(f"\n{SECURE} idle connections with TLS: {grown / SECURE / KILOBYTE:.1f} KiB for each")
    assert grown / SECURE < 256 * KILOBYTE
    assert visitor.get("/page").status == 200
    wait_until(lambda: read_frames(crowd) or open_sockets(gateway) < sockets + 100, PATIENCE)
    for connection in crowd:
        connection.socket.close()
    assert gateway.stop() == 0


@pytest.mark.parametrize("sends", [True, False])
def test_more_idle_connections_than_descriptors_make_room_for_others(tmp_path, sends):
    """Without it, a browser would wait until one of them has been idle for a minute."""
    gateway = Gateway(tmp_path / "data", wrapper=["prlimit", "--nofile=400:400", "--"])
    visitor = gateway.visitor()
    idle = []
    for _ in range(400):
        wire = Wire(gateway)
        idle.append(wire)
        if sends:
            wire.send(visitor.head("GET", "/page"))
            assert wire.answer().status == 200
    assert visitor.get("/page").status == 200
    for wire in idle:
        wire.socket.close()
    assert gateway.stop() == 0


def test_idle_http_2_connections_are_closed_also_if_the_client_answers_nothing(tmp_path):
    gateway = Gateway(tmp_path / "data", **secured(tmp_path))
    before = open_sockets(gateway)
    silent = [HTTP2(gateway, acknowledges=False) for _ in range(3)]
    wait_until(lambda: open_sockets(gateway) == before + 3)
    wait_until(lambda: open_sockets(gateway) == before, 150)
    for client in silent:
        client.socket.close()
    assert gateway.stop() == 0


def test_one_client_with_slow_requests_does_not_keep_others_out(tmp_path):
    """Its requests wait for the backend. Clients of other networks, and our own endpoints, are served meanwhile."""
    gateway = Gateway(
        tmp_path / "data", [{"path": "/*", "access": "public"}], wrapper=["prlimit", "--nofile=400:400", "--"], trustedProxies="127.0.0.1")
    path = gateway.backend.on(lambda connection, request: connection.wait_for_end())
    slow = []
    for _ in range(120):
        wire = Wire(gateway)
        wire.send(head(gateway, "GET", path, "X-Forwarded-For: 192.0.2.1"))
        slow.append(wire)
    assert any(wire.answer().status == 503 for wire in slow[-1:]), "it has its share"
    for address in ("198.51.100.2", "203.0.113.3"):
        assert ask(gateway, head(gateway, "GET", "/page", f"X-Forwarded-For: {address}")).status == 200
    assert Client(gateway).sign_up().status == 201
    for wire in slow:
        wire.socket.close()
    wait_until(lambda: ask(gateway, head(gateway, "GET", "/page", "X-Forwarded-For: 192.0.2.1")).status == 200)
    assert gateway.stop() == 0
