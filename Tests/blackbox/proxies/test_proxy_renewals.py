"""Renewals during a check: the cookie reaches the browser once, and no cache stores it."""
import concurrent.futures
import threading

import pytest

from browser import claims, tokens
from cannot import HANDSHAKE, POLICY, cannot
from place import NAME, ORIGIN, STALE, Browser, own_cookies
from test_proxy_upgrades import HANDSHAKE_HEADERS


def assert_renewed(place, answer, is_renewed=True):
    assert len(own_cookies(answer)) == int(is_renewed), answer
    if is_renewed:
        policies = set(answer.values("cache-control"))
        if answer.status >= 400 and cannot(place, POLICY):
            assert policies - {"public, max-age=600"} == {"no-store"}
        else:
            assert policies - {"no-cache"} == {"no-store"}
        assert "HttpOnly" in own_cookies(answer)[0] and "Secure" in own_cookies(answer)[0]
    assert answer.header("x-auth-set-cookie") is None and answer.header("x-auth-cache-control") is None


@pytest.mark.parametrize("status", [200, 204, 304, 404, 500])
def test_a_renewed_cookie_comes_once_beside_the_apps_own_and_is_not_stored(place, app, ann, status):
    first = ann.cookie
    place.server.move(STALE)
    answer = ann.get(f"/answers/{status}")
    assert answer.status == status and ann.cookie != first
    assert_renewed(place, answer)
    assert "own=1; Path=/" in answer.set_cookies
    assert app.header("authorization") == [f"Bearer {tokens(ann.cookie)[0]}"]
    again = ann.get(f"/answers/{status}")
    assert_renewed(place, again, False)
    assert again.values("cache-control") == ["public, max-age=600"]


def test_a_renewed_cookie_comes_when_the_app_is_down(place, app, ann):
    first = ann.cookie
    place.server.move(STALE)
    # The app closes the connection without a response.
    answer = ann.get("/answers/none")
    assert answer.status in (502, 503) and ann.cookie != first
    assert_renewed(place, answer)


def test_a_renewed_cookie_comes_with_a_websocket(place, app, ann):
    first = ann.cookie
    place.server.move(STALE)
    assert ann.get("/live", headers=HANDSHAKE_HEADERS | {"Origin": ORIGIN}).status == 101
    assert (ann.cookie == first) == cannot(place, HANDSHAKE)
    # Where it is lost, the next response has it.
    assert ann.get("/notes").status == 200
    place.server.move(3)
    assert ann.get("/notes").status == 200 and ann.cookie != first


def test_a_lost_cookie_costs_nothing(place, app, ann):
    first = ann.cookie
    place.server.move(STALE)
    lost = []
    for _ in range(3):
        answer = ann.get("/notes", keep=False)
        assert answer.status == 200
        lost.append(own_cookies(answer))
        place.server.move(3)
    refresh_tokens = {cookie.split(";")[0].split("~")[1] for cookies in lost for cookie in cookies}
    assert len(refresh_tokens) == 1 and lost[-1], lost
    assert ann.get("/notes").status == 200 and ann.cookie != first
    place.server.move(STALE)
    assert ann.get("/notes").status == 200


def test_twenty_parallel_renewals_are_all_served_and_give_one_refresh_token(place, app, ann):
    place.server.move(STALE)
    start = threading.Barrier(20)

    def ask(_):
        browser = Browser(place)
        browser.cookie = ann.cookie
        start.wait()
        return browser.get("/notes")

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(ask, range(20)))
    assert {answer.status for answer in answers} == {200}
    cookies = [cookie for answer in answers for cookie in own_cookies(answer)]
    values = {cookie.split(";")[0].split("=", 1)[1] for cookie in cookies}
    assert len({value.split("~")[1] for value in values}) == 1, values
    ann.cookie = values.pop()
    assert ann.get("/notes").status == 200
    assert claims(app.header("authorization")[0].split()[1])["sid"] == claims(tokens(ann.cookie)[0])["sid"]


def test_a_refusal_carries_no_cookie(place, app, ann):
    place.server.move(STALE)
    answer = ann.send("POST", "/notes", site="cross-site")
    assert answer.status == 403 and NAME not in str(answer.headers)
    answer = ann.get("/money/1")
    assert answer.status == 401 and NAME not in str(answer.headers)
    first = ann.cookie
    place.server.move(3)
    assert ann.get("/notes").status == 200 and ann.cookie != first
