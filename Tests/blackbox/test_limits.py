"""Limits of sign-ups, logins, and sessions of an account. A step of the wall clock resets none of them.

Requests come through a trusted proxy, so that a test can choose the client's network."""
import time

import pytest

from browser import PASSWORD, Client, generation
from server import Server

HOME, ELSEWHERE = "203.0.113.7", "198.51.100.20"
WRONG = "wrong password"


def behind_proxy(start, **settings):
    """A server behind a proxy, whose clocks stand still: no try comes back while the test runs."""
    return start(trustedProxies="127.0.0.1", clock="+0", holds_uptime=True, **settings)


def sign_up(server, email, network, password=PASSWORD):
    return Client(server).post("/auth/signup", {"email": email, "password": password}, headers={"X-Forwarded-For": network})


def log_in(server, email, network, password=PASSWORD, cookie=False):
    client = Client(server)
    return client.post("/auth/login", {"email": email, "password": password}, headers={"X-Forwarded-For": network}, cookie=cookie)


def log_out(server, cookie, network):
    answer = Client(server).post("/auth/logout", cookie=cookie, headers={"X-Forwarded-For": network})
    assert answer.status == 204


def guess_until_limited(server, email, network, cookie=False):
    """The number of wrong passwords that got 401 before the first 429."""
    for count in range(100):
        answer = log_in(server, email, network, WRONG, cookie)
        if answer.status == 429:
            assert int(answer.header("retry-after")) >= 1
            return count
        assert answer.code == "invalid_credentials"
    raise AssertionError("there is no limit")


# Sign-ups.

def test_sign_ups_are_limited_for_each_network(start):
    server = behind_proxy(start, signupRateLimit=5)
    statuses = [sign_up(server, f"a{number}@example.com", HOME).status for number in range(8)]
    assert statuses == [201] * 5 + [429] * 3
    assert int(sign_up(server, "b@example.com", HOME).header("retry-after")) >= 1
    assert sign_up(server, "c@example.com", ELSEWHERE).status == 201
    assert log_in(server, "a0@example.com", HOME).status == 200, "logins have a limit of their own"


def test_the_default_is_twenty_sign_ups_an_hour(start):
    server = behind_proxy(start, signupRateLimit=None)
    assert [sign_up(server, f"a{number}@example.com", HOME).status for number in range(22)] == [201] * 20 + [429] * 2


def test_sign_ups_with_taken_addresses_are_limited_too(start):
    server = behind_proxy(start, signupRateLimit=5)
    sign_up(server, "ann@example.com", ELSEWHERE)
    codes = [sign_up(server, "ann@example.com", HOME).code for _ in range(8)]
    assert codes == ["account_exists"] * 5 + ["rate_limited"] * 3


@pytest.mark.parametrize("network, neighbour, is_same", [
    ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True), ("2001:db8:1:2::1", "2001:0DB8:0001:0002::1", True), ("203.0.113.7", "::ffff:203.0.113.7", True),
    ("203.0.113.7", "203.0.113.7:4711", True), ("2001:db8:1:2::1", "[2001:db8:1:2::1]:443", True), ("2001:db8:1:2::1", "2001:db8:9:2::1", False),
    ("203.0.113.7", "198.51.100.7", False),
])
def test_a_network_is_an_ipv4_address_or_a_slash_64(start, network, neighbour, is_same):
    server = behind_proxy(start, signupRateLimit=1)
    assert sign_up(server, "a@example.com", network).status == 201
    assert sign_up(server, "b@example.com", neighbour).status == (429 if is_same else 201)


@pytest.mark.parametrize("chain", ["10.9.9.9, 203.0.113.7", "198.51.100.1, 203.0.113.7, 127.0.0.1", "unknown, 203.0.113.7"])
def test_the_rightmost_address_that_is_not_a_trusted_proxy_counts(start, chain):
    """The client can write the addresses to the left of the rightmost untrusted one."""
    server = behind_proxy(start, signupRateLimit=1)
    assert sign_up(server, "a@example.com", HOME).status == 201
    assert sign_up(server, "b@example.com", chain).status == 429


def test_a_client_cannot_choose_its_network_with_a_header(start):
    server = start(clock="+0", holds_uptime=True, signupRateLimit=2)
    statuses = [sign_up(server, f"a{number}@example.com", f"203.0.113.{number}").status for number in range(4)]
    assert statuses == [201, 201, 429, 429]


@pytest.mark.parametrize("seconds", [2 * 3600, -2 * 3600, 86400])
def test_a_step_of_the_clock_neither_lifts_a_limit_nor_extends_one(start, seconds):
    server = behind_proxy(start, signupRateLimit=2, loginRateLimit=3)
    assert [sign_up(server, f"a{number}@example.com", HOME).status for number in range(3)] == [201, 201, 429]
    guess_until_limited(server, "nobody@example.com", HOME)
    server.move(seconds)
    assert sign_up(server, "b@example.com", HOME).status == 429
    assert log_in(server, "nobody@example.com", HOME, WRONG).status == 429
    assert sign_up(server, "c@example.com", ELSEWHERE).status == 201
    assert log_in(server, "c@example.com", ELSEWHERE).status == 200


# Sessions of an account.

def test_beyond_the_maximum_the_session_unused_for_longest_ends(start):
    server = start(clock="+0", maxSessions=3)
    owner = Client(server)
    owner.sign_up()
    clients = [owner]
    for _ in range(2):
        server.move(600)
        clients.append(owner.copy())
        clients[-1].log_in(email=owner.email)
    server.move(600)
    assert owner.protected().status == 200
    assert owner.refresh().status == 200, "the first one is in use again"
    server.move(600)
    clients.append(owner.copy())
    assert clients[-1].log_in(email=owner.email).status == 200
    assert [client.refresh().code for client in clients] == [None, "session_revoked", None, None]
    assert len(clients[-1].get("/auth/sessions").json["sessions"]) == 3
    assert "too_many_sessions" in server.log()


def test_beyond_the_maximum_the_new_session_never_ends(start):
    server = start(maxSessions=1)
    client = Client(server)
    client.sign_up()
    for _ in range(3):
        client = client.copy()
        client.email = client.get("/auth/session").json["user"]["email"]
        assert client.log_in().status == 200 and client.protected().status == 200


def test_the_default_maximum_is_a_hundred_sessions(start):
    server = start(clock="+0")
    owner = Client(server)
    owner.sign_up()
    first = owner.cookie
    for _ in range(100):
        server.move(1)
        assert owner.log_in().status == 200
    assert owner.refresh(cookie=first, keep=False).code == "session_revoked"
    assert len(all_pages(owner, 100)) == 100


def test_the_maximum_is_for_each_account(start):
    server = start(maxSessions=2)
    ann, bob = Client(server), Client(server)
    ann.sign_up()
    bob.sign_up()
    for _ in range(4):
        bob.copy().log_in(email=bob.email)
    assert ann.protected().status == 200


# Pages of sessions.

def all_pages(client, limit, most=300):
    sessions, after = [], ""
    while len(sessions) < most:
        body = client.get(f"/auth/sessions?limit={limit}{after}").json
        assert len(body["sessions"]) <= limit
        sessions += body["sessions"]
        if "next" not in body:
            break
        after = f"&after={body['next']}"
    return sessions


@pytest.fixture(scope="module")
def seven():
    """An account with seven sessions."""
    server = Server(clock="+0")
    client = Client(server)
    client.sign_up()
    for _ in range(6):
        server.move(1)
        client.copy().log_in(email=client.email)
    yield client
    assert server.stop() == 0


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8, 100])
def test_pages_show_every_session_once(seven, limit):
    sessions = all_pages(seven, limit)
    assert len(sessions) == len({session["id"] for session in sessions}) == 7
    assert [session["current"] for session in sessions].count(True) == 1


def test_next_is_present_while_there_are_more_sessions(seven):
    assert "next" in seven.get("/auth/sessions?limit=6").json
    assert "next" not in seven.get("/auth/sessions?limit=7").json
    assert "next" not in seven.get("/auth/sessions").json


def test_a_session_that_ends_between_two_pages_does_not_hide_another(seven):
    first = seven.get("/auth/sessions?limit=3").json
    extra = seven.copy()
    id = extra.log_in(email=seven.email).json["session"]["id"]
    extra.post("/auth/logout")
    rest = seven.get(f"/auth/sessions?limit=100&after={first['next']}").json["sessions"]
    ids = [session["id"] for session in first["sessions"] + rest]
    assert len(set(ids) - {id}) == len([each for each in ids if each != id]) == 7


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=101", "limit=x", "limit=1.5", "limit=", "limit=1&limit=2", "after=../../x", "limit=99999999999999999999"])
def test_an_invalid_page_is_refused(seven, query):
    answer = seven.get(f"/auth/sessions?{query}")
    assert (answer.status, answer.code) == (400, "invalid_request")


def test_pages_show_only_the_users_own_sessions(seven):
    stranger = Client(seven.server)
    stranger.sign_up()
    cursor = seven.get("/auth/sessions?limit=3").json["next"]
    answer = stranger.get(f"/auth/sessions?after={cursor}")
    assert answer.status == 400 or len(answer.json["sessions"]) <= 1


# Wrong passwords.

def test_a_spent_try_comes_back_after_its_part_of_the_minute(start):
    server = behind_proxy(start, loginRateLimit=5)
    assert guess_until_limited(server, "nobody@example.com", HOME) == 5
    for uptime, restored in ((11, 0), (1, 1), (24, 2), (600, 5)):
        server.move(0, uptime)
        assert guess_until_limited(server, "nobody@example.com", HOME) == restored


def test_neighbours_in_a_network_do_not_lock_the_owner_out(start):
    server = behind_proxy(start, loginRateLimit=5)
    sign_up(server, "ann@example.com", HOME)
    assert log_in(server, "ann@example.com", HOME).status == 200
    assert guess_until_limited(server, "nobody@example.com", HOME) == 5
    assert log_in(server, "somebody@example.com", HOME, WRONG).status == 429, "the network has used up its tries"
    assert log_in(server, "ann@example.com", HOME).status == 200, "a known account from a network that it is known from"
    assert log_in(server, "ann@example.com", ELSEWHERE).status == 200


def test_strangers_do_not_lock_the_owner_out_in_a_known_network(start):
    server = behind_proxy(start, loginRateLimit=5)
    sign_up(server, "ann@example.com", HOME)
    for number in range(3):
        network = f"198.51.{number}.1"
        while log_in(server, "ann@example.com", network, WRONG).status != 429:
            pass
    assert log_in(server, "ann@example.com", "192.0.2.99").status == 429, "the account has used up its tries"
    assert log_in(server, "ann@example.com", HOME).status == 200


@pytest.mark.parametrize("end", ["logout", "clock"])
def test_a_known_network_is_kept_for_longer_than_a_session(start, end):
    server = behind_proxy(start, loginRateLimit=5, idleLifetime=3600)
    cookie = sign_up(server, "ann@example.com", HOME).cookie
    if end == "logout":
        log_out(server, cookie, HOME)
    else:
        server.move(3 * 86400)
    guess_until_limited(server, "ann@example.com", ELSEWHERE)
    assert log_in(server, "ann@example.com", "192.0.2.99").status == 429
    assert log_in(server, "ann@example.com", HOME).status == 200


def test_the_cookie_of_an_ended_session_has_no_allowance(start):
    server = behind_proxy(start, loginRateLimit=5)
    cookies = [sign_up(server, "ann@example.com", HOME).cookie]
    cookies += [log_in(server, "ann@example.com", HOME).cookie for _ in range(3)]
    for cookie in cookies:
        log_out(server, cookie, HOME)
    guess_until_limited(server, "ann@example.com", ELSEWHERE)
    for number, cookie in enumerate(cookies):
        assert log_in(server, "ann@example.com", f"192.0.2.{number}", WRONG, cookie).status == 429


def test_guesses_with_the_cookie_of_a_live_session_are_limited_too(start):
    server = behind_proxy(start, loginRateLimit=5)
    cookie = sign_up(server, "ann@example.com", HOME).cookie
    assert guess_until_limited(server, "ann@example.com", ELSEWHERE, cookie) <= 15


def test_step_ups_and_password_changes_are_limited_together_with_logins(start):
    server = behind_proxy(start, loginRateLimit=5)
    client = Client(server)
    client.sign_up()
    codes = [client.post("/auth/step-up", {"password": WRONG}).code for _ in range(30)]
    assert codes[0] == "invalid_credentials" and codes[-1] == "rate_limited"
    change = {"current_password": WRONG, "new_password": "another fine phrase"}
    assert client.post("/auth/password", change).code == "rate_limited"
    assert client.protected().status == 200, "a limit ends no session"


def test_many_networks_do_not_give_the_victim_new_tries(start):
    """A full table of networks must not reset the limit of the attacked account."""
    server = behind_proxy(start, loginRateLimit=3)
    sign_up(server, "ann@example.com", HOME)
    guess_until_limited(server, "ann@example.com", ELSEWHERE)
    for number in range(300):
        assert log_in(server, "ann@example.com", f"2001:db8:{number:x}::1", WRONG).status == 429


def test_a_flood_of_refusals_is_counted_and_does_not_fill_the_log(start):
    server = start(clock="+0", holds_uptime=True, loginRateLimit=3)
    guess_until_limited(server, "nobody@example.com", "-")
    before = len(server.log_lines())
    for _ in range(300):
        assert log_in(server, "nobody@example.com", "-", WRONG).status == 429
    assert len(server.log_lines()) - before < 60
    metrics = Client(server).get("/metrics", private=True).body.decode()
    counted = [line for line in metrics.splitlines() if "rate_limited" in line and not line.startswith("#")]
    assert counted and max(float(line.rsplit(" ", 1)[1]) for line in counted) >= 300


def test_a_flood_of_untrusted_headers_does_not_fill_the_log(shared):
    before = len(shared.log_lines())
    for number in range(300):
        assert Client(shared).get("/auth/session", headers={"X-Forwarded-For": f"203.0.113.{number % 250}"}).status == 200
    assert len(shared.log_lines()) - before < 60


# The clock.

def bearer(cookie):
    return {"Authorization": "Bearer " + cookie.split("~")[0]}


@pytest.mark.parametrize("ahead", [3600, 86400])
def test_a_clock_that_was_ahead_revives_no_ended_session(start, ahead):
    """Lifetimes follow the wall clock; limits and the revocation view follow the monotonic clock."""
    server = start(clock="+0")
    client = Client(server)
    client.sign_up()
    saved = client.cookie
    client.post("/auth/logout")
    server.move(ahead)
    end = time.monotonic() + 4
    while time.monotonic() < end:
        assert client.protected(cookie=saved, keep=False).status == 401
        Client(server).get("/auth/session")
        time.sleep(0.2)
    server.move(-ahead)
    for _ in range(3):
        assert client.protected(cookie=saved, keep=False).code == "session_revoked"
        assert client.protected(cookie=False, headers=bearer(saved)).code == "session_revoked"
        assert client.check(cookie=saved, keep=False).code == "session_revoked"


def test_a_session_that_began_while_the_clock_was_ahead_stays_valid(start):
    server = start(clock="+1h")
    client = Client(server)
    client.sign_up()
    server.move(-3600)
    assert client.check().status == 204
    assert client.protected().status == 200
    assert client.refresh().status == 200 and client.get("/auth/session").json["authenticated"] is True
    assert generation(client.cookie) >= 1, "not yet valid is renewed as expired is"


def test_a_token_that_was_not_yet_valid_is_accepted_when_its_time_has_come(start):
    server = start(clock="+1h")
    client = Client(server)
    client.sign_up()
    token = bearer(client.cookie)
    server.move(-3600)
    for _ in range(3):
        assert client.protected(cookie=False, headers=token).code == "token_invalid"
    server.move(3600)
    assert client.protected(cookie=False, headers=token).status == 200


@pytest.mark.parametrize("seconds", [3600, -3600, 86400, -86400])
def test_a_step_of_the_clock_ends_no_session(start, seconds):
    server = start(clock="+0")
    client = Client(server)
    client.sign_up()
    client.refresh()
    for step in (seconds, -seconds, seconds):
        server.move(step)
        assert client.protected().status == 200 and client.check().status == 204
        assert client.refresh().status == 200
        assert client.copy().log_in(email=client.email).status == 200
        assert client.get("/readyz").status == 200
