"""The service API: a backend keeps its own login, and its users get sessions."""
import concurrent.futures
import urllib.parse

import pytest

from backend import Backend, access_claims, add_credential, cookie_of
from browser import NAME, PASSWORD, Client, claims, generation, tokens
from server import Server, refuse_to_serve, run


@pytest.fixture(scope="module")
def server():
    server = Server(claims="roles,tenant,level")
    yield server
    assert server.stop() == 0


@pytest.fixture
def backend(server):
    return Backend(server)


@pytest.fixture
def subject(request):
    """A subject that no other test uses."""
    return f"s{abs(hash(request.node.nodeid)) % 10**9}"


# Begin a session.

def test_a_backend_begins_a_session_and_relays_its_cookie(backend, subject):
    answer = backend.begin(subject)
    assert answer.status == 201 and answer.header("cache-control") == "no-store" and not answer.set_cookies
    [cookie] = answer.json["set_cookie"]
    name, rest = cookie.split("=", 1)
    value, *attributes = rest.split("; ")
    assert name == NAME and set(attributes) == {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"}
    session = answer.json["session"]
    assert session["amr"] == ["pwd"] and session["acr"] == "1" and session["rotated"] is True
    client = Client(backend.server, value)
    state = client.get("/auth/session").json
    assert state["authenticated"] and state["user"] == {"id": subject} and state["session"]["id"] == session["id"]
    listed = client.protected().json["sessions"]
    assert [(one["user_agent"], one["ip"]) for one in listed] == [("Mozilla/5.0 Firefox/128.0", "203.0.113.7")]
    token = claims(tokens(value)[0])
    assert token["sub"] == subject and token["amr"] == ["pwd"] and token["acr"] == "1" and token["client_id"] == "browser"
    assert client.check().header("x-auth-subject") == subject


def test_remember_sets_an_age(backend, subject):
    assert "Max-Age=2592000" in backend.begin(subject, remember=True).json["set_cookie"][0]


def test_the_session_renews_like_any_other(start):
    server = start(clock="+0", accessTokenLifetime=300)
    backend = Backend(server)
    client = backend.log_in()
    server.move(301)
    assert client.check().status == 204 and generation(client.cookie) == 1
    assert client.get("/auth/session").json["authenticated"] is True


@pytest.mark.parametrize("subject", [
    "", "a b", "ä", "x" * 65, "u_3IoFKEZcMrRj2xhWbX-0Ug", "ann@example.com", "a/b", "a\n", None, 42, ["42"]])
def test_a_subject_is_an_opaque_id(backend, subject):
    answer = backend.begin(subject)
    assert (answer.status, answer.code, list(answer.json["errors"])) == (400, "invalid_request", ["subject"])


@pytest.mark.parametrize("subject", ["42", "x" * 64, "A-Za-z0-9._:-", "shop:42", "-", "u"])
def test_every_permitted_subject_works_in_a_body_and_in_a_path(backend, subject):
    client = backend.log_in(subject)
    for path in (subject, urllib.parse.quote(subject, safe=""), "".join(f"%{ord(letter):02x}" for letter in subject)):
        answer = backend.send("GET", f"/service/subjects/{path}/sessions")
        assert client.session in [one["id"] for one in answer.json["sessions"]], path


@pytest.mark.parametrize("authentication, field", [
    (None, "authentication"), ("pwd", "authentication"), ({}, "authentication.amr"), ({"amr": []}, "authentication.amr"),
    ({"amr": "pwd"}, "authentication.amr"), ({"amr": ["pwd", 1]}, "authentication.amr"), ({"amr": ["a" * 9]}, "authentication.amr"),
    ({"amr": ["Pwd"]}, "authentication.amr"), ({"amr": ["pwd"] * 2}, "authentication.amr"),
    ({"amr": list("abcd")}, "authentication.amr"), ({"amr": ["pwd"], "acr": "9"}, "authentication.acr"),
    ({"amr": ["pwd"], "acr": 1}, "authentication.acr"),
])
def test_an_authentication_has_a_form(backend, subject, authentication, field):
    answer = backend.begin(subject, authentication=authentication)
    assert (answer.status, list(answer.json["errors"])) == (400, [field])


def test_several_faults_are_named_at_once(backend):
    answer = backend.send("POST", "/service/sessions", {"remember": "yes", "claims": []})
    assert set(answer.json["errors"]) == {"subject", "authentication", "remember", "claims", "browser"}


# The request of the browser.

@pytest.mark.parametrize("change, status, code", [
    ({"origin": "https://evil.example"}, 403, "cross_site_request"),
    ({"origin": "null"}, 403, "cross_site_request"),
    ({"origin": "https://evil.example", "sec_fetch_site": None}, 403, "cross_site_request"),
    ({"sec_fetch_site": "cross-site", "origin": None}, 403, "cross_site_request"),
    ({"sec_fetch_site": "same-site", "origin": None}, 403, "cross_site_request"),
    ({"sec_fetch_site": "cross-site"}, 403, "cross_site_request"),
    ({"host": "evil.example"}, 421, "misdirected_request"),
    ({"host": "evil.example", "origin": "http://evil.example"}, 421, "misdirected_request"),
    ({"sec_fetch_site": None}, 201, None),
    ({"origin": None}, 201, None),
    ({"origin": "", "sec_fetch_site": "", "cookie": "", "user_agent": "", "ip": ""}, 201, None),
    ({"method": "GET", "sec_fetch_site": "cross-site", "origin": None}, 201, None),
])
def test_our_origin_rules_decide_about_the_browser(backend, subject, change, status, code):
    answer = backend.begin(subject, backend.browser(**change))
    assert (answer.status, answer.code) == (status, code), answer
    assert len(backend.sessions(subject)) == (status == 201)


def test_a_request_with_our_cookie_and_without_origin_is_refused(backend, subject):
    client = backend.log_in(subject)
    browser = backend.browser(cookie=backend.cookie(client), origin=None, sec_fetch_site=None)
    assert backend.begin(subject, browser).code == "cross_site_request"
    assert client.protected().status == 200


@pytest.mark.parametrize("browser, field", [
    (None, "browser"), ("x", "browser"), ({}, "browser.method"), ({"method": "POST"}, "browser.host"),
    ({"method": "HEAD", "host": "localhost"}, "browser.method"), ({"method": "options", "host": "localhost"}, "browser.method"),
    ({"method": "POST /", "host": "localhost"}, "browser.method"), ({"method": "POST", "host": 1}, "browser.host"),
    ({"method": "POST", "host": "localhost", "ip": "nowhere"}, "browser.ip"),
    ({"method": "POST", "host": "localhost", "ip": "10.0.0.0/8"}, "browser.ip"),
    ({"method": "POST", "host": "localhost", "cookie": "x" * 40000}, "browser.cookie"),
])
def test_the_browser_is_required(backend, subject, browser, field):
    answer = backend.send(
        "POST", "/service/sessions", {"subject": subject, "authentication": {"amr": ["pwd"]}, "browser": browser})
    assert (answer.status, list(answer.json["errors"])) == (400, [field])


def test_the_host_is_that_of_the_public_url(start):
    server = start(publicURL="https://app.example.com", trustedOrigins="https://admin.example.com")
    backend = Backend(server)
    good = {"host": "app.example.com", "origin": "https://app.example.com"}
    for change, status in [
        ({}, 201), ({"host": "APP.example.com"}, 201), ({"host": "app.example.com:443"}, 201), ({"host": "127.0.0.1"}, 421),
        ({"host": "app.example.com:8443"}, 421), ({"host": "admin.example.com"}, 421), ({"host": "app.example.com."}, 421),
        ({"origin": "https://admin.example.com", "sec_fetch_site": "same-site"}, 201), ({"origin": "http://app.example.com"}, 403),
    ]:
        assert backend.begin("42", backend.browser(**(good | change))).status == status, change


def test_the_live_session_in_the_cookie_is_ended(backend, subject):
    old = backend.log_in(f"{subject}.old")
    answer = backend.begin(subject, backend.browser(cookie=backend.cookie(old)))
    assert answer.status == 201 and answer.json["session"]["id"] != old.session
    assert old.protected().code == "session_revoked"


def test_safari_on_localhost_gets_a_cookie_that_it_keeps(backend, subject):
    safari = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15"
    [cookie] = backend.begin(subject, backend.browser(user_agent=safari)).json["set_cookie"]
    assert cookie.startswith("cloakroom-session=") and "Secure" not in cookie


def test_a_subject_gets_twenty_new_sessions_a_minute(start, subject):
    backend = Backend(start(clock="+0", holds_uptime=True))
    answers = [backend.begin(subject) for _ in range(21)]
    assert [answer.status for answer in answers] == [201] * 20 + [429]
    assert answers[-1].code == "rate_limited" and 60 <= int(answers[-1].header("retry-after")) <= 61
    assert backend.begin(f"{subject}.other").status == 201
    backend.server.move(0, 59)
    assert backend.begin(subject).status == 429
    backend.server.move(0, 1)
    assert backend.begin(subject).status == 201


# Who may call.

@pytest.mark.parametrize("headers", [
    {"Origin": "http://127.0.0.1"}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}])
def test_browsers_may_not_call(backend, headers):
    for key in (backend.key, "wrong"):
        answer = backend.send("GET", "/service/events", headers=headers | {"Authorization": f"Bearer {key}"})
        assert (answer.status, answer.code) == (403, "service_only")
    answer = backend.send("POST", "/service/sessions", {}, headers=headers)
    assert (answer.status, answer.code) == (403, "service_only")


@pytest.mark.parametrize("path", [
    "/service", "/service/", "/service/other", "/service/subjects", "/service/subjects/", "/service/subjects//sessions",
    "/service/subjects/a/b/sessions", "/service/sessions/a/b/step-up", "/service/sessions/", "/service/sessions//step-up"])
def test_other_paths_are_not_found(backend, path):
    assert backend.send("GET", path).status == 404


def test_the_public_listener_has_none_of_it(backend):
    for method, path in [
        ("POST", "/service/sessions"), ("GET", "/service/events"), ("GET", "/service/revocations"), ("PUT", "/service/subjects/42"),
        ("DELETE", "/service/sessions/some"), ("PUT", "/service/subjects/42/claims"), ("POST", "/service/sessions/some/step-up"),
    ]:
        answer = Client(backend.server).send(
            method, path, headers={"Authorization": f"Bearer {backend.key}", "Origin": None, "Sec-Fetch-Site": None})
        assert (answer.status, answer.code) == (404, "not_found"), path


def test_methods_and_media_types_are_checked(backend):
    answer = backend.send("GET", "/service/sessions")
    assert answer.status == 405 and answer.header("allow") == "POST"
    answer = backend.send("POST", "/service/sessions", {}, headers={"Content-Type": "text/plain"})
    assert answer.code == "unsupported_media_type"
    assert backend.send("POST", "/service/sessions", {"padding": "x" * 70000}).code == "content_too_large"


# Step-up, end and list.

def test_step_up_raises_the_session_to_a_new_generation(start):
    server = start()
    backend = Backend(server, key=add_credential(server, "--max-acr", "2")["key"])
    client = backend.log_in()
    answer = backend.step_up(client, amr=("otp",), acr="2")
    assert answer.status == 200, answer
    raised = Client(server, cookie_of(answer))
    token = access_claims(raised)
    assert token["amr"] == ["pwd", "otp"] and token["acr"] == "2" and token["sid"] == client.session
    assert generation(raised.cookie) == generation(client.cookie) + 1
    assert raised.check(query="?acr=2&max_age=60").status == 204
    assert client.check(query="?acr=2").code == "insufficient_user_authentication"


def test_a_later_weaker_authentication_does_not_lower_the_level(start):
    server = start(stragglerWindow=0)
    backend = Backend(server, key=add_credential(server, "--max-acr", "2")["key"])
    client = backend.log_in(authentication={"amr": ["pwd", "otp"], "acr": "2"})
    answer = backend.step_up(client, amr=("pwd",), acr="1")
    assert (answer.json["session"]["acr"], set(answer.json["session"]["amr"])) == ("2", {"pwd", "otp"})


def test_step_up_needs_the_cookie_of_this_session(backend, subject):
    client, other = backend.log_in(subject), backend.log_in(f"{subject}.other")
    for cookie in (None, "theme=dark", backend.cookie(other), f"{NAME}=rubbish", backend.cookie(client) + "; " + backend.cookie(other)):
        answer = backend.step_up(client, cookie=cookie)
        assert (answer.status, list(answer.json["errors"])) == (400, ["browser.cookie"]), cookie
    assert backend.step_up(client, session="unknown").status == 400
    assert backend.step_up(client, origin="https://evil.example").code == "cross_site_request"
    assert backend.step_up(client, host="evil.example").code == "misdirected_request"
    assert backend.step_up(client).status == 200


def test_step_up_of_an_ended_session_and_of_an_account_is_refused(backend, subject):
    client = backend.log_in(subject)
    client.post("/auth/logout", {})
    ended = Client(backend.server, backend.log_in(subject).cookie)
    ended.session = access_claims(ended)["sid"]
    backend.send("DELETE", f"/service/sessions/{ended.session}")
    assert backend.step_up(ended).code == "session_revoked"
    own = Client(backend.server)
    own.session = own.sign_up().json["session"]["id"]
    assert backend.step_up(own).code == "service_scope"


def test_ending_is_204_known_or_not_and_seen_within_a_second(backend, subject):
    client = backend.log_in(subject)
    for session in (client.session, client.session, "unknown"):
        assert backend.send("DELETE", f"/service/sessions/{session}").status == 204
    assert client.check().code == "session_revoked" and client.protected().code == "session_revoked"


def test_the_sessions_of_a_subject_are_listed_in_pages_and_ended_but_for_one(backend, subject):
    clients = [backend.log_in(subject) for _ in range(3)]
    page = backend.send("GET", f"/service/subjects/{subject}/sessions?limit=2").json
    rest = backend.send("GET", f"/service/subjects/{subject}/sessions?limit=2&after={page['next']}").json
    listed = [one["id"] for one in page["sessions"] + rest["sessions"]]
    assert sorted(listed) == sorted(client.session for client in clients) and "next" not in rest
    assert backend.send("GET", f"/service/subjects/{subject}/sessions?limit=0").status == 400
    assert backend.send("DELETE", f"/service/subjects/{subject}/sessions?except={clients[1].session}").status == 204
    assert [client.protected().status for client in clients] == [401, 200, 401]
    assert backend.send("DELETE", f"/service/subjects/{subject}/sessions").status == 204
    assert clients[1].protected().code == "session_revoked" and backend.sessions(subject) == []


@pytest.mark.parametrize("path", ["a%20b", "x" * 65, "%C3%A4", "%2F"])
def test_a_malformed_subject_in_a_path_is_named(backend, path):
    answer = backend.send("GET", f"/service/subjects/{path}/sessions")
    assert (answer.status, list(answer.json["errors"])) == (400, ["subject"])


# Blocked subjects.

def test_a_blocked_subject_loses_its_sessions_and_gets_none(backend, subject):
    client = backend.log_in(subject)
    assert backend.block(subject).status == 204
    assert client.check().code == "session_revoked" and client.get("/auth/session").json == {"authenticated": False}
    assert client.refresh().code == "session_revoked"
    answer = backend.begin(subject)
    assert (answer.status, answer.code) == (409, "subject_blocked")
    assert backend.block(subject).status == 204
    assert backend.block(subject, False).status == 204
    assert backend.begin(subject).status == 201
    assert client.protected().code == "session_revoked", "an ended session lives again"


def test_an_account_can_be_blocked_too(backend):
    client = Client(backend.server)
    account = client.sign_up().json["user"]["id"]
    assert backend.block(account).status == 204
    assert client.protected().code == "session_revoked"
    answer = client.log_in()
    assert (answer.status, answer.code) == (409, "subject_blocked") and not answer.set_cookies
    assert client.log_in(password="wrong " + PASSWORD).code == "invalid_credentials"
    assert backend.block(account, False).status == 204
    assert client.log_in().status == 200


def test_a_password_of_the_app_is_not_asked_for_here(backend, subject):
    client = backend.log_in(subject)
    for path, body in [("step-up", {"password": PASSWORD}), ("password", {"current_password": PASSWORD, "new_password": PASSWORD + "!"})]:
        answer = client.post(f"/auth/{path}", body)
        assert (answer.status, answer.code) == (403, "step_up_unavailable"), path
    assert client.protected().status == 200


def test_no_session_of_a_blocked_subject_survives_logins_at_the_same_moment(backend, subject):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        logins = [pool.submit(backend.begin, subject) for _ in range(8)]
        blocked = pool.submit(backend.block, subject)
        logins += [pool.submit(backend.begin, subject) for _ in range(8)]
        answers = [login.result() for login in logins]
    assert blocked.result().status == 204
    assert {answer.status for answer in answers} <= {201, 409} and backend.sessions(subject) == []
    for answer in answers:
        if answer.status == 201:
            assert Client(backend.server, cookie_of(answer)).protected().code == "session_revoked"


@pytest.mark.parametrize("body", [{}, {"blocked": None}, {"blocked": "true"}, {"blocked": 1}])
def test_blocking_is_said_with_a_boolean(backend, subject, body):
    answer = backend.send("PUT", f"/service/subjects/{subject}", body)
    assert (answer.status, list(answer.json["errors"])) == (400, ["blocked"])


# The event stream and the record.

def test_the_stream_has_what_is_revoked_and_goes_on_where_it_broke_off(start):
    server = start(claims="roles")
    backend = Backend(server)
    first, second = backend.log_in(), backend.log_in()
    backend.send("DELETE", f"/service/sessions/{first.session}")
    stream = backend.stream()
    assert stream.response.status == 200 and stream.response.getheader("content-type").startswith("text/event-stream")
    name, data = stream.next()
    assert name == "revoked" and data["session"] == first.session
    backend.set_claims({"roles": ["editor"]}, effect="now")
    name, data = stream.next()
    assert name == "stale" and data["subject"] == "42" and data["time"] >= access_claims(second)["iat"]
    stream.close()
    backend.send("DELETE", f"/service/sessions/{second.session}")
    later = backend.stream(stream.last)
    assert later.next() == ("revoked", {"session": second.session, "time": pytest.approx(data["time"], abs=600)})
    assert later.next(comments=True) == ("live", None)
    later.close()
    assert server.stop() == 0


def test_the_stream_ends_with_its_key_and_with_the_server(start):
    server = start()
    backend, other = Backend(server), Backend(server)
    stream, survivor = backend.stream(), other.stream()
    run("credentials", "remove", backend.key.split("_")[1], "--data-dir", server.directory)
    assert stream.next() is None
    assert survivor.next(comments=True) == ("live", None)
    server.terminate()
    assert survivor.next() is None
    assert server.stop() == 0


def test_the_record_is_read_on_from_a_cursor(start):
    backend = Backend(start())
    backend.log_in("7")
    first = backend.send("GET", "/service/events").json
    assert [event["event"] for event in first["events"]] == ["credential_added", "login", "service_call"]
    login = first["events"][1]
    assert login["subject"] == "7" and login["ip"] == "203.0.113.7" and login["credential"] == backend.key.split("_")[1]
    empty = backend.send("GET", f"/service/events?after={first['next']}").json
    assert empty == {"events": [], "next": first["next"]}
    backend.log_in("8")
    later = backend.send("GET", f"/service/events?after={empty['next']}&limit=1").json
    assert [(event["event"], event["subject"]) for event in later["events"]] == [("login", "8")]


def test_no_key_and_no_token_is_in_the_log(start):
    server = start(logLevel="trace")
    backend = Backend(server)
    client = backend.log_in()
    backend.step_up(client)
    backend.begin("42", backend.browser(origin="https://evil.example"))
    log = server.log()
    assert "evil.example" in log, "the refusal is explained"
    for secret in (backend.key[-43:], *tokens(client.cookie)):
        assert secret not in log


@pytest.mark.parametrize("names", ["sub", "roles,scope", "act", "cnf", "nonce", "gen", "ro les", "rôles", "a" * 65, "https://x/y"])
def test_reserved_and_malformed_claim_names_stop_the_start(tmp_path, names):
    result = refuse_to_serve(tmp_path / "data", claims=names)
    assert result.returncode == 78 and "CLOAKROOM_CLAIMS" in result.stderr and names in result.stderr
