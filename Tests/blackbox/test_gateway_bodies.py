"""Bodies through the gateway: large, slow, cut, refused early; and backends that fail."""
import concurrent.futures
import contextlib
import hashlib
import pathlib
import select
import socket
import ssl
import struct
import threading
import time

import pytest

import http2
from raw_backend import OK, Backend, free_port, response
from gateway import FETCH, NAVIGATION, Gateway, ask, assert_identity, assert_problem, code, head
from server import wait_until
from test_slow_and_many import open_sockets
from wire import Wire

MEGABYTE = 1 << 20
SIZE = 50 * MEGABYTE
PIECE = bytes(range(256)) * 1024
# Memory that one connection may take, and what the allocator keeps.
BOUND = 32 * MEGABYTE
PATIENCE = 60
DEAD = free_port()


@pytest.fixture(scope="module")
def backends():
    return [Backend(), Backend()]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, backends):
    directory = tmp_path_factory.mktemp("gateway")
    unix = Backend(directory / "app.sock")
    pair = [f"http://127.0.0.1:{DEAD}", backends[0].address]
    routes = [
        {"path": "/slow/*", "access": "public", "timeout": 0.5}, {"path": "/idle/*", "access": "public", "idleTimeout": 0.5},
        {"path": "/small/*", "access": "public", "maxBody": 1000},
        {"path": "/dead/*", "access": "public", "upstream": f"http://127.0.0.1:{DEAD}"}, {"path": "/pair/*", "access": "public", "upstream": pair},
        {"path": "/none/*", "access": "public", "upstream": [f"http://127.0.0.1:{DEAD}", f"http://127.0.0.1:{free_port()}"]},
        {"path": "/unix/*", "access": "public", "upstream": unix.address},
        {"path": "/nosocket/*", "access": "public", "upstream": f"unix:{directory}/none.sock"}, {"path": "/*", "access": "public"},
    ]
    gateway = Gateway(directory / "data", routes)
    gateway.unix = unix
    yield gateway
    assert gateway.is_alive(), gateway.log()
    assert gateway.stop() == 0
    unix.stop()


@pytest.fixture(scope="module")
def visitor(gateway):
    return gateway.visitor()


def memory(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0]) * 1024


@contextlib.contextmanager
def flat_memory(server):
    """Asserts that memory does not grow with the bytes that pass, neither meanwhile nor afterwards."""
    before, highest, over = memory(server), [0], threading.Event()

    def watch():
        while not over.wait(0.05):
            highest[0] = max(highest[0], memory(server))
    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()
    assert max(highest[0], memory(server)) - before < BOUND


def pieces(size=SIZE):
    for _ in range(size // len(PIECE)):
        yield PIECE


def digest(parts):
    result, size = hashlib.sha256(), 0
    for part in parts:
        result.update(part)
        size += len(part)
    return size, result.hexdigest()


EXPECTED = digest(pieces())


def chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


# Large bodies.

@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_large_upload_arrives_whole_at_flat_memory(gateway, visitor, framing):
    arrived = []

    def take(connection, request):
        arrived.append(digest(connection.body(request)))
        connection.send(OK)
    path = gateway.backend.on(take)
    with flat_memory(gateway), Wire(gateway) as wire:
        wire.send(visitor.head("POST", path, f"Content-Length: {SIZE}" if framing == "length" else "Transfer-Encoding: chunked"))
        for piece in pieces():
            wire.send(piece if framing == "length" else chunk(piece))
        if framing == "chunked":
            wire.send(b"0\r\n\r\n")
        assert wire.answer().status == 200
    assert arrived == [EXPECTED]


@pytest.mark.parametrize("framing", ["length", "chunked", "until close"])
def test_a_large_download_arrives_whole_at_flat_memory(gateway, visitor, framing):
    lines = {"length": f"Content-Length: {SIZE}", "chunked": "Transfer-Encoding: chunked", "until close": "Connection: close"}

    def give(connection, request):
        connection.send(f"HTTP/1.1 200 OK\r\n{lines[framing]}\r\n\r\n".encode())
        for piece in pieces():
            connection.send(chunk(piece) if framing == "chunked" else piece)
        if framing == "chunked":
            connection.send(b"0\r\n\r\n")
        if framing == "until close":
            connection.close()
    path = gateway.backend.on(give)
    with flat_memory(gateway), Wire(gateway) as wire:
        wire.send(visitor.head("GET", path))
        assert digest(parts(wire)) == EXPECTED


def parts(wire):
    """The body of a response of `SIZE` bytes, piece by piece."""
    if b"transfer-encoding: chunked" in wire._until(b"\r\n\r\n").lower():
        while size := int(wire._until(b"\r\n"), 16):
            yield wire._exactly(size)
            assert wire._exactly(2) == b"\r\n"
        assert wire._exactly(2) == b"\r\n"
        return
    left = SIZE
    while left:
        if not wire.buffer:
            wire._receive()
        left -= len(wire.buffer)
        yield wire._exactly(len(wire.buffer))


def pending(connection, seconds):
    """How many bytes a client can send until nobody takes them for a while."""
    connection.setblocking(False)
    sent, data = 0, bytes(MEGABYTE)
    while select.select([], [connection], [], seconds)[1]:
        sent += connection.send(data)
        if sent > 8 * SIZE:
            break
    connection.setblocking(True)
    return sent


def test_a_backend_that_does_not_read_holds_the_client_back(gateway, visitor):
    go = threading.Event()
    arrived = []

    def later(connection, request):
        go.wait(PATIENCE)
        arrived.append(digest(connection.body(request))[0])
        connection.send(OK)
    path = gateway.backend.on(later)
    size = 16 * SIZE
    with flat_memory(gateway), Wire(gateway) as wire:
        wire.send(visitor.head("POST", path, f"Content-Length: {size}"))
        sent = pending(wire.socket, 1)
        assert 0 < sent < 4 * SIZE, "the client is held back"
        go.set()
        for _ in range((size - sent) // MEGABYTE):
            wire.send(bytes(MEGABYTE))
        wire.send(bytes((size - sent) % MEGABYTE))
        assert wire.answer().status == 200
    assert arrived == [size]


def test_a_client_that_does_not_read_holds_the_backend_back(gateway, visitor):
    size, sent, held = 8 * SIZE, [0], threading.Event()

    def give(connection, request):
        connection.send(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
        sent[0] = pending(connection.socket, 1)
        held.set()
        connection.socket.settimeout(PATIENCE)
        for _ in range((size - sent[0]) // MEGABYTE):
            connection.send(bytes(MEGABYTE))
        connection.send(bytes((size - sent[0]) % MEGABYTE))
    path = gateway.backend.on(give)
    with flat_memory(gateway), Wire(gateway) as wire:
        wire.send(visitor.head("GET", path))
        assert held.wait(PATIENCE) and sent[0] < 4 * SIZE, "the backend is held back"
        assert ask(gateway, head(gateway, "GET", "/others")).status == 200, "others are served meanwhile"
        wire._until(b"\r\n\r\n")
        received = len(wire.buffer)
        while received < size:
            received += len(wire.socket.recv(MEGABYTE))
    assert received == size


# Expect, interim responses, and responses without a body.

def test_expect_reaches_the_backend_and_its_100_the_client(gateway, visitor):
    def wait(connection, request):
        assert request.value("expect").lower() == "100-continue" and connection.buffer == b""
        connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.body = b"".join(connection.body(request))
        connection.send(OK)
    path = gateway.backend.on(wait)
    with Wire(gateway) as wire:
        wire.send(visitor.head("POST", path, "Expect: 100-continue", "Content-Length: 5"))
        assert wire.answer().status == 100
        wire.send(b"hello")
        assert wire.answer().status == 200
    assert gateway.backend.one(path).body == b"hello"


def test_a_backend_that_refuses_the_body_is_heard_before_it_is_sent(gateway, visitor):
    path = gateway.backend.on(lambda connection, request: connection.send(response(413, "Connection: close", body=b"too large")))
    with Wire(gateway) as wire:
        wire.send(visitor.head("POST", path, "Expect: 100-continue", "Content-Length: 5000000"))
        answer = wire.answer()
        assert (answer.status, answer.body) == (413, b"too large")
        assert answer.closes and wire.rest() == b""


def test_a_refused_request_with_expect_gets_no_100(gateway):
    with Wire(gateway) as wire:
        wire.send(head(gateway, "POST", "/a", "Expect: 100-continue", "Content-Length: 5", "Origin: https://evil.example"))
        assert wire.answer().status == 403
        assert wire.rest() == b""


def test_interim_responses_are_passed_on_in_order(gateway, visitor):
    path = gateway.backend.on(b"HTTP/1.1 102 Processing\r\n\r\n" + b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nX-Auth-Subject: x\r\n\r\n" * 2 + OK)
    with Wire(gateway) as wire:
        wire.send(visitor.head("GET", path) * 2)
        for _ in range(2):
            answers = [wire.answer() for _ in range(4)]
            assert [answer.status for answer in answers] == [102, 103, 103, 200]
            assert answers[1].header("link") and not answers[1].header("x-auth-subject") and answers[3].body == b"ok"


BODILESS = {
    "HEAD with a length": ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"),
    "HEAD of a chunked answer": ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "HEAD without a length": ("HEAD", b"HTTP/1.1 200 OK\r\n\r\n"),
    "304 with a length": ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1000000\r\nETag: \"x\"\r\n\r\n"), "204": ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
    "304 without one": ("GET", b"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n"), "an empty body": ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    "HEAD of an error": ("HEAD", b"HTTP/1.1 500 Error\r\nContent-Length: 5\r\n\r\n"),
}


@pytest.mark.parametrize("name", BODILESS)
def test_a_response_without_a_body_leaves_the_connection_as_it_was(gateway, visitor, name):
    method, answer_of_backend = BODILESS[name]
    path = gateway.backend.on(answer_of_backend)
    gateway.backend.answers[path] = lambda connection, request: connection.send(answer_of_backend)
    with Wire(gateway) as wire:
        for _ in range(3):
            wire.send(visitor.head(method, path) + visitor.head("GET", "/others"))
            answer, following = wire.answer(method), wire.answer()
            assert str(answer.status).encode() in answer_of_backend.split(b"\r\n")[0]
            assert (following.status, following.body) == (200, b"ok")
            if b"1000000" in answer_of_backend:
                assert answer.header("content-length") == "1000000"


def test_ranges_are_the_backends(gateway, visitor):
    path = gateway.backend.on(response(206, "Content-Range: bytes 0-1/10", body=b"01"))
    answer = visitor.get(path, "Range: bytes=0-1", "If-Range: \"x\"")
    assert (answer.status, answer.header("content-range"), answer.body) == (206, "bytes 0-1/10", b"01")
    request = gateway.backend.one(path)
    assert (request.value("range"), request.value("if-range")) == ("bytes=0-1", "\"x\"")


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_an_answer_before_the_end_of_the_request_reaches_the_client(gateway, visitor, framing):
    """The client goes on to send; the connection is closed behind the answer, and the answer is not lost by a reset."""
    def early(connection, request):
        next(connection.body(request))
        connection.send(response(422, "Connection: close", body=b"enough"))
        connection.close()
    path = gateway.backend.on(early)
    with Wire(gateway) as wire:
        wire.send(visitor.head("POST", path, "Content-Length: 100000000" if framing == "length" else "Transfer-Encoding: chunked"))
        try:
            for _ in range(40):
                wire.send(PIECE if framing == "length" else chunk(PIECE))
        except ConnectionError:
            pass
        answer = wire.answer()
        assert (answer.status, answer.body) == (422, b"enough")
        assert answer.closes and wire.rest() == b""


@pytest.mark.parametrize("pieces", [[1000], [1] * 1000, [990], [999, 1], [500, 500]])
def test_the_routes_limit_counts_the_bytes_of_a_chunked_body_and_not_its_framing(gateway, visitor, pieces):
    path = gateway.backend.on(OK, below="/small")
    with Wire(gateway) as wire:
        wire.send(visitor.head("POST", path, "Transfer-Encoding: chunked") + b"".join(chunk(bytes(size)) for size in pieces) + b"0\r\n\r\n")
        assert wire.answer().status == 200
    assert len(gateway.backend.one(path).body) == sum(pieces)


@pytest.mark.parametrize("framing, sent", [("length", 1001), ("length", 10_000_000), ("chunked", 1001), ("chunked", 1_000_000)])
def test_a_body_over_the_routes_limit_is_refused(gateway, visitor, framing, sent):
    path = gateway.backend.on(OK, below="/small")
    with Wire(gateway) as wire:
        if framing == "length":
            wire.send(visitor.head("POST", path, f"Content-Length: {sent}"))
        else:
            wire.send(visitor.head("POST", path, "Transfer-Encoding: chunked"))
            with contextlib.suppress(ConnectionError):
                wire.send(chunk(bytes(sent)) + b"0\r\n\r\n")
        answer = wire.answer()
        assert_problem(answer, 413, "content_too_large")
        if answer.closes:
            assert wire.rest() == b""
        else:
            wire.send(visitor.head("GET", "/others"))
            assert wire.answer().status == 200, "the body was read to its end"
    assert visitor.ask("POST", path, body=bytes(1000)).status == 200


def test_events_of_a_chunked_answer_are_passed_on_as_they_come(gateway, visitor):
    go = threading.Semaphore(0)

    def drip(connection, request):
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(5):
            assert go.acquire(timeout=PATIENCE)
            connection.send(chunk(b"piece %d" % number))
        assert go.acquire(timeout=PATIENCE)
        connection.send(b"0\r\n\r\n")
    path = gateway.backend.on(drip)
    with Wire(gateway) as wire:
        wire.send(visitor.head("GET", path))
        wire._until(b"\r\n\r\n")
        for number in range(5):
            go.release()
            assert wire._until(b"\r\n") == b"7\r\n" and wire._until(b"\r\n") == b"piece %d\r\n" % number
        go.release()
        assert wire._until(b"\r\n\r\n") == b"0\r\n\r\n"


# One side is gone.

@pytest.mark.parametrize("phase", ["before the head", "in the body", "while it uploads"])
@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_client_that_is_gone_ends_the_backends_request(gateway, visitor, phase, how):
    began, ended = threading.Event(), threading.Event()

    def serve(connection, request):
        if phase == "in the body":
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
        began.set()
        connection.wait_for_end()
        ended.set()
    path = gateway.backend.on(serve)
    wire = Wire(gateway)
    if phase == "while it uploads":
        wire.send(visitor.head("POST", path, "Content-Length: 1000") + b"half")
    else:
        wire.send(visitor.head("GET", path))
    assert began.wait(PATIENCE)
    if phase == "in the body":
        wire._until(b"ok\r\n")
    if how == "reset":
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wire.socket.close()
    assert ended.wait(20)


def broken(kind, ending):
    def serve(connection, request):
        lines = {"length": b"Content-Length: 100", "chunked": b"Transfer-Encoding: chunked", "until close": b"Connection: close"}
        connection.send(b"HTTP/1.1 200 OK\r\n" + lines[kind] + b"\r\n\r\n" + (b"a\r\n0123456789\r\n" if kind == "chunked" else b"0123456789"))
        time.sleep(0.1)
        connection.reset() if ending == "reset" else connection.close()
    return serve


@pytest.mark.parametrize("kind, ending", [("length", "close"), ("length", "reset"), ("chunked", "close"), ("chunked", "reset"), ("until close", "reset")])
def test_a_backend_that_dies_in_a_body_truncates_and_never_completes(gateway, visitor, kind, ending):
    path = gateway.backend.on(broken(kind, ending))
    with Wire(gateway) as wire:
        wire.send(visitor.head("GET", path))
        head_bytes = wire._until(b"\r\n\r\n").lower()
        rest = wire.rest()
    assert b"0123456789" in rest and not rest.endswith(b"0\r\n\r\n") and len(rest) < 100
    assert b"transfer-encoding: chunked" in head_bytes or b"content-length: 100" in head_bytes, "a client can tell that it was cut"


def test_a_body_that_ends_with_the_connection_is_whole(gateway, visitor):
    path = gateway.backend.on(broken("until close", "close"))
    answer = visitor.get(path)
    assert (answer.status, answer.body) == (200, b"0123456789")


@pytest.mark.parametrize("kind", ["chunked", "length"])
def test_a_backend_that_breaks_its_framing_truncates(gateway, visitor, kind):
    def serve(connection, request):
        if kind == "chunked":
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nxyz\r\n0\r\n\r\n")
        else:
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        connection.wait_for_end()
    path = gateway.backend.on(serve)
    with Wire(gateway) as wire:
        wire.send(visitor.head("GET", path) + visitor.head("GET", "/others"))
        if kind == "length":
            assert [wire.answer().body, wire.answer().body] == [b"ok", b"ok"], "bytes that were not asked for are not the next answer"
        else:
            assert b"0\r\n\r\n" not in wire.rest()


# Connections that are kept.

def test_connections_to_the_backend_are_kept(tmp_path):
    gateway = Gateway(tmp_path / "data", [{"path": "/*", "access": "public"}])
    with Wire(gateway) as wire:
        for _ in range(20):
            wire.send(head(gateway, "GET", "/a"))
            assert wire.answer().status == 200
    assert len(gateway.backend.connections) == 1
    assert gateway.stop() == 0


class Stale:
    """A backend's behaviour that closes its kept connection when the second request arrives on it."""

    def __init__(self, backend, sends=b""):
        self.served = {}
        self.seen = []
        self.sends = sends
        self.path = backend.on(self)

    def __call__(self, connection, request):
        self.seen.append(request)
        if self.served.get(connection):
            if self.sends:
                connection.send(self.sends)
            return connection.close()
        self.served[connection] = True
        for piece in connection.body(request):
            request.body += piece
        connection.send(OK)


@pytest.fixture
def lonely(tmp_path):
    gateway = Gateway(tmp_path / "data", [{"path": "/*", "access": "public"}])
    yield gateway
    assert gateway.stop() == 0


@pytest.mark.parametrize("method, body, status, count", [
    ("GET", None, 200, 3), ("HEAD", None, 200, 3), ("OPTIONS", None, 200, 3), ("POST", b"x", 502, 2), ("POST", None, 502, 2), ("DELETE", None, 502, 2),
    ("PUT", b"x", 502, 2), ("GET", b"x", 502, 2),
])
def test_a_request_on_a_stale_connection_is_tried_again_where_that_is_safe(lonely, method, body, status, count):
    """A gateway may also use a new connection for unsafe methods from the start; then nothing is stale."""
    stale = Stale(lonely.backend)
    lines = ["Origin: " + lonely.origin, "Content-Length: %d" % len(body or b"")] if method not in ("GET", "HEAD", "OPTIONS") or body else []
    with Wire(lonely) as wire:
        wire.send(head(lonely, "GET", stale.path))
        assert wire.answer().status == 200
        wire.send(head(lonely, method, stale.path, *lines) + (body or b""))
        answer = wire.answer(method)
    if answer.status == 200 and status == 502:
        assert len(stale.seen) == 2 and len(lonely.backend.connections) == 2
        return
    assert (answer.status, len(stale.seen)) == (status, count), answer


def test_a_request_that_got_a_byte_is_not_sent_again(lonely):
    stale = Stale(lonely.backend, b"H")
    with Wire(lonely) as wire:
        wire.send(head(lonely, "GET", stale.path) * 2)
        assert wire.answer().status == 200
        assert_problem(wire.answer(), 502, "upstream_unavailable")
    assert len(stale.seen) == 2


def test_a_new_connection_that_closes_is_not_tried_again(lonely):
    path = lonely.backend.on(lambda connection, request: connection.close())
    assert_problem(ask(lonely, head(lonely, "GET", path)), 502, "upstream_unavailable")
    assert len(lonely.backend.to(path)) == 1


def test_a_connection_that_was_closed_while_idle_is_not_used(lonely):
    closed = threading.Event()

    def serve(connection, request):
        for _ in connection.body(request):
            pass
        connection.send(OK)
        connection.close()
        closed.set()
    path = lonely.backend.on(serve)
    for _ in range(20):
        assert ask(lonely, head(lonely, "POST", path, "Origin: " + lonely.origin, "Content-Length: 1") + b"x").status == 200


def test_bytes_on_an_idle_connection_are_not_the_next_answer(lonely):
    def serve(connection, request):
        connection.send(OK)
        time.sleep(0.1)
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        connection.wait_for_end()
    path = lonely.backend.on(serve)
    assert ask(lonely, head(lonely, "GET", path)).body == b"ok"
    time.sleep(0.3)
    for _ in range(10):
        assert ask(lonely, head(lonely, "GET", "/others")).body == b"ok"


BODILESS_WITH_A_BODY = {
    "HEAD with a length": ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n"), "HEAD without a length": ("HEAD", "HTTP/1.1 200 OK\r\n\r\n"),
    "HEAD of a chunked answer": ("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), "204": ("GET", "HTTP/1.1 204 No Content\r\n\r\n"),
    "204 with a length": ("GET", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"),
    "304": ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: {size}\r\n\r\n"),
}
EVIL = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"


@pytest.mark.parametrize("when", ["with the head", "behind the answer", "at the next request"])
@pytest.mark.parametrize("name", BODILESS_WITH_A_BODY)
def test_a_body_behind_an_answer_that_has_none_is_not_the_answer_of_another_client(lonely, name, when):
    method, text = BODILESS_WITH_A_BODY[name]
    answered = text.format(size=len(EVIL)).encode()
    seen, sent = threading.Event(), threading.Event()

    def serve(connection, request):
        if when == "with the head":
            connection.send(answered + EVIL)
            return sent.set()
        connection.send(answered)
        if when == "behind the answer":
            assert seen.wait(PATIENCE)
            connection.send(EVIL)
            return sent.set()
        sent.set()
        connection.until(b"\r\n\r\n")
        connection.send(EVIL + OK)
    path = lonely.backend.on(serve)
    with Wire(lonely) as wire:
        wire.send(head(lonely, method, path))
        assert wire.answer(method).status in (200, 204, 304, 502)
        seen.set()
        assert sent.wait(PATIENCE)
    for _ in range(5):
        if when != "at the next request" or method == "HEAD":
            assert ask(lonely, head(lonely, "GET", "/others")).body == b"ok"


# Backends that fail.

class Untrusted:
    """A backend with TLS whose certificate no authority has signed."""

    def __init__(self, directory):
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(*http2.certificate(directory))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.name = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.requests = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connected, _ = self.listener.accept()
                with connected, contextlib.suppress(OSError):
                    with self.context.wrap_socket(connected, server_side=True) as secured:
                        if secured.recv(1000):
                            self.requests += 1

    def stop(self):
        self.listener.close()


def test_a_backend_that_never_finishes_the_tls_handshake_is_504_and_keeps_no_descriptor(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        gateway = Gateway(tmp_path / "data", [{"path": "/*", "access": "public"}], upstream=f"https://127.0.0.1:{silent.getsockname()[1]}")
        before = open_sockets(gateway)
        with Wire(gateway) as gone:
            gone.send(head(gateway, "GET", "/a"))
            assert_problem(ask(gateway, head(gateway, "GET", "/a", *FETCH)), 504, "upstream_timeout")
        wait_until(lambda: open_sockets(gateway) == before)
        assert gateway.stop() == 0


def test_a_backend_whose_certificate_is_not_trusted_is_502_and_named_in_the_log(tmp_path, backends):
    untrusted = Untrusted(tmp_path)
    gateway = Gateway(tmp_path / "data", [
        {"path": "/alone/*", "access": "public", "upstream": f"https://{untrusted.name}"},
        {"path": "/*", "access": "public", "upstream": [f"https://{untrusted.name}", backends[0].address]}])
    assert_problem(ask(gateway, head(gateway, "GET", "/alone/a", *FETCH)), 502, "upstream_unavailable")
    wait_until(lambda: [line for line in gateway.log_lines() if untrusted.name in line and "certificate" in line.lower()])
    for number in range(6):
        lines = [f"Origin: {gateway.origin}", "Content-Length: 1"] if number % 2 else []
        answer = ask(gateway, head(gateway, "POST" if number % 2 else "GET", f"/group/{number}", *lines) + (b"x" if number % 2 else b""))
        assert answer.status == 200, answer
    assert untrusted.requests == 0, "no byte of a request is sent to it"
    assert gateway.stop() == 0
    untrusted.stop()


def test_the_health_of_a_backend_is_that_of_its_address_and_path(tmp_path):
    backend = Backend()
    backend.answers["/ok"], backend.answers["/bad"] = OK, response(500)
    gateway = Gateway(tmp_path / "data", [
        {"path": "/one/*", "access": "public", "upstream": backend.address, "healthPath": "/ok"},
        {"path": "/two/*", "access": "public", "upstream": backend.address, "healthPath": "/bad"},
        {"path": "/three/*", "access": "public", "upstream": backend.address}])
    wait_until(lambda: ask(gateway, head(gateway, "GET", "/two/a", *FETCH)).status == 503, PATIENCE)
    for count in (1, 2, 3):
        backend.wait_for("/ok", count)
        backend.wait_for("/bad", count)
        statuses = [ask(gateway, head(gateway, "GET", path, *FETCH)).status for path in ("/one/a", "/two/a", "/three/a")]
        assert statuses == [200, 503, 200]
    assert gateway.stop() == 0
    backend.stop()


@pytest.mark.parametrize("path", ["/dead/a", "/nosocket/a"])
def test_a_backend_that_refuses_connections_is_502(gateway, path):
    answer = ask(gateway, head(gateway, "GET", path, *FETCH))
    assert_problem(answer, 502, "upstream_unavailable")
    assert ask(gateway, head(gateway, "POST", path, f"Origin: {gateway.origin}", "Content-Length: 0")).status in (502, 503)


def test_a_slow_backend_is_504(gateway):
    ended = threading.Event()

    def silent(connection, request):
        connection.wait_for_end()
        ended.set()
    path = gateway.backend.on(silent, below="/slow")
    for method in ("GET", "POST"):
        own = [f"Origin: {gateway.origin}", "Content-Length: 1"] if method == "POST" else []
        assert_problem(ask(gateway, head(gateway, method, path, *own, *FETCH) + (b"x" if own else b"")), 504, "upstream_timeout")
        assert ended.wait(PATIENCE), "its connection is closed"
    assert len(gateway.backend.to(path)) == 2, "a slow request is not tried again"


def test_a_head_that_never_ends_is_504(gateway):
    def drip(connection, request):
        connection.send(b"HTTP/1.1 200 OK\r\nX: ")
        connection.wait_for_end()
    path = gateway.backend.on(drip, below="/slow")
    assert_problem(ask(gateway, head(gateway, "GET", path, *FETCH)), 504, "upstream_timeout")


def test_a_body_that_stops_is_cut_after_the_idle_time(gateway):
    def stop(connection, request):
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
        connection.wait_for_end()
    path = gateway.backend.on(stop, below="/idle")
    with Wire(gateway) as wire:
        wire.send(head(gateway, "GET", path))
        wire._until(b"ok\r\n")
        assert b"0\r\n\r\n" not in wire.rest()


def test_an_answer_may_take_long_while_it_goes_on(gateway):
    def drip(connection, request):
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(15):
            time.sleep(0.1)
            connection.send(b"2\r\nok\r\n")
        connection.send(b"0\r\n\r\n")
    path = gateway.backend.on(drip, below="/slow")
    assert ask(gateway, head(gateway, "GET", path)).body == b"ok" * 15


def test_another_backend_stands_in_for_one_that_is_down(gateway, backends):
    count = len(backends[0].requests)
    for number in range(12):
        method = "POST" if number % 2 else "GET"
        own = [f"Origin: {gateway.origin}", "Content-Length: 1"] if number % 2 else []
        assert ask(gateway, head(gateway, method, f"/pair/{number}", *own) + (b"x" if own else b""), method).status == 200
    assert [request.path for request in backends[0].requests[count:]] == [f"/pair/{number}" for number in range(12)]


def test_without_any_healthy_backend_the_answer_is_503(gateway):
    def no_healthy_one():
        answer = ask(gateway, head(gateway, "GET", "/none/a", *FETCH))
        assert (answer.status, code(answer)) in ((502, "upstream_unavailable"), (503, "unavailable")), answer
        return answer if answer.status == 503 else None
    answer = wait_until(no_healthy_one)
    assert int(answer.header("retry-after")) > 0


def test_several_backends_share_the_requests(tmp_path, backends):
    gateway = Gateway(tmp_path / "data", [{"path": "/*", "access": "public"}], upstream=[backend.address for backend in backends])
    counts = [len(backend.requests) for backend in backends]
    for _ in range(40):
        assert ask(gateway, head(gateway, "GET", "/shared")).status == 200
    assert all(len(backend.requests) > count for backend, count in zip(backends, counts))
    assert gateway.stop() == 0


def test_a_health_check_takes_a_backend_out_and_back(tmp_path):
    sick, well = Backend(), Backend()
    health = {"status": 503}
    sick.answers["/health"] = lambda connection, request: connection.send(response(health["status"]))
    gateway = Gateway(tmp_path / "data", [{"path": "/*", "access": "public", "upstream": [sick.address, well.address], "healthPath": "/health"}])
    sick.wait_for("/health")
    request = sick.to("/health")[0]
    assert request.method == "GET" and "authorization" not in request.names

    def only_the_well_one():
        before = len(sick.to("/a"))
        for _ in range(10):
            assert ask(gateway, head(gateway, "GET", "/a")).status == 200
        return len(sick.to("/a")) == before
    wait_until(only_the_well_one, PATIENCE)
    health["status"] = 200
    before = len(sick.to("/a"))
    wait_until(lambda: ask(gateway, head(gateway, "GET", "/a")).status == 200 and len(sick.to("/a")) > before, PATIENCE)
    assert gateway.stop() == 0
    sick.stop(), well.stop()


def test_a_unix_socket_is_a_backend_as_well(gateway, visitor):
    assert visitor.get("/unix/a").status == 200
    assert visitor.ask("POST", "/unix/b", body=PIECE).status == 200
    assert_identity(gateway.unix.one("/unix/a"), visitor)
    assert gateway.unix.one("/unix/b").body == PIECE


@pytest.mark.parametrize("area, status", [("/dead", 502), ("/slow", 504)])
def test_a_navigation_gets_a_page_and_a_fetch_a_problem(gateway, area, status):
    path = gateway.backend.on(lambda connection, request: connection.wait_for_end(), below=area)
    page = ask(gateway, head(gateway, "GET", path, *NAVIGATION))
    assert page.status == status and page.header("content-type").startswith("text/html")
    assert b"<" in page.body and "no-store" in page.header("cache-control") and page.header("content-security-policy")
    problem = ask(gateway, head(gateway, "GET", path, *FETCH))
    assert problem.status == status and problem.header("content-type") == "application/problem+json"


MALFORMED = {
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
    "two equal lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
    "a list of lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok",
    "length and chunked": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "length -1": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "length 0x2": b"HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nok",
    "a huge length": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok",
    "gzip, chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "xchunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "two codings": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a fold": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok", "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "one bare LF": b"HTTP/1.1 200 OK\r\nX: a\nContent-Length: 2\r\n\r\nok", "bare CR": b"HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 2\r\n\r\nok",
    "NUL": b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nok", "a space before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok",
    "no colon": b"HTTP/1.1 200 OK\r\nX\r\nContent-Length: 2\r\n\r\nok", "no name": b"HTTP/1.1 200 OK\r\n: x\r\nContent-Length: 2\r\n\r\nok",
    "101 unasked": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "garbage": b"hello\r\n\r\n",
    "nothing of HTTP": b"\x00\x01\x02\x03\r\n\r\n\r\n", "HTTP/0.9": b"<html>hello</html>\r\n\r\n", "HTTP/2": b"HTTP/2 200\r\n\r\n",
    "HTTP/1.10": b"HTTP/1.10 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "status 99": b"HTTP/1.1 99 Odd\r\nContent-Length: 2\r\n\r\nok", "status 2000": b"HTTP/1.1 2000 Odd\r\nContent-Length: 2\r\n\r\nok",
    "status abc": b"HTTP/1.1 abc Odd\r\nContent-Length: 2\r\n\r\nok", "status 000": b"HTTP/1.1 000 Odd\r\nContent-Length: 2\r\n\r\nok",
    "no status": b"HTTP/1.1\r\nContent-Length: 2\r\n\r\nok",
    "a huge head": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 2_000_000, "leading CRLF": b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "control characters in the reason": b"HTTP/1.1 200 O\x01K\r\nContent-Length: 2\r\n\r\nok",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_answer_is_502_and_nothing_of_it_is_passed_on(lonely_shared, name):
    gateway = lonely_shared

    def serve(connection, request):
        connection.send(MALFORMED[name])
        connection.wait_for_end()
    path = gateway.backend.on(serve)
    answer = ask(gateway, head(gateway, "GET", path, *FETCH))
    assert_problem(answer, 502, "upstream_unavailable")
    assert ask(gateway, head(gateway, "GET", "/others")).body == b"ok"


@pytest.fixture(scope="module")
def lonely_shared(tmp_path_factory):
    gateway = Gateway(tmp_path_factory.mktemp("lonely") / "data", [{"path": "/*", "access": "public", "timeout": 10}])
    yield gateway
    assert gateway.is_alive(), gateway.log()
    assert gateway.stop() == 0


@pytest.mark.parametrize("answer_of_backend, body", [
    (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", b"ok"), (b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", b"ok"),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok"), (b"HTTP/1.0 200 OK\r\n\r\nok", b"ok"),
    (b"HTTP/1.1 200 Gr\xfc\xdfe\r\nContent-Length:2\r\nX:\r\n\r\nok", b"ok"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nok\r\n000\r\nX-Sum: x\r\n\r\n", b"ok"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;ext=1\r\nok\r\n0;a=\"b\"\r\n\r\n", b"ok"),
])
def test_an_unusual_answer_that_is_clear_is_passed_on(lonely_shared, answer_of_backend, body):
    def serve(connection, request):
        connection.send(answer_of_backend)
        connection.close()
    path = lonely_shared.backend.on(serve)
    answer = ask(lonely_shared, head(lonely_shared, "GET", path))
    assert (answer.status, answer.body, answer.version) == (200, body, "HTTP/1.1")


def test_an_answer_of_http_1_0_is_not_followed_by_another(lonely_shared):
    path = lonely_shared.backend.on(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
    for _ in range(5):
        assert ask(lonely_shared, head(lonely_shared, "GET", path)).body == b"ok"


def test_many_requests_at_once_are_all_served(lonely_shared):
    def request(number):
        with Wire(lonely_shared) as wire:
            for index in range(20):
                body = b"%d-%d" % (number, index)
                wire.send(head(lonely_shared, "POST", "/echo", f"Origin: {lonely_shared.origin}", f"Content-Length: {len(body)}") + body)
                assert wire.answer().body == body
    lonely_shared.backend.answers["/echo"] = lambda connection, request: connection.send(response(200, body=b"".join(connection.body(request))))
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(request, range(16)))
