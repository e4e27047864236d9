"""The kits for Python and Node in small apps: one table of tests for both. test_backends.py sends them forged tokens."""
import asyncio
import datetime
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

from backend import Backend
from backends import KITS, free_port
from browser import PASSWORD, Client, part, tokens
from kit_app import LIVE, FakeListener, KitApp, event, private_address
from server import ROOT, Server, run, wait_until

numbers = itertools.count()


@pytest.fixture(params=["python", "node"])
def kit(request):
    return request.param


@pytest.fixture
def start_app(kit, tmp_path):
    apps = []

    def start(server, *arguments, **options):
        apps.append(KitApp(kit, tmp_path / f"app{len(apps)}", server, *arguments, **options))
        return apps[-1]

    yield start
    for app in apps:
        app.stop()


@pytest.fixture
def listen():
    """Starts private listeners of the test."""
    listeners = []

    def start(respond):
        listeners.append(FakeListener(respond))
        return listeners[-1]

    yield start
    for listener in listeners:
        listener.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """For the tests that do not stop it."""
    server = Server(tmp_path_factory.mktemp("issuer") / "data", claims="roles")
    yield server
    assert server.stop() == 0


def backend_of(server):
    """One for each server, because its key is made by a command."""
    server.backend = getattr(server, "backend", None) or Backend(server)
    return server.backend


def log_in(server, subject=None):
    """A browser with a new session. It keeps its first token: the cookie is gone after a logout."""
    client = backend_of(server).log_in(subject or f"user{next(numbers)}")
    client.token = tokens(client.cookie)[0]
    return client


def live(connection, beats=threading.Event()):
    """News, until the app closes the connection."""
    while True:
        connection.sendall(LIVE)
        beats.wait(0.25)


def test_a_revoked_session_is_refused_while_its_token_is_still_good(server, start_app):
    app = start_app(server)
    revoked, other = log_in(server), log_in(server)
    token = revoked.token
    claims = app.wait_for(token, 200)
    assert claims["sid"] == revoked.session
    assert app.state()["ready"]
    assert revoked.post("/auth/logout").status == 204
    assert app.wait_for(token, 401) == "session_revoked"
    assert app.ask(other.token)[0] == 200
    assert app.ask() == (401, "session_missing") and app.ask(token[:-10] + "A" * 10) == (401, "token_invalid")


def test_the_stream_comes_over_a_unix_socket(start, start_app, tmp_path):
    server = start(privateListen=f"unix:{tmp_path}/s")
    client, app = Client(server), start_app(server)
    assert client.post("/auth/signup", {"email": "ann@example.com", "password": PASSWORD}).status == 201
    token = tokens(client.cookie)[0]
    app.wait_for(token, 200)
    assert client.post("/auth/logout").status == 204
    assert app.wait_for(token, 401) == "session_revoked"


def test_of_a_subject_all_sessions_but_one_are_refused(server, start_app):
    app = start_app(server)
    kept, *ended = (log_in(server, "1") for _ in range(4))
    other = log_in(server)
    app.wait_for(kept.token, 200)
    assert backend_of(server).send("DELETE", f"/service/subjects/1/sessions?except={kept.session}").status == 204
    assert [app.wait_for(client.token, 401) for client in ended] == ["session_revoked"] * 3
    assert [app.ask(client.token)[0] for client in (kept, other)] == [200, 200]


def test_all_sessions_from_before_a_time_are_refused(server, start_app):
    app = start_app(server)
    ended = [log_in(server) for _ in range(2)]
    app.wait_for(ended[0].token, 200)
    now = datetime.datetime.now(datetime.UTC).isoformat()
    time.sleep(0.01)
    kept = log_in(server)
    assert run("sessions", "revoke", "--created-before", now, "--data-dir", server.directory).returncode == 0
    assert [app.wait_for(client.token, 401) for client in ended] == ["session_revoked"] * 2
    assert app.ask(kept.token)[0] == 200


def test_a_token_from_before_a_change_of_claims_counts_as_expired(server, start_app):
    app = start_app(server)
    client, other = log_in(server, "editor"), log_in(server)
    app.wait_for(client.token, 200)
    assert backend_of(server).set_claims({"roles": ["admin"]}, "editor", effect="now").status == 204
    assert app.wait_for(client.token, 401) == "token_expired"
    assert app.ask(other.token)[0] == 200
    time.sleep(1.01)     # whole seconds in a token are compared with the exact time of the change
    assert app.wait_for(log_in(server, "editor").token, 200)["roles"] == ["admin"]


def test_a_new_key_is_accepted_at_the_end_of_the_cooldown_at_the_latest(server, start_app):
    app = start_app(server)
    old = log_in(server).token
    app.wait_for(old, 200)
    assert run("keys", "rotate", "--now", "--data-dir", server.directory).returncode == 0
    new = wait_until(lambda: (token := log_in(server).token) and part(token, 0)["kid"] != part(old, 0)["kid"] and token)
    app.wait_for(new, 200)
    assert app.ask(old)[0] == 200


@pytest.mark.parametrize("algorithm", ["Ed25519", "RS256"])
def test_tokens_of_each_algorithm_are_accepted_where_the_app_names_it(start, start_app, algorithm):
    server = start(signingAlgorithm=algorithm)
    token = log_in(server).token
    start_app(server, algorithms=["ES256", algorithm]).wait_for(token, 200)
    assert start_app(server, algorithms=["ES256"]).wait_for(token, 401) == "token_invalid"


def test_without_news_of_revocations_requests_are_refused(start, start_app):
    server = start()
    app = start_app(server, stale_after=2)
    token = log_in(server).token
    app.wait_for(token, 200)
    server.kill()
    assert app.wait_for(token, 503) == "unavailable"
    assert not app.state()["ready"]
    status, headers, _ = app.get("/notes", {"Authorization": f"Bearer {token}"})
    assert (status, headers["Retry-After"], headers["WWW-Authenticate"]) == (503, "1", None)


def test_an_app_can_trust_tokens_when_stale_but_no_session_that_it_knows_to_be_revoked(start, start_app):
    server = start()
    app = start_app(server, stale_after=2, insecure_trusts_tokens_when_stale=True)
    good, revoked = log_in(server), log_in(server)
    app.wait_for(good.token, 200)
    assert revoked.post("/auth/logout").status == 204
    app.wait_for(revoked.token, 401)
    server.kill()
    wait_until(lambda: not app.state()["ready"])
    assert app.ask(good.token)[0] == 200
    assert app.ask(revoked.token) == (401, "session_revoked")


def test_without_the_stream_a_token_is_good_until_it_expires_and_the_issuer_may_be_away(start, start_app):
    server = start()
    app = start_app(server, None)
    client = log_in(server)
    app.wait_for(client.token, 200)
    assert client.post("/auth/logout").status == 204
    server.kill()
    assert app.state()["ready"] and app.ask(client.token)[0] == 200


def test_after_a_restart_of_the_server_no_revocation_is_missing(start, start_app):
    """One session ends before the restart, one while the server is away, one after it."""
    server = start(privateListen=f"127.0.0.1:{free_port()}", port=str(free_port()))
    app = start_app(server)
    before, meanwhile, after, kept = (log_in(server) for _ in range(4))
    app.wait_for(kept.token, 200)
    assert before.post("/auth/logout").status == 204
    app.wait_for(before.token, 401)
    server.kill()
    assert run("sessions", "revoke", meanwhile.session, "--data-dir", server.directory).returncode == 0
    server.start()
    assert app.wait_for(meanwhile.token, 401) == "session_revoked"
    assert after.post("/auth/logout").status == 204
    assert app.wait_for(after.token, 401) == "session_revoked"
    assert app.ask(before.token) == (401, "session_revoked") and app.ask(kept.token)[0] == 200


def test_a_removed_service_key_ends_the_stream(server, start_app):
    app = start_app(server, stale_after=2)
    token = log_in(server).token
    app.wait_for(token, 200)
    assert run("credentials", "remove", app.credential, "--data-dir", server.directory).returncode == 0
    assert app.wait_for(token, 503) == "unavailable"
    assert "the status is 401" in app.text()


def test_a_broken_stream_goes_on_after_the_last_entry_that_was_read(server, start_app, listen):
    """The third connection has an entry that cannot be read: it could be a revocation, so it is asked for again."""
    client = log_in(server)
    fault = event("revoked", {"session": 7, "time": time.time()}, "1-12")

    def respond(connection, number):
        connection.sendall(FakeListener.HEAD)
        if number < 3:
            connection.sendall(event("revoked", {"session": "a", "time": time.time()}) + event("stale", {"subject": "b", "time": 1}, f"1-1{number}"))
            connection.close()
        elif number == 3:
            connection.sendall(fault)
            live(connection)
        else:
            connection.sendall(event("revoked", {"session": client.session, "time": time.time()}, "1-12"))
            live(connection)

    listener = listen(respond)
    app = start_app(server, listener.address, constants={"SILENCE": 100})
    assert app.wait_for(client.token, 401) == "session_revoked"
    assert listener.last_event_ids() == ["1-11", "1-12", "1-12"]


def test_a_listener_that_accepts_and_says_nothing_is_asked_again_and_requests_are_refused(server, start_app, listen):
    token = log_in(server).token
    listener = listen(lambda connection, number: None)
    app = start_app(server, listener.address)
    wait_until(lambda: len(listener.heads) > 1)
    assert app.ask(token) == (503, "unavailable") and not app.state()["ready"]


@pytest.mark.parametrize("beginning", [b"", b"event: revoked\n", LIVE], ids=["head", "half an event", "news"])
def test_a_stream_that_falls_silent_is_asked_again_and_requests_are_refused(server, start_app, listen, beginning):
    token = log_in(server).token
    is_silent = threading.Event()

    def respond(connection, number):
        is_silent.wait()
        connection.sendall(FakeListener.HEAD + beginning)

    listener = listen(respond)
    app = start_app(server, listener.address, stale_after=2, constants={"SILENCE": 4, "TIMEOUT": 1000})
    is_silent.set()
    if beginning.startswith(b":"):
        app.wait_for(token, 200)
    assert app.wait_for(token, 503) == "unavailable"
    wait_until(lambda: len(listener.heads) > 1)


def test_a_page_that_is_no_stream_is_refused(server, start_app, listen):
    token = log_in(server).token
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n" + LIVE
    listener = listen(lambda connection, number: connection.sendall(page))
    app = start_app(server, listener.address)
    wait_until(lambda: len(listener.heads) > 1)
    assert app.ask(token) == (503, "unavailable")


def test_entries_that_concern_no_living_token_take_no_memory(start, start_app, listen):
    server = start(accessTokenLifetime=5)
    revoked, subject = log_in(server), "2"
    old = time.time() - 43200
    entries = b"".join(event("revoked", {"session": f"old{number}", "time": old + number / 1000}) for number in range(100_000))
    fresh = event("revoked", {"session": revoked.session, "time": time.time()}) + event("stale", {"subject": subject, "time": time.time()}, "1-1")

    def respond(connection, number):
        connection.sendall(FakeListener.HEAD + entries + fresh)
        live(connection)

    app = start_app(server, listen(respond).address, constants={"MARGIN": 0}, longest_token_lifetime=5)
    wait_until(lambda: app.state()["ready"])
    assert app.state()["count"] == 2
    wait_until(lambda: app.state()["count"] == 0, 120)


def test_many_entries_are_read_and_each_refuses_its_session(server, start_app, listen):
    clients = [log_in(server) for _ in range(3)]
    now = time.time()
    sessions = [client.session for client in clients[:2]]
    names = [sessions[0], *(f"s{number}" for number in range(200_000)), sessions[1]]
    entries = b"".join(event("revoked", {"session": name, "time": now}) for name in names)

    def respond(connection, number):
        connection.sendall(FakeListener.HEAD + entries)
        live(connection)

    app = start_app(server, listen(respond).address)
    wait_until(lambda: app.state()["ready"], 60)
    assert app.state()["count"] == len(names)
    assert [app.ask(client.token)[0] for client in clients] == [401, 401, 200]


def test_a_token_that_outlives_the_memory_of_revocations_is_refused(server, start_app):
    """Otherwise its session would be forgotten before the token expires."""
    app = start_app(server, longest_token_lifetime=200)
    assert app.wait_for(log_in(server).token, 401) == "token_invalid"
    assert "it is valid for longer than" in app.text()


@pytest.mark.parametrize("kit", ["python"], indirect=True)
def test_each_worker_of_gunicorn_follows_the_stream(server, start_app):
    app = start_app(server, command="gunicorn")
    revoked, other = log_in(server), log_in(server)

    def workers(token, status):
        """The two workers, once both give a token this status."""
        seen = app.ask_each(2, token)
        return list(seen.values()) == [status] * 2 and set(seen)

    first = wait_until(lambda: workers(revoked.token, 200), 60)
    assert revoked.post("/auth/logout").status == 204
    assert wait_until(lambda: workers(revoked.token, 401)) == first
    assert wait_until(lambda: workers(other.token, 200)) == first
    for worker in first:
        os.kill(worker, signal.SIGTERM)     # gunicorn forks another one
    assert not first & wait_until(lambda: workers(revoked.token, 401), 60)


def test_the_kit_for_python_can_be_installed(tmp_path):
    """Without its dependencies: they are in the environment of the tests."""
    shutil.copytree(KITS / "python", tmp_path / "kit")
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--target", tmp_path / "site"]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, tmp_path / "kit"], check=True)
    check = "import cloakroom_resource_server as kit; print(kit.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", check], env=os.environ | {"PYTHONPATH": tmp_path / "site"}, capture_output=True, text=True, check=True)
    assert found.stdout.startswith(str(tmp_path / "site"))
    installed = {path.name for path in (tmp_path / "site/cloakroom_resource_server").iterdir()}
    assert installed >= {path.name for path in (KITS / "python/cloakroom_resource_server").iterdir()} - {"__pycache__"}


def test_the_middleware_of_the_page_for_asyncio(server, monkeypatch):
    script = (ROOT / "docs/snippets/kits/credential.sh").read_text().split()
    made = run(*script[1:], "--data-dir", server.directory)
    assert made.returncode == 0, made.stderr
    monkeypatch.setenv("SERVICE_KEY", re.search(r"crk_[\w-]+", made.stdout)[0])
    monkeypatch.syspath_prepend(KITS / "python")
    text = (ROOT / "docs/snippets/kits/asgi.py").read_text()
    for old, new in (("https://app.example.com", "http://localhost"), ("http://127.0.0.1:8080", server.origin), ("http://127.0.0.1:8081", private_address(server))):
        assert old in text
        text = text.replace(old, new)
    module = {}
    exec(text, module)
    wait_until(lambda: module["server"].is_ready)

    async def app(scope, receive, send):
        await send({"type": "passed", "status": scope.get("claims", {}).get("sub")})

    def ask(kind="http", *values):
        sent = []

        async def send(message):
            sent.append(message)

        headers = [(b"host", b"x"), *((b"authorization", value.encode()) for value in values)]
        asyncio.run(module["RequireToken"](app)({"type": kind, "headers": headers}, None, send))
        return sent

    client = log_in(server, "async")
    good = f"Bearer {client.token}"
    assert ask("http", good) == ask("websocket", good) == [{"type": "passed", "status": "async"}]
    assert ask("lifespan") == [{"type": "passed", "status": None}]
    head, body = ask("http", good, good)
    assert (head["status"], json.loads(body["body"])["code"]) == (401, "token_invalid")
    assert (b"www-authenticate", b'Bearer error="invalid_token"') in head["headers"]
    assert client.post("/auth/logout").status == 204
    wait_until(lambda: ask("websocket", good) == [{"type": "websocket.close", "code": 1008, "reason": "session_revoked"}])
    module["server"].close()
