"""Headers by which a client tries to speak for the proxy."""
import re

import pytest

from browser import NAME
from cannot import PREFIX, TRAILERS, cannot
from place import HOST, STALE
from test_proxy_bodies import begin

TOKEN = re.compile(r"eyJ[\w-]+\.eyJ[\w-]+")
IDENTITY = {
    "X-Auth-Subject": "u_forged", "x-auth-subject": "u_forged", "X_Auth_Subject": "u_forged", "X.Auth.Subject": "u_forged",
    "X-Auth_Subject": "u_forged", "X_Auth-Subject": "u_forged", "X-Auth.Subject": "u_forged",
    "X-Auth-Session": "forged", "X_Auth_Session": "forged", "X.Auth.Session": "forged", "X-Auth-Claims": '{"forged":1}',
    "X_AUTH_CLAIMS": '{"forged":1}', "X-Auth-Token": "forged", "X-Auth-Set-Cookie": "forged=1", "X_Auth_Set_Cookie": "forged=1",
    "X-Auth-Preflight": "forged", "X-Auth-Cache-Control": "forged", "Authorization": "Bearer forged.forged.forged"}
FORWARDED = {
    "X-Forwarded-For": "203.0.113.66", "X_Forwarded_For": "203.0.113.66", "X-Forwarded-Proto": "forged", "X-Forwarded-Host": "forged.example",
    "X_Forwarded_Host": "forged.example", "X.Forwarded.Host": "forged.example", "X-Forwarded-Uri": "/forged",
    "X-Forwarded-Method": "FORGED", "X-Original-URI": "/forged", "X-Original-Method": "FORGED", "X_Original_URI": "/forged",
    "X-Original-URL": "/forged", "X-Rewrite-URL": "/forged", "Forwarded": "for=203.0.113.66;host=forged", "HTTP2-Settings": "forged"}
FORGED = IDENTITY | FORWARDED


def assert_nothing_forged(app):
    assert "forged" not in app.requests[-1].lower() and "203.0.113" not in app.requests[-1], app.requests[-1]


@pytest.mark.parametrize("name", FORGED)
def test_what_a_client_says_in_the_name_of_a_proxy_does_not_arrive(app, ann, name):
    assert ann.get("/notes", headers={name: FORGED[name]}).status == 200
    assert_nothing_forged(app)
    for header in ("authorization", "x-auth-subject", "x-auth-session", "x-auth-claims", "x-forwarded-for", "x-forwarded-host"):
        assert len(app.header(header)) == 1, header


def test_all_of_them_at_once_do_not_arrive_either(place, app, ann, anyone):
    for target in ("/notes", "/public/logo"):
        assert ann.get(target, headers=FORGED).status == 200
        assert_nothing_forged(app)
        assert app.header("x-forwarded-for") == ["127.0.0.1"] and app.header("x-forwarded-host") == [HOST]
    assert app.header("authorization") in ([], [""]) and app.header("x-auth-subject") in ([], [""])
    app.forget()
    assert anyone.get("/notes", headers=FORGED).status == 401 and app.requests == []


def test_two_values_of_one_name_do_not_arrive(app, ann):
    wire = ann.place.wire()
    fields = ann.fields("GET", "same-origin", {})
    lines = [f"{name}: {value}" for name, value in fields.items()]
    lines += ["X-Auth-Subject: u_forged", "x-auth-subject: u_forged", "X-Forwarded-For: 203.0.113.66", "X-Forwarded-For: 203.0.113.66"]
    wire.send("\r\n".join(["GET /notes HTTP/1.1", *lines, "", ""]).encode())
    assert wire.answer().status == 200
    wire.socket.close()
    assert_nothing_forged(app)


def test_a_trailer_becomes_no_header(place, app, ann):
    wire = place.wire()
    begin(ann, wire, "/notes", {"Transfer-Encoding": "chunked", "Trailer": "X-Auth-Subject"})
    wire.send(b"1\r\nx\r\n0\r\nX-Auth-Subject: u_forged\r\n\r\n")
    answer = wire.answer()
    wire.socket.close()
    assert answer.status == 200 and "forged" not in app.requests[-1] and len(app.header("x-auth-subject")) == 1
    assert app.trailers in ([], [""]) or cannot(place, TRAILERS), app.trailers


def test_a_header_that_only_begins_like_ours_is_removed_where_the_proxy_can(place, app, ann):
    assert ann.get("/notes", headers={"X-Auth-Anything": "forged", "X-Forwarded-Anything": "1"}).status == 200
    assert (app.header("x-auth-anything") == []) != cannot(place, PREFIX)


@pytest.mark.parametrize("target", ["/notes", "/public/logo"])
def test_a_connection_header_takes_nothing_of_ours_away(place, app, ann, target):
    named = "keep-alive, Authorization, X-Auth-Subject, X-Auth-Session, X-Auth-Claims, X-Forwarded-For, X-Forwarded-Host, Cookie, Host, Origin"
    answer = ann.get(target, headers={"Connection": named})
    if answer.status == 400:        # refused because of it
        assert app.requests == []
        return
    assert answer.status == 200
    wanted = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "host", "cookie"]
    if target == "/notes":
        wanted += ["authorization", "x-auth-subject", "x-auth-session", "x-auth-claims"]
        assert len(place.relay.checks) == 1 and NAME in place.relay.checks[0]
    for name in wanted:
        assert len(app.header(name)) == 1, name


def test_a_connection_header_hides_no_origin_from_the_check(app, ann):
    assert ann.send("POST", "/notes", site="cross-site", headers={"Connection": "Origin, Sec-Fetch-Site, Sec-Fetch-Mode"}).status in (400, 403)
    assert app.requests == []


PAIR = "eyJhbGciOiJFUzI1NiJ9.eyJhIjoxfQ.c2ln~eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2ln"
HYBRID = "~eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2ln"


@pytest.mark.parametrize("sent, kept", [
    (f"a=1; {NAME}={PAIR}; {NAME}=rubbish; b=2", ["a=1; b=2"]),
    (f"{NAME}={PAIR}", []),
    (f"{NAME}=", []),
    (f"{NAME}={HYBRID}; a=1", ["a=1"]),
    (f"a=1;{NAME}={PAIR};b=2", ["a=1;b=2"]),
    (f"a=1;\t{NAME}={PAIR};\tb=2", ["a=1;\tb=2"]),
    (f"a=1; {NAME}={PAIR}", ["a=1"]),
    (f"a=1; __Host-shop_1.x-y={PAIR}; b=2", ["a=1; b=2"]),
    (f"__Host-{57 * 'n'}={PAIR}; a=1", ["a=1"]),
    (f"cloakroom-session={PAIR}; a=1", ["a=1"]),
    (f"a=1; cloakroom-shop={PAIR}; __Host-Http-shop={PAIR}; b=2", ["a=1; b=2"]),
    ("__Host-csrf=secret; theme=dark~light; x__Host-a=1; cloakroom-theme=dark",) * 2,
    (f"my__Host-Http-session={PAIR}; a=1",) * 2])
def test_the_app_gets_its_own_cookies_and_none_of_cloakrooms_under_any_name(app, anyone, sent, kept):
    assert anyone.get("/public/logo", headers={"Cookie": sent}).status == 200
    arrived = [value for value in app.header("cookie") if value]
    assert "".join(arrived).strip("; \t") == "".join(kept)


def test_two_cookie_headers_hide_no_cookie_of_ours(app, ann):
    wire = ann.place.wire()
    fields = ann.fields("GET", "same-origin", {})
    lines = [f"{name}: {value}" for name, value in fields.items()] + [f"Cookie: b=2; {NAME}=rubbish"]
    for target in ("/notes", "/public/logo"):
        wire.send("\r\n".join([f"GET {target} HTTP/1.1", *lines, "", ""]).encode())
        assert wire.answer().status in (200, 400)
        assert not app.requests or NAME not in app.requests[-1], app.requests[-1]
    wire.socket.close()


CHECK_PATHS = [
    "/auth/check", "/auth/check/", "/auth/check?allow=200", "/auth/check;allow=200/notes", "/auth/check/notes", "/_check", "//auth/check",
    "/auth/./check", "/auth//check", "/auth%2Fcheck", "/auth/%63heck", "/auth/pages/../check", "/AUTH/check", "/@denied", "/metrics", "/service/sessions"]
ASKING = [
    {}, {"X-Original-Method": "GET", "X-Original-URI": "/notes"}, {"X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/notes"},
    {"X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/notes", "X-Forwarded-Host": HOST, "X-Forwarded-Proto": "https",
     "X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1"}]


@pytest.mark.parametrize("target", CHECK_PATHS)
def test_a_page_reaches_no_check_and_no_token(place, app, ann, target):
    place.server.move(STALE)
    for headers in ASKING:
        for method in ("GET", "POST"):
            answer = ann.send(method, target, headers=headers)
            if re.match(r"/+auth/(check|.heck)", target):
                assert answer.status == 404
            readable = [pair for pair in answer.headers if pair[0].lower() != "set-cookie"]
            assert not TOKEN.search(f"{readable} {answer.body}"), (method, headers)
            for name in ("authorization", "x-auth-subject", "x-auth-set-cookie"):
                assert answer.header(name) is None, name
