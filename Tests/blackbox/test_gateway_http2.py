"""HTTP/2 through the gateway: refusals, early answers and broken answers end one stream, and nothing else."""
import select
import socket
import ssl
import subprocess
import threading
import time

import pytest

from gateway import Gateway, assert_identity, code, untouched
from http2 import HTTP2, secured
from raw_backend import OK, free_port, response
from server import wait_until
from wire import Closed, Wire

PATIENCE = 60
# What a machine under load may add to a limit of the server.
SLACK = 20
ROUTES = [
    {"path": "/private/*", "access": "session"}, {"path": "/small/*", "access": "public", "maxBody": 1000},
    {"path": "/dead/*", "access": "public", "upstream": f"http://127.0.0.1:{free_port()}"},
    {"path": "/slow/*", "access": "public", "timeout": 0.5}, {"path": "/posted/*", "methods": ["POST"], "access": "session"},
    {"path": "/posted/*", "access": "public"}, {"path": "/public/*", "access": "public"},
]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    directory = tmp_path_factory.mktemp("gateway")
    gateway = Gateway(directory / "data", ROUTES, **secured(directory))
    yield gateway
    assert gateway.is_alive(), gateway.log()
    assert gateway.stop() == 0


@pytest.fixture
def visitor(gateway):
    return gateway.visitor()


@pytest.fixture
def client(gateway):
    """One HTTP/2 connection, of which another stream is served after the test as before it."""
    with HTTP2(gateway) as client:
        yield client
        assert_serves(client)
    assert gateway.is_alive(), gateway.log()


def assert_serves(client):
    answer = client.ask("GET", "/public/others")
    assert (answer.status, answer.body, answer.ended) == (200, b"ok", True), answer


def assert_whole(answer, status):
    assert (answer.status, answer.ended, answer.reset) == (status, True, None), answer


# Answers before the end of the request.

LARGE = {"content-length": "5000000"}
# Status, code, method, target, fields, and pseudo-header fields that are not as usual.
REFUSED = {
    "no session": (401, "session_missing", "POST", "/private/a", {}, {}),
    "no session, with a length": (401, "session_missing", "POST", "/private/a", LARGE, {}),
    "a cookie that is none": (401, None, "POST", "/private/a", {"cookie": "__Host-Http-session=a~b"}, {}),
    "another site": (403, "cross_site_request", "POST", "/public/a", {"origin": "https://evil.example"}, {}),
    "a dot segment": (400, "invalid_request", "POST", "/public/../private", {}, {}),
    "an encoded slash": (400, "invalid_request", "POST", "/public/a%2fb", {}, {}),
    "post": (400, "invalid_request", "post", "/public/a", {}, {}), "Post": (400, "invalid_request", "Post", "/public/a", {}, {}),
    "put": (400, "invalid_request", "put", "/public/a", {}, {}), "post where POST has a rule": (400, "invalid_request", "post", "/posted/a", {}, {}),
    "TRACE": (501, None, "TRACE", "/public/a", {}, {}), "another expectation": (417, None, "POST", "/public/a", {"expect": "200-ok"}, {}),
    "another host": (421, "misdirected_request", "POST", "/public/a", {}, {":authority": "evil.example"}),
    "a long target": (414, None, "POST", "/public/" + "a" * 8192, {}, {}),
    "many fields": (431, None, "POST", "/public/a", {f"x{index}": "y" for index in range(101)}, {}),
    "a length over the limit": (413, "content_too_large", "POST", "/small/a", LARGE, {}),
    "no rule": (404, "not_found", "POST", "/nothing", {}, {}), "one of our own paths": (404, None, "POST", "/auth/nothing", {}, {}),
    "an expectation that is refused": (401, "session_missing", "POST", "/private/a", {"expect": "100-continue"} | LARGE, {}),
}


def sends_nothing(client, stream, length):
    return client.answer(stream)


def sends_a_part(client, stream, length):
    client.send(stream, b"part")
    return client.answer(stream)


def sends_a_part_late(client, stream, length):
    """The frames of the body and those of the answer cross each other."""
    assert select.select([client.socket], [], [], PATIENCE)[0]
    client.send(stream, b"late")
    return client.answer(stream)


def sends_everything(client, stream, length):
    """As much as flow control allows, and the end if the stream is open then."""
    client.send(stream, bytes(length), end=True)
    return client.answer(stream)


@pytest.mark.parametrize("sends", [sends_nothing, sends_a_part, sends_a_part_late, sends_everything])
@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_reaches_the_client_whatever_it_has_sent_of_the_body(gateway, client, name, sends):
    status, expected, method, target, fields, pseudo = REFUSED[name]
    assert_serves(client)
    with untouched(gateway.backend):
        stream = client.request(method, target, *fields.items(), pseudo=pseudo, end=False)
        answer = sends(client, stream, int(fields.get("content-length", 300_000)))
    assert_whole(answer, status)
    assert answer.set_cookies == [] and (expected is None or code(answer) == expected), answer


def test_a_hundred_refused_uploads_leave_the_connection_as_it_was(gateway, client):
    for _ in range(5):
        streams = [client.request("POST", "/private/a", end=False) for _ in range(20)]
        for stream in streams:
            client.send(stream, bytes(500))
        for stream in streams:
            assert_whole(client.answer(stream), 401)
            client.reset(stream)


def test_a_body_without_a_length_is_refused_when_it_passes_the_limit(gateway, client):
    def read(connection, request):
        for _ in connection.body(request):
            pass
        connection.send(OK)
    path = gateway.backend.on(read, below="/small")
    stream = client.request("POST", path, end=False)
    client.send(stream, bytes(300_000), end=True)
    answer = client.answer(stream)
    assert_whole(answer, 413)
    assert code(answer) == "content_too_large"
    assert_whole(client.ask("POST", path, body=bytes(1000)), 200)


@pytest.mark.parametrize("name, area, status", [("dead", "/dead", 502), ("slow", "/slow", 504)])
def test_a_failure_of_the_backend_in_the_middle_of_an_upload_reaches_the_client(gateway, client, name, area, status):
    path = gateway.backend.on(lambda connection, request: connection.wait_for_end(), below=area)
    stream = client.request("POST", path, ("content-length", "8"), end=False)
    if status == 504:
        gateway.backend.wait_for(path)
        client.send(stream, b"whole of", end=True)
    answer = client.answer(stream)
    assert_whole(answer, status)


@pytest.mark.parametrize("closes", [True, False])
@pytest.mark.parametrize("fields", [[], [("content-length", "5000000")]])
@pytest.mark.parametrize("sends", [sends_a_part, sends_everything])
def test_an_early_answer_of_the_backend_reaches_the_client(gateway, client, closes, fields, sends):
    def early(connection, request):
        next(connection.body(request))
        connection.send(response(422, *(["Connection: close"] if closes else []), body=b"enough"))
        if closes:
            connection.close()
        else:
            connection.wait_for_end()
    path = gateway.backend.on(early, below="/public")
    stream = client.request("POST", path, *fields, end=False)
    answer = sends(client, stream, 5_000_000)
    assert_whole(answer, 422)
    assert answer.body == b"enough"


@pytest.mark.parametrize("target, status", [("/private/a", 401), ("/public/../a", 400), ("/small/a", 413), ("/nothing", 404)])
def test_curl_gets_the_refusal_of_an_upload(gateway, tmp_path, target, status):
    upload = tmp_path / "upload"
    upload.write_bytes(bytes(5_000_000))
    answered = subprocess.run(
        ["curl", "-sS", "--http2", "--path-as-is", "--cacert", gateway.certificate, "-H", f"Origin: {gateway.origin}", "-T", upload,
         "-o", tmp_path / "body", "-w", "%{http_code} %{http_version}\n", gateway.origin + target,
         "--next", "-sS", "--http2", "--cacert", gateway.certificate, "-w", " %{http_code} %{num_connects}", gateway.origin + "/public/others"],
        capture_output=True, text=True)
    assert (answered.returncode, answered.stdout.split()[:2]) == (0, [str(status), "2"]), answered
    assert answered.stdout.split()[2:4] == ["ok", "200"], answered


# What crosses.

def test_a_stream_is_forwarded_with_the_identity_of_its_session(gateway, client, visitor):
    path = gateway.backend.on(OK, below="/private")
    answer = client.ask("POST", path, body=b"some body", cookie=visitor.cookie)
    assert_whole(answer, 200)
    request = gateway.backend.one(path)
    assert_identity(request, visitor)
    assert request.body == b"some body" and request.value("x-forwarded-proto") == "https"


@pytest.mark.parametrize("size", [1000, 8000, 16_000])
def test_a_head_within_the_limit_is_served(gateway, client, size):
    path = gateway.backend.on(OK, below="/public")
    assert_whole(client.ask("GET", path, ("x-own", "a" * size)), 200)
    assert gateway.backend.one(path).value("x-own") == "a" * size


@pytest.mark.parametrize("separator", "!#$%&'*+.^_`|~")
def test_no_spelling_of_a_header_that_we_set_reaches_the_backend_over_http_2(gateway, client, separator):
    names = ["x-auth-subject", "x-auth-session", "x-auth-claims", "x-auth-token", "x-forwarded-for", "x-forwarded-host", "x-original-uri"]
    path = gateway.backend.on(OK, below="/public")
    assert_whole(client.ask("GET", path, *[(name.replace("-", separator), "forged-value") for name in names]), 200)
    assert b"forged-value" not in gateway.backend.one(path).head


# Answers without a body, and answers without an end.

@pytest.mark.parametrize("method, status, lines", [
    ("GET", 204, []), ("GET", 204, ["Content-Length: 0"]), ("GET", 304, []), ("GET", 304, ["Content-Length: 0"]), ("GET", 304, ["Content-Length: 1000"]),
    ("GET", 200, ["Content-Length: 0"]), ("HEAD", 200, ["Content-Length: 1000"]), ("HEAD", 200, ["Transfer-Encoding: chunked"]), ("HEAD", 200, []),
    ("HEAD", 304, ["Content-Length: 1000"]), ("HEAD", 500, ["Content-Length: 1000"]), ("POST", 204, ["Content-Length: 0"]),
])
def test_an_answer_without_a_body_arrives(gateway, tmp_path, method, status, lines):
    """With curl, because the library of the other tests reports a 304 with a length as an error."""
    head = "\r\n".join([f"HTTP/1.1 {status} Status", *lines, "ETag: \"x\"", "", ""]).encode()
    path = gateway.backend.on(lambda connection, request: connection.send(head), below="/public")
    how = ["-I"] if method == "HEAD" else ["-X", method]
    one = ["-sS", "--http2", "--cacert", gateway.certificate, "-H", f"Origin: {gateway.origin}", "-w", "%{http_code} "]
    answered = subprocess.run(
        ["curl", *one, *how, "-D", tmp_path / "head", "-o", tmp_path / "body", gateway.origin + path,
         "--next", *one, "-o", tmp_path / "next", gateway.origin + "/public/others"], capture_output=True, text=True)
    assert (answered.returncode, answered.stdout.split()) == (0, [str(status), "200"]), answered
    assert (tmp_path / "head").read_text().startswith(f"HTTP/2 {status}") and "etag: \"x\"" in (tmp_path / "head").read_text().lower()
    assert (tmp_path / "next").read_bytes() == b"ok"


CHUNKED = "Transfer-Encoding: chunked"
# The header line of the answer, what follows the bytes `hello`, how the connection ends, and whether the answer is whole.
ENDINGS = {
    "no last chunk": (CHUNKED, b"", "close", False), "no last chunk, reset": (CHUNKED, b"", "reset", False), "0": (CHUNKED, b"0", "close", False),
    "0 CR": (CHUNKED, b"0\r", "close", False), "0 CRLF": (CHUNKED, b"0\r\n", "close", False), "0 CRLF, reset": (CHUNKED, b"0\r\n", "reset", False),
    "0 CRLF CR": (CHUNKED, b"0\r\n\r", "close", False), "half a trailer": (CHUNKED, b"0\r\nX: y", "close", False),
    "a trailer without the empty line": (CHUNKED, b"0\r\nX: y\r\n", "close", False), "a size": (CHUNKED, b"5\r\n", "close", False),
    "half a chunk": (CHUNKED, b"5\r\nhal", "close", False), "a chunk without its CRLF": (CHUNKED, b"5\r\nworld", "close", False),
    "a size that is none": (CHUNKED, b"x\r\n", None, False), "less than the length": ("Content-Length: 10", b"hal", "close", False),
    "less than the length, reset": ("Content-Length: 10", b"hal", "reset", False), "until close, reset": ("Connection: close", b"", "reset", False),
    "the end": (CHUNKED, b"0\r\n\r\n", None, True), "the end and a close": (CHUNKED, b"0\r\n\r\n", "close", True),
    "the end with a trailer": (CHUNKED, b"0\r\nX: y\r\n\r\n", None, True), "the length": ("Content-Length: 10", b"world", None, True),
    "until close": ("Connection: close", b"", "close", True),
}


class Broken:
    """A backend that sends the rest of its answer byte for byte, each time when the client has what came before."""

    def __init__(self, line, rest, ending):
        self.line, self.rest, self.ending = line, rest, ending
        self.go = threading.Semaphore(0)

    def __call__(self, connection, request):
        hello = b"5\r\nhello\r\n" if self.line == CHUNKED else b"hello"
        connection.send(f"HTTP/1.1 200 OK\r\n{self.line}\r\n\r\n".encode() + hello)
        assert self.go.acquire(timeout=PATIENCE)
        connection.send(self.rest)
        if self.ending == "close":
            connection.close()
        elif self.ending == "reset":
            connection.reset()


@pytest.mark.parametrize("name", ENDINGS)
def test_a_stream_ends_as_a_whole_answer_only_if_it_is_one(gateway, client, name):
    line, rest, ending, is_whole = ENDINGS[name]
    broken = Broken(line, rest, ending)
    stream = client.request("GET", gateway.backend.on(broken, below="/public"))
    client.until(stream, b"hello")
    broken.go.release()
    answer = client.answer(stream)
    assert (answer.status, answer.ended, answer.reset is None) == (200, is_whole, is_whole), answer
    assert not client.closed, "the other streams go on"


@pytest.mark.parametrize("name", ENDINGS)
def test_an_answer_in_http_1_1_is_whole_only_if_the_backends_is(gateway, name):
    line, rest, ending, is_whole = ENDINGS[name]
    broken = Broken(line, rest, ending)
    with Wire(gateway) as wire:
        wire.request("GET", gateway.backend.on(broken, below="/public"))
        first = wire._until(b"hello")
        broken.go.release()
        if b"transfer-encoding: chunked" in first.lower():
            assert ends_in_chunks(wire) == is_whole
        else:
            assert b"content-length: 10" in first.lower(), first
            assert ends_at_length(wire) == is_whole


def ends_in_chunks(wire):
    """Whether the chunks behind the first data have an end."""
    try:
        wire._until(b"\r\n")
        wire._chunks()
    except Closed:
        return False
    return True


def ends_at_length(wire):
    try:
        wire._exactly(5)
    except Closed:
        return False
    return True


@pytest.mark.parametrize("pieces", [[b"0\r\n", b"\r\n"], [b"0", b"\r\n\r\n"], [b"0\r", b"\n\r\n"], [b"0\r\n\r", b"\n"], [b"0\r\nX: y\r\n", b"\r\n"]])
def test_an_end_in_two_pieces_is_one(gateway, client, pieces):
    go = threading.Semaphore(0)

    def serve(connection, request):
        connection.send(f"HTTP/1.1 200 OK\r\n{CHUNKED}\r\n\r\n".encode() + b"5\r\nhello\r\n" + pieces[0])
        assert go.acquire(timeout=PATIENCE)
        connection.send(pieces[1])
    stream = client.request("GET", gateway.backend.on(serve, below="/public"))
    client.until(stream, b"hello")
    assert_serves(client)
    assert not client.is_over(stream)
    go.release()
    answer = client.answer(stream)
    assert_whole(answer, 200)
    assert answer.body == b"hello"


# Event streams and the end of the process.

def events(start):
    """A backend with an event stream that sends `start` and stays open."""
    def serve(connection, request):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + start)
        connection.wait_for_end()
    return serve


CHUNKS = events(f"{CHUNKED}\r\n\r\nB\r\ndata: one\n\n\r\n".encode())
UNTIL_CLOSE = events(b"Connection: close\r\n\r\ndata: one\n\n")
HALF_A_CHUNK = events(f"{CHUNKED}\r\n\r\n20\r\ndata: one\n\n".encode())


@pytest.mark.parametrize("answer_of_backend, is_whole", [(CHUNKS, True), (UNTIL_CLOSE, True), (HALF_A_CHUNK, None)])
@pytest.mark.parametrize("area", ["/private", "/public"])
def test_an_event_stream_ends_with_its_session_and_no_other_stream(gateway, client, visitor, area, answer_of_backend, is_whole):
    stream = client.request("GET", gateway.backend.on(answer_of_backend, below=area), cookie=visitor.cookie)
    spared = client.request("GET", gateway.backend.on(CHUNKS, below=area), cookie=gateway.visitor().cookie)
    for listening in (stream, spared):
        client.until(listening, b"data: one\n\n")
    visitor.log_out()
    answer = client.answer(stream)
    if is_whole is not None:
        assert (answer.ended, answer.reset) == (True, None), "by END_STREAM, not by a reset: the browser connects again"
    assert not client.is_over(spared)


@pytest.fixture
def stopping(tmp_path):
    gateway = Gateway(tmp_path / "data", ROUTES, **secured(tmp_path))
    yield gateway
    if gateway.is_alive():
        gateway.kill()
    gateway.backend.stop()


def idle(client, gateway, visitor):
    assert_serves(client)


def no_stream_yet(client, gateway, visitor):
    assert select.select([client.socket], [], [], PATIENCE)[0], "the server's SETTINGS"


def event_stream(client, gateway, visitor):
    client.until(client.request("GET", gateway.backend.on(CHUNKS, below="/private"), cookie=visitor.cookie), b"data: one\n\n")


def half_an_upload(client, gateway, visitor):
    path = gateway.backend.on(OK, below="/public")
    client.send(client.request("POST", path, end=False), b"half")
    gateway.backend.wait_for(path)


def no_answer(client, gateway, visitor):
    path = gateway.backend.on(lambda connection, request: connection.wait_for_end(), below="/public")
    client.request("GET", path)
    gateway.backend.wait_for(path)


@pytest.mark.parametrize("acknowledges", [True, False])
@pytest.mark.parametrize("state", [idle, no_stream_yet, event_stream, half_an_upload, no_answer])
def test_at_sigterm_no_client_of_http_2_holds_the_process(stopping, state, acknowledges):
    visitor = stopping.visitor()
    with HTTP2(stopping, acknowledges) as client:
        state(client, stopping, visitor)
        began = time.monotonic()
        stopping.terminate()
        if acknowledges:
            while not client.closed:
                client._read()
        assert stopping.process.wait(PATIENCE) == 0
        assert time.monotonic() - began < 10 + SLACK


# Descriptors.

def test_the_requests_of_one_connection_leave_descriptors_for_others(tmp_path):
    gateway = Gateway(tmp_path / "data", ROUTES, wrapper=["prlimit", "--nofile=160:160", "--"], **secured(tmp_path))
    path = gateway.backend.on(lambda connection, request: connection.wait_for_end(), below="/public")
    with HTTP2(gateway) as client:
        streams = [client.request("GET", path) for _ in range(97)]
        refused = set()
        while len(refused) < len(streams) - 24:
            client._read()
            refused = {stream for stream in streams if client.is_over(stream)}
        assert {(client.answers[stream].status, code(client.answers[stream])) for stream in refused} == {(503, "unavailable")}
        with Wire(gateway) as wire:
            assert wire.ask("GET", path).status == 503, "no backend connection is left, but one to the browser is"
            assert wire.ask("GET", "/healthz").status == 200, "and those to our own endpoints"
        for stream in set(streams) - refused:
            client.reset(stream)
        path = gateway.backend.on(OK, below="/public")
        wait_until(lambda: client.ask("GET", path).status == 200)
    assert gateway.stop() == 0


# Handshakes of TLS.

def hello(gateway):
    """The first flight of a client, and the socket that it belongs to."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    handshake = gateway.tls("h2", "http/1.1").wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with pytest.raises(ssl.SSLWantReadError):
        handshake.do_handshake()
    return outgoing.read()


def test_a_handshake_without_an_end_is_ended(gateway):
    """An idle connection may stay for 60 s, a handshake for 10 s; they are told apart at 45 s, on a slow machine as well."""
    flight = hello(gateway)
    connections = []
    for data in (b"", flight[:1], flight[:5], flight[:-1], flight):
        connection = socket.create_connection(("127.0.0.1", gateway.port), PATIENCE)
        connection.sendall(data)
        connections.append(connection)
    ended, waiting, end = [], list(connections), time.monotonic() + 45
    while waiting and time.monotonic() < end:
        for connection in select.select(waiting, [], [], 1)[0]:
            if not received(connection):
                waiting.remove(connection)
                ended.append(connection)
    assert len(ended) == 5, [connections.index(connection) for connection in waiting]
    for connection in connections:
        connection.close()
    with HTTP2(gateway) as client:
        assert_serves(client)


def received(connection):
    try:
        return connection.recv(1 << 16)
    except ConnectionError:
        return b""
