"""Instances on PostgreSQL decide by the clock of the database: the clocks of their machines may be wrong."""
import datetime
import json

import pytest

from browser import Client, part, tokens
from instances import instances  # noqa: F401, a fixture
from postgres import cluster  # noqa: F401, a fixture
from server import wait_until

HOUR = 3600


@pytest.fixture(params=[-HOUR, HOUR], ids=["behind", "ahead"])
def error(request):
    return request.param


@pytest.fixture(params=[False, True], ids=["from the start", "set while it runs"])
def make_place(request, instances, error):
    """Makes instances, one with the right clock and one with a wrong one, on a database with a clock that a test moves."""
    def make_place(window):
        place = instances(stragglerWindow=window, reissueDelay=0)
        place.right = place.start()
        place.wrong = place.start(clock="+0" if request.param else f"{error:+d}s")
        if request.param:
            place.wrong.move(error)
        wait_until(lambda: "the clocks of this machine and of the database" in place.wrong.log())
        return place
    return make_place


@pytest.fixture
def place(make_place):
    return make_place(300)


def log_in(server):
    client = Client(server)
    assert client.sign_up().status == 201
    return client


def claims(client):
    return part(tokens(client.cookie)[0], 1)


def at(server, client):
    return Client(server, client.cookie)


def test_a_late_request_of_an_honest_user_is_no_reuse(place):
    client = log_in(place.right)
    late = at(place.wrong, client)
    for _ in range(2):
        assert client.refresh().status == 200
    assert late.refresh().status == 200
    assert at(place.wrong, client).refresh().status == 200


def test_a_reuse_is_found_when_the_window_of_the_shared_clock_is_over(make_place):
    place = make_place(1)
    client = log_in(place.right)
    thief = at(place.wrong, client)
    for _ in range(2):
        assert client.refresh().status == 200
    assert wait_until(lambda: (answer := thief.refresh()).status == 401 and answer).code == "refresh_token_reused"
    assert client.refresh().status == 401


def test_tokens_of_one_instance_are_valid_at_the_other_and_have_the_same_times(place):
    clients = [log_in(place.right), log_in(place.wrong)]
    for client in clients:
        for server in [place.right, place.wrong]:
            assert at(server, client).check().status == 204
    times = [claims(client)["iat"] for client in clients]
    assert abs(times[0] - times[1]) < HOUR / 2
    place.move(60)
    for server, client in zip([place.wrong, place.right], clients):
        wait_until(lambda: renewed(at(server, client)) > times[0] + HOUR / 2)


def renewed(client):
    """When the access token was issued that the client has after a check."""
    assert client.check().status == 204
    return claims(client)["iat"]


def test_a_command_decides_by_the_shared_clock(place):
    client = log_in(place.right)
    ended = place.wrong.run("sessions", "revoke", claims(client)["sid"])
    assert ended.returncode == 0, ended.stderr
    wait_until(lambda: client.check().status == 401)
    listed = place.wrong.run("events", "--json").stdout
    times = {event["event"]: datetime.datetime.fromisoformat(event["time"]) for event in map(json.loads, listed.splitlines())}
    assert abs((times["revocation"] - times["login"]).total_seconds()) < HOUR / 2


def test_a_clock_of_the_database_that_is_set_forward_logs_no_one_out(place):
    """As a failover to a machine whose clock is ahead does it: all windows would close at once."""
    client = log_in(place.right)
    late = at(place.wrong, client)
    for _ in range(2):
        assert client.refresh().status == 200
    other = log_in(place.wrong)
    before = claims(other)["iat"]
    place.move(60)
    wait_until(lambda: renewed(other) > before + HOUR / 2)
    assert late.refresh().status == 200
    assert at(place.right, client).refresh().status == 200


def test_a_clock_of_the_database_that_is_set_back_logs_no_one_out(place):
    client = log_in(place.right)
    for server in [place.wrong, place.right]:
        place.move(-60)
        for _ in range(3):
            there = at(server, client)
            assert there.refresh().status == 200
            client.cookie = there.cookie
    assert at(place.right, client).check().status == 204
