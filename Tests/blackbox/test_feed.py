"""The feed of revocations: where a reader goes on, what it does after a rollback, and which scopes reach which reader."""
import contextlib
import datetime
import itertools
import pathlib
import shutil
import time

import pytest

from backend import Backend, Stream
from browser import Client, tokens
from gateway import Gateway, Visitor
from kit_app import KitApp
from server import run, wait_until
from test_gateway_streams import Chat, Socket

numbers = itertools.count()
READERS = ["check", "stream", "python", "node", "websocket"]


def log_in(backend, subject=None):
    """A browser with a new session. It keeps its first token: the cookie is gone after a logout."""
    client = backend.log_in(subject or f"user{next(numbers)}")
    client.token = tokens(client.cookie)[0]
    return client


def end(backend, *clients):
    for client in clients:
        assert backend.send("DELETE", f"/service/sessions/{client.session}").status == 204


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """A server whose feed has three entries, and the id of the last one."""
    from server import Server
    server = Server(tmp_path_factory.mktemp("history") / "data")
    backend = Backend(server)
    clients = [log_in(backend) for _ in range(3)]
    end(backend, *clients)
    stream = backend.stream()
    assert [data["session"] for _, data in stream.until_current()] == [client.session for client in clients]
    stream.close()
    yield backend, [client.session for client in clients], stream.last
    assert server.stop() == 0


def test_the_id_of_the_last_event_goes_on_after_it(history):
    backend, _, last = history
    stream = backend.stream(last)
    assert stream.until_current() == []
    stream.close()


MALFORMED = [
    "-{}", "+{}", "0{}", " -{}", "{},{}", "{}-", "-", "x", "1", "1-", "-1", "-1-3", "1--3", "1-3", "1-+3", "1-03", "1-99999999999999999999",
    "99999999999999999999-1", "2-3", "1-3/x", "1-4/x", "{}x", "1-0x", "null", "\u00e9", "1-0/"]


@pytest.mark.parametrize("text", MALFORMED)
def test_an_id_that_no_stream_has_given_starts_again_and_says_so(history, text):
    backend, sessions, last = history
    stream = backend.stream(text.format(last, last))
    events = stream.until_current()
    stream.close()
    assert events[0] == ("reset", {})
    assert [data["session"] for name, data in events[1:]] == sessions
    assert stream.last == last


def test_news_come_several_times_a_second_and_say_how_old_they_are(history):
    backend, _, last = history
    asked = time.monotonic()
    stream = backend.stream(last)
    for _ in range(5):
        name, data = stream.next(current=True)
        assert name == "current" and 0 <= data["age"] < 20 and 0 <= data["elapsed"] <= time.monotonic() - asked
        assert stream.next(comments=True) == ("live", None)
    stream.close()


@pytest.fixture
def rolled_back(start, tmp_path):
    """Puts a copy of the database of an earlier time in place of the current one, by hand."""
    def files(server):
        return [path for path in pathlib.Path(server.directory).iterdir() if path.name.startswith("cloakroom.sqlite")]

    def save(server):
        (tmp_path / "copy").mkdir()
        for path in files(server):
            shutil.copy(path, tmp_path / "copy")

    def put_back(server):
        for path in files(server):
            path.unlink()
        for path in (tmp_path / "copy").iterdir():
            shutil.copy(path, server.directory)

    return save, put_back


@pytest.mark.parametrize("later", [0, 2, 4], ids=["fewer", "as many", "more"])
@pytest.mark.parametrize("kit", ["python", "node"])
def test_a_database_that_was_rolled_back_by_hand_hides_no_revocation(start, rolled_back, tmp_path, kit, later):
    """The positions after the copy are given out again."""
    from backends import free_port
    save, put_back = rolled_back
    server = start(port=str(free_port()), privateListen=f"127.0.0.1:{free_port()}")
    backend = Backend(server)
    app = KitApp(kit, tmp_path / "app", server)
    try:
        first, *lost = (log_in(backend) for _ in range(3))
        others = [log_in(backend) for _ in range(5)]
        end(backend, first)
        server.stop()
        save(server)
        server.start()
        end(backend, *lost)
        assert [app.wait_for(client.token, 401) for client in (first, *lost)] == ["session_revoked"] * 3
        stream = backend.stream()
        stream.until_current()
        stream.close()
        server.kill()
        put_back(server)
        fresh, kept = others[:later], others[-1]
        for client in fresh:
            assert run("sessions", "revoke", client.session, "--data-dir", server.directory).returncode == 0
        server.start()
        after = Stream(backend, stream.last)
        events = after.until_current()
        after.close()
        assert events[0] == ("reset", {})
        assert [data["session"] for _, data in events[1:]] == [client.session for client in (first, *fresh)]
        for client in fresh:
            assert app.wait_for(client.token, 401) == "session_revoked"
        wait_until(lambda: app.ask(kept.token)[0] == 200)
        assert [app.ask(client.token)[0] for client in (first, *lost)] == [401] * 3, "what the kit knows stays refused"
    finally:
        app.stop()


# Every scope of a revocation, at every reader.

def end_one(backend, ended, kept):
    end(backend, ended)


def end_all_of_a_subject_but_one(backend, ended, kept):
    assert backend.send("DELETE", f"/service/subjects/{ended.subject}/sessions?except={kept.session}").status == 204


def end_all_from_before_a_time(backend, ended, kept):
    directory = backend.server.directory
    assert run("sessions", "revoke", "--created-before", kept.begins, "--data-dir", directory).returncode == 0


SCOPES = [end_one, end_all_of_a_subject_but_one, end_all_from_before_a_time]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    gateway = Gateway(tmp_path_factory.mktemp("gateway") / "data", [{"path": "/*", "access": "session"}])
    gateway.service = Backend(gateway)
    yield gateway
    assert gateway.stop() == 0


@contextlib.contextmanager
def reader(kind, gateway, directory):
    """Yields a function that returns, for a client, another one that says whether the client's session is refused."""
    backend = gateway.service
    with contextlib.ExitStack() as stack:
        if kind == "check":
            yield lambda client: lambda: Client(gateway, client.cookie).check().status == 401
        elif kind in ("python", "node"):
            app = KitApp(kind, directory, gateway)
            stack.callback(app.stop)
            wait_until(lambda: app.state()["ready"])
            yield lambda client: lambda: app.ask(client.token) == (401, "session_revoked")
        elif kind == "stream":
            stream = backend.stream()
            stack.callback(stream.close)
            seen = set()
            yield lambda client: lambda: (
                seen.update(data["session"] for name, data in stream.until_current() if name == "revoked") or client.session in seen)
        else:
            yield lambda client: watch(gateway, client)


def watch(gateway, client):
    """Opens a WebSocket of the client."""
    chat = Chat(gateway.backend)
    socket = Socket(Visitor(gateway, client), chat.path)
    assert socket.handshake.status == 101
    closed = []

    def is_closed():
        if chat.ended.wait(0.05) and not closed:
            frame = socket.read_close()
            closed.append(frame.payload[2:].decode())
        return closed == ["session_revoked"]

    return is_closed


@pytest.mark.parametrize("scope", SCOPES, ids=lambda scope: scope.__name__)
@pytest.mark.parametrize("kind", READERS)
def test_each_scope_of_a_revocation_reaches_each_reader_and_no_other_session(gateway, tmp_path, kind, scope):
    backend = gateway.service
    subject = f"user{next(numbers)}"
    ended = log_in(backend, subject)
    begins = datetime.datetime.now(datetime.UTC).isoformat()
    time.sleep(0.01)
    kept = log_in(backend, subject)
    ended.subject, kept.begins = subject, begins
    with reader(kind, gateway, tmp_path / "app") as prepare:
        is_refused, is_kept_refused = prepare(ended), prepare(kept)
        assert not is_refused() and not is_kept_refused()
        scope(backend, ended, kept)
        wait_until(is_refused)
        assert not is_kept_refused()
