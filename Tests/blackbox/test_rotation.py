"""The rotation protocol over HTTP: every row of its table, and the cases that it exists for (docs/refresh.md).

The server's clock stands still; only `move` moves it. So no test depends on the speed of the machine."""
import concurrent.futures
import shutil

import pytest

from browser import PASSWORD, Client, claims, generation, tokens
from server import wait_until

LIFETIME, WINDOW, DELAY = 3000, 600, 60
NATIVE = {"Origin": None, "Sec-Fetch-Site": None}


@pytest.fixture(scope="module")
def server():
    from server import Server
    server = Server(
        clock="+0", accessTokenLifetime=LIFETIME, stragglerWindow=WINDOW, reissueDelay=DELAY, clients="spa=hybrid,app=body")
    yield server
    assert server.stop() == 0


@pytest.fixture
def client(server):
    client = Client(server)
    client.sign_up()
    return client


def refresh_token(cookie):
    return tokens(cookie)[1]


def renew(client, cookie=None):
    """Presents a cookie, by default the jar's. Does not change the jar."""
    return client.refresh(cookie=cookie or True, keep=False)


def close_window(client):
    client.server.move(WINDOW + 1)


def rotate(client):
    """Rotates: the jar holds a new, pending generation."""
    before = generation(client.cookie)
    assert client.refresh().cookie and generation(client.cookie) == before + 1


def rotate_and_confirm(client):
    """Rotates and confirms: the jar holds a new generation, and the straggler window has just opened."""
    rotate(client)
    served(client.refresh())


def served(answer):
    """Asserts that the request succeeded and the response has no refresh token."""
    assert answer.status == 200 and answer.set_cookies == [], answer
    assert "refresh_token" not in answer.json and answer.json["session"]["rotated"] is False
    return answer.json["session"]


def test_the_first_renewal_rotates(client):
    first = client.cookie
    answer = client.refresh()
    assert answer.json["session"]["rotated"] is True
    assert (generation(first), generation(client.cookie)) == (0, 1)


def test_the_first_use_of_a_new_generation_confirms_it_and_returns_no_token(client):
    rotate(client)
    session = served(client.refresh())
    assert 0 < session["renew_in"] <= WINDOW


def test_a_pending_generation_is_confirmed_at_any_later_time(client):
    rotate(client)
    client.server.move(10 * WINDOW)
    served(client.refresh())
    close_window(client)
    rotate(client)


def test_inside_the_window_no_token_is_returned(client):
    rotate_and_confirm(client)
    for _ in range(3):
        client.server.move(WINDOW / 4)
        session = served(client.refresh())
        assert 0 < session["renew_in"] <= WINDOW and 0 < session["expires_in"] <= LIFETIME


def test_the_window_is_fixed_and_a_rotation_follows_it(client):
    rotate_and_confirm(client)
    client.server.move(WINDOW - 30)
    served(client.refresh())
    client.server.move(31)
    rotate(client)


def test_a_token_whose_response_may_be_in_flight_is_not_returned_twice(client):
    assert renew(client).cookie
    for _ in range(3):
        session = served(renew(client))
        assert 0 < session["renew_in"] <= DELAY


def test_after_a_lost_response_the_same_token_is_returned_byte_for_byte(client):
    lost = renew(client)
    for _ in range(3):
        client.server.move(DELAY + 1)
        again = renew(client)
        assert refresh_token(again.cookie) == refresh_token(lost.cookie)
        assert tokens(again.cookie)[0] != tokens(lost.cookie)[0]
    client.server.move(5 * WINDOW)
    assert refresh_token(renew(client).cookie) == refresh_token(lost.cookie)


def test_each_reissue_starts_the_delay_again(client):
    renew(client)
    client.server.move(DELAY + 1)
    assert renew(client).cookie
    served(renew(client))


def test_responses_of_one_generation_differ_only_in_the_access_tokens_times_and_id(client):
    contents = []
    for _ in range(3):
        access = claims(tokens(renew(client).cookie)[0])
        contents.append({name: value for name, value in access.items() if name not in ("iat", "exp", "jti")})
        client.server.move(DELAY + 1)
    assert contents[0] == contents[1] == contents[2]


def prepare_confirmation(client):
    rotate(client)
    return client.cookie


def prepare_window(client):
    rotate_and_confirm(client)
    return client.cookie


def prepare_lost_answer(client):
    renew(client)
    return client.cookie


@pytest.mark.parametrize("prepare", [prepare_confirmation, prepare_window, prepare_lost_answer])
def test_after_renew_in_seconds_a_renewal_returns_a_newer_token(client, prepare):
    cookie = prepare(client)
    wait = served(renew(client, cookie))["renew_in"]
    client.server.move(wait)
    assert generation(renew(client, cookie).cookie) == generation(cookie) + 1


def test_expires_in_is_that_of_the_presented_token_and_zero_after_it_expired(client):
    rotate_and_confirm(client)
    client.server.move(100)
    assert LIFETIME - 200 < served(client.refresh())["expires_in"] <= LIFETIME - 100
    close_window(client)
    rotate(client)
    client.server.move(LIFETIME + 1)
    assert served(client.refresh())["expires_in"] == 0


def test_a_straggler_is_served_without_tokens(client):
    old = client.cookie
    rotate_and_confirm(client)
    served(renew(client, old))
    rotated = client.cookie
    client.server.move(WINDOW - 30)
    served(renew(client, old))
    assert client.protected(cookie=old, keep=False).set_cookies == []
    assert client.protected(cookie=rotated).status == 200


def test_a_straggler_whose_access_token_has_expired_is_served_inline(start):
    server = start(clock="+0", accessTokenLifetime=100, stragglerWindow=WINDOW)
    client = Client(server)
    client.sign_up()
    old = client.cookie
    rotate_and_confirm(client)
    server.move(101)
    for cookie in (old, client.cookie):
        inline = client.protected(cookie=cookie, keep=False)
        assert (inline.status, inline.set_cookies) == (200, [])
        handed_over = client.check(cookie=cookie, keep=False)
        assert (handed_over.status, handed_over.set_cookies) == (204, [])
        assert handed_over.header("x-auth-set-cookie") is None and handed_over.header("authorization")


def test_a_spent_token_ends_the_session_at_once(client):
    old = client.cookie
    rotate_and_confirm(client)
    close_window(client)
    answer = renew(client, old)
    assert (answer.status, answer.code, answer.set_cookies) == (401, "refresh_token_reused", [])
    for gone in (client.refresh(), client.protected(), renew(client, old)):
        assert (gone.status, gone.code, gone.set_cookies) == (401, "session_revoked", [])
    assert client.get("/auth/session").json == {"authenticated": False}


@pytest.mark.parametrize("is_confirmed", [True, False])
def test_a_token_two_generations_old_is_spent_even_inside_the_window(client, is_confirmed):
    first = client.cookie
    rotate_and_confirm(client)
    close_window(client)
    rotate(client)
    if is_confirmed:
        served(client.refresh())
    assert renew(client, first).code == "refresh_token_reused"


def test_a_spent_token_is_detected_by_any_request_that_renews(client):
    old = client.cookie
    rotate_and_confirm(client)
    client.server.move(LIFETIME + 1)
    assert client.protected(cookie=old, keep=False).code == "refresh_token_reused"
    assert client.refresh().code == "session_revoked"


def test_a_presented_access_token_confirms_its_generation(client):
    old = client.cookie
    rotate(client)
    assert client.protected().status == 200

    def is_straggler():
        client.server.move(DELAY + 1)
        return renew(client, old).set_cookies == []

    wait_until(is_straggler)


def test_an_expired_access_token_is_renewed_inline(client):
    client.server.move(LIFETIME + 1)
    answer = client.protected()
    assert answer.status == 200 and len(answer.set_cookies) == 1 and generation(client.cookie) == 1
    assert client.protected().set_cookies == []


@pytest.mark.parametrize("round", range(5))
def test_24_parallel_requests_with_an_expired_token_are_all_served_and_one_gets_the_cookie(client, round):
    client.server.move(LIFETIME + 1)
    cookie = client.cookie
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda _: client.protected(cookie=cookie, keep=False), range(24)))
    assert {answer.status for answer in answers} == {200}
    (successor,) = [answer.cookie for answer in answers if answer.cookie]
    client.cookie = successor
    assert generation(successor) == 1 and client.refresh().status == 200


def test_24_parallel_renewals_get_one_cookie(client):
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda _: renew(client), range(24)))
    assert {answer.status for answer in answers} == {200}
    assert sum(len(answer.set_cookies) for answer in answers) == 1
    assert sum(answer.json["session"]["rotated"] for answer in answers) == 1


def test_tabs_that_lose_every_first_response_are_never_logged_out(client):
    for _ in range(6):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: renew(client), range(4)))
        assert {answer.status for answer in answers} == {200}
        client.server.move(DELAY + 1)
        client.cookie = renew(client).cookie or client.cookie
        client.server.move(WINDOW / 3)
    assert client.refresh().status == 200


def test_a_browser_that_comes_back_idle_is_served_and_renewed_one_window_later(client):
    rotate(client)
    client.server.move(20 * LIFETIME)
    for _ in range(3):
        answer = client.protected()
        assert (answer.status, answer.set_cookies) == (200, [])
    close_window(client)
    assert client.protected().cookie


def restore(server, backup):
    server.stop()
    shutil.rmtree(server.directory)
    shutil.copytree(backup, server.directory)
    server.start()


@pytest.fixture
def restored(start, tmp_path):
    """A client whose server has just lost three rotations, because a backup was restored."""
    server = start(clock="+0", stragglerWindow=WINDOW, reissueDelay=0)
    client = Client(server)
    client.sign_up()
    server.stop()
    shutil.copytree(server.directory, tmp_path / "backup")
    server.start()
    for _ in range(3):
        rotate_and_confirm(client)
        close_window(client)
    restore(server, tmp_path / "backup")
    return client


def test_a_restored_database_ends_no_session_and_adoption_returns_no_token(restored):
    served(restored.refresh())
    close_window(restored)
    rotate(restored)
    assert generation(restored.cookie) == 4
    restored.server.stop()
    assert "adoption" in restored.server.log()


def test_after_an_adoption_the_previous_generation_is_a_straggler(restored):
    client = restored
    served(client.refresh())
    close_window(client)
    old = client.cookie
    rotate_and_confirm(client)
    served(renew(client, old))
    assert client.protected().status == 200


def test_a_session_ends_when_it_was_idle_and_at_its_absolute_end(start):
    server = start(clock="+0", idleLifetime=1500, absoluteLifetime=4000, stragglerWindow=100, accessTokenLifetime=500)
    idle, busy = Client(server), Client(server)
    idle.sign_up()
    busy.sign_up()
    for _ in range(7):
        assert busy.protected().status == 200
        server.move(501)
    assert idle.protected().code == "session_expired" and idle.refresh().code == "session_expired"
    assert busy.refresh().status == 200
    server.move(501)
    assert busy.refresh().code == "session_expired"
    assert busy.get("/auth/session").json == {"authenticated": False}


def step_up(client, cookie=None, password=PASSWORD, keep=True):
    return client.post("/auth/step-up", {"password": password}, cookie=cookie or True, keep=keep)


def change_password(client, cookie=None, new="another fine phrase", keep=True):
    fields = {"current_password": PASSWORD, "new_password": new}
    return client.post("/auth/password", fields, cookie=cookie or True, keep=keep)


def postponed(answer):
    """Asserts that nothing changed and the response has `Retry-After`."""
    assert (answer.status, answer.code, answer.set_cookies) == (503, "unavailable", []), answer
    assert 1 <= int(answer.header("retry-after")) <= WINDOW + 1
    return int(answer.header("retry-after"))


RAISES = [step_up, change_password]


@pytest.mark.parametrize("raising", RAISES)
def test_a_step_up_rotates_inside_the_window(client, raising):
    rotate_and_confirm(client)
    before = generation(client.cookie)
    client.server.move(10)
    assert raising(client).cookie and generation(client.cookie) == before + 1


@pytest.mark.parametrize("raising", RAISES)
def test_a_step_up_with_a_generation_that_was_returned_twice_waits_until_the_window_closes(client, raising):
    renew(client)
    client.server.move(DELAY + 1)
    client.refresh()
    served(client.refresh())
    seconds = postponed(raising(client))
    client.server.move(seconds)
    assert raising(client).cookie


@pytest.mark.parametrize("raising", RAISES)
def test_a_step_up_of_a_straggler_waits(client, raising):
    old = client.cookie
    rotate_and_confirm(client)
    postponed(raising(client, old, keep=False))
    assert client.protected().status == 200
    assert client.copy().log_in(email=client.email).status == 200, "the password is what it was"


def test_a_postponed_step_up_changes_no_level(client):
    before = client.get("/auth/session").json["session"]["auth_time"]
    old = client.cookie
    rotate_and_confirm(client)
    client.server.move(10)
    postponed(step_up(client, old, keep=False))
    assert client.get("/auth/session").json["session"]["auth_time"] == before


def test_a_wrong_password_is_refused_also_if_the_step_up_would_be_postponed(client):
    old = client.cookie
    rotate_and_confirm(client)
    assert step_up(client, old, "wrong password", keep=False).code == "invalid_credentials"
    assert client.protected().status == 200


@pytest.mark.parametrize("raising", RAISES)
def test_a_step_up_whose_renewal_was_lost_gets_the_same_refresh_token_at_once(client, raising):
    lost = renew(client)
    answer = raising(client)
    assert refresh_token(answer.cookie) == refresh_token(lost.cookie)


def test_a_step_up_that_raises_a_pending_generation_has_the_fresh_time(client):
    before = claims(tokens(client.cookie)[0])["auth_time"]
    renew(client)
    client.server.move(10)
    step_up(client)
    assert claims(tokens(client.cookie)[0])["auth_time"] >= before + 10


def test_a_copy_from_before_the_step_up_does_not_get_its_level(client):
    rotate_and_confirm(client)
    copy = client.cookie
    client.server.move(10)
    fresh = step_up(client).json["session"]["auth_time"]
    assert served(renew(client, copy))["auth_time"] < fresh
    client.server.move(DELAY + 1)
    reissued = renew(client, copy)
    assert reissued.json["session"]["auth_time"] < fresh
    assert claims(tokens(reissued.cookie)[0])["auth_time"] < claims(tokens(client.cookie)[0])["auth_time"]


def test_after_the_step_up_was_confirmed_an_old_copy_gets_no_token(client):
    copy = client.cookie
    client.server.move(10)
    fresh = step_up(client).json["session"]["auth_time"]
    served(client.refresh())
    assert served(renew(client, copy))["auth_time"] < fresh
    close_window(client)
    assert renew(client, copy).code == "refresh_token_reused"


def test_every_generation_of_step_ups_inside_one_window_is_a_straggler(client):
    earlier = [client.cookie]
    rotate_and_confirm(client)
    for _ in range(3):
        earlier.append(client.cookie)
        client.server.move(5)
        assert step_up(client).cookie
        served(client.refresh())
    for cookie in earlier:
        served(renew(client, cookie))
    close_window(client)
    for cookie in earlier[:1]:
        assert renew(client, cookie).code == "refresh_token_reused"


@pytest.mark.parametrize("raising", RAISES)
def test_a_spent_cookie_with_the_correct_password_ends_the_session_and_changes_nothing_else(client, raising):
    old = client.cookie
    rotate_and_confirm(client)
    close_window(client)
    answer = raising(client, old, keep=False)
    assert (answer.status, answer.code, answer.set_cookies) == (401, "refresh_token_reused", [])
    assert client.protected().code == "session_revoked"
    assert client.copy().log_in(email=client.email).status == 200
    assert client.copy().log_in(email=client.email, password="another fine phrase").code == "invalid_credentials"


def test_a_hybrid_client_that_is_only_served_gets_an_access_token_alone(client):
    client.log_in(client_id="spa")
    rotated = client.refresh()
    assert rotated.cookie.startswith("~") and rotated.json["access_token"]
    for _ in range(2):
        answer = client.refresh()
        served(answer)
        assert claims(answer.json["access_token"])["gen"] == 1 and answer.json["token_type"] == "Bearer"
        assert client.protected(headers={"Authorization": "Bearer " + answer.json["access_token"]}).status == 200


def test_page_loads_of_a_hybrid_client_within_the_window_all_get_an_access_token(client):
    client.log_in(client_id="spa")
    for _ in range(8):
        answer = client.refresh()
        assert answer.status == 200 and claims(answer.json["access_token"])["sid"]
        client.server.move(WINDOW / 4)


def test_a_body_client_that_is_only_served_gets_an_access_token_alone(client):
    def present(token):
        return client.post("/auth/refresh", {"refresh_token": token}, headers=NATIVE, cookie=False)

    login = {"email": client.email, "password": PASSWORD, "client_id": "app"}
    first = client.post("/auth/login", login, headers=NATIVE, cookie=False).json["refresh_token"]
    rotated = present(first).json
    assert rotated["refresh_token"] != first and rotated["session"]["rotated"] is True
    answer = present(rotated["refresh_token"])
    served(answer)
    assert claims(answer.json["access_token"])["gen"] == 1 and answer.json["token_type"] == "Bearer"
    straggler = present(first)
    served(straggler)
    assert straggler.json["access_token"]
    client.server.move(WINDOW + 1)
    assert present(rotated["refresh_token"]).json["refresh_token"] != rotated["refresh_token"]


def test_tokens_of_two_sessions_are_both_refused(client):
    other = client.copy()
    other.log_in(email=client.email)
    for cookie in (f"{tokens(client.cookie)[0]}~{tokens(other.cookie)[1]}", f"{tokens(other.cookie)[0]}~{tokens(client.cookie)[1]}"):
        assert client.protected(cookie=cookie, keep=False).code == "token_invalid"
        assert renew(client, cookie).code == "token_invalid"
    assert client.protected().status == other.protected().status == 200


def test_each_token_is_refused_in_the_place_of_the_other(client):
    access, refresh = tokens(client.cookie)
    for cookie in (f"{refresh}~{access}", f"{access}~{access}", f"{refresh}~{refresh}", f"~{access}", access, refresh, f"{access}~"):
        assert client.protected(cookie=cookie, keep=False).code == "token_invalid"
    assert client.protected(cookie=False, headers={"Authorization": f"Bearer {refresh}"}).code == "token_invalid"
    assert client.get("/auth/session").json["authenticated"] is True


@pytest.mark.parametrize("broken", ["", "x", "a.b.c", "{access}x", "{changed}"])
def test_the_refresh_half_is_judged_alone(client, broken):
    access, refresh = tokens(client.cookie)
    half = broken.format(access=access, changed=access[:-10] + "AAAAAAAAAA")
    assert generation(renew(client, f"{half}~{refresh}").cookie) == 1


@pytest.mark.parametrize("broken", ["", "x", "{changed}"])
def test_a_logout_with_a_broken_access_half_ends_the_session(client, broken):
    access, refresh = tokens(client.cookie)
    half = broken.format(changed=access[:-10] + "AAAAAAAAAA")
    assert client.post("/auth/logout", cookie=f"{half}~{refresh}", keep=False).status == 204
    assert client.refresh().code == "session_revoked"


def test_renewal_is_by_post_only(client):
    for method in ("GET", "PUT", "DELETE"):
        assert client.send(method, "/auth/refresh").status == 405
    assert generation(client.cookie) == 0


def test_of_two_cookies_of_one_name_only_the_one_that_verifies_counts(client):
    other = client.copy()
    other.log_in(email=client.email)
    name = "__Host-Http-session"
    for header in (f"{name}={client.cookie}; {name}=tossed", f"{name}=tossed; {name}={client.cookie}"):
        assert client.get("/auth/sessions", headers={"Cookie": header}, cookie=False).status == 200
    both = f"{name}={client.cookie}; {name}={other.cookie}"
    assert client.get("/auth/sessions", headers={"Cookie": both}, cookie=False).code == "token_invalid"
    many = "; ".join([f"{name}=x"] * 9 + [f"{name}={client.cookie}"])
    assert client.get("/auth/sessions", headers={"Cookie": many}, cookie=False).code == "token_invalid"


def test_forward_auth_renews_and_serves_stragglers(client):
    old = client.cookie
    client.server.move(LIFETIME + 1)
    answer = client.check()
    assert answer.status == 204 and answer.header("x-auth-set-cookie") == answer.set_cookies[0]
    assert claims(answer.header("authorization").split()[1])["gen"] == 1
    served(client.refresh())
    late = client.check(cookie=old, keep=False)
    assert (late.status, late.set_cookies) == (204, [])
