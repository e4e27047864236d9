"""Listening sockets that the service manager opens and passes on (sd_listen_fds(3)): no connection is lost by a restart."""
import os
import shutil
import signal
import socket
import subprocess
import threading

import pytest

from browser import Client
from gateway import Gateway
from raw_backend import free_port
from server import BINARY, START_TIMEOUT, Server, clean_environment
from wire import Wire

ROUTES = [{"path": "/*", "access": "public"}]


def listening(address=("127.0.0.1", 0)):
    listener = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
    listener.bind(address)
    listener.listen(128)
    return listener


def passing(sockets, pid="$$"):
    """The arguments with which a process is started as systemd does: with `sockets`, by name, as descriptors 3 and later."""
    # The copies come first: a socket of this process may be descriptor 3.
    copies = [os.dup(item.fileno()) for item in sockets.values()]
    safe = [f"{50 + index}<&{copy}" for index, copy in enumerate(copies)]
    moved = [f"{3 + index}<&{50 + index}" for index in range(len(copies))]
    closed = [f"{number}<&-" for number in {*copies, *range(50, 50 + len(copies))} - set(range(3, 3 + len(copies)))]
    script = f"exec {' '.join(safe)}; exec {' '.join(moved)}; exec {' '.join(closed)}; export LISTEN_PID={pid}; exec \"$@\""
    variables = {"LISTEN_FDS": str(len(sockets)), "LISTEN_FDNAMES": ":".join(name.split("#")[0] for name in sockets)}
    return {"wrapper": ["bash", "-c", script, "bash"], "descriptors": copies, "environment": variables}


@pytest.fixture
def start(tmp_path):
    running = []

    def start(sockets, kind=Server, **settings):
        started = passing(sockets, settings.pop("pid", "$$"))
        running.append(kind(tmp_path / "data", **started, **settings))
        for copy in started["descriptors"]:
            os.close(copy)
        return running[-1]
    yield start
    for server in running:
        assert server.stop() == 0


def port(listener):
    return listener.getsockname()[1]


def test_browsers_and_proxies_are_served_on_the_inherited_sockets(start):
    browsers, proxies = listening(), listening()
    server = start({"public": browsers, "private": proxies}, port=str(free_port()))
    assert (server.port, server.private_port) == (port(browsers), port(proxies))
    client = Client(server)
    assert client.sign_up().status == 201
    checked = client.check() if hasattr(client, "check") else client.get("/auth/check", private=True)
    assert checked.status == 204 and client.get("/metrics", private=True).status == 200
    assert client.get("/metrics").status == 404


def test_the_order_of_the_sockets_does_not_matter(start):
    browsers, proxies = listening(), listening()
    server = start({"private": proxies, "public": browsers})
    assert (server.port, server.private_port) == (port(browsers), port(proxies))


def test_one_socket_may_be_inherited_and_the_other_bound(start):
    browsers, proxies = listening(), listening()
    server = start({"public": browsers})
    assert server.port == port(browsers) and Client(server).get("/metrics", private=True).status == 200
    assert server.stop() == 0
    server = start({"private": proxies}, privateListen="off")
    assert server.port != port(browsers)
    with socket.create_connection(proxies.getsockname(), 60) as connected:
        connected.sendall(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert connected.recv(12) == b"HTTP/1.1 200"


REQUEST = b"GET /auth/session HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


def received(connection):
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return data


@pytest.mark.parametrize("kind", [Server, Gateway], ids=["endpoints", "gateway"])
def test_connections_that_come_during_a_restart_are_served_by_the_next_process(start, kind):
    browsers = listening()
    settings = {"routes": ROUTES} if kind is Gateway else {}
    first = start({"public": browsers}, kind, **settings)
    backend = first.backend if kind is Gateway else None
    first.terminate()
    assert first.process.wait(15) == 0
    waiting = [socket.create_connection(browsers.getsockname(), 60) for _ in range(20)]
    for connection in waiting:
        connection.sendall(REQUEST)
    if backend:
        settings["backend"] = backend
    start({"public": browsers}, kind, **settings)
    for connection in waiting:
        with connection:
            assert received(connection).startswith(b"HTTP/1.1 200 ")


def test_no_connection_fails_while_the_server_restarts_again_and_again(start):
    browsers = listening()
    address, done, failed, served = browsers.getsockname(), threading.Event(), [], []

    def ask():
        while not done.is_set():
            try:
                with socket.create_connection(address, 60) as connection:
                    connection.sendall(REQUEST)
                    (served if received(connection).startswith(b"HTTP/1.1 200 ") else failed).append(1)
            except OSError as error:
                failed.append(error)
    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        for _ in range(4):
            before = len(served)
            server = start({"public": browsers})
            while len(served) < before + 50 and not failed:
                server.process.poll()
            assert server.stop() == 0
        start({"public": browsers})
    finally:
        done.set()
        for client in clients:
            client.join(60)
    assert failed == [] and len(served) >= 200


def test_a_stop_finishes_the_request_in_flight_and_closes_idle_connections(start):
    server = start({"public": listening()})
    with Wire(server) as idle, Wire(server) as busy:
        assert idle.ask("GET", "/auth/session").status == 200
        busy.send(b"POST /auth/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{")
        server.terminate()
        assert idle.rest() == b""
        busy.send(b"}")
        assert busy.answer().status < 500
    assert server.process.wait(15) == 0


def test_the_maximum_of_connections_holds_on_an_inherited_socket(start):
    server = start({"public": listening()}, maxConnections=2)
    first, second = Wire(server), Wire(server)
    for wire in (first, second):
        assert wire.ask("GET", "/auth/session").status == 200
    with second, Wire(server) as third:
        with first:
            third.request("GET", "/auth/session")
            third.socket.settimeout(0.5)
            with pytest.raises(TimeoutError):
                third.socket.recv(1)
        third.socket.settimeout(60)
        assert third.answer().status == 200


def test_a_private_socket_file_is_inherited_with_its_mode(start, tmp_path):
    path = tmp_path / "private.sock"
    proxies = listening(str(path))
    path.chmod(0o660)
    server = start({"private": proxies}, privateListen="unix:/nowhere/else.sock")
    assert server.private_socket == str(path) and Client(server).get("/metrics", private=True).status == 200
    assert server.stop() == 0
    assert path.exists(), "it is the service manager's"


def test_variables_for_another_process_are_ignored(start):
    server = start({"public": listening()}, pid="1")
    assert Client(server).get("/auth/session").status == 200


def not_listening(kind):
    item = socket.socket(socket.AF_INET, kind)
    item.bind(("127.0.0.1", 0))
    return item


REFUSED = {
    "another name": (lambda _: {"web": listening()}, "public"),
    "the name of the unit": (lambda _: {"cloakroom.socket": listening()}, "FileDescriptorName"),
    "one name twice": (lambda _: {"public": listening(), "public#2": listening()}, "public"),
    "a socket that does not listen": (lambda _: {"public": not_listening(socket.SOCK_STREAM)}, "listening"),
    "a datagram socket": (lambda _: {"public": not_listening(socket.SOCK_DGRAM)}, "listening"),
    "a file for browsers": (lambda path: {"public": listening(f"{path}/public.sock")}, "port"),
    "a private file for every user": (lambda path: {"private": open_to_all(f"{path}/private.sock")}, "SocketMode"),
    "another address without a public URL": (lambda _: {"public": listening(("127.0.0.2", 0))}, "publicURL"),
}


def open_to_all(path):
    listener = listening(path)
    os.chmod(path, 0o666)
    return listener


@pytest.mark.parametrize("name", REFUSED)
def test_sockets_that_cannot_be_used_stop_the_start(tmp_path, name):
    make, named = REFUSED[name]
    sockets = make(tmp_path)
    started = passing(sockets)
    result = subprocess.run(
        [*started["wrapper"], BINARY, "serve", "--data-dir", tmp_path / "data"], capture_output=True, text=True, timeout=START_TIMEOUT,
        pass_fds=started["descriptors"], env=clean_environment() | started["environment"])
    assert result.returncode == 78 and named in result.stderr and result.stdout == "", result


@pytest.mark.skipif(shutil.which("systemd-socket-activate") is None, reason="there is no systemd here")
def test_systemd_passes_the_sockets_of_the_first_connection(tmp_path):
    numbers = [free_port(), free_port()]
    addresses = [word for number in numbers for word in ("--listen", f"127.0.0.1:{number}")]
    process = subprocess.Popen(
        ["systemd-socket-activate", *addresses, "--fdname=public:private", BINARY, "serve", "--data-dir", tmp_path / "data"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=clean_environment())
    try:
        for number, target in zip(numbers, ("/auth/session", "/metrics")):
            with connected(number) as connection:
                connection.sendall(REQUEST.replace(b"/auth/session", target.encode()))
                assert received(connection).startswith(b"HTTP/1.1 200 ")
        assert process.stdout.readline() == f"cloakroom: listening on http://127.0.0.1:{numbers[0]}\n"
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0


def connected(number):
    """A connection, as soon as somebody listens."""
    while True:
        try:
            return socket.create_connection(("127.0.0.1", number), 60)
        except ConnectionRefusedError:
            pass
