"""Slow clients and many clients: each request has a deadline, connections have a limit, and other clients are served. The
tests wait for events, with long limits."""
import concurrent.futures
import os
import pathlib
import select
import socket
import time

import pytest

from browser import Client
from server import Server, wait_until
from wire import Wire

PATIENCE = 180
DRIP = 0.5
HEAD = b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
SLOW = {
    "a head, byte by byte": (b"GET /auth/session HTTP/1.1\r\nHost: localhost\r\nX: ", b"a"),
    "a head, line by line": (b"GET /auth/session HTTP/1.1\r\nHost: localhost\r\n", b"X: y\r\n"),
    "a body, byte by byte": (HEAD + b"Content-Length: 60000\r\n\r\n", b" "),
    "a body in chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "a body that stops": (HEAD + b"Content-Length: 60000\r\n\r\n{", b""),
    "a head that stops": (b"GET /auth/session HTTP/1.1\r\nHost", b""),
    "nothing at all": (b"", b""),
    "only empty lines": (b"\r\n", b"\r\n"),
}


def is_ended(port, beginning, more):
    """Whether the server closes a connection on which the client goes on to send `more`."""
    end = time.monotonic() + PATIENCE
    with socket.create_connection(("127.0.0.1", port)) as connection:
        try:
            connection.sendall(beginning)
            while time.monotonic() < end:
                if select.select([connection], [], [], DRIP)[0] and not connection.recv(65536):
                    return True
                connection.sendall(more)
        except ConnectionError:
            return True
    return False


@pytest.fixture(scope="module")
def ended():
    """Runs all cases in parallel on both listeners, because each takes as long as the deadline."""
    server = Server()
    with concurrent.futures.ThreadPoolExecutor(2 * len(SLOW)) as pool:
        futures = {(name, listener): pool.submit(is_ended, port, *SLOW[name])
                   for name in SLOW for listener, port in (("public", server.port), ("private", server.private_port))}
        while not all(future.done() for future in futures.values()):
            assert Client(server).get("/healthz").status == 200, "everybody else goes on"
            time.sleep(0.5)
    assert server.stop() == 0
    return {key: future.result() for key, future in futures.items()}


@pytest.mark.parametrize("listener", ["public", "private"])
@pytest.mark.parametrize("name", SLOW)
def test_every_slow_request_ends_at_its_deadline(ended, name, listener):
    assert ended[name, listener]


@pytest.fixture
def narrow(tmp_path):
    """A server with a limit of 128 open files."""
    server = Server(tmp_path / "data", wrapper=["prlimit", "--nofile=128:128", "--"])
    yield server
    assert server.stop() == 0


def flood(port, count):
    """Opens connections that send nothing, until one fails."""
    connections = []
    for _ in range(count):
        connection = socket.socket()
        connection.settimeout(2)
        try:
            connection.connect(("127.0.0.1", port))
        except OSError:
            connection.close()
            break
        connections.append(connection)
    return connections


def processor_seconds(server):
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_more_connections_than_descriptors_use_no_processor_and_do_not_fill_the_log(narrow):
    honest = Wire(narrow)
    assert honest.ask("GET", "/healthz").status == 200
    lines = len(narrow.log_lines())
    crowd = flood(narrow.port, 400)
    try:
        time.sleep(1)
        before = processor_seconds(narrow)
        time.sleep(4)
        assert processor_seconds(narrow) - before < 1.5, "a core spins"
        assert honest.ask("GET", "/auth/session").status == 200, "who is connected is served"
        grown = narrow.log_lines()[lines:]
        assert 1 <= len(grown) <= 20, "it is said, and not for each connection"
    finally:
        for connection in crowd:
            connection.close()
    wait_until(lambda: is_healthy(narrow), 60)


def is_healthy(server):
    try:
        return Client(server).get("/healthz").status == 200
    except OSError:
        return False


def test_many_connections_on_the_public_listener_do_not_block_the_private_one(narrow):
    client = Client(narrow)
    client.sign_up()
    crowd = flood(narrow.port, 400)
    try:
        wait_until(lambda: is_checked(client), 60)
    finally:
        for connection in crowd:
            connection.close()


def is_checked(client):
    try:
        return client.check().status == 204
    except OSError:
        return False


def test_an_unread_response_does_not_delay_other_clients(shared):
    """The client pipelines hundreds of requests and reads no response."""
    connection = socket.create_connection(("127.0.0.1", shared.port))
    connection.settimeout(1)
    try:
        for _ in range(2000):
            connection.sendall(b"GET /auth/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
    except OSError:
        pass
    for _ in range(20):
        assert Client(shared).get("/healthz").status == 200
    connection.close()


def open_sockets(server):
    def is_socket(descriptor):
        try:
            return os.readlink(descriptor).startswith("socket:")
        except FileNotFoundError:
            return False

    return sum(map(is_socket, pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir()))


@pytest.mark.parametrize("listener", ["public", "private"])
def test_a_client_that_never_reads_is_disconnected(start, listener):
    """Its responses fill every buffer on the way. Then the time counts that a request may take."""
    server = start(requestTimeout=2)
    target = b"/auth/openapi.json" if listener == "public" else b"/metrics"
    listening = open_sockets(server)
    connection = socket.create_connection(("127.0.0.1", server.port if listener == "public" else server.private_port))
    with connection:
        wait_until(lambda: open_sockets(server) > listening, 60)
        connection.settimeout(1)
        with pytest.raises(OSError):
            while True:
                connection.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_until(lambda: open_sockets(server) <= listening, 60)
    assert Client(server).get("/healthz").status == 200


@pytest.mark.parametrize("complete", [
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\nGET\n\r\n\r\n",
    b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\n\r\n0\r\n\r\n",
])
def test_a_part_of_the_next_request_in_the_same_segment_has_a_deadline(start, complete):
    with Wire(start(requestTimeout=1)) as wire:
        wire.send(complete + b"GET /ne")
        assert wire.answer().status in (200, 405)
        assert wire.answer().status == 408 and wire.rest() == b""
