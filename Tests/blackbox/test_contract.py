"""The HTTP contract, from outside."""
import concurrent.futures
import json
import re
import time

import joserfc.jwk
import joserfc.jwt
import jwt
import pytest

from browser import NAME, PASSWORD, Client, claims, part, tokens
from server import Server, run

ISSUER = "http://localhost"
SESSION_KEYS = {"id", "created_at", "auth_time", "amr", "acr", "binding", "expires_in", "session_expires_in", "rotated"}
PATHS = {
    ("POST", "/auth/signup"), ("POST", "/auth/login"), ("POST", "/auth/refresh"), ("POST", "/auth/logout"),
    ("GET", "/auth/session"), ("GET", "/auth/sessions"), ("POST", "/auth/sessions/revoke-others"),
    ("POST", "/auth/step-up"), ("POST", "/auth/password"), ("GET", "/auth/client.js"), ("GET", "/auth/client.d.ts"),
    ("GET", "/auth/openapi.json"), ("GET", "/.well-known/jwks.json"),
    ("GET", "/.well-known/oauth-authorization-server"), ("GET", "/.well-known/openid-configuration"),
    ("GET", "/.well-known/change-password"), ("GET", "/healthz"), ("GET", "/readyz"),
}
PRIVATE_PATHS = {("GET", "/auth/check"), ("GET", "/metrics")}


def assert_problem(answer, status, code):
    assert (answer.status, answer.code) == (status, code), answer
    assert answer.header("content-type") == "application/problem+json"
    assert {"type", "title", "status", "code"} <= answer.json.keys() and answer.json["status"] == status
    assert answer.set_cookies == []
    if status == 401:
        assert answer.header("www-authenticate").startswith("Bearer ")
    if status in (429, 503):
        assert int(answer.header("retry-after")) >= 1


def test_sign_up_and_login_return_the_session_and_set_one_cookie(shared):
    client = Client(shared)
    for answer in (client.sign_up(), client.log_in()):
        body = answer.json
        assert body["authenticated"] is True and body["delivery"] == "cookie"
        assert set(body["user"]) == {"id", "email"} and SESSION_KEYS <= body["session"].keys()
        assert 298 <= body["session"]["expires_in"] <= 300
        assert body["session"]["session_expires_in"] in range(2591990, 2592001)
        assert body["session"]["amr"] == ["pwd"] and body["session"]["binding"] == "none"
        assert "access_token" not in body and "refresh_token" not in body
        assert len(answer.set_cookies) == 1 and answer.header("cache-control") == "no-store"


def test_the_cookie_has_the_attributes_of_the_contract(client):
    text = client.log_in().set_cookies[0]
    value, *attributes = [item.strip() for item in text.split(";")]
    assert value.startswith(f"{NAME}=") and value.count("~") == 1
    assert set(attributes) == {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"}
    assert len("Set-Cookie: " + text) < 2048


def test_remember_me_sets_max_age_to_the_idle_lifetime(client):
    attributes = client.log_in(remember=True).set_cookies[0]
    assert re.search(r"; Max-Age=2592000$|; Max-Age=2592000;", attributes)


def test_every_login_begins_a_new_session(client):
    ids = {client.log_in().json["session"]["id"] for _ in range(3)}
    assert len(ids) == 3


def test_a_login_ends_the_session_of_the_requests_cookie(client):
    old = client.cookie
    client.post("/auth/login", {"email": client.email, "password": PASSWORD})
    assert_problem(client.protected(cookie=old), 401, "session_revoked")


def test_wrong_password_and_unknown_account_get_the_same_response(client):
    wrong = client.log_in(password="not the password")
    unknown = client.log_in(email="nobody@example.com")
    assert_problem(wrong, 401, "invalid_credentials")
    assert wrong.body == unknown.body
    assert {k.lower() for k, _ in wrong.headers} == {k.lower() for k, _ in unknown.headers}


def test_an_address_is_signed_up_once(client):
    again = Client(client.server).post("/auth/signup", {"email": client.email.upper(), "password": PASSWORD})
    assert_problem(again, 409, "account_exists")


def test_sign_up_may_be_closed(start):
    server = start(signup="closed")
    answer = Client(server).post("/auth/signup", {"email": "a@example.com", "password": PASSWORD})
    assert_problem(answer, 404, "not_found")


@pytest.mark.parametrize(
    "fields, wrong",
    [
        ({}, "email"), ({"email": "a@example.com"}, "password"), ({"password": PASSWORD}, "email"),
        ({"email": 7, "password": PASSWORD}, "email"), ({"email": "a@example.com", "password": ["x"]}, "password"),
        ({"email": "not an address", "password": PASSWORD}, "email"),
        ({"email": "a@example.com", "password": "x" * 257}, "password"),
        ({"email": "a" * 300 + "@example.com", "password": PASSWORD}, "email"),
        ({"email": "a@example.com", "password": PASSWORD, "remember": "yes"}, "remember"),
        ({"email": "a@example.com", "password": PASSWORD, "client_id": "nobody"}, "client_id"),
        ({"email": "a@example.com,b@example.com", "password": PASSWORD}, "email"),
    ],
)
@pytest.mark.parametrize("path", ["/auth/login", "/auth/signup"])
def test_wrong_fields_are_named(shared, path, fields, wrong):
    answer = Client(shared).post(path, fields)
    assert_problem(answer, 400, "invalid_request")
    assert wrong in answer.json["errors"]


def test_every_wrong_field_is_named_at_once(shared):
    client = Client(shared)
    missing = {"email": "is missing", "password": "is missing"}
    assert client.post("/auth/login", {}).json["errors"] == missing
    assert client.post("/auth/login", {"remember": 1, "client_id": []}).json["errors"] == missing | {
        "remember": "must be true or false", "client_id": "must be a string of at most 256 bytes"}


@pytest.mark.parametrize("email, password", [
    ("weak@example.com", "short"), ("weak@example.com", "password1"), ("weak@example.com", "12345678"),
    ("weak@example.com", "qwertyuiop"), ("long.enough@example.com", "long.enough@example.com"),
    ("long.enough@example.com", "Long.Enough@Example.com"), ("LONG.enough@example.com", "long.enough@example.com"),
    ("a@example.com", "a@example.com"),
])
def test_bad_passwords_are_refused_at_sign_up(shared, email, password):
    answer = Client(shared).post("/auth/signup", {"email": email, "password": password})
    assert_problem(answer, 400, "invalid_request")
    assert "password" in answer.json["errors"]


@pytest.mark.parametrize("email, password", [
    ("12345678@qq.com", "90817264"), ("51423706@example.com", "60732415"), ("ann@example.com", "annual rainfall in Annecy"),
])
def test_a_password_that_only_resembles_the_address_is_accepted(shared, email, password):
    assert Client(shared).post("/auth/signup", {"email": email, "password": password}).status == 201


def test_session_is_always_200(client):
    assert client.get("/auth/session").json["authenticated"] is True
    for cookie in (False, "rubbish", "a~b", "~"):
        answer = client.get("/auth/session", cookie=cookie)
        assert (answer.status, answer.json) == (200, {"authenticated": False})
        assert answer.set_cookies == []


def test_the_list_of_sessions(client):
    other = client.copy()
    other.log_in(email=client.email)
    sessions = client.get("/auth/sessions", headers={"User-Agent": "x"}).json["sessions"]
    assert len(sessions) == 2
    keys = {"id", "current", "created_at", "last_seen_at", "user_agent", "ip", "amr", "binding"}
    assert all(keys <= session.keys() for session in sessions)
    assert [session["current"] for session in sessions].count(True) == 1
    assert sessions[0]["ip"] == "127.0.0.1"


def test_one_session_is_ended_and_only_ones_own(client):
    other = client.copy()
    id = other.log_in(email=client.email).json["session"]["id"]
    stranger = Client(client.server)
    stranger.sign_up()
    assert_problem(stranger.send("DELETE", f"/auth/sessions/{id}"), 404, "not_found")
    assert client.send("DELETE", f"/auth/sessions/{id}").status == 204
    assert_problem(client.send("DELETE", f"/auth/sessions/{id}"), 404, "not_found")
    assert_problem(other.protected(), 401, "session_revoked")


def test_all_others_are_ended(client):
    others = [client.copy() for _ in range(3)]
    for other in others:
        other.log_in(email=client.email)
    assert client.post("/auth/sessions/revoke-others").status == 204
    assert client.protected().status == 200
    assert {other.protected().code for other in others} == {"session_revoked"}


def test_step_up_gives_a_fresh_auth_time_and_a_new_generation(client):
    before = client.get("/auth/session").json["session"]["auth_time"]
    time.sleep(1.1)
    answer = client.post("/auth/step-up", {"password": PASSWORD})
    assert answer.status == 200 and answer.json["session"]["rotated"] is True
    assert answer.json["session"]["auth_time"] > before
    assert_problem(client.post("/auth/step-up", {"password": "wrong password"}), 401, "invalid_credentials")
    assert_problem(client.post("/auth/step-up", {}), 400, "invalid_request")
    assert_problem(client.post("/auth/step-up", {"password": PASSWORD}, cookie=False), 401, "session_missing")


def test_a_password_change_ends_every_other_session(client):
    other = client.copy()
    other.log_in(email=client.email)
    wrong = {"current_password": "wrong password", "new_password": "another fine phrase"}
    assert_problem(client.post("/auth/password", wrong), 401, "invalid_credentials")
    weak = {"current_password": PASSWORD, "new_password": "password1"}
    assert_problem(client.post("/auth/password", weak), 400, "invalid_request")
    right = {"current_password": PASSWORD, "new_password": "another fine phrase"}
    answer = client.post("/auth/password", right)
    assert answer.status == 204 and len(answer.set_cookies) == 1
    assert client.protected().status == 200
    assert_problem(other.protected(), 401, "session_revoked")
    assert_problem(client.copy().log_in(email=client.email), 401, "invalid_credentials")
    assert client.copy().log_in(email=client.email, password="another fine phrase").status == 200


def test_logout_ends_the_session_and_expires_the_cookie(client):
    saved = client.cookie
    answer = client.post("/auth/logout")
    assert answer.status == 204
    attributes = {item.strip() for item in answer.set_cookies[0].split(";")}
    assert {f"{NAME}=", "Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=0"} == attributes
    assert_problem(client.protected(cookie=saved), 401, "session_revoked")
    assert_problem(client.refresh(cookie=saved), 401, "session_revoked")
    assert_problem(client.get("/auth/sessions", headers={"Authorization": f"Bearer {tokens(saved)[0]}"}), 401, "session_revoked")


@pytest.mark.parametrize("cookie", [False, "rubbish", "a.b.c~d.e.f"])
def test_logout_without_a_session_is_a_logout(shared, cookie):
    answer = Client(shared).post("/auth/logout", cookie=cookie)
    assert answer.status == 204 and len(answer.set_cookies) == 1


def test_a_forged_cookie_ends_no_session(client):
    access, refresh = tokens(client.cookie)
    client.post("/auth/logout", cookie=f"{access}~{refresh[:-4]}AAAA", keep=False)
    assert client.protected().status == 200


def test_other_backends_verify_the_access_token(client):
    access = tokens(client.cookie)[0]
    jwks = client.get("/.well-known/jwks.json").json
    key = jwt.PyJWK(jwks["keys"][0])
    decoded = jwt.decode(access, key, algorithms=["ES256"], issuer=ISSUER, audience=ISSUER)
    expected = {"iss", "sub", "aud", "client_id", "iat", "exp", "jti", "sid", "gen", "auth_time", "acr", "amr"}
    assert expected == decoded.keys() and decoded["exp"] - decoded["iat"] == 300
    assert part(access, 0)["typ"] == "at+jwt" and isinstance(decoded["exp"], int)
    joserfc.jwt.decode(access, joserfc.jwk.KeySet.import_key_set(jwks), algorithms=["ES256"])


@pytest.mark.parametrize("algorithm", ["Ed25519", "RS256"])
def test_other_algorithms_sign_what_other_backends_verify(start, algorithm):
    server = start(signingAlgorithm=algorithm, issuer="https://i.example", audience="api")
    client = Client(server)
    client.sign_up()
    access = tokens(client.cookie)[0]
    key = jwt.PyJWK(client.get("/.well-known/jwks.json").json["keys"][0])
    name = {"Ed25519": "EdDSA"}.get(algorithm, algorithm)
    jwt.decode(access, key, algorithms=[name], issuer="https://i.example", audience="api")
    assert client.protected().status == 200
    assert len("Set-Cookie: " + client.log_in().set_cookies[0]) < 2048


def test_metadata_and_documents(shared):
    client = Client(shared)
    metadata = client.get("/.well-known/oauth-authorization-server").json
    assert metadata["issuer"] == ISSUER and metadata["jwks_uri"].endswith("/.well-known/jwks.json")
    document = client.get("/auth/openapi.json").json
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert document["openapi"].startswith("3.1") and PATHS | PRIVATE_PATHS <= described
    assert client.get("/healthz").status == client.get("/readyz").status == 200


def test_openid_configuration_is_the_same_document(shared):
    client = Client(shared)
    both = [client.get(f"/.well-known/{name}") for name in ("openid-configuration", "oauth-authorization-server")]
    assert both[0].status == 200 and both[0].json == both[1].json


def test_password_managers_are_redirected_to_the_account_page(shared):
    client = Client(shared)
    answer = client.get("/.well-known/change-password")
    assert answer.status == 302 and client.get(answer.header("location")).status == 200


@pytest.mark.parametrize("path", ["/auth/client.js", "/auth/client.d.ts"])
def test_the_browser_client_is_served_with_an_etag(shared, path):
    client = Client(shared)
    answer = client.get(path)
    assert answer.status == 200 and answer.header("cache-control")
    known = client.get(path, headers={"If-None-Match": answer.header("etag")})
    assert known.status == 304 and known.body == b""
    assert client.get(path, headers={"If-None-Match": '"other"'}).status == 200


@pytest.mark.parametrize("method, path", sorted(PATHS))
def test_responses_have_the_security_headers(shared, method, path):
    answer = Client(shared).send(method, path)
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("referrer-policy") and answer.header("content-security-policy")
    assert answer.header("strict-transport-security") is None
    if path.startswith("/auth/") and "client" not in path and "openapi" not in path:
        assert answer.header("cache-control") == "no-store"


@pytest.mark.parametrize("path", sorted({path for _, path in PATHS}))
def test_unknown_methods_are_405_with_the_allowed_ones(shared, path):
    answer = Client(shared).send("PATCH", path)
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.header("allow")


def test_head_is_get_without_a_body(client):
    answer = client.send("HEAD", "/auth/session")
    assert answer.status == 200 and answer.body == b"" and int(answer.header("content-length")) > 0


@pytest.mark.parametrize("path", ["/nothing", "/auth/nothing", "/auth", "/auth/", "//auth/session", "/auth/%73ession", "/auth/./session"])
def test_unknown_paths_are_not_found(shared, path):
    assert_problem(Client(shared).get(path), 404, "not_found")


def test_strict_transport_security_is_sent_with_an_https_public_url(start):
    server = start(publicURL="https://app.example.com")
    answer = Client(server).get("/auth/session")
    assert "max-age=31536000" in answer.header("strict-transport-security")


def test_a_webkit_browser_on_plain_loopback_gets_the_development_cookie(shared):
    agent = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15"}
    client = Client(shared)
    answer = client.post("/auth/signup", {"email": "webkit@example.com", "password": PASSWORD}, headers=agent, keep=False)
    text = answer.set_cookies[0]
    assert text.startswith("cloakroom-session=") and "Secure" not in text and "HttpOnly" in text
    value = text.split(";")[0]
    assert client.get("/auth/sessions", headers=agent | {"Cookie": value}).status == 200
    assert client.get("/auth/sessions", headers={"Cookie": value}).status == 401


def test_delivery_is_the_servers_policy_for_the_client(start):
    server = start(clients="spa=hybrid,app=body,old=body+insecureAllowBrowser")
    client = Client(server)
    client.sign_up()
    hybrid = client.log_in(client_id="spa")
    assert hybrid.json["token_type"] == "Bearer" and "refresh_token" not in hybrid.json
    assert hybrid.cookie.startswith("~")
    bearer = {"Authorization": "Bearer " + hybrid.json["access_token"]}
    assert client.protected(headers=bearer).status == 200
    assert "access_token" in client.refresh().json
    refused = client.log_in(client_id="app")
    assert_problem(refused, 400, "invalid_request")
    native = {"Origin": None, "Sec-Fetch-Site": None}
    login = {"email": client.email, "password": PASSWORD, "client_id": "app"}
    app = client.post("/auth/login", login, headers=native, cookie=False)
    assert app.status == 200 and app.set_cookies == [] and app.json["delivery"] == "body"
    renewed = client.post("/auth/refresh", {"refresh_token": app.json["refresh_token"]}, headers=native, cookie=False)
    assert renewed.status == 200 and renewed.json["refresh_token"] != app.json["refresh_token"]
    from_page = client.post("/auth/refresh", {"refresh_token": app.json["refresh_token"]}, cookie=False)
    assert_problem(from_page, 401, "token_invalid")
    assert client.log_in(client_id="old").json["delivery"] == "body"


def test_no_header_or_field_turns_cookie_delivery_into_body_delivery(client):
    tricks = {"st-auth-mode": "header", "X-Delivery": "body", "Prefer": "delivery=body"}
    fields = {"email": client.email, "password": PASSWORD, "delivery": "body", "response_mode": "body"}
    answer = client.post("/auth/login?delivery=body", fields, headers=tricks)
    assert "eyJ" not in answer.body.decode()


def test_no_response_of_cookie_delivery_has_a_token_in_its_body(client):
    requests = [
        ("POST", "/auth/refresh", None), ("GET", "/auth/session", None), ("GET", "/auth/sessions", None),
        ("POST", "/auth/step-up", {"password": PASSWORD}), ("POST", "/auth/logout", None),
    ]
    for method, path, body in requests:
        answer = client.send(method, path, body)
        assert b"eyJ" not in answer.body
        assert not any("eyJ" in value for name, value in answer.headers if name.lower() != "set-cookie")


def test_too_many_failed_logins_get_429_with_retry_after(start):
    server = start(clock="+0", holds_uptime=True, loginRateLimit=5)
    client = Client(server)
    client.sign_up()
    codes = [client.log_in(password="wrong password").code for _ in range(6)]
    assert codes == ["invalid_credentials"] * 5 + ["rate_limited"]
    assert_problem(client.log_in(), 429, "rate_limited")


def test_a_storm_of_logins_is_served_or_refused_and_does_not_block_other_requests(client):
    with concurrent.futures.ThreadPoolExecutor(150) as pool:
        storm = [pool.submit(client.copy().log_in, email=client.email) for _ in range(150)]
        while not all(future.done() for future in storm):
            assert client.protected().status == 200
    answers = [future.result() for future in storm]
    assert {answer.status for answer in answers} <= {200, 503}
    assert sum(answer.status == 200 for answer in answers) >= 60
    for answer in answers:
        if answer.status == 503:
            assert_problem(answer, 503, "unavailable")


def test_the_log_contains_no_secret(start):
    server = start(logLevel="trace", clock="+0")
    client = Client(server)
    client.sign_up("logged@example.com")
    seen = [client.cookie]
    for _ in range(4):
        server.move(400)
        client.protected()
        client.check()
        seen.append(client.cookie)
    client.log_in(password="my secret guess")
    client.refresh(cookie=seen[0])
    server.stop()
    log = server.log()
    secrets = [PASSWORD, "my secret guess", "logged@example.com"] + [t for cookie in seen for t in tokens(cookie)]
    assert [secret for secret in secrets if secret in log] == []
    assert "refresh_token_reused" in log
    for line in log.splitlines():
        json.loads(line)


@pytest.mark.parametrize("path", ["/auth/step-up", "/auth/password"])
def test_a_browser_gets_no_tokens_of_a_body_client(start, path):
    server = start(clients="app=body")
    client = Client(server)
    client.sign_up()
    login = {"email": client.email, "password": PASSWORD, "client_id": "app"}
    tokens = client.post("/auth/login", login, cookie=False, headers={"Origin": None, "Sec-Fetch-Site": None}).json
    body = {"password": PASSWORD, "current_password": PASSWORD, "new_password": "another fine phrase"}
    answer = client.post(path, body, cookie=False, keep=False, headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert (answer.status, answer.code) == (401, "token_invalid") and b"refresh_token" not in answer.body
    assert client.log_in().status == 200, "nothing has changed"


@pytest.mark.parametrize("path", ["/auth/step-up", "/auth/password"])
def test_a_bearer_and_a_cookie_of_another_session_are_both_refused(start, path):
    server = start(clients="app=body")
    client, other = Client(server), Client(server)
    client.sign_up()
    other.sign_up()
    login = {"email": other.email, "password": PASSWORD, "client_id": "app"}
    bearer = other.post("/auth/login", login, cookie=False, headers={"Origin": None, "Sec-Fetch-Site": None}).json["access_token"]
    body = {"password": PASSWORD, "current_password": PASSWORD, "new_password": "another fine phrase"}
    for text in (bearer, bearer[:-4] + "AAAA"):
        answer = client.post(path, body, keep=False, headers={"Authorization": f"Bearer {text}"})
        assert (answer.status, answer.code, answer.set_cookies) == (401, "token_invalid", [])
