"""Which requests each proxy lets through to the app, and what a browser gets instead."""
import urllib.parse

import jwt
import pytest

from browser import NAME, claims, tokens
from place import HOST, TRUSTED, Browser
from proxy import wait_for
from recording_app import BODY


def login_page(answer):
    """The parameters with which a browser is sent to the login page."""
    assert answer.status == 302, answer
    page, _, query = answer.header("location").partition("?")
    assert page == "/auth/pages/login"
    return urllib.parse.parse_qs(query)


def test_the_app_gets_the_identity_and_its_own_cookies(app, ann):
    answer = ann.get("/notes?a=1&b=%2F")
    assert answer.status == 200 and answer.body == BODY
    assert app.requests[-1].startswith("GET /notes?a=1&b=%2F HTTP/1.1\r\n")
    [authorization] = app.header("authorization")
    access = claims(authorization.removeprefix("Bearer "))
    assert access == claims(tokens(ann.cookie)[0])
    assert app.header("x-auth-subject") == [access["sub"]] and app.header("x-auth-session") == [access["sid"]]
    assert app.header("x-auth-claims") == ["{}"]
    assert app.header("cookie") == ["theme=dark; lang=en"] and app.header("host") == [HOST]
    assert app.header("x-forwarded-proto") == ["https"] and app.header("x-forwarded-for") == ["127.0.0.1"]
    assert app.header("x-forwarded-host") == [HOST]
    assert answer.set_cookies == ["own=1; Path=/"] and answer.values("cache-control") == ["public, max-age=600"]
    assert answer.header("x-auth-set-cookie") is None and answer.header("authorization") is None
    assert answer.header("x-auth-cache-control") is None


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "OPTIONS"])
def test_a_fetch_without_session_gets_the_problem(app, anyone, method):
    answer = anyone.send(method, "/notes")
    assert answer.status == 401 and app.requests == []
    assert answer.values("www-authenticate") == ['Bearer realm="cloakroom"']
    if method != "HEAD":
        assert answer.code == "session_missing" and answer.header("content-type") == "application/problem+json"


@pytest.mark.parametrize("target", ["/", "/notes?a=1&b=2", "/a/b.html?return_to=/c", "/%E2%82%AC?q=%2F%26&c=d%20e"])
def test_a_navigation_without_session_is_sent_to_the_login_page_with_the_whole_target(app, anyone, target):
    assert login_page(anyone.navigate(target)) == {"return_to": [target]} and app.requests == []


def test_the_login_page_and_the_keys_are_served(anyone):
    page = anyone.navigate("/auth/pages/login?return_to=%2Fnotes")
    assert page.status == 200 and b"<html" in page.body.lower()
    assert b'"keys"' in anyone.get("/.well-known/jwks.json").body
    assert anyone.get("/.well-known/oauth-authorization-server").status == 200
    assert anyone.get("/.well-known/change-password").status == 302


@pytest.mark.parametrize("headers", [{}, {"X-Original-Method": "GET"}, {"X-Forwarded-Method": "GET"}, {"X-HTTP-Method-Override": "GET"}])
def test_a_request_of_another_site_that_changes_something_is_refused(app, ann, headers):
    answer = ann.send("POST", "/notes", site="cross-site", headers=headers)
    assert answer.status == 403 and answer.code == "cross_site_request" and app.requests == []


def test_a_request_of_the_site_itself_that_changes_something_is_allowed(app, ann):
    assert ann.send("POST", "/notes", body={"text": "x"}).status == 200 and app.bodies == [len('{"text": "x"}')]


def test_an_old_login_gets_a_step_up_with_its_challenge(place, app, newcomer):
    assert newcomer.get("/money/1").status == 200
    place.server.move(301)
    newcomer.get("/notes")
    app.forget()
    for method in ("GET", "POST"):
        answer = newcomer.send(method, "/money/1")
        assert answer.status == 401 and answer.code == "insufficient_user_authentication"
        [challenge] = answer.values("www-authenticate")
        assert 'error="insufficient_user_authentication"' in challenge and 'max_age="300"' in challenge
    assert login_page(newcomer.navigate("/money/1?a=1")) == {"return_to": ["/money/1?a=1"], "step_up": ["1"]}
    # A backend may take each of these paths for the same one.
    for target in ("//money/1", "/%6Doney/1", "/%2Fmoney/1", "/money;x/1", "/money", "/money?a=1"):
        assert newcomer.get(target).status == 401, target
    assert app.requests == []
    assert newcomer.get("/notes").status == 200
    answer = newcomer.send("POST", "/auth/step-up", body={"password": "correct horse battery"})
    assert answer.status == 200, answer
    assert newcomer.get("/money/1").status == 200


def test_a_script_that_would_become_a_service_worker_is_refused(app, ann):
    answer = ann.get("/worker.js", headers={"Service-Worker": "script", "Sec-Fetch-Dest": "serviceworker", "Sec-Fetch-Mode": "same-origin"})
    assert answer.status == 403 and answer.code == "service_worker_refused" and app.requests == []


def test_a_logout_ends_what_the_app_serves(app, newcomer):
    old = newcomer.cookie
    assert newcomer.send("POST", "/auth/logout").status == 204 and newcomer.cookie is None
    newcomer.cookie = old
    wait_for(lambda: newcomer.get("/notes").code == "session_revoked", "the revocation to arrive")


def test_the_bearer_of_another_issuer_leaves_the_decision_to_the_cookie(app, ann, anyone):
    foreign = {"Authorization": "Bearer " + jwt.encode({"sub": "somebody", "iss": "https://elsewhere.example"}, "k" * 32, "HS256")}
    assert ann.get("/notes", headers=foreign).status == 200
    assert app.header("authorization") == [f"Bearer {tokens(ann.cookie)[0]}"]
    assert anyone.get("/notes", headers=foreign).status == 401


def test_a_bearer_of_ours_is_enough(app, ann, anyone):
    bearer = {"Authorization": f"Bearer {tokens(ann.cookie)[0]}"}
    assert anyone.get("/notes", headers=bearer).status == 200
    assert app.header("authorization") == [bearer["Authorization"]]


def preflight(origin, **further):
    return {"Origin": origin, "Sec-Fetch-Site": "cross-site", "Access-Control-Request-Method": "POST"} | further


@pytest.mark.parametrize("is_known", [True, False], ids=["with a session", "without"])
def test_a_preflight_of_a_trusted_origin_reaches_the_app_without_identity(place, app, ann, is_known):
    browser = ann if is_known else Browser(place)
    forged = {"X-Auth-Subject": "u_forged", "X-Auth-Preflight": "forged", "Authorization": "Bearer forged"}
    for headers in (preflight(TRUSTED), preflight(TRUSTED) | forged):
        assert browser.send("OPTIONS", "/notes", headers=headers).status == 200
        assert app.header("access-control-request-method") == ["POST"] and app.header("origin") == [TRUSTED]
        assert "forged" not in app.requests[-1]
        for name in ("authorization", "x-auth-subject", "x-auth-session", "x-auth-claims"):
            assert app.header(name) in ([], [""]), name


@pytest.mark.parametrize("method, headers", [
    ("OPTIONS", preflight("https://evil.example")), ("OPTIONS", preflight("null")), ("GET", preflight(TRUSTED)),
    ("POST", preflight(TRUSTED)), ("OPTIONS", preflight(TRUSTED) | {"Access-Control-Request-Method": None})])
def test_what_only_resembles_a_preflight_is_refused(app, anyone, method, headers):
    answer = anyone.send(method, "/notes", headers=headers | {"X-Auth-Preflight": "allowed"})
    assert answer.status in (401, 403) and app.requests == []


def test_a_preflight_is_allowed_for_options_only(place, app, anyone):
    place.relay.fail(b"HTTP/1.1 %s\r\nX-Auth-Preflight: allowed\r\nContent-Length: 0\r\n\r\n" % place.kind.allows_on)
    assert anyone.send("OPTIONS", "/notes", headers=preflight(TRUSTED)).status == 200
    app.forget()
    for method in ("GET", "POST"):
        assert anyone.send(method, "/notes", headers=preflight(TRUSTED)).status >= 500 and app.requests == []


def test_a_public_path_needs_no_session_and_carries_no_identity(place, app, ann, anyone):
    for browser in (ann, anyone):
        assert browser.get("/public/logo.svg?a=%2F").status == 200
        assert app.header("authorization") in ([], [""]) and app.header("x-auth-subject") in ([], [""])
        assert NAME not in app.requests[-1]
    assert place.relay.checks == []


def test_the_address_of_a_client_is_the_one_that_the_proxy_sees(place, app):
    owner = Browser(place, "127.3.0.1")
    owner.sign_up()
    forged = {"X-Forwarded-For": "203.0.113.66", "Forwarded": "for=203.0.113.66", "X-Real-IP": "203.0.113.66"}
    assert Browser(place, "127.3.0.2").log_in(owner.email, headers=forged).status == 200
    answer = owner.get("/auth/sessions", headers=forged)
    assert b'"127.3.0.1"' in answer.body and b'"127.3.0.2"' in answer.body and b"203.0.113.66" not in answer.body
    owner.get("/notes", headers=forged)
    assert app.header("x-forwarded-for") == ["127.3.0.1"]
