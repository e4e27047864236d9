"""The rotation protocol over HTTP: every row of its table, and what it is for (docs/refresh.md)."""
import concurrent.futures
import shutil
import time

import pytest

from browser import PASSWORD, Client, claims, generation, tokens

WINDOW = 1.5


@pytest.fixture(scope="module")
def server():
    from server import Server
    server = Server(accessTokenLifetime=1, stragglerWindow=WINDOW)
    yield server
    assert server.stop() == 0


@pytest.fixture
def client(server):
    client = Client(server)
    client.sign_up()
    return client


def refresh_token(cookie):
    return tokens(cookie)[1]


def renew(client, cookie):
    """Presents a cookie; the jar stays as it is."""
    return client.refresh(cookie=cookie, keep=False)


def test_the_first_renewal_rotates(client):
    first = client.cookie
    answer = client.refresh()
    assert answer.json["session"]["rotated"] is True
    assert (generation(first), generation(client.cookie)) == (0, 1)


def test_a_lost_answer_is_given_again_byte_for_byte(client):
    lost = renew(client, client.cookie)
    for _ in range(3):
        again = renew(client, client.cookie)
        assert refresh_token(again.cookie) == refresh_token(lost.cookie)
        assert tokens(again.cookie)[0] != tokens(lost.cookie)[0]
    time.sleep(WINDOW + 0.3)
    assert refresh_token(renew(client, client.cookie).cookie) == refresh_token(lost.cookie)


def test_answers_of_one_generation_differ_only_in_the_access_tokens_times_and_id(client):
    answers = [renew(client, client.cookie) for _ in range(3)]
    contents = []
    for answer in answers:
        access = claims(tokens(answer.cookie)[0])
        contents.append({name: value for name, value in access.items() if name not in ("iat", "exp", "jti")})
    assert contents[0] == contents[1] == contents[2]


def test_inside_the_window_the_same_refresh_token_comes_with_a_new_access_token(client):
    client.refresh()
    held = client.cookie
    answer = client.refresh()
    assert answer.json["session"]["rotated"] is False
    assert refresh_token(client.cookie) == refresh_token(held) and client.cookie != held


def test_the_window_is_fixed_and_a_rotation_follows_it(client):
    client.refresh()
    client.refresh()
    end = time.monotonic() + WINDOW
    while time.monotonic() < end - 0.3:
        assert client.refresh().json["session"]["rotated"] is False
        time.sleep(0.2)
    time.sleep(0.6)
    assert client.refresh().json["session"]["rotated"] is True
    assert generation(client.cookie) == 2


def test_a_straggler_is_served_without_tokens(client):
    old = client.cookie
    client.refresh()
    client.refresh()
    answer = renew(client, old)
    assert answer.status == 200 and answer.set_cookies == [] and answer.json["session"]["rotated"] is False
    time.sleep(1.1)
    inline = client.protected(cookie=old, keep=False)
    assert inline.status == 200 and inline.set_cookies == []


def test_a_spent_token_ends_the_session_at_once(client):
    old = client.cookie
    client.refresh()
    client.refresh()
    time.sleep(WINDOW + 0.2)
    client.refresh()
    answer = renew(client, old)
    assert (answer.status, answer.code, answer.set_cookies) == (401, "refresh_token_reused", [])
    for gone in (client.refresh(), client.protected(), renew(client, old)):
        assert (gone.status, gone.code, gone.set_cookies) == (401, "session_revoked", [])
    assert client.get("/auth/session").json == {"authenticated": False}


def test_a_token_two_generations_old_is_spent_even_inside_the_window(client):
    first = client.cookie
    client.refresh()
    client.refresh()
    time.sleep(WINDOW + 0.2)
    client.refresh()
    client.refresh()
    assert renew(client, first).code == "refresh_token_reused"


def test_an_access_token_that_comes_in_confirms_its_generation(client):
    old = client.cookie
    client.refresh()
    assert client.protected().status == 200
    time.sleep(0.3)
    assert renew(client, old).set_cookies == []


def test_an_expired_access_token_is_renewed_on_the_way(client):
    time.sleep(1.1)
    answer = client.protected()
    assert answer.status == 200 and len(answer.set_cookies) == 1 and generation(client.cookie) == 1
    assert client.protected().set_cookies == []


@pytest.mark.parametrize("round", range(5))
def test_24_parallel_requests_with_an_expired_token_are_all_served_by_one_rotation(client, round):
    time.sleep(1.1)
    cookie = client.cookie
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda _: client.protected(cookie=cookie, keep=False), range(24)))
    assert {answer.status for answer in answers} == {200}
    successors = {refresh_token(answer.cookie) for answer in answers if answer.cookie}
    assert len(successors) == 1
    client.cookie = next(answer.cookie for answer in answers if answer.cookie)
    assert generation(client.cookie) == 1
    assert client.refresh().status == 200


def test_tabs_that_lose_every_first_answer_are_never_logged_out(client):
    for _ in range(6):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: renew(client, client.cookie), range(4)))
        assert {answer.status for answer in answers} == {200}
        client.cookie = renew(client, client.cookie).cookie or client.cookie
        time.sleep(0.6)
    assert client.refresh().status == 200


def test_a_restored_database_logs_nobody_out(start):
    server = start(stragglerWindow=0.3)
    client = Client(server)
    client.sign_up()
    server.stop()
    backup = server.directory + ".backup"
    shutil.copytree(server.directory, backup)
    server.start()
    for _ in range(3):
        client.refresh()
        client.refresh()
        time.sleep(0.4)
    held = client.cookie
    server.stop()
    shutil.rmtree(server.directory)
    shutil.copytree(backup, server.directory)
    server.start()
    answer = client.refresh()
    assert answer.status == 200 and refresh_token(client.cookie) == refresh_token(held)
    time.sleep(0.4)
    assert client.refresh().json["session"]["rotated"] is True
    server.stop()
    assert "adoption" in server.log()


def test_a_session_ends_when_it_was_idle_and_at_its_absolute_end(start):
    server = start(idleLifetime=1.5, absoluteLifetime=4, stragglerWindow=0.1, accessTokenLifetime=0.5)
    idle, busy = Client(server), Client(server)
    idle.sign_up()
    busy.sign_up()
    begin = time.monotonic()
    while time.monotonic() - begin < 3.4:
        assert busy.protected().status == 200
        time.sleep(0.4)
    assert idle.protected().code == "session_expired" and idle.refresh().code == "session_expired"
    time.sleep(0.8)
    assert busy.refresh().code == "session_expired"
    assert busy.get("/auth/session").json == {"authenticated": False}


def test_a_step_up_rotates_inside_the_window_and_an_old_copy_gains_nothing(client):
    client.refresh()
    client.refresh()
    copy, before = client.cookie, generation(client.cookie)
    time.sleep(1.1)
    fresh = client.post("/auth/step-up", {"password": PASSWORD}).json["session"]
    assert generation(client.cookie) == before + 1
    answer = renew(client, copy)
    assert answer.json["session"]["auth_time"] < fresh["auth_time"]
    assert claims(tokens(answer.cookie)[0])["auth_time"] < claims(tokens(client.cookie)[0])["auth_time"]


def test_once_the_step_up_has_arrived_an_old_copy_is_given_nothing(client):
    copy = client.cookie
    client.post("/auth/step-up", {"password": PASSWORD})
    client.refresh()
    assert renew(client, copy).set_cookies == []
    time.sleep(WINDOW + 0.2)
    assert renew(client, copy).code == "refresh_token_reused"


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


def test_renewal_is_by_post_alone(client):
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


def test_forward_auth_renews_and_serves_stragglers(start):
    server = start(accessTokenLifetime=1, trustedProxies="127.0.0.1")
    client = Client(server)
    client.sign_up()
    old = client.cookie
    asked = {"X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/api/notes", "X-Forwarded-Host": "localhost"}
    time.sleep(1.1)
    answer = client.get("/auth/check", headers=asked)
    assert answer.status == 204 and answer.header("x-auth-set-cookie") == answer.set_cookies[0]
    assert claims(answer.header("authorization").split()[1])["gen"] == 1
    client.refresh()
    late = client.get("/auth/check", headers=asked, cookie=old, keep=False)
    assert late.status == 204 and late.set_cookies == []
    forged = client.get("/auth/check", headers=asked | {"X-Forwarded-Method": "POST", "Origin": "https://evil.example"})
    assert (forged.status, forged.code) == (403, "cross_site_request")
    unnamed = client.get("/auth/check", headers={"X-Original-URI": "/a", "Origin": "https://evil.example"})
    assert unnamed.status == 403
    assert client.get("/auth/check", headers=asked, cookie=False).code == "session_missing"
