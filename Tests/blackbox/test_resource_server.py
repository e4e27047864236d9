"""Examples/backends/swift: a Hummingbird app that verifies the access tokens of a running Cloakroom."""
import http.client
import itertools
import json
import os
import socket
import subprocess

import pytest

from backend import Backend, add_credential
from browser import PASSWORD, TIMEOUT, Client, part, tokens
from server import ROOT, run, wait_until

EXAMPLE = ROOT / "Examples/backends/swift"


@pytest.fixture(scope="module")
def binary():
    subprocess.run(["swift", "build", "--package-path", EXAMPLE, "--scratch-path", ROOT / ".build"], check=True)
    return ROOT / ".build/debug/ResourceServerExample"


class App:
    """The example as a process. `stream`: whether it follows the revocations."""

    def __init__(self, binary, server, stream):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
        environment = {"PORT": str(self.port), "ISSUER": "http://localhost", "JWKS_URL": f"{server.origin}/.well-known/jwks.json"}
        if stream:
            key = add_credential(server, scope="revocations:read")["key"]
            listener = f"unix:{server.private_socket}" if server.private_socket else f"http://127.0.0.1:{server.private_port}"
            environment |= {"PRIVATE_LISTENER": listener, "SERVICE_KEY": key}
        self.process = subprocess.Popen([binary], env=os.environ | environment, stderr=subprocess.DEVNULL)

    def ask(self, token=None, method="GET"):
        """The status and the code, or the body of a good response. None while the app does not listen."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        try:
            connection.request(method, "/notes", headers={"Authorization": f"Bearer {token}"} if token else {})
            response = connection.getresponse()
            body = response.read()
        except ConnectionRefusedError:
            return None
        finally:
            connection.close()
        found = json.loads(body) if body else {}
        return response.status, found.get("code", found)

    def stop(self):
        self.process.terminate()
        return self.process.wait(20)


@pytest.fixture
def start_app(binary):
    apps = []

    def start(server, stream=True):
        apps.append(App(binary, server, stream))
        return apps[-1]

    yield start
    assert [app.stop() for app in apps] == [0] * len(apps)


def access_token(client):
    return tokens(client.cookie)[0]


def wait_for(app, token, status):
    return wait_until(lambda: (answer := app.ask(token)) and answer[0] == status and answer)


def test_a_revoked_session_is_refused_while_its_token_is_still_good(start, start_app):
    server = start()
    backend, app = Backend(server), start_app(server)
    revoked, other = backend.log_in("1"), backend.log_in("2")
    token = access_token(revoked)
    assert wait_for(app, token, 200) == (200, {"sub": "1", "sid": revoked.session})
    assert app.ask() == (401, "session_missing") and app.ask(token[:-10] + "A" * 10) == (401, "token_invalid")
    assert app.ask(token, "DELETE")[0] == 204
    assert revoked.post("/auth/logout").status == 204
    assert wait_for(app, token, 401) == (401, "session_revoked")
    assert app.ask(access_token(other))[0] == 200


def test_the_stream_comes_over_a_unix_socket(start, start_app, tmp_path):
    server = start(privateListen=f"unix:{tmp_path}/s")
    client, app = Client(server), start_app(server)
    assert client.post("/auth/signup", {"email": "ann@example.com", "password": PASSWORD}).status == 201
    token = access_token(client)
    wait_for(app, token, 200)
    assert client.post("/auth/logout").status == 204
    assert wait_for(app, token, 401) == (401, "session_revoked")


def test_a_token_from_before_a_change_of_claims_counts_as_expired(start, start_app):
    server = start(claims="roles")
    backend, app = Backend(server), start_app(server)
    client = backend.log_in("1")
    wait_for(app, access_token(client), 200)
    assert backend.set_claims({"roles": ["admin"]}, "1", effect="now").status == 204
    assert wait_for(app, access_token(client), 401) == (401, "token_expired")


def test_a_new_key_is_accepted_at_the_end_of_the_cooldown_at_the_latest(start, start_app):
    server = start()
    backend, app = Backend(server), start_app(server)
    old = access_token(backend.log_in("1"))
    wait_for(app, old, 200)
    assert run("keys", "rotate", "--now", "--data-dir", server.directory).returncode == 0
    # Another user each time: the number of logins of one is limited.
    tokens_of_users = (access_token(backend.log_in(f"user-{number}")) for number in itertools.count())
    new = wait_until(lambda: (token := next(tokens_of_users)) and part(token, 0)["kid"] != part(old, 0)["kid"] and token)
    wait_for(app, new, 200)
    assert app.ask(old)[0] == 200


def test_without_news_of_revocations_requests_are_refused(start, start_app):
    server = start()
    app = start_app(server)
    token = access_token(Backend(server).log_in("1"))
    wait_for(app, token, 200)
    server.kill()
    assert wait_for(app, token, 503) == (503, "unavailable")


def test_without_the_stream_a_token_is_good_until_it_expires_and_the_issuer_may_be_away(start, start_app):
    server = start()
    app = start_app(server, stream=False)
    client = Backend(server).log_in("1")
    token = access_token(client)
    wait_for(app, token, 200)
    assert client.post("/auth/logout").status == 204
    server.kill()
    assert app.ask(token)[0] == 200
