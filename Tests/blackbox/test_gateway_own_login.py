"""An app that keeps its own login behind the gateway: `cookie: keep` and `loginPage`."""
import itertools
import json

import pytest

from backend import Backend as Service, cookie_of
from browser import NAME, Client
from gateway import FETCH, NAVIGATION, STEERED, Gateway, Visitor, ask, head, renewed, values
from raw_backend import response
from server import refuse_to_serve

NUMBERS = itertools.count()
ROUTES = [
    {"path": "/login/*", "access": "public", "cookie": "keep"}, {"path": "/confirm/*", "access": "session", "cookie": "keep"},
    {"path": "/public/*", "access": "public"}, {"path": "/*", "access": "session"},
]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    gateway = Gateway(tmp_path_factory.mktemp("gateway") / "data", ROUTES, loginPage="/login?lang=en", **STEERED)
    gateway.service = Service(gateway)
    yield gateway
    assert gateway.stop() == 0


def begin(gateway, **fields):
    """A session of the service API, each of another user: the number of logins of one is limited."""
    return gateway.service.begin(f"user-{next(NUMBERS)}", **fields)


def set_cookie(gateway, **fields):
    """The header that a backend relays."""
    answer = begin(gateway, **fields)
    assert answer.status == 201, answer
    return answer.json["set_cookie"][0]


@pytest.fixture
def visitor(gateway):
    """A browser that has logged in at the app."""
    return Visitor(gateway, Client(gateway, cookie_of(begin(gateway))))


def answering(gateway, below, *lines):
    return gateway.backend.on(response(200, *lines), below=below)


def test_a_navigation_without_a_session_goes_to_the_login_page_of_the_app(gateway):
    answer = ask(gateway, head(gateway, "GET", "/notes?a=b", *NAVIGATION))
    assert (answer.status, answer.header("location")) == (302, "/login?lang=en&return_to=/notes%3Fa%3Db")


def test_the_cookie_that_the_app_relays_reaches_the_browser_and_no_cache(gateway):
    line = set_cookie(gateway)
    path = answering(gateway, "/login", f"Set-Cookie: {line}", "Set-Cookie: theme=dark", "Cache-Control: public")
    answer = ask(gateway, head(gateway, "GET", path))
    assert values(answer, "set-cookie") == [line, "theme=dark"]
    assert values(answer, "cache-control") == ["no-store"]
    cookie = line.split(";")[0].split("=", 1)[1]
    assert Visitor(gateway, Client(gateway, cookie)).get("/notes").status == 200


@pytest.mark.parametrize("below", ["/public", "/notes"])
def test_on_another_rule_it_is_removed(gateway, visitor, below):
    path = answering(gateway, below, f"Set-Cookie: {set_cookie(gateway)}")
    assert visitor.get(path).set_cookies == []


@pytest.mark.parametrize("value", [
    f"{NAME}=forged", f"{NAME}=a.b.c~d.e.f; Path=/", f"={NAME}=forged", f" {NAME} = forged", f"{NAME}=\t~",
    "half", "mixed", "={0}",
])
def test_a_cookie_that_we_did_not_issue_is_removed_there_as_well(gateway, value):
    one, other = (set_cookie(gateway).split(";")[0] for _ in range(2))
    value = {
        "half": one.split("~")[0] + "~", "mixed": one.split("~")[0] + "~" + other.split("~")[1], "={0}": f"={one}",
    }.get(value, value)
    path = answering(gateway, "/login", f"Set-Cookie: {value}", "Set-Cookie: theme=dark")
    assert values(ask(gateway, head(gateway, "GET", path)), "set-cookie") == ["theme=dark"]


def test_the_app_can_end_the_cookie(gateway):
    path = answering(gateway, "/login", f"Set-Cookie: {NAME}=; Max-Age=0")
    assert ask(gateway, head(gateway, "GET", path)).set_cookies == [f"{NAME}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"]


@pytest.mark.parametrize("attributes", [
    "; SameSite=None", "; Domain=example.com", "", "; Path=/login", "; path=/; MAX-AGE=60; samesite=none", "; Max-Age=x",
])
def test_the_cookie_has_the_attributes_of_ours_whatever_the_app_writes(gateway, attributes):
    pair = set_cookie(gateway).split(";")[0]
    path = answering(gateway, "/login", f"Set-Cookie: {pair}{attributes}")
    age = "; Max-Age=60" if "MAX-AGE" in attributes else ""
    assert ask(gateway, head(gateway, "GET", path)).set_cookies == [f"{pair}; Path=/; Secure; HttpOnly; SameSite=Lax{age}"]


def test_the_cookie_reaches_the_app_where_the_rule_keeps_it(gateway, visitor):
    for below, keeps in (("/login", True), ("/confirm", True), ("/public", False), ("/notes", False)):
        path = answering(gateway, below)
        assert visitor.get(path, f"Cookie: theme=dark; {NAME}={visitor.cookie}", cookie=False).status == 200
        found = gateway.backend.one(path).value("cookie")
        assert (visitor.cookie in found, "theme=dark" in found) == (keeps, True)


def test_a_login_in_a_browser_with_a_session_replaces_it_also_if_it_is_renewed_on_the_way(gateway, visitor):
    gateway.expire_access_tokens()
    older, line = visitor.cookie, None

    def log_in(connection, request):
        nonlocal line
        cookie = request.value("cookie")
        line = set_cookie(gateway, browser=gateway.service.browser(cookie=cookie))
        connection.send(response(200, f"Set-Cookie: {line}"))

    answer = visitor.get(gateway.backend.on(log_in, below="/login"))
    assert values(answer, "set-cookie") == [line]
    visitor.take(answer)
    assert visitor.get("/notes").status == 200
    assert Visitor(gateway, Client(gateway, older)).get("/notes", *FETCH).status == 401


def test_a_session_that_is_renewed_on_the_way_gets_its_cookie_if_the_app_sets_none(gateway, visitor):
    gateway.expire_access_tokens()
    assert len(renewed(visitor.get(answering(gateway, "/login")))) == 1


def test_a_password_that_is_asked_for_again_raises_the_session_of_the_cookie(gateway, visitor):
    def confirm(connection, request):
        browser = gateway.service.browser(cookie=request.value("cookie"))
        answer = gateway.service.send(
            "POST", f"/service/sessions/{request.value('x-auth-session')}/step-up",
            {"authentication": {"amr": ["pwd"], "acr": "1"}, "browser": browser})
        connection.send(response(answer.status, f"Set-Cookie: {answer.json['set_cookie'][0]}"))

    answer = visitor.get(gateway.backend.on(confirm, below="/confirm"))
    assert (answer.status, len(renewed(answer))) == (200, 1)


@pytest.mark.parametrize("page, routes", [
    ("/login", [{"path": "/*", "access": "session"}]), ("/login", [{"path": "/public/*", "access": "public"}]),
    ("/login", [{"path": "/login", "methods": ["POST"], "access": "public"}, {"path": "/*", "access": "session"}]),
    ("//evil.example", ROUTES), ("login", ROUTES), ("https://app.example.com/login", ROUTES),
])
def test_a_login_page_that_no_visitor_can_open_stops_the_start(tmp_path, page, routes):
    refused = refuse_to_serve(tmp_path, loginPage=page, upstream="http://127.0.0.1:9", routes=json.dumps(routes))
    assert refused.returncode == 78 and "LOGIN_PAGE" in refused.stderr
