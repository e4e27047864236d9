"""The gateway's rules: which one decides, what it demands, and the answer without it."""
import json
import re
import urllib.parse

import pytest

import http2
from raw_backend import Backend, free_port
from browser import NAME
from gateway import FETCH, NAVIGATION, STEERED, Gateway, ask, assert_identity, assert_problem, code, head, untouched
from server import refuse_to_serve, run
from wire import Wire

ROUTES = [
    {"path": "/public/*", "access": "public"},
    {"path": "/money/*", "methods": ["POST"], "access": "step-up", "maxAge": 300},
    {"path": "/strong/*", "access": "step-up", "acr": "2"},
    {"path": "/editors/*", "access": "session", "claims": {"roles": "editor"}},
    {"path": "/api/*", "access": "session", "login": "401"},
    {"path": "/read/*", "methods": ["GET"], "access": "session"},
    {"path": "/pages/*", "access": "session", "login": "redirect"},
    {"path": "/users/*/photo", "access": "public"},
    {"path": "/exact", "access": "public"},
    {"path": "/old/*", "access": "public", "rewrite": "/new"},
    {"path": "/bare/*", "access": "public", "rewrite": "/"},
]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    gateway = Gateway(tmp_path_factory.mktemp("gateway") / "data", ROUTES, **STEERED)
    yield gateway
    assert gateway.is_alive(), gateway.log()
    assert gateway.stop() == 0


@pytest.fixture
def visitor(gateway):
    return gateway.visitor()


def test_a_claim_that_no_session_can_have_is_named_in_the_log(gateway):
    [told] = [line for line in gateway.log_lines() if "demands claims" in line]
    assert "/editors/*" in told and "roles" in told


# Which rule decides.

@pytest.mark.parametrize("method, path, status", [
    ("GET", "/public/a", 200), ("GET", "/public", 200), ("GET", "/public/", 200), ("GET", "/publicly", 404), ("GET", "/Public/a", 404),
    ("GET", "/exact", 200), ("GET", "/exact/", 404), ("GET", "/exact/more", 404), ("GET", "/exact?query=/api", 200),
    ("GET", "/users/42/photo", 200), ("GET", "/users/42/43/photo", 404), ("GET", "/users/photo", 404), ("GET", "/users/42/photo/more", 404),
    ("GET", "/nothing", 404), ("GET", "/", 404), ("GET", "/money/x", 404), ("POST", "/public/a", 200), ("DELETE", "/public/a", 200),
    ("GET", "/api/x", 401), ("GET", "/read/x", 401), ("HEAD", "/read/x", 401), ("POST", "/read/x", 404), ("PUT", "/read/x", 404),
    ("GET", "/%70ublic/a", 200), ("GET", "/api/%78", 401), ("GET", "/%61pi/x", 401), ("GET", "/public/%E4%BD%A0", 200),
])
def test_the_first_rule_that_matches_decides(gateway, method, path, status):
    origin = [] if method in ("GET", "HEAD") else [f"Origin: {gateway.origin}", "Sec-Fetch-Site: same-origin"]
    before = len(gateway.backend.requests)
    answer = ask(gateway, head(gateway, method, path, *origin, *FETCH), method)
    assert answer.status == status
    assert len(gateway.backend.requests) - before == (1 if status == 200 else 0)
    if status == 404:
        assert method == "HEAD" or code(answer) == "not_found"


def test_get_covers_head(gateway, visitor):
    path = gateway.backend.on(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", below="/read")
    answer = visitor.ask("HEAD", path)
    assert (answer.status, answer.header("content-length")) == (200, "1000")
    assert gateway.backend.one(path).method == "HEAD"


@pytest.mark.parametrize("path, reached", [
    ("/old/a/b?q=1", "/new/a/b?q=1"), ("/old", "/new"), ("/old/", "/new/"), ("/bare/a", "/a"), ("/bare", "/"), ("/bare/", "/"),
    ("/bare?q", "/?q"), ("/old/old/x", "/new/old/x"), ("/%6fld/a", "/new/a"),
])
def test_rewrite_replaces_the_beginning_of_the_path(gateway, path, reached):
    assert ask(gateway, head(gateway, "GET", path)).status == 200
    assert gateway.backend.requests[-1].target == reached


ENCODED = [
    {"path": "/caf%C3%A9/*", "access": "session"}, {"path": "/%E4%BD%A0/*/b", "access": "session"}, {"path": "/a%20b", "access": "session"},
    {"path": "/to/*", "access": "public", "rewrite": "/caf%C3%A9"}, {"path": "/from%20x/*", "access": "public", "rewrite": "/new"},
    {"path": "/strip%20x/*", "access": "public", "rewrite": "/"}, {"path": "/admin/*", "access": "session"}, {"path": "/*", "access": "public"},
]


@pytest.fixture(scope="module")
def encoded(tmp_path_factory):
    gateway = Gateway(tmp_path_factory.mktemp("encoded") / "data", ENCODED)
    yield gateway
    assert gateway.stop() == 0


@pytest.mark.parametrize("path, status", [
    ("/caf%C3%A9/a", 401), ("/caf%c3%a9/a", 401), ("/caf%C3%A9", 401), ("/%63af%C3%A9/a", 401), ("/cafe/a", 200), ("/caf%C3%A8/a", 200),
    ("/%E4%BD%A0/a/b", 401), ("/%e4%bd%a0/%20/b", 401), ("/%E4%BD%A0/a/c", 200), ("/a%20b", 401), ("/%61%20b", 401), ("/a%20b/c", 200), ("/a+b", 200), ("/ab", 200),
    ("/admin/a", 401), ("/admin;a=1/x", 401), ("/admin;/x", 401), ("/admin;a=1;b=2/x", 401), ("/admin;a=1", 401), ("/admin;", 401),
    ("/admin/x;a=1", 401), ("/%61dmin;a=1/x", 401), ("/admin;a=%20/x", 401), ("/other;a=1/x", 200), ("/x/admin;a=1/x", 200),
    ("/adminx;a=1/x", 200), ("/caf%C3%A9;a=1/x", 401), ("/a%20b;c", 401),
])
def test_encoded_characters_and_path_parameters_do_not_hide_a_path_from_its_rule(encoded, path, status):
    before = len(encoded.backend.requests)
    assert ask(encoded, head(encoded, "GET", path, *FETCH)).status == status
    reached = [request.target for request in encoded.backend.requests[before:]]
    assert len(reached) == (1 if status == 200 else 0) and (status != 200 or reached == [path]), "parameters reach the backend as they are"


@pytest.mark.parametrize("sent, reached", [
    ("/to/a", "/caf%C3%A9/a"), ("/to/a%20b?c=%20", "/caf%C3%A9/a%20b?c=%20"), ("/to", "/caf%C3%A9"), ("/from%20x/a", "/new/a"),
    ("/%66rom%20x/a/%c3%a9", "/new/a/%C3%A9"), ("/from%20x", "/new"), ("/strip%20x/a", "/a"), ("/strip%20x/%20a", "/%20a"), ("/strip%20x", "/"),
    ("/to/a;b=1/c", "/caf%C3%A9/a;b=1/c"),
])
def test_rewrite_counts_an_encoded_character_as_it_is_written(encoded, sent, reached):
    assert ask(encoded, head(encoded, "GET", sent)).status == 200
    assert encoded.backend.requests[-1].target == reached


@pytest.mark.parametrize("sent, reached", [
    ("/public/%61dmin", "/public/admin"), ("/public/%7Euser", "/public/~user"), ("/public/a%20b", "/public/a%20b"),
    ("/public/%e4%bd%a0", "/public/%E4%BD%A0"), ("/public/a?x=%61&y=%2f", "/public/a?x=%61&y=%2f"), ("/public/a?", "/public/a?"),
    ("/public/a;b=c", "/public/a;b=c"), ("/public/a?b?c", "/public/a?b?c"), ("/public/a:b@c", "/public/a:b@c"),
])
def test_policy_and_backend_see_one_canonical_path(gateway, sent, reached):
    assert ask(gateway, head(gateway, "GET", sent)).status == 200
    assert gateway.backend.requests[-1].target == reached


# Without a session.

@pytest.mark.parametrize("lines", [NAVIGATION, ("Accept: text/html,application/xhtml+xml",), ("Sec-Fetch-Mode: navigate",)])
@pytest.mark.parametrize("target", ["/pages/a", "/pages/a?b=c&d=%20e", "/pages/", "/pages/a%20b?x=%C3%A9", "/read/a"])
def test_a_navigation_without_a_session_is_sent_to_the_login_page_and_back(gateway, target, lines):
    with untouched(gateway.backend):
        answer = ask(gateway, head(gateway, "GET", target, *lines))
    assert answer.status == 302 and "no-store" in answer.header("cache-control") and answer.set_cookies == []
    page = urllib.parse.urlsplit(answer.header("location"))
    assert (page.scheme, page.netloc, page.path) == ("", "", "/auth/pages/login")
    assert urllib.parse.parse_qs(page.query)["return_to"] == [target]


@pytest.mark.parametrize("method, path, lines", [
    ("GET", "/pages/a", FETCH), ("GET", "/pages/a", ()), ("GET", "/api/a", NAVIGATION), ("GET", "/api/a", FETCH), ("POST", "/pages/a", NAVIGATION),
    ("PUT", "/pages/a", FETCH), ("GET", "/pages/a", ("Sec-Fetch-Mode: cors", "Accept: text/html")),
])
def test_another_request_without_a_session_is_refused_with_a_problem(gateway, method, path, lines):
    own = () if method == "GET" else (f"Origin: {gateway.origin}", "Sec-Fetch-Site: same-origin")
    with untouched(gateway.backend):
        answer = ask(gateway, head(gateway, method, path, *own, *lines))
    assert_problem(answer, 401, "session_missing")
    assert answer.header("www-authenticate").startswith("Bearer") and answer.set_cookies == []
    assert "no-store" in answer.header("cache-control")


@pytest.mark.parametrize("cookie", ["", "a~b", "x" * 3000, "~", "a.b.c~d.e.f"])
def test_a_cookie_that_is_none_is_refused_and_stays(gateway, cookie):
    with untouched(gateway.backend):
        answer = ask(gateway, head(gateway, "GET", "/api/a", f"Cookie: {NAME}={cookie}"))
    assert answer.status == 401 and code(answer) in ("token_invalid", "session_missing") and answer.set_cookies == []


def test_a_logged_out_session_is_refused(gateway, visitor):
    assert visitor.get("/api/a").status == 200
    visitor.log_out()
    with untouched(gateway.backend):
        assert_problem(visitor.get("/api/a"), 401, "session_revoked")
        assert visitor.get("/pages/a", *NAVIGATION).status == 302


@pytest.mark.parametrize("lines, expected", [
    (("Origin: https://evil.example", "Sec-Fetch-Site: cross-site"), 403), (("Origin: https://evil.example",), 403), (("Origin: null",), 403),
    ((), 403), (("Sec-Fetch-Site: cross-site",), 403), (("Sec-Fetch-Site: same-site",), 403), (("Sec-Fetch-Site: same-origin",), 200),
])
@pytest.mark.parametrize("path", ["/api/a", "/public/a"])
def test_an_unsafe_request_of_another_site_is_refused(gateway, visitor, path, lines, expected):
    with Wire(gateway) as wire:
        wire.send(head(gateway, "POST", path, f"Cookie: {NAME}={visitor.cookie}", *lines, "Content-Length: 0"))
        answer = wire.answer()
    assert answer.status == expected
    assert expected == 200 or code(answer) == "cross_site_request"


# Public routes.

def test_a_public_route_passes_a_session_on(gateway, visitor):
    path = gateway.backend.on(gateway.backend.default, below="/public")
    assert visitor.get(path).status == 200
    assert_identity(gateway.backend.one(path), visitor)


@pytest.mark.parametrize("lines", [
    (), (f"Cookie: {NAME}=a~b",), ("Authorization: Bearer forged",), ("X-Auth-Subject: admin",), (f"Cookie: {NAME}=a~b; {NAME}=c~d",),
])
def test_a_public_route_without_a_good_session_is_served_without_identity(gateway, lines):
    path = gateway.backend.on(gateway.backend.default, below="/public")
    assert ask(gateway, head(gateway, "GET", path, *lines)).status == 200
    request = gateway.backend.one(path)
    assert not {"authorization", "x-auth-subject", "x-auth-session", "x-auth-claims", "x-auth-token", "cookie"} & set(request.names), request


def test_a_public_route_serves_an_ended_session_without_identity(gateway, visitor):
    visitor.log_out()
    path = gateway.backend.on(gateway.backend.default, below="/public")
    answer = visitor.get(path)
    assert answer.status == 200 and answer.set_cookies == []
    assert "x-auth-subject" not in gateway.backend.one(path).names


# Step-up.

def test_step_up_asks_for_a_recent_login(gateway, visitor):
    path = gateway.backend.on(gateway.backend.default, below="/money")
    assert visitor.ask("POST", path, body=b"x").status == 200
    gateway.move(301)
    with untouched(gateway.backend):
        answer = visitor.ask("POST", path, body=b"x")
    assert_problem(answer, 401, "insufficient_user_authentication")
    challenge = answer.header("www-authenticate")
    assert 'error="insufficient_user_authentication"' in challenge and re.search(r'max_age="?300\b', challenge)
    assert json.loads(answer.body)["max_age"] == 300
    assert visitor.account.post("/auth/step-up", {"password": "correct horse battery"}).status == 200
    assert visitor.ask("POST", path, body=b"x").status == 200


@pytest.mark.parametrize("lines, statuses", [(FETCH, (401, 403)), (NAVIGATION, (302, 403))])
def test_step_up_asks_for_a_level(gateway, visitor, lines, statuses):
    with untouched(gateway.backend):
        answer = visitor.get("/strong/a", *lines)
    assert answer.status in statuses
    if answer.status != 302:
        assert code(answer) in ("insufficient_user_authentication", "step_up_unavailable")


def test_a_claim_that_the_session_lacks_is_refused(gateway, visitor):
    with untouched(gateway.backend):
        assert_problem(visitor.get("/editors/a", *FETCH), 403, "insufficient_claims")


@pytest.mark.parametrize("path, status", [("/editors/a", 403), ("/nothing", 404)])
def test_a_person_gets_a_page_where_there_is_nothing_to_log_in_for(gateway, visitor, path, status):
    answer = visitor.get(path, *NAVIGATION)
    assert answer.status == status and answer.header("content-type").startswith("text/html") and b"<h1>" in answer.body


# Our own paths.

@pytest.mark.parametrize("path, status", [
    ("/auth/session", 200), ("/healthz", 200), ("/readyz", 200), ("/.well-known/jwks.json", 200), ("/.well-known/oauth-authorization-server", 200),
    ("/.well-known/openid-configuration", 200), ("/.well-known/change-password", 302), ("/auth/pages/login", 200), ("/auth/client.js", 200),
    ("/auth/openapi.json", 200), ("/auth/nothing", 404), ("/auth", 404), ("/auth/", 404), ("/auth/check", 404), ("/auth/check/x", 404),
    ("/auth/check;allow=200/x", 404), ("/%61uth/session", 200), ("/auth/%63heck", 404),
])
def test_our_own_paths_never_reach_the_backend(everything, path, status):
    told = ("X-Forwarded-Method: GET", "X-Forwarded-Uri: /", "X-Original-Method: GET", "X-Original-URI: /")
    for lines in ((), told):
        with untouched(everything.backend):
            answer = everything.member.get(path, *lines, keep=False)
        assert answer.status == status, (lines, answer)
        assert not {name.lower() for name, _ in answer.headers} & {"authorization", "x-auth-subject", "x-auth-session", "x-auth-set-cookie"}


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """A gateway whose one rule is for every path."""
    gateway = Gateway(tmp_path_factory.mktemp("everything") / "data", [{"path": "/*", "access": "public"}])
    gateway.member = gateway.visitor()
    yield gateway
    assert gateway.stop() == 0


@pytest.mark.parametrize("path", ["/metrics", "/service/sessions", "/service", "/service/events"])
def test_paths_of_the_private_listener_are_the_backends_where_a_rule_matches(gateway, everything, path):
    assert everything.member.get(path).status == 200
    assert everything.backend.requests[-1].path == path
    with untouched(gateway.backend):
        assert ask(gateway, head(gateway, "GET", path)).status == 404


def test_the_private_listener_routes_nothing(everything):
    with untouched(everything.backend), Wire(everything, private=True) as wire:
        wire.request("GET", "/anything")
        assert wire.answer().status == 404


def test_the_session_endpoints_work_behind_the_gateway(everything):
    visitor = everything.visitor()
    assert visitor.account.get("/auth/session").json["authenticated"]
    assert visitor.account.refresh().cookie
    assert visitor.account.post("/auth/logout").status == 204


def test_upstream_alone_demands_a_session_everywhere(tmp_path):
    gateway = Gateway(tmp_path / "data")
    with untouched(gateway.backend):
        assert_problem(ask(gateway, head(gateway, "GET", "/a")), 401, "session_missing")
        assert ask(gateway, head(gateway, "GET", "/a", *NAVIGATION)).status == 302
    visitor = gateway.visitor()
    assert visitor.get("/a").status == 200
    assert_identity(gateway.backend.one("/a"), visitor)
    assert gateway.stop() == 0


# Rules that stop the start.

@pytest.mark.parametrize("routes, named", [
    ([{"path": "/*", "access": "public"}, {"path": "/admin/*", "access": "session"}], "/admin/*"),
    ([{"path": "/a/*", "access": "public"}, {"path": "/a", "access": "session"}], "/a"),
    ([{"path": "/a/*", "access": "public"}, {"path": "/a/*/c", "access": "session"}], "/a/*/c"),
    ([{"path": "/users/*/photo", "access": "public"}, {"path": "/users/1/photo", "access": "session"}], "/users/1/photo"),
    ([{"path": "/a", "access": "public"}, {"path": "/a", "methods": ["POST"], "access": "session"}], "/a"),
    ([{"path": "/a", "methods": ["GET"], "access": "public"}, {"path": "/a", "methods": ["HEAD"], "access": "session"}], "/a"),
    ([{"path": "/a", "methods": ["GET"], "access": "public"}, {"path": "/a", "methods": ["POST"], "access": "public"},
      {"path": "/a", "methods": ["GET", "POST"], "access": "session"}], "/a"),
    ([{"path": "/*", "access": "public"}, {"path": "/auth/*", "access": "session"}], "/auth/*"),
    ([{"path": "/auth/*", "access": "session"}], "/auth/*"), ([{"path": "/healthz", "access": "session"}], "/healthz"),
    ([{"path": "a", "access": "public"}], "path"), ([{"path": "/a*", "access": "public"}], "path"), ([{"path": "/a/../b", "access": "public"}], "path"),
    ([{"path": "//a", "access": "public"}], "path"), ([{"access": "public"}], "path"), ([{"path": "/a"}], "access"),
    ([{"path": "/a", "access": "open"}], "access"), ([{"path": "/a", "access": "session", "maxAge": 5}], "step-up"),
    ([{"path": "/a", "access": "step-up"}], "maxAge"), ([{"path": "/a", "access": "public", "login": "302"}], "login"),
    ([{"path": "/a", "access": "public", "methods": ["get"]}], "methods"), ([{"path": "/a", "access": "public", "upstream": "ftp://x"}], "upstream"),
    ([{"path": "/a", "access": "public", "upstrem": "http://127.0.0.1:1"}], "upstrem"), ([{"path": "/a", "access": "public", "timeout": "soon"}], "timeout"),
    ([{"path": "/a", "access": "public", "rewrite": "/b"}], "rewrite"), ([{"path": "/a", "access": "public", "maxBody": -1}], "maxBody"),
    ([{"path": "/a/*", "access": "public", "rewrite": "/a/b/"}], "rewrite"), ([{"path": "/a/*", "access": "public", "rewrite": "/a//b"}], "rewrite"),
    ([{"path": "/a/*", "access": "public", "rewrite": "/a/../b"}], "rewrite"), ([{"path": "/a/*", "access": "public", "rewrite": "/a b"}], "rewrite"),
    ([{"path": "/a/*", "access": "public", "rewrite": "/a?b"}], "rewrite"), ([{"path": "/a/*", "access": "public", "rewrite": "a"}], "rewrite"),
    ([{"path": "/a", "access": "public", "methods": []}], "methods"), ([{"path": "/a", "access": "public", "methods": ["CONNECT"]}], "methods"),
    ([{"path": "/a", "access": "public", "methods": ["GET", "CONNECT"]}], "methods"), ([{"path": "/a", "access": "public", "methods": ["Post"]}], "methods"),
    ([{"path": "/a", "access": "public", "healthPath": "/h h"}], "healthPath"), ([{"path": "/a", "access": "public", "healthPath": "h"}], "healthPath"),
    ([{"path": "/a", "access": "public", "healthPath": "/h\r\nX: y"}], "healthPath"),
    ([], "routes"), ("all", "routes"), ([3], "routes"),
])
def test_a_rule_that_cannot_be_meant_stops_the_start_and_is_named(tmp_path, routes, named):
    path = tmp_path / "cloakroom.yaml"
    path.write_text(json.dumps({"upstream": "http://127.0.0.1:1", "routes": routes}))
    result = refuse_to_serve(tmp_path / "data", "--config", path)
    assert result.returncode == 78 and named in result.stderr, result
    assert str(path) in result.stderr and "routes" in result.stderr, "the message names file and key"


@pytest.mark.parametrize("routes", [
    [{"path": "/admin/*", "access": "session"}, {"path": "/*", "access": "public"}],
    [{"path": "/a", "methods": ["POST"], "access": "session"}, {"path": "/a", "access": "public"}],
    [{"path": "/users/1/photo", "access": "public"}, {"path": "/users/*/photo", "access": "session"}],
    [{"path": "/a", "methods": ["HEAD"], "access": "public"}, {"path": "/a", "methods": ["GET"], "access": "session"}],
])
def test_the_narrower_rule_in_front_starts(tmp_path, routes):
    gateway = Gateway(tmp_path / "data", routes)
    assert gateway.stop() == 0


def test_a_route_without_a_backend_stops_the_start(tmp_path):
    result = refuse_to_serve(tmp_path / "data", "--routes", '[{path: /a, access: public}]')
    assert result.returncode == 78 and "upstream" in result.stderr


@pytest.mark.parametrize("upstream", [
    "127.0.0.1:3000", "http://", "http://127.0.0.1:0", "http://127.0.0.1:99999", "http://user:secret@127.0.0.1:3000", "http://127.0.0.1:3000/path",
    "http://127.0.0.1:3000?x", "unix:", "file:///etc/passwd",
])
def test_an_upstream_that_is_no_address_stops_the_start(tmp_path, upstream):
    result = refuse_to_serve(tmp_path / "data", "--upstream", upstream)
    assert result.returncode == 78 and "--upstream" in result.stderr, result


@pytest.mark.parametrize("spelling", ["127.0.0.1", "localhost", "127.1.2.3"])
def test_an_upstream_that_is_the_private_listener_stops_the_start(tmp_path, spelling):
    port = free_port()
    result = refuse_to_serve(tmp_path / "data", "--upstream", f"http://{spelling}:{port}", "--private-listen",
        f"{'0.0.0.0' if spelling == '127.1.2.3' else '127.0.0.1'}:{port}")
    assert result.returncode in (1, 78) and "private" in result.stderr.lower(), result


def test_an_upstream_that_is_the_private_socket_stops_the_start(tmp_path):
    socket = tmp_path / "p.sock"
    result = refuse_to_serve(tmp_path / "data", "--upstream", f"unix:{socket}", "--private-listen", f"unix:{socket}")
    assert result.returncode in (1, 78) and "private" in result.stderr.lower(), result


LOOPBACK = [
    "127.0.0.1", "localhost", "LOCALHOST", "LocalHost", "127.1", "127.0.1", "0", "0.0.0.0", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]",
]


@pytest.mark.parametrize("spelling", LOOPBACK)
@pytest.mark.parametrize("listener", ["private", "public"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_name_of_a_listener_of_our_own_is_an_upstream(tmp_path, listener, spelling, scheme):
    port = free_port()
    settings = {"privateListen": f"127.0.0.1:{port}"} if listener == "private" else {}
    arguments = ["--port", port] if listener == "public" else []
    result = refuse_to_serve(tmp_path / "data", "--upstream", f"{scheme}://{spelling}:{port}", *arguments, **settings)
    assert result.returncode in (1, 78) and "upstream" in result.stderr, result


@pytest.mark.parametrize("written", [
    "{0}/p.sock", "{0}/a/../p.sock", "{0}/./p.sock", "{0}//p.sock", "/{0}/p.sock", "{0}/link/p.sock", "{0}/a/../link/./p.sock", "{0}/link.sock",
])
def test_no_name_of_the_private_socket_is_an_upstream(tmp_path, written):
    own = tmp_path / "own"
    (own / "a").mkdir(parents=True)
    (own / "link").symlink_to(own)
    (own / "link.sock").symlink_to(own / "p.sock")
    result = refuse_to_serve(
        tmp_path / "data", "--upstream", "unix:" + written.format(own), "--private-listen", f"unix:{own}/p.sock")
    assert result.returncode in (1, 78) and "upstream" in result.stderr, result


UNUSABLE_FILES = {
    "no certificate": ("tlsCert", lambda certificate, key: certificate.unlink()),
    "no key": ("tlsKey", lambda certificate, key: key.unlink()),
    "a key that every user can read": ("tlsKey", lambda certificate, key: key.chmod(0o604)),
    "a certificate that is none": ("tlsCert", lambda certificate, key: certificate.write_text("none")),
    "a key that is none": ("tlsKey", lambda certificate, key: key.write_text("none")),
    "an empty certificate": ("tlsCert", lambda certificate, key: certificate.write_text("")),
}


@pytest.mark.parametrize("kind", UNUSABLE_FILES)
def test_certificate_files_that_cannot_be_used_stop_the_start_and_are_named(tmp_path, kind):
    setting, spoil = UNUSABLE_FILES[kind]
    certificate, key = http2.certificate(tmp_path)
    spoil(certificate, key)
    result = refuse_to_serve(
        tmp_path / "data", "--upstream", "http://127.0.0.1:1", "--public-url", "https://127.0.0.1", "--tls-cert", certificate,
        "--tls-key", key)
    named = {"tlsCert": certificate.name, "tlsKey": key.name}[setting]
    assert result.returncode == 78 and setting in result.stderr and named in result.stderr, result


def test_a_routes_own_upstream_may_not_be_the_private_listener_either(tmp_path):
    port = free_port()
    routes = f'[{{path: /a, access: public, upstream: "http://127.0.0.1:{port}"}}]'
    result = refuse_to_serve(tmp_path / "data", "--routes", routes, "--private-listen", f"127.0.0.1:{port}")
    assert result.returncode in (1, 78) and "private" in result.stderr.lower(), result


def test_the_demo_and_a_backend_do_not_go_together(tmp_path):
    result = refuse_to_serve(tmp_path / "data", "--demo", "--upstream", "http://127.0.0.1:3000")
    assert result.returncode in (64, 78) and "demo" in result.stderr and "upstream" in result.stderr, result


def test_a_routes_own_upstream_gets_its_requests(tmp_path):
    other = Backend()
    gateway = Gateway(tmp_path / "data", [
        {"path": "/other/*", "access": "public", "upstream": other.address}, {"path": "/*", "access": "public"}])
    assert ask(gateway, head(gateway, "GET", "/other/a")).status == 200
    assert ask(gateway, head(gateway, "GET", "/a")).status == 200
    assert [request.path for request in other.requests] == ["/other/a"]
    assert [request.path for request in gateway.backend.requests] == ["/a"]
    assert gateway.stop() == 0
    other.stop()


# The command that says which rule answers.

@pytest.mark.parametrize("method, path, status, said", [
    ("GET", "/public/a", 0, "rule 1"), ("POST", "/money/a", 0, "rule 2"), ("GET", "/money/a", 1, "404"), ("HEAD", "/read/a", 0, "rule 6"),
    ("POST", "/read/a", 1, "404"), ("GET", "/api/a?b", 0, "rule 5"), ("GET", "/%61pi/a", 0, "rule 5"), ("GET", "/nothing", 1, "404"),
    ("GET", "/auth/login", 0, "own"), ("GET", "/healthz", 0, "own"), ("GET", "/a/../b", 2, "400"), ("GET", "/a%2fb", 2, "400"),
    ("get", "/public/a", 0, "rule 1"), ("GET", "/pages/a", 0, "/pages/*"),
])
def test_routes_check_says_which_rule_decides(tmp_path, method, path, status, said):
    config = tmp_path / "cloakroom.yaml"
    config.write_text(json.dumps({"upstream": "http://127.0.0.1:1", "routes": ROUTES}))
    result = run("routes", "check", "--config", config, method, path)
    assert result.returncode == status and said in result.stdout + result.stderr, result


def test_routes_check_says_that_there_is_no_gateway(tmp_path):
    result = run("routes", "check", "--data-dir", tmp_path / "data", "GET", "/")
    assert result.returncode == 1 and "upstream" in result.stderr
