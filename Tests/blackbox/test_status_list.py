"""The Token Status List (draft-ietf-oauth-status-list-20): which bits it has, when, and what a verifier that polls makes of it."""
import base64
import datetime
import itertools
import time
import zlib

import jwt
import pytest

from backend import Backend, access_claims
from backends import free_port
from browser import PASSWORD, Client, part, tokens
from postgres import cluster  # noqa: F401, a fixture
from server import ROOT, Server, refuse_to_serve, run, wait_until

numbers = itertools.count()
TTL = 2
ENTRIES = 65536


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("status") / "data", statusListTTL=TTL)
    server.service = Backend(server)
    yield server
    assert server.stop() == 0


def log_in(server, subject=None):
    """A browser with a new session. It keeps its first claims: the cookie is gone after a logout."""
    client = server.service.log_in(subject or f"user{next(numbers)}")
    client.claims = access_claims(client)
    client.entry = client.claims["status"]["status_list"]
    return client


def path_of(uri):
    """Without a public URL, a token names the list by the issuer."""
    assert uri.startswith("http://localhost/auth/status-lists/")
    return uri.removeprefix("http://localhost")


def fetch(server, uri):
    """The header and the claims of a list, with its bits in `bits`."""
    before = time.time()
    answer = Client(server).get(path_of(uri))
    assert answer.status == 200, answer
    token = answer.body.decode()
    header = part(token, 0)
    keys = Client(server).get("/.well-known/jwks.json").json["keys"]
    key = jwt.PyJWK(next(key for key in keys if key["kid"] == header["kid"]))
    claims = jwt.decode(token, key, algorithms=["ES256"], leeway=10)
    text = claims["status_list"]["lst"]
    bits = zlib.decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    assert claims["sub"] == uri and claims["iat"] > before - TTL - 1, "it is at most ttl old"
    return header, claims | {"bits": bits}


def bit(claims, entry):
    return claims["bits"][entry["idx"] // 8] >> entry["idx"] % 8 & 1


def status_since(server, client, moment):
    """The bit of a session in a list that says it has every revocation from before the moment."""
    def recent():
        _, claims = fetch(server, client.entry["uri"])
        return claims["iat"] > moment and claims
    return bit(wait_until(recent), client.entry)


PUBLIC_URL = "https://app.example.com"


def poller(server, public_url="http://localhost"):
    """The verifier of the page, for this server."""
    text = (ROOT / "docs/snippets/kits/status_list.py").read_text()
    for old, new in ((PUBLIC_URL, public_url), ("http://127.0.0.1:8080", f"http://127.0.0.1:{server.port}")):
        assert old in text
        text = text.replace(old, new)
    module = {}
    exec(text, module)
    return module["is_revoked"]


def test_a_list_is_a_token_of_the_specification(server):
    client = log_in(server)
    assert set(client.entry) == {"idx", "uri"} and 0 <= client.entry["idx"] < ENTRIES
    header, claims = fetch(server, client.entry["uri"])
    assert header["typ"] == "statuslist+jwt"
    assert set(claims) == {"sub", "iat", "exp", "ttl", "status_list", "bits"}
    assert claims["ttl"] == TTL and claims["exp"] == claims["iat"] + 2 * TTL
    assert set(claims["status_list"]) == {"bits", "lst"} and claims["status_list"]["bits"] == 1
    assert len(claims["bits"]) * 8 == ENTRIES


def test_without_the_setting_tokens_name_no_list_and_there_is_none(shared):
    client = Client(shared)
    client.sign_up()
    assert "status" not in access_claims(client)
    assert client.get("/auth/status-lists/AAAAAAAAAAAA").code == "not_found"


def test_caches_may_keep_a_list_for_thirty_seconds(start):
    server = start(statusListTTL=3600)
    client = Client(server)
    client.sign_up()
    path = path_of(access_claims(client)["status"]["status_list"]["uri"])
    answer = client.get(path)
    assert answer.header("Content-Type") == "application/statuslist+jwt"
    assert answer.header("Cache-Control") == "public, max-age=30"
    tag = answer.header("ETag")
    again = client.get(path, headers={"If-None-Match": tag})
    assert (again.status, again.body, again.header("ETag")) == (304, b"", tag)
    assert client.get(path, headers={"If-None-Match": '"other"'}).body == answer.body
    head = client.send("HEAD", path)
    assert (head.status, head.body, head.header("ETag")) == (200, b"", tag)
    assert client.post("/auth/logout").status == 204
    assert client.get(path).body == answer.body, "it is signed once in that time"


@pytest.mark.parametrize("name", ["A", "A" * 11, "A" * 13, "AAAAAAAAAAA.", "AAAAAA%41AAAAA", "AAAAAA/AAAAA"])
def test_no_other_name_is_one_of_a_list(server, name):
    assert Client(server).get(f"/auth/status-lists/{name}").code == "not_found"


def test_a_list_of_another_name_has_no_bit_of_these_sessions(server):
    client = log_in(server)
    assert client.post("/auth/logout").status == 204
    assert status_since(server, client, time.time()) == 1
    _, claims = fetch(server, "http://localhost/auth/status-lists/AAAAAAAAAAAA")
    assert not any(claims["bits"])


def test_the_lists_are_below_the_public_url(start):
    server = start(publicURL=PUBLIC_URL, statusListTTL=TTL)
    client = Client(server)
    there = {"Host": "app.example.com", "Origin": PUBLIC_URL}
    account = {"email": "ann@example.com", "password": PASSWORD}
    assert client.post("/auth/signup", account, headers=there).status == 201
    claims = access_claims(client)
    assert claims["status"]["status_list"]["uri"].startswith(f"{PUBLIC_URL}/auth/status-lists/")
    is_revoked = poller(server, PUBLIC_URL)
    assert not is_revoked(claims)
    assert client.post("/auth/logout", headers=there).status == 204
    wait_until(lambda: is_revoked(claims))


def test_a_session_keeps_its_entry_and_shares_it_with_no_other(server):
    first, second = log_in(server), log_in(server)
    assert first.entry["uri"] == second.entry["uri"] and first.entry["idx"] != second.entry["idx"]
    start = Client(server, first.cookie)
    assert start.post("/auth/refresh").status == 200
    assert access_claims(start)["status"]["status_list"] == first.entry


def end_one(server, ended, kept):
    assert ended.post("/auth/logout").status == 204


def end_all_of_a_subject_but_one(server, ended, kept):
    assert server.service.send("DELETE", f"/service/subjects/{ended.subject}/sessions?except={kept.session}").status == 204


def block_a_subject(server, ended, kept):
    assert server.service.block(ended.subject).status == 204


def end_all_from_before_a_time(server, ended, kept):
    assert run("sessions", "revoke", "--created-before", kept.begins, "--data-dir", server.directory).returncode == 0


SCOPES = [end_one, end_all_of_a_subject_but_one, block_a_subject, end_all_from_before_a_time]


@pytest.mark.parametrize("scope", SCOPES, ids=lambda scope: scope.__name__)
def test_each_scope_of_a_revocation_sets_the_bits_of_its_sessions_alone(server, scope):
    subject = f"user{next(numbers)}"
    ended = log_in(server, subject)
    begins = datetime.datetime.now(datetime.UTC).isoformat()
    time.sleep(0.01)
    kept = log_in(server, "other" + subject if scope is block_a_subject else subject)
    ended.subject, kept.begins = subject, begins
    is_revoked = poller(server)
    assert not is_revoked(ended.claims) and not is_revoked(kept.claims)
    scope(server, ended, kept)
    moment = time.time()
    assert status_since(server, ended, moment) == 1
    assert status_since(server, kept, moment) == 0
    wait_until(lambda: is_revoked(ended.claims))
    assert not is_revoked(kept.claims)


def test_a_disabled_account_sets_the_bits_of_all_its_sessions(server):
    client, other = Client(server), Client(server)
    client.sign_up(f"user{next(numbers)}@example.com")
    other.sign_up(f"user{next(numbers)}@example.com")
    again = Client(server)
    assert again.log_in(client.email).status == 200
    for browser in (client, again, other):
        browser.claims = access_claims(browser)
        browser.entry = browser.claims["status"]["status_list"]
    disabled = run("users", "disable", client.email, "--data-dir", server.directory)
    assert disabled.returncode == 0, disabled.stderr
    moment = time.time()
    assert [status_since(server, browser, moment) for browser in (client, again, other)] == [1, 1, 0]


def test_after_a_restart_the_lists_have_every_revocation_again(start):
    server = start(port=str(free_port()), statusListTTL=TTL)
    server.service = Backend(server)
    ended, kept, later = log_in(server), log_in(server), log_in(server)
    assert ended.post("/auth/logout").status == 204
    server.kill()
    server.start()
    moment = time.time()
    assert [status_since(server, client, moment) for client in (ended, kept)] == [1, 0]
    assert log_in(server).entry["uri"] != ended.entry["uri"], "another process draws another list"
    assert later.post("/auth/logout").status == 204
    assert status_since(server, later, time.time()) == 1


def test_the_lists_are_signed_with_the_newest_key(start):
    server = start(statusListTTL=TTL)
    server.service = Backend(server)
    client = log_in(server)
    first = fetch(server, client.entry["uri"])[0]["kid"]
    assert server.run("keys", "rotate", "--now").returncode == 0
    wait_until(lambda: fetch(server, client.entry["uri"])[0]["kid"] != first)
    assert client.post("/auth/logout").status == 204
    assert status_since(server, client, time.time()) == 1


def test_a_verifier_goes_on_until_exp_while_cloakroom_is_away(start):
    server = start(port=str(free_port()), config=ROOT / "docs/snippets/kits/status_list.yaml")
    server.service = Backend(server)
    client = log_in(server)
    is_revoked = poller(server)
    assert not is_revoked(client.claims)
    lists = is_revoked.__globals__["lists"]
    server.kill()
    # As after a quarter of a minute: the list is older than ttl, and not than exp.
    known, _ = lists[client.entry["uri"]]
    known["iat"] -= known["ttl"]
    assert not is_revoked(client.claims)
    known["exp"] -= 2 * known["ttl"]
    with pytest.raises(OSError):
        is_revoked(client.claims)
    server.start()
    assert not is_revoked(client.claims)


def test_a_token_of_another_kind_is_no_list(server, monkeypatch):
    client = log_in(server)
    is_revoked = poller(server)
    access = tokens(client.cookie)[0].encode()

    class Response:
        def __enter__(self):
            return self

        def __exit__(self, *arguments):
            pass

        def read(self):
            return access

    is_revoked(client.claims)       # fetches the key set
    lists = is_revoked.__globals__["lists"]
    lists.clear()
    monkeypatch.setattr(is_revoked.__globals__["urllib"].request, "urlopen", lambda *arguments, **options: Response())
    with pytest.raises(jwt.PyJWTError):
        is_revoked(client.claims)


@pytest.mark.parametrize("value", ["1", "3601", "1.5", "on"])
def test_a_wrong_ttl_stops_the_start(tmp_path, value):
    refused = refuse_to_serve(tmp_path / "data", statusListTTL=value)
    assert refused.returncode == 78 and "a number from 2 to 3600, or off" in refused.stderr


def test_two_instances_serve_the_same_bits_and_give_no_entry_twice(cluster, tmp_path):  # noqa: F811
    store = cluster.address(cluster.database())
    servers = [Server(tmp_path / name, store=store, statusListTTL=TTL) for name in ("one", "two")]
    backend = Backend(servers[0])
    for server in servers:
        server.service = Backend(server, backend.key)
    clients = [log_in(server) for server in servers for _ in range(3)]
    assert len({(client.entry["uri"], client.entry["idx"]) for client in clients}) == 6
    assert len({client.entry["uri"] for client in clients}) == 2
    ended = [clients[0], clients[3]]
    for client in ended:
        assert client.post("/auth/logout").status == 204
    moment = time.time()
    for server in servers:
        assert [status_since(server, client, moment) for client in clients] == [int(client in ended) for client in clients]
    for server in servers:
        server.stop()
