"""The limits of logins and sign-ups hold over all instances on one database, and over restarts.

The clock of the database stands still, so that no try comes back while a test runs. Requests come through a trusted proxy, so that a
test can choose the client's network."""
import concurrent.futures
import itertools
import json

import pytest

from browser import Client
from instances import instances  # noqa: F401, a fixture
from postgres import cluster  # noqa: F401, a fixture
from server import run, wait_until
from test_limits import ELSEWHERE, HOME, WRONG, log_in, sign_up

LIMIT = 5
MANY = 36


@pytest.fixture
def place(instances):
    place = instances(trustedProxies="127.0.0.1", loginRateLimit=LIMIT, signupRateLimit=LIMIT)
    place.hold_clock()
    for _ in range(3):
        place.start()
    return place


def network(number):
    return f"2001:db8:{number:x}::1"


def of_the_account(number):
    """A guess at one account, each from another network."""
    return "ann@example.com", network(number)


def of_the_network(number):
    """A guess from one network, each at another account."""
    return f"user{number}@example.com", ELSEWHERE


def guess_in_turn(place, guesses, tries=MANY):
    servers = itertools.cycle(place.all)
    return [log_in(next(servers), *guesses(number), WRONG).code for number in range(tries)]


def guess_at_once(place, guesses):
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        return list(pool.map(lambda number: log_in(place.all[number % 3], *guesses(number), WRONG).code, range(MANY)))


@pytest.mark.parametrize("guess", [guess_in_turn, guess_at_once])
@pytest.mark.parametrize("guesses", [of_the_account, of_the_network])
def test_guesses_spread_over_three_instances_get_as_many_checks_as_over_one(place, guess, guesses):
    sign_up(place.all[0], "ann@example.com", HOME)
    codes = guess(place, guesses)
    assert codes.count("invalid_credentials") == LIMIT and codes.count("rate_limited") == MANY - LIMIT, codes
    assert log_in(place.all[1], "ann@example.com", HOME).status == 200, "the owner's own network is not locked out"


def test_a_guess_in_the_owners_network_is_counted_over_all_instances(place):
    """Neighbours of the owner: the hidden allowance of the account in its network is one too."""
    sign_up(place.all[0], "ann@example.com", HOME)
    guess_in_turn(place, lambda number: (f"user{number}@example.com", HOME), LIMIT)
    codes = guess_in_turn(place, lambda number: ("ann@example.com", HOME))
    assert set(codes) == {"rate_limited"}
    for server in place.all:
        assert log_in(server, "ann@example.com", HOME).status == 429, "guesses have used up the hidden allowance"
    assert log_in(place.all[0], "ann@example.com", ELSEWHERE).status == 200


@pytest.mark.parametrize("known", [True, False])
def test_responses_to_known_and_unknown_accounts_are_the_same_at_every_instance(place, known):
    sign_up(place.all[0], "ann@example.com", HOME)
    name = "ann@example.com" if known else "nobody@example.com"
    codes = guess_in_turn(place, lambda number: (name, HOME))
    assert codes == ["invalid_credentials"] * LIMIT + ["rate_limited"] * (MANY - LIMIT)


def test_a_session_has_an_allowance_over_all_instances(place):
    cookie = sign_up(place.all[0], "ann@example.com", HOME).cookie
    guess_at_once(place, of_the_account)
    codes = [log_in(place.all[number % 3], "ann@example.com", network(99), WRONG, cookie).code for number in range(MANY)]
    assert codes.count("invalid_credentials") == LIMIT, codes


def test_a_restart_restores_no_allowance(place):
    sign_up(place.all[0], "ann@example.com", HOME)
    guess_at_once(place, of_the_account)
    for server, end in zip(place.all, [lambda server: server.stop(), lambda server: server.kill(), lambda server: server.stop()]):
        end(server)
        server.start()
    assert log_in(place.all[0], "ann@example.com", network(99)).status == 429
    assert log_in(place.start(), "ann@example.com", network(98)).status == 429, "a new instance"
    assert log_in(place.all[1], "ann@example.com", HOME).status == 200


def test_right_passwords_use_up_nothing(place):
    sign_up(place.all[0], "ann@example.com", HOME)
    for number in range(4 * LIMIT):
        assert log_in(place.all[number % 3], "ann@example.com", HOME if number % 2 else ELSEWHERE).status == 200


def test_sign_ups_are_counted_over_all_instances(place):
    statuses = [sign_up(place.all[number % 3], f"a{number}@example.com", HOME).status for number in range(9)]
    assert statuses == [201] * LIMIT + [429] * (9 - LIMIT)
    assert sign_up(place.all[0], "b@example.com", ELSEWHERE).status == 201


def test_step_ups_at_another_instance_are_counted_too(place):
    client = Client(place.all[0])
    client.sign_up()
    codes = [Client(server, client.cookie).post("/auth/step-up", {"password": WRONG}).code for server in place.all * 6]
    assert codes.count("invalid_credentials") == LIMIT and codes[-1] == "rate_limited"
    assert client.check().status == 204, "a limit ends no session"


def test_without_a_database_a_login_is_503_and_counts_as_no_try(place):
    sign_up(place.all[0], "ann@example.com", HOME)
    name = place.database
    place.psql(f"ALTER DATABASE {name} SET default_transaction_read_only = on",
               f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()")
    wait_until(lambda: Client(place.all[0]).get("/readyz").status == 503)
    for password in [WRONG] * 2 * LIMIT:
        answer = log_in(place.all[0], "ann@example.com", ELSEWHERE, password)
        assert (answer.status, answer.code) == (503, "unavailable")
        assert answer.header("retry-after")
    place.cluster.psql("-c", f"ALTER DATABASE {name} RESET default_transaction_read_only")
    wait_until(lambda: Client(place.all[0]).get("/readyz").status == 200)
    wait_until(lambda: log_in(place.all[0], "ann@example.com", HOME).status == 200)
    assert log_in(place.all[0], "ann@example.com", ELSEWHERE, WRONG).code == "invalid_credentials"


def recorded(place, kind):
    result = run("events", "--kind", kind, "--json", dataDir=place.directory / "data0", store=place.settings["store"])
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_every_refusal_is_in_the_record_of_events(place):
    codes = guess_at_once(place, of_the_account)
    place.stop()
    place.all.clear()
    listed = recorded(place, "login_rate_limited")
    assert sum(event["count"] for event in listed) == codes.count("rate_limited")
    assert {event["payer"] for event in listed} == {"account"}
    assert len(recorded(place, "login_failed")) == LIMIT


def test_the_table_has_digests_and_its_rows_are_swept(place):
    sign_up(place.all[0], "ann@example.com", HOME)
    guess_at_once(place, of_the_account)
    assert int(place.psql("SELECT count(*) FROM cloakroom.allowances")) > LIMIT
    assert place.psql("SELECT DISTINCT length(name) FROM cloakroom.allowances") == "32"
    assert place.psql("SELECT count(*) FROM cloakroom.allowances WHERE name LIKE '%ann%' OR name LIKE '%2001%'") == "0"
    place.move(61)
    place.start()                               # sweeps at its start
    wait_until(lambda: place.psql("SELECT count(*) FROM cloakroom.allowances") == "0")


def test_time_restores_tries_at_an_instance_that_has_not_refused_any(place):
    guess_at_once(place, of_the_account)
    place.move(1)
    assert log_in(place.start(), "ann@example.com", network(99), WRONG).code == "invalid_credentials"
