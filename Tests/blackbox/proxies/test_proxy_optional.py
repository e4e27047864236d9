"""A location of nginx where a session is optional (docs/forward-auth.md)."""
import pytest

from browser import NAME
from nginx import Nginx
from place import STALE, Browser, Place, own_cookies


@pytest.fixture(scope="module")
def site():
    if not Nginx.is_installed():
        pytest.skip("nginx is not installed")
    mark = "    # The check, on the private listener.\n"
    site = Place(Nginx, {mark: f"    include snippets/cloakroom-optional.conf;\n{mark}"})
    yield site
    site.stop()


def test_the_app_receives_the_user_if_there_is_one(site):
    ann = Browser(site)
    ann.sign_up()
    for browser, count in ((ann, 1), (Browser(site), 0)):
        answer = browser.get("/blog/1", headers={"X-Auth-Subject": "u_forged", "Authorization": "Bearer forged"})
        assert answer.status == 200 and answer.body == b"the app"
        for name in ("x-auth-subject", "x-auth-session", "authorization"):
            values = [value for value in site.backend.header(name) if value]
            assert len(values) == count and "forged" not in str(values)
        assert NAME not in site.backend.requests[-1]
    site.server.move(STALE)
    assert own_cookies(ann.get("/blog/1"))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_app_receives_the_whole_request_of_a_visitor_without_a_session(site, method):
    answer = Browser(site).send(method, "/blog/1?a=%2F", body=b"x" * 10 if method == "POST" else b"")
    assert answer.status == 200 and site.backend.target == "/blog/1?a=%2F" and site.backend.requests[-1].startswith(method)
    assert site.backend.bodies[-1] == (10 if method == "POST" else 0)
    assert own_cookies(answer) == [] and answer.values("cache-control") == ["public, max-age=600"]


def test_a_cross_site_request_and_an_ambiguous_path_are_refused(site):
    ann = Browser(site)
    ann.sign_up()
    assert ann.send("POST", "/blog/1", site="cross-site").code == "cross_site_request"
    assert ann.get("/blog/..;/admin").status == 400 and ann.get("/blog//1").status == 400


def test_the_app_gets_nothing_while_the_check_does_not_respond(site):
    site.backend.forget()
    site.relay.fail(b"HTTP/1.1 500 Failed\r\nContent-Length: 0\r\n\r\n")
    try:
        assert Browser(site).get("/blog/1").status >= 500 and site.backend.requests == []
    finally:
        site.relay.fail()
