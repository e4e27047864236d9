"""Claims of a backend: in access tokens, in the responses of the check, behind the gateway, and as a demand of routes."""
import json

import pytest

from backend import Backend, access_claims
from browser import Client, generation, tokens
from gateway import Gateway, Visitor
from server import Server, wait_until

ROLES = {"roles": ["editor", "é"], "tenant": "acme", "level": 3}


@pytest.fixture(scope="module")
def server():
    server = Server(claims="roles,tenant,level,admin")
    yield server
    assert server.stop() == 0


@pytest.fixture
def backend(server):
    return Backend(server)


@pytest.fixture
def subject(request):
    """A subject that no other test uses."""
    return f"s{abs(hash(request.node.nodeid)) % 10**9}"


def told(client, **options):
    """The claims that a check tells the backend, and the access token that it hands over."""
    answer = client.check(**options)
    assert answer.status == 204, answer
    header = answer.header("x-auth-claims")
    assert header.isascii()
    return json.loads(header)


def test_claims_are_in_the_token_and_in_the_check(backend, subject):
    client = backend.log_in(subject, claims=ROLES)
    assert {name: access_claims(client)[name] for name in ROLES} == ROLES
    assert told(client) == ROLES
    bearer = {"Authorization": f"Bearer {tokens(client.cookie)[0]}"}
    assert told(Client(backend.server), headers=bearer) == ROLES


def test_without_claims_the_check_says_so(backend, subject):
    assert told(backend.log_in(subject)) == {}
    own = Client(backend.server)
    own.sign_up()
    assert own.check().header("x-auth-claims") == "{}"


def test_claims_belong_to_the_subject_not_to_the_session(backend, subject):
    first = backend.log_in(subject, claims=ROLES)
    second = backend.log_in(subject)
    assert told(second) == ROLES
    third = backend.log_in(subject, claims={})
    assert told(third) == {} and told(first) == ROLES, "an access token keeps what it was issued with"


def test_every_kind_of_value_that_is_allowed_comes_back(backend, subject):
    claims = {"roles": ["a", 1, True, 1.5], "tenant": "\u2028\"\\é😀", "level": -1, "admin": False}
    assert told(backend.log_in(subject, claims=claims)) == claims
    assert told(backend.log_in(subject, claims={"roles": None, "admin": True})) == {"admin": True}


@pytest.mark.parametrize("claims, field", [
    ({"sub": "43"}, "claims.sub"), ({"scope": "all"}, "claims.scope"), ({"email": "x"}, "claims.email"), ({"Roles": []}, "claims.Roles"),
    ({"roles": ["a"], "aud": "x"}, "claims.aud"), ({"__proto__": 1}, "claims.__proto__"), ({"roles": {"a": 1}}, "claims.roles"),
    ({"roles": [["a"]]}, "claims.roles"), ({"roles": [{"a": 1}]}, "claims.roles"), ({"roles": [None]}, "claims.roles"),
    ({"roles": ["x"] * 17}, "claims.roles"), ({"tenant": "x" * 129}, "claims.tenant"), ({"roles": ["é" * 65]}, "claims.roles"),
    ({"roles": ["x" * 128] * 4}, "claims"), ([], "claims"), ("roles", "claims"),
])
def test_claims_beyond_the_setting_or_the_limits_are_refused_with_their_name(backend, subject, claims, field):
    for answer in (backend.begin(subject, claims=claims), backend.set_claims(claims, subject)):
        assert (answer.status, answer.code, list(answer.json["errors"])) == (400, "invalid_request", [field]), answer
    assert backend.sessions(subject) == []


def test_the_limits_themselves_are_allowed(backend, subject):
    for claims in ({"roles": ["x"] * 16}, {"tenant": "x" * 128}, {"roles": ["x" * 100] * 4, "tenant": "x" * 70}):
        assert told(backend.log_in(subject, claims=claims)) == claims
    longest = {"roles": ["x" * 128] * 3, "tenant": "x" * 96}
    assert len(json.dumps(longest, separators=(",", ":"))) == 512
    assert told(backend.log_in(subject, claims=longest)) == longest
    assert backend.set_claims({**longest, "tenant": "x" * 97}, subject).status == 400


def test_the_whole_cookie_is_under_2048_bytes_with_the_longest_of_everything(start):
    longest = "x" * 128
    server = start(issuer=longest, audience=longest, claims="roles,tenant", signingAlgorithm="ES256")
    backend = Backend(server, scope="sessions:create,claims:write")
    claims = {"roles": ["x" * 128] * 3, "tenant": "x" * 96}
    answer = backend.begin(
        "s" * 64, claims=claims, remember=True, authentication={"amr": ["a" * 8, "b" * 8, "c" * 8]})
    assert answer.status == 201
    assert len("Set-Cookie: " + answer.json["set_cookie"][0]) < 2048


def test_the_next_renewal_carries_new_claims(start):
    server = start(clock="+0", accessTokenLifetime=300, claims="roles")
    backend = Backend(server)
    client = backend.log_in(claims={"roles": ["reader"]})
    assert backend.set_claims({"roles": ["editor"]}, effect="next").status == 204
    assert told(client) == {"roles": ["reader"]}
    server.move(301)
    assert told(client) == {"roles": ["editor"]}
    assert client.get("/auth/session").json["session"]["id"] == client.session


def test_now_renews_the_next_request_inline_and_ends_no_session(start):
    server = start(claims="roles", clock="+0", reissueDelay=0)
    backend = Backend(server)
    client, idle, other = backend.log_in(), backend.log_in(), backend.log_in("43")
    server.move(2)
    assert backend.set_claims({"roles": ["editor"]}, effect="now").status == 204
    server.move(2)
    answer = client.check()
    assert answer.status == 204 and json.loads(answer.header("x-auth-claims")) == {"roles": ["editor"]}
    assert len(answer.set_cookies) == 1 and answer.header("x-auth-cache-control") == "no-store"
    assert generation(client.cookie) == 1 and access_claims(client)["roles"] == ["editor"]
    again = client.check()
    assert again.status == 204 and not again.set_cookies, "the new token is not stale"
    assert told(idle) == {"roles": ["editor"]} and told(other) == {} and generation(other.cookie) == 0
    assert client.get("/auth/session").json["session"]["id"] == client.session


def test_now_counts_older_bearer_tokens_as_expired(start):
    server = start(claims="roles", clock="+0")
    backend = Backend(server)
    client = backend.log_in()
    bearer = {"Authorization": f"Bearer {tokens(client.cookie)[0]}"}
    server.move(2)
    assert client.check(headers=bearer, cookie=False).status == 204
    backend.set_claims({}, effect="now")
    answer = client.check(headers=bearer, cookie=False)
    assert (answer.status, answer.code) == (401, "token_expired")


def test_now_counts_a_token_of_the_same_second_as_stale_and_still_serves(start):
    server = start(claims="roles", clock="+0")
    backend = Backend(server)
    client = backend.log_in()
    backend.set_claims({"roles": ["editor"]}, effect="now")
    for _ in range(5):
        assert told(client) == {"roles": ["editor"]}


def test_now_is_seen_by_another_process_and_after_a_restart(start, tmp_path):
    server = start(claims="roles", clock="+0")
    backend = Backend(server)
    client = backend.log_in()
    server.move(2)
    neighbour = Server(server.directory, claims="roles")
    try:
        there = Client(neighbour, client.cookie)
        assert told(there) == {}
        backend.set_claims({"roles": ["editor"]}, effect="now")
        wait_until(lambda: told(Client(neighbour, client.cookie)) == {"roles": ["editor"]})
    finally:
        neighbour.stop()
    server.stop()
    server.start()
    assert told(Client(server, client.cookie)) == {"roles": ["editor"]}


@pytest.mark.parametrize("body", [{}, {"claims": None}, {"claims": {}, "effect": "later"}, {"claims": {}, "effect": 1}])
def test_a_change_has_claims_and_one_of_two_effects(backend, subject, body):
    assert backend.send("PUT", f"/service/subjects/{subject}/claims", body).status == 400


def test_a_name_that_is_taken_out_of_the_setting_is_issued_no_more(start):
    server = start(claims="roles,tenant")
    backend = Backend(server)
    backend.log_in(claims={"roles": ["editor"], "tenant": "acme"})
    server.stop()
    server.settings["claims"] = "tenant"
    server.start()
    assert told(backend.log_in()) == {"tenant": "acme"}


def test_a_route_may_demand_claims(backend, subject):
    client = backend.log_in(subject, claims=ROLES | {"admin": True})
    for query, status in [
        ("?claim=roles:editor", 204), ("?claim=roles:admin", 403), ("?claim=roles:edit", 403), ("?claim=tenant:acme", 204),
        ("?claim=tenant:acme&claim=roles:editor", 204), ("?claim=tenant:acme&claim=roles:admin", 403), ("?claim=level:3", 204),
        ("?claim=level:30", 403), ("?claim=admin:true", 204), ("?claim=admin:false", 403), ("?claim=other:x", 403),
        ("?claim=roles:%C3%A9", 204), ("?claim=roles:editor&max_age=60", 204), ("?allow=200&claim=roles:admin", 403),
        ("?claim", 400), ("?claim=", 400), ("?claim=roles", 400), ("?claim=:editor", 400), ("?claim=roles:", 400), ("?claim=sub:x", 400),
    ]:
        answer = client.check(query=query)
        assert answer.status == status, (query, answer)
        if status == 403:
            assert answer.code == "insufficient_claims" and not answer.header("authorization")
    appended = client.send(
        "GET", "/auth/check;claim=roles:editor;claim=tenant:acme/api", private=True, headers={"Host": f"127.0.0.1:{backend.server.port}"})
    assert appended.status == 204
    assert Client(backend.server).check(query="?claim=roles:editor").code == "session_missing"


def test_the_demand_is_met_by_the_renewed_token(start):
    server = start(claims="roles", clock="+0")
    backend = Backend(server)
    client = backend.log_in()
    assert client.check(query="?claim=roles:editor").code == "insufficient_claims"
    server.move(2)
    backend.set_claims({"roles": "editor"}, effect="now")
    server.move(2)
    assert client.check(query="?claim=roles:editor").status == 204


# In front of an app.

@pytest.fixture(scope="module")
def front(tmp_path_factory):
    rules = [
        {"path": "/edit/*", "access": "session", "claims": {"roles": "editor"}},
        {"path": "/both/*", "access": "session", "claims": {"roles": "editor", "tenant": "acme"}},
        {"path": "/open/*", "access": "public"}, {"path": "/*", "access": "session"},
    ]
    front = Gateway(tmp_path_factory.mktemp("claims") / "data", routes=rules, claims="roles,tenant,level", clock="+0", reissueDelay=0)
    yield front
    assert front.stop() == 0


@pytest.mark.parametrize("path", ["/app", "/open/app", "/edit/app", "/both/app"])
def test_the_gateway_tells_the_backend_the_claims(front, path):
    visitor = Visitor(front, Backend(front).log_in("told", claims=ROLES))
    assert visitor.get(path).status == 200
    request = front.backend.requests[-1]
    assert json.loads(request.value("x-auth-claims")) == ROLES and request.value("x-auth-claims").isascii()


@pytest.mark.parametrize("held, allowed", [
    ({}, set()), ({"roles": ["reader"]}, set()), ({"roles": "editor"}, {"/edit/x"}), ({"tenant": "acme"}, set()),
    ({"roles": ["editor"], "tenant": "acme"}, {"/edit/x", "/both/x"}),
])
def test_a_route_of_the_gateway_demands_claims(front, held, allowed):
    visitor = Visitor(front, Backend(front).log_in(f"s{len(str(held))}", claims=held))
    for path in ("/edit/x", "/both/x"):
        answer = visitor.get(path)
        assert answer.status == (200 if path in allowed else 403), path
        assert path in allowed or json.loads(answer.body)["code"] == "insufficient_claims"


def test_the_gateway_renews_stale_tokens_inline_and_judges_the_new_claims(front):
    backend = Backend(front)
    visitor = Visitor(front, backend.log_in("stale"))
    assert visitor.get("/edit/x").status == 403
    front.move(2)
    backend.set_claims({"roles": ["editor"]}, "stale", effect="now")
    front.move(2)
    answer = visitor.get("/edit/x")
    assert answer.status == 200 and answer.header("cache-control") == "no-store"
    assert access_claims(visitor.account)["roles"] == ["editor"], "the renewed cookie came with the answer"
    front.move(2)
    backend.set_claims({}, "stale", effect="now")
    front.move(2)
    assert visitor.get("/edit/x").status == 403 and visitor.get("/app").status == 200
