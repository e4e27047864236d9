"""WebSockets and event streams through the gateway: they live as long as the session, and end with it."""
import io
import socket
import threading
import time

import pytest

import websocket
from raw_backend import OK, Gone, response
from browser import NAME, generation
from gateway import STEERED, Gateway, ask, assert_identity, assert_problem, renewed, untouched
from server import wait_until
from websocket import BINARY, CLOSE, CONTINUATION, HANDSHAKE, PING, PONG, TEXT, close_payload, frame
from wire import Wire

ROUTES = [
    {"path": "/public/*", "access": "public"}, {"path": "/short/*", "access": "session", "idleTimeout": 1},
    {"path": "/money/*", "access": "step-up", "maxAge": 300}, {"path": "/*", "access": "session"},
]
PATIENCE = 60
# The time from a logout to the end of a stream that CONTRACT promises, and what a busy machine may add. It is less than the time
# after which the server looks by itself.
SLACK = 20
SOON = 1 + SLACK
TRUSTED = "https://www.example.com"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    gateway = Gateway(tmp_path_factory.mktemp("gateway") / "data", ROUTES, **STEERED, trustedOrigins=TRUSTED)
    yield gateway
    assert gateway.is_alive(), gateway.log()
    assert gateway.stop() == 0


@pytest.fixture
def visitor(gateway):
    return gateway.visitor()


class Chat:
    """A backend that keeps the frames it receives. `script`: what it does after the handshake, instead of the echo."""

    def __init__(self, backend, script=None, below="", lines=()):
        self.frames = []
        self.script = script or self.echo
        self.lines = lines
        self.connection = None
        self.opened, self.ended = threading.Event(), threading.Event()
        self.path = backend.on(self.serve, below)

    def serve(self, connection, request):
        self.connection, self.request = connection, request
        websocket.accept(connection, request, *self.lines)
        self.opened.set()
        try:
            self.script(self)
        except (Gone, OSError):
            pass
        finally:
            connection.close()
            self.ended.set()

    def read(self):
        found = websocket.read(self.connection.exactly)
        self.frames.append(found)
        return found

    def send(self, opcode, payload=b"", **options):
        self.connection.send(frame(opcode, payload, **options))

    @staticmethod
    def echo(chat):
        while True:
            found = chat.read()
            assert found.masked, "frames of a client are masked"
            if found.opcode == PING:
                chat.send(PONG, found.payload)
            elif found.opcode == CLOSE:
                chat.send(CLOSE, found.payload)
                return
            elif found.opcode != PONG:
                chat.send(found.opcode, found.payload, final=found.final, reserved=found.reserved)

    @staticmethod
    def listen(chat):
        while True:
            chat.read()


class Socket(Wire):
    """The browser's end."""

    def __init__(self, visitor, path, *lines, origin=None, cookie=True, behind=b""):
        super().__init__(visitor.gateway)
        own = (f"Origin: {origin or visitor.gateway.origin}",) if origin != "" else ()
        self.send(visitor.head("GET", path, *HANDSHAKE, *own, *lines, cookie=cookie) + behind)
        self.handshake = self.answer()

    def write(self, opcode, payload=b"", **options):
        self.send(frame(opcode, payload, masked=True, **options))

    def read(self):
        return websocket.read(self._exactly)

    def read_close(self):
        """The next close frame; frames of data before it are passed over."""
        while (found := self.read()).opcode != CLOSE:
            pass
        assert not found.masked and found.final
        return found


def opened(visitor, chat, *lines, **options):
    connected = Socket(visitor, chat.path, *lines, **options)
    assert connected.handshake.status == 101, connected.handshake
    assert chat.opened.wait(PATIENCE)
    return connected


# The handshake.

def test_a_websocket_is_opened_with_the_identity_of_the_session(gateway, visitor):
    chat = Chat(gateway.backend, lines=("Sec-WebSocket-Protocol: chat", "Set-Cookie: own=1"))
    with opened(visitor, chat, "Sec-WebSocket-Protocol: chat, other", "Sec-WebSocket-Extensions: permessage-deflate") as connected:
        answer = connected.handshake
        assert answer.header("sec-websocket-accept") == websocket.ACCEPT and answer.header("sec-websocket-protocol") == "chat"
        assert (answer.header("upgrade").lower(), answer.header("connection").lower()) == ("websocket", "upgrade")
        assert answer.set_cookies == ["own=1"]
    request = chat.request
    assert_identity(request, visitor)
    assert (request.value("upgrade").lower(), request.value("connection").lower()) == ("websocket", "upgrade")
    assert request.value("sec-websocket-key") == websocket.KEY and request.value("sec-websocket-protocol") == "chat, other"
    assert request.value("sec-websocket-extensions") == "permessage-deflate" and request.value("cookie") is None
    assert chat.ended.wait(PATIENCE), "the client is gone"


@pytest.mark.parametrize("origin, lines", [
    ("https://evil.example", ()), ("null", ()), ("http://localhost.evil.example", ()), ("", ()), ("http://127.0.0.1:1", ()),
    ("https://evil.example", ("Sec-Fetch-Site: same-origin",)),
    ("", ("Sec-Fetch-Site: cross-site",)),
])
@pytest.mark.parametrize("area", ["", "/public"])
def test_a_websocket_of_another_origin_is_refused(gateway, visitor, area, origin, lines):
    chat = Chat(gateway.backend, below=area)
    with untouched(gateway.backend), Socket(visitor, chat.path, *lines, origin=origin) as connected:
        assert_problem(connected.handshake, 403, "cross_site_request")


def test_a_websocket_of_another_origin_is_refused_however_it_asks(gateway, visitor):
    """A scripted handshake is known by its key as well (`Upgrade` in other letters, in a list, or hidden)."""
    foreign = "Origin: https://evil.example"
    for lines in (
        ("Connection: upgrade", "Upgrade: WebSocket"), ("Connection: keep-alive, Upgrade", "Upgrade: websocket"),
        ("Upgrade: websocket, h2c", "Connection: Upgrade"), ("Connection: Upgrade", "Upgrade: websocket/13"),
        ("Connection: close",),
    ):
        with untouched(gateway.backend):
            answer = ask(gateway, visitor.head("GET", "/a", *lines, "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {websocket.KEY}", foreign))
        assert answer.status == 403, lines


def test_a_websocket_of_a_trusted_origin_is_opened(gateway, visitor):
    chat = Chat(gateway.backend)
    with opened(visitor, chat, origin=TRUSTED) as connected:
        connected.write(TEXT, b"hello")
        assert connected.read().payload == b"hello"


@pytest.mark.parametrize("lines", [("Connection: keep-alive, Upgrade", "Upgrade: WebSocket"), ("connection: UPGRADE", "upgrade: WEBSOCKET")])
def test_a_handshake_in_other_letters_is_opened(gateway, visitor, lines):
    chat = Chat(gateway.backend)
    with Wire(gateway) as wire:
        wire.send(visitor.head("GET", chat.path, *lines, "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {websocket.KEY}", f"Origin: {gateway.origin}"))
        assert wire.answer().status == 101


def test_a_websocket_without_a_session_is_refused(gateway, visitor):
    chat = Chat(gateway.backend)
    with untouched(gateway.backend), Socket(visitor, chat.path, cookie=False) as connected:
        assert_problem(connected.handshake, 401, "session_missing")
        assert_goes_on_or_closes(connected)


def assert_goes_on_or_closes(wire):
    if wire.handshake.closes:
        assert wire.rest() == b""
    else:
        wire.request("GET", "/healthz")
        assert wire.answer().status == 200


def test_a_public_websocket_needs_no_session(gateway, visitor):
    chat = Chat(gateway.backend, below="/public")
    with opened(visitor, chat, cookie=False) as connected:
        connected.write(TEXT, b"hello")
        assert connected.read().payload == b"hello"
    assert "x-auth-subject" not in chat.request.names


@pytest.mark.parametrize("status", [400, 401, 403, 404, 426, 500, 503])
def test_a_handshake_that_the_backend_refuses_gets_its_answer(gateway, visitor, status):
    path = gateway.backend.on(response(status, "Sec-WebSocket-Version: 13", body=b"no"))
    with Socket(visitor, path) as connected:
        assert (connected.handshake.status, connected.handshake.body) == (status, b"no")
        assert_goes_on_or_closes(connected)


def test_a_101_that_has_another_protocol_is_refused(gateway, visitor):
    def other(connection, request):
        connection.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n")
        connection.wait_for_end()
    with Socket(visitor, gateway.backend.on(other)) as connected:
        assert connected.handshake.status == 502


def test_a_101_renews_the_session(gateway, visitor):
    gateway.expire_access_tokens()
    chat = Chat(gateway.backend, lines=("Set-Cookie: own=1",))
    before = visitor.cookie
    with opened(visitor, chat) as connected:
        visitor.take(connected.handshake)
        assert len(renewed(connected.handshake)) == 1 and "own=1" in connected.handshake.set_cookies
        assert generation(visitor.cookie) == generation(before) + 1
        connected.write(TEXT, b"hello")
        assert connected.read().payload == b"hello"
    assert visitor.get("/a").status == 200


# Frames.

@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 1 << 20, 8 << 20])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_frames_of_every_length_pass_both_ways(gateway, visitor, opcode, size):
    chat = Chat(gateway.backend)
    payload = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    with opened(visitor, chat) as connected:
        sending = threading.Thread(target=connected.write, args=(opcode, payload))
        sending.start()
        found = connected.read()
        sending.join()
    assert (found.opcode, found.final, found.masked, found.payload == payload) == (opcode, True, False, True)


def test_fragments_reserved_bits_and_control_frames_between_them_pass(gateway, visitor):
    chat = Chat(gateway.backend)
    with opened(visitor, chat) as connected:
        connected.write(TEXT, b"one", final=False, reserved=4)
        connected.write(PING, b"ping")
        connected.write(CONTINUATION, b"two", final=False)
        connected.write(CONTINUATION, b"three")
        found = [connected.read() for _ in range(4)]
    assert [(item.opcode, item.final, item.reserved, item.payload) for item in found] == [
        (TEXT, False, 4, b"one"), (PONG, True, 0, b"ping"), (CONTINUATION, False, 0, b"two"), (CONTINUATION, True, 0, b"three")]


def test_a_ping_of_the_backend_is_answered_by_the_browser(gateway, visitor):
    got = threading.Event()

    def ping(chat):
        chat.send(PING, b"are you there")
        assert chat.read().opcode == PONG
        got.set()
        chat.listen(chat)
    chat = Chat(gateway.backend, ping)
    with opened(visitor, chat) as connected:
        found = connected.read()
        assert (found.opcode, found.payload) == (PING, b"are you there")
        connected.write(PONG, found.payload)
        assert got.wait(PATIENCE)


def test_frames_that_come_with_the_handshake_are_not_lost(gateway, visitor):
    def greet(connection, request):
        head = f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {websocket.ACCEPT}\r\n\r\n"
        connection.send(head.encode() + frame(TEXT, b"greeting"))
        connection.send(frame(TEXT, websocket.read(connection.exactly).payload))
    path = gateway.backend.on(greet)
    with Socket(visitor, path, behind=frame(TEXT, b"early", masked=True)) as connected:
        assert connected.handshake.status == 101
        assert [connected.read().payload, connected.read().payload] == [b"greeting", b"early"]


@pytest.mark.parametrize("code, reason", [(1000, ""), (1001, "going"), (1008, "no"), (3000, "x" * 100), (4401, "app")])
def test_close_frames_pass_both_ways_with_code_and_reason(gateway, visitor, code, reason):
    chat = Chat(gateway.backend)
    with opened(visitor, chat) as connected:
        connected.write(CLOSE, close_payload(code, reason))
        found = connected.read()
        assert (found.code, found.reason) == (code, reason)
        assert connected.rest() == b""

    def leave(chat):
        chat.send(CLOSE, close_payload(code, reason))
        assert chat.read().opcode == CLOSE
    chat = Chat(gateway.backend, leave)
    with opened(visitor, chat) as connected:
        found = connected.read()
        assert (found.code, found.reason) == (code, reason)
        connected.write(CLOSE, found.payload)
        assert connected.rest() == b""
    assert chat.ended.wait(PATIENCE)


@pytest.mark.parametrize("how", ["close", "reset"])
def test_an_end_that_dies_ends_the_other(gateway, visitor, how):
    chat = Chat(gateway.backend, lambda chat: getattr(chat.connection, how)())
    with opened(visitor, chat) as connected:
        assert connected.rest() == b""
    chat = Chat(gateway.backend, Chat.listen)
    connected = opened(visitor, chat)
    if how == "reset":
        connected.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connected.socket.close()
    assert chat.ended.wait(PATIENCE)


def test_an_idle_websocket_is_ended_by_the_routes_limit_and_a_busy_one_not(gateway, visitor):
    chat = Chat(gateway.backend, below="/short")
    with opened(visitor, chat) as connected:
        for _ in range(8):
            connected.write(TEXT, b"x")
            assert connected.read().payload == b"x"
            time.sleep(0.25)
        began = time.monotonic()
        connected.rest()
        assert time.monotonic() - began < PATIENCE
    assert chat.ended.wait(PATIENCE)


def test_a_client_that_does_not_read_holds_the_backend_back(gateway, visitor):
    sent = [0]
    held = threading.Event()

    def flood(chat):
        chat.connection.socket.settimeout(2)
        data = frame(BINARY, bytes(1 << 20))
        try:
            while sent[0] < 400 << 20:
                chat.connection.send(data)
                sent[0] += len(data)
        except OSError:
            pass
        held.set()
    chat = Chat(gateway.backend, flood)
    with opened(visitor, chat):
        assert held.wait(PATIENCE) and 0 < sent[0] < 200 << 20


# The end of the session.

def by_logout(visitor):
    visitor.log_out()


def by_command(visitor):
    session = visitor.account.get("/auth/session").json["session"]["id"]
    assert visitor.gateway.run("sessions", "revoke", session).returncode == 0


def by_another_browser(visitor):
    assert visitor.another().account.post("/auth/sessions/revoke-others").status == 204


def by_disabling(visitor):
    assert visitor.gateway.run("users", "disable", visitor.account.email).returncode == 0


def by_password(visitor):
    other = visitor.another()
    answer = other.account.post("/auth/password", {"current_password": "correct horse battery", "new_password": "another horse battery"})
    assert answer.status == 204, answer


ENDINGS = [by_logout, by_command, by_another_browser, by_disabling, by_password]


@pytest.mark.parametrize("end", ENDINGS)
def test_a_websocket_is_closed_within_a_second_of_the_sessions_end(gateway, visitor, end):
    other = gateway.visitor()
    chat, spared = Chat(gateway.backend), Chat(gateway.backend)
    with opened(visitor, chat) as connected, opened(other, spared) as bystander:
        connected.write(TEXT, b"hello")
        assert connected.read().payload == b"hello"
        end(visitor)
        began = time.monotonic()
        found = connected.read_close()
        assert time.monotonic() - began < SOON
        assert (found.code, found.reason) == (1008, "session_revoked")
        connected.write(CLOSE, found.payload)
        assert connected.rest() == b""
        assert chat.ended.wait(PATIENCE)
        assert chat.frames[-1].opcode == CLOSE and chat.frames[-1].masked and chat.frames[-1].code == 1001
        bystander.write(TEXT, b"still here")
        assert bystander.read().payload == b"still here", "another session's stays open"
    with untouched(gateway.backend), Socket(visitor, chat.path) as again:
        assert again.handshake.status == 401


def test_a_public_websocket_with_a_session_ends_with_it(gateway, visitor):
    chat = Chat(gateway.backend, below="/public")
    with opened(visitor, chat) as connected:
        visitor.log_out()
        assert connected.read_close().code == 1008


def test_all_websockets_of_a_session_are_closed(gateway, visitor):
    chats = [Chat(gateway.backend) for _ in range(20)]
    sockets = [opened(visitor, chat) for chat in chats]
    visitor.log_out()
    for connected in sockets:
        assert connected.read_close().reason == "session_revoked"
        connected.socket.close()
    assert all(chat.ended.wait(PATIENCE) for chat in chats)


def test_a_client_that_does_not_answer_the_close_is_cut_off(gateway, visitor):
    chat = Chat(gateway.backend, Chat.listen)
    with opened(visitor, chat) as connected:
        visitor.log_out()
        assert connected.read_close().code == 1008
        assert connected.rest() == b"", "no echo, and the connection ends all the same"
    assert chat.ended.wait(PATIENCE)


def test_what_a_browser_sends_after_the_sessions_end_does_not_reach_the_backend(gateway, visitor):
    chat = Chat(gateway.backend, Chat.listen)
    with opened(visitor, chat) as connected:
        visitor.log_out()
        found = connected.read_close()
        connected.write(TEXT, b"too late")
        connected.write(CLOSE, found.payload)
        connected.rest()
    assert chat.ended.wait(PATIENCE)
    assert b"too late" not in [found.payload for found in chat.frames]


def frames_in(data):
    """The frames of which bytes consist, and the bytes of one that is not whole."""
    found, stream = [], io.BytesIO(data)

    def exactly(count):
        taken = stream.read(count)
        if len(taken) < count:
            raise EOFError
        return taken
    while (position := stream.tell()) < len(data):
        try:
            found.append(websocket.read(exactly))
        except EOFError:
            return found, data[position:]
    return found, b""


@pytest.mark.parametrize("rest_comes", [True, False])
@pytest.mark.parametrize("cut", [1, 2, 3, 5, 100, 199])
def test_the_close_frame_never_stands_inside_another_frame(gateway, visitor, cut, rest_comes):
    """A frame of 200 bytes payload stops at a byte. When its rest comes, the close frame follows it; otherwise the connection
    ends without one: inside the frame it would be taken for payload."""
    ended, whole = threading.Event(), frame(TEXT, b"p" * 200)

    def half(chat):
        chat.connection.send(whole[:cut])
        assert ended.wait(PATIENCE)
        if rest_comes:
            chat.connection.send(whole[cut:])
        chat.listen(chat)
    chat = Chat(gateway.backend, half)
    with opened(visitor, chat) as connected:
        data = connected._exactly(cut)
        visitor.log_out()
        wait_until(lambda: visitor.get("/a").status == 401)
        ended.set()
        data += connected.rest()
    if rest_comes and len(data) > cut:
        assert data == whole + frame(CLOSE, close_payload(1008, "session_revoked"))
    else:
        assert data == whole[:cut], "the rest came too late, or never"
    assert chat.ended.wait(PATIENCE)


def test_the_close_frame_stands_between_two_frames_of_a_busy_backend(gateway, visitor):
    payloads = [bytes([number]) * size for number, size in enumerate((0, 1, 125, 126, 5000, 70_000, 3))]

    def flood(chat):
        data = b"".join(frame(BINARY, payload) for payload in payloads) * 3
        while True:
            for start in range(0, len(data), 4099):
                chat.connection.send(data[start:start + 4099])
                time.sleep(0.001)
    chat = Chat(gateway.backend, flood)
    with opened(visitor, chat) as connected:
        data = connected._exactly(4)
        visitor.log_out()
        found, rest = frames_in(data + connected.rest())
    assert rest == b"" and (found[-1].opcode, found[-1].code, found[-1].reason) == (CLOSE, 1008, "session_revoked")
    assert len(found) > 1 and [item.payload for item in found[:-1]] == [payloads[index % len(payloads)] for index in range(len(found) - 1)]
    assert chat.ended.wait(PATIENCE)


def test_the_backends_close_never_stands_inside_a_frame_of_the_browser(gateway, visitor):
    chat = Chat(gateway.backend, lambda chat: chat.connection.wait_for_end())
    whole = frame(TEXT, b"q" * 200, masked=True)
    with opened(visitor, chat) as connected:
        connected.send(whole[:50])
        wait_until(lambda: len(chat.connection.buffer) >= 50)
        visitor.log_out()
        assert connected.read_close().code == 1008
        connected.rest()
    assert chat.ended.wait(PATIENCE)
    assert whole.startswith(chat.connection.buffer[:len(whole)]), "nothing else is inside the frame"


def test_a_websocket_is_kept_when_its_session_is_renewed(gateway, visitor):
    chat = Chat(gateway.backend)
    with opened(visitor, chat) as connected:
        for _ in range(4):
            gateway.expire_access_tokens()
            assert visitor.get("/a").status == 200 and visitor.get("/a").status == 200
            time.sleep(0.5)
            connected.write(TEXT, b"still here")
            assert connected.read().payload == b"still here"
        visitor.log_out()
        assert connected.read_close().code == 1008


# Event streams.

class Events:
    """A backend that sends an event each time `next` is called."""

    def __init__(self, backend, kind="chunked", below=""):
        self.kind = kind
        self.events = []
        self.opened, self.ended = threading.Event(), threading.Event()
        self.path = backend.on(self.serve, below)

    def serve(self, connection, request):
        self.connection, self.request = connection, request
        line = {"chunked": "Transfer-Encoding: chunked", "until close": "Connection: close", "charset": "Transfer-Encoding: chunked"}[self.kind]
        media = "text/event-stream; charset=utf-8" if self.kind == "charset" else "text/event-stream"
        connection.send(f"HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nCache-Control: no-cache\r\n{line}\r\n\r\n".encode())
        self.opened.set()
        connection.wait_for_end()
        self.ended.set()

    def next(self, text):
        data = f"data: {text}\n\n".encode()
        self.connection.send(data if self.kind == "until close" else b"%x\r\n%b\r\n" % (len(data), data))


def listening(visitor, events):
    wire = Wire(visitor.gateway)
    wire.send(visitor.head("GET", events.path, "Accept: text/event-stream"))
    first = wire._until(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 200"), first
    assert events.opened.wait(PATIENCE)
    wire.first = first
    return wire


KINDS = ["chunked", "until close", "charset"]


@pytest.mark.parametrize("kind", KINDS)
def test_events_are_passed_on_one_by_one(gateway, visitor, kind):
    events = Events(gateway.backend, kind)
    with listening(visitor, events) as wire:
        for number in range(10):
            events.next(f"event {number}")
            assert f"data: event {number}\n\n".encode() in wire._until(b"\n\n")
        events.next("x" * 100_000)
        assert len(wire._until(b"\n\n")) >= 100_000
    assert events.ended.wait(PATIENCE), "the client is gone"
    assert_identity(events.request, visitor)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("end", [by_logout, by_command, by_disabling])
def test_an_event_stream_ends_within_a_second_of_the_sessions_end(gateway, visitor, kind, end):
    events, spared = Events(gateway.backend, kind), Events(gateway.backend, kind)
    with listening(visitor, events) as wire, listening(gateway.visitor(), spared) as bystander:
        events.next("one")
        wire._until(b"\n\n")
        end(visitor)
        began = time.monotonic()
        rest = wire.rest()
        assert time.monotonic() - began < SOON
        if b"transfer-encoding: chunked" in wire.first.lower():
            assert rest.endswith(b"0\r\n\r\n"), "the answer ends as an answer ends: the browser asks again, and is refused"
        assert events.ended.wait(PATIENCE)
        spared.next("still here")
        assert b"still here" in bystander._until(b"\n\n")
    with untouched(gateway.backend):
        assert visitor.get(events.path, "Accept: text/event-stream").status == 401


def test_an_event_stream_that_stopped_inside_a_chunk_is_not_completed(gateway, visitor):
    def half(connection, request):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n20\r\ndata: half")
        connection.wait_for_end()
    path = gateway.backend.on(half)
    with Wire(gateway) as wire:
        wire.send(visitor.head("GET", path))
        wire._until(b"data: half")
        visitor.log_out()
        assert wire.rest() in (b"", b"\r\n0\r\n\r\n")
    # The size that was announced is larger than what came, so that no reader takes a final chunk out of it.


def test_an_event_stream_is_kept_when_its_session_is_renewed(gateway, visitor):
    events = Events(gateway.backend)
    with listening(visitor, events) as wire:
        for number in range(3):
            gateway.expire_access_tokens()
            assert visitor.get("/a").status == 200 and visitor.get("/a").status == 200
            time.sleep(0.5)
            events.next(f"still here {number}")
            assert f"still here {number}".encode() in wire._until(b"\n\n")


def test_an_event_stream_that_begins_with_a_renewal_has_the_cookie_in_its_head(gateway, visitor):
    gateway.expire_access_tokens()
    events = Events(gateway.backend)
    with listening(visitor, events) as wire:
        lines = [line for line in wire.first.split(b"\r\n") if line.lower().startswith(b"set-cookie: " + NAME.lower().encode())]
        assert len(lines) == 1 and b"cache-control: no-store" in wire.first.lower() and b"no-cache" not in wire.first.lower()


def test_a_session_that_is_past_its_lifetime_loses_its_streams(tmp_path):
    """No revocation says so: the gateway asks again while a stream lives."""
    gateway = Gateway(tmp_path / "data", ROUTES, **STEERED, absoluteLifetime=20000)
    visitor = gateway.visitor()
    chat, events = Chat(gateway.backend), Events(gateway.backend)
    with opened(visitor, chat) as connected, listening(visitor, events) as wire:
        gateway.move(20001)
        connected.socket.settimeout(120)
        found = connected.read_close()
        assert (found.code, found.reason) == (1008, "session_expired")
        wire.rest()
    assert gateway.stop() == 0


# SIGTERM.

@pytest.fixture
def stopping(tmp_path):
    gateway = Gateway(tmp_path / "data", ROUTES)
    yield gateway
    if gateway.is_alive():
        gateway.kill()
    gateway.backend.stop()


def test_at_sigterm_websockets_are_closed_with_1001_and_the_server_ends(stopping):
    visitor = stopping.visitor()
    chats = [Chat(stopping.backend) for _ in range(3)]
    sockets = [opened(visitor, chat) for chat in chats]
    events = Events(stopping.backend)
    wire = listening(visitor, events)
    stopping.terminate()
    for connected in sockets:
        found = connected.read_close()
        assert found.code == 1001
        connected.write(CLOSE, found.payload)
        assert connected.rest() == b""
    wire.rest()
    assert stopping.process.wait(PATIENCE) == 0
    assert all(chat.ended.wait(PATIENCE) for chat in chats) and events.ended.wait(PATIENCE)


def silent(connection, request):
    connection.wait_for_end()


def nothing_sent(gateway, visitor):
    return Wire(gateway)


def half_a_head(gateway, visitor):
    wire = Wire(gateway)
    wire.send(b"GET /a HTTP/1.1\r\nHost")
    return wire


def half_a_body(gateway, visitor):
    path = gateway.backend.on(OK)
    wire = Wire(gateway)
    wire.send(visitor.head("POST", path, "Content-Length: 10") + b"half")
    gateway.backend.wait_for(path)
    return wire


def no_echo_of_the_close_frame(gateway, visitor):
    return opened(visitor, Chat(gateway.backend, Chat.listen))


def a_backend_that_never_answers(gateway, visitor):
    path = gateway.backend.on(silent)
    wire = Wire(gateway)
    wire.send(visitor.head("GET", path))
    gateway.backend.wait_for(path)
    return wire


def a_response_that_never_ends(gateway, visitor):
    def stop(connection, request):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        connection.wait_for_end()
    wire = Wire(gateway)
    wire.send(visitor.head("GET", gateway.backend.on(stop)))
    wire._until(b"half")
    return wire


@pytest.mark.parametrize("keep_waiting", [
    nothing_sent, half_a_head, half_a_body, no_echo_of_the_close_frame, a_backend_that_never_answers, a_response_that_never_ends])
def test_at_sigterm_the_server_waits_ten_seconds_at_most(stopping, keep_waiting):
    with keep_waiting(stopping, stopping.visitor()) as wire:
        began = time.monotonic()
        stopping.terminate()
        assert stopping.process.wait(PATIENCE) == 0
        assert time.monotonic() - began < 10 + SLACK
        rest = wire.rest()
        assert b"HTTP/1.1 200" not in rest


def test_at_sigterm_requests_in_flight_are_finished(stopping):
    visitor = stopping.visitor()
    go, began = threading.Event(), threading.Semaphore(0)

    def later(connection, request):
        request.body = b"".join(connection.body(request))
        began.release()
        assert go.wait(PATIENCE)
        if "body" in request.target:
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234")
            time.sleep(0.3)
            connection.send(b"56789")
        else:
            connection.send(OK)
    paths = [stopping.backend.on(later), stopping.backend.on(later) + "?body", stopping.backend.on(later)]
    wires = []
    for index, path in enumerate(paths):
        wire = Wire(stopping)
        method = "POST" if index == 2 else "GET"
        wire.send(visitor.head(method, path, *(["Content-Length: 1"] if index == 2 else [])) + (b"x" if index == 2 else b""))
        wires.append(wire)
    for _ in paths:
        assert began.acquire(timeout=PATIENCE)
    stopping.terminate()
    wait_until(lambda: not accepts(stopping))
    go.set()
    answers = [wire.answer() for wire in wires]
    assert [(answer.status, answer.body) for answer in answers] == [(200, b"ok"), (200, b"0123456789"), (200, b"ok")]
    assert all(answer.closes for answer in answers) and all(wire.rest() == b"" for wire in wires)
    assert stopping.process.wait(PATIENCE) == 0


def accepts(server):
    try:
        socket.create_connection(("127.0.0.1", server.port), 5).close()
    except ConnectionRefusedError:
        return False
    return True
