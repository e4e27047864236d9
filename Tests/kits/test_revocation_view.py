"""The view of revocations and the reader of the stream, with clocks that the test moves. revocation_view.test.mjs is the same for Node."""
import pytest

from cloakroom_resource_server.address import IssuerFailure
from cloakroom_resource_server.event_stream import Event
from cloakroom_resource_server.limits import STEP
from cloakroom_resource_server.revocation_stream import RevocationReader, pause
from cloakroom_resource_server.revocation_view import RevocationView

LIFETIME = 300
MEMORY = LIFETIME + 60


class World:
    def __init__(self):
        self.uptime, self.now = 1000.0, 1_800_000_000.0
        self.view = RevocationView(LIFETIME, 5, lambda: self.now, lambda: self.uptime)
        self.reader = RevocationReader(self.view)
        self.reader.begin()

    def confirm(self, age=0, elapsed=None):
        elapsed = self.uptime - 1000 if elapsed is None else elapsed
        return self.reader.apply(Event("current", b'{"age":%f,"elapsed":%f}' % (age, elapsed), None))

    def wait(self, seconds):
        self.uptime += seconds
        self.now += seconds


@pytest.fixture
def world():
    return World()


def test_the_view_is_current_from_the_first_news_until_they_are_too_old(world):
    assert not world.view.is_current
    world.confirm()
    assert world.view.is_current
    world.wait(5)
    assert world.view.is_current
    world.wait(0.1)
    assert not world.view.is_current


def test_an_entry_is_dropped_once_no_token_of_its_session_can_be_good(world):
    world.view.revoke("first", world.now)
    world.wait(12)
    world.view.revoke("second", world.now)
    world.wait(MEMORY)
    world.confirm()
    assert [world.view.is_revoked(name) for name in ("first", "second")] == [False, True]
    world.wait(22)
    world.confirm()
    assert len(world.view) == 0


def test_an_entry_of_an_issuer_whose_clock_was_set_back_is_kept_from_its_arrival(world):
    """Its token was issued before, so it is good for longer than the time of the entry says."""
    world.view.revoke("set back", world.now - 3600)
    world.view.revoke("of yesterday", world.now - STEP - MEMORY - 1)
    world.wait(MEMORY - 12)
    world.confirm()
    assert [world.view.is_revoked(name) for name in ("set back", "of yesterday")] == [True, False]


def test_an_entry_that_comes_again_is_kept_from_its_last_arrival(world):
    world.view.revoke("s", world.now)
    world.wait(200)
    world.view.revoke("s", world.now - 200)
    world.wait(200)
    world.confirm()
    assert world.view.is_revoked("s")
    world.wait(200)
    world.confirm()
    assert len(world.view) == 0


@pytest.mark.parametrize(("issued_at", "is_stale"), [(99, True), (100, True), (100.5, True), (100.6, False)])
def test_tokens_up_to_the_latest_mark_are_stale(world, issued_at, is_stale):
    for mark in (50, 100.5, 70):
        world.view.mark_stale("42", world.now + mark)
    assert world.view.is_stale("42", world.now + issued_at) == is_stale
    assert not world.view.is_stale("43", world.now)


def test_after_a_step_back_of_the_wall_clock_the_stream_is_read_from_its_start(world):
    world.reader.apply(Event("revoked", b'{"session":"s","time":1800000000}', "1-5"))
    world.confirm()
    world.now -= 3600
    assert not world.view.is_current
    with pytest.raises(IssuerFailure):
        world.confirm()
    assert world.reader.place is None
    world.reader.begin()
    world.confirm()
    assert world.view.is_current


def test_a_machine_that_was_asleep_trusts_no_token_before_the_next_news(world):
    """The monotonic clock stands still meanwhile."""
    world.confirm()
    world.now += 60
    assert not world.view.is_current
    world.confirm()
    assert world.view.is_current


@pytest.mark.parametrize("data", [
    b"", b"[]", b"null", b"{", b"{}", b'{"session":"","time":1}', b'{"session":7,"time":1}', b'{"session":"s"}', b'{"session":"s","time":"1"}',
    b'{"session":"s","time":true}', b'{"session":"s","time":1e999}', b'{"session":"s","time":null}'])
def test_an_entry_that_cannot_be_read_breaks_the_stream(world, data):
    with pytest.raises(IssuerFailure):
        world.reader.apply(Event("revoked", data, "1-1"))
    assert world.reader.place is None


@pytest.mark.parametrize("place", ["", "a b", "a\r\nX: 1", "\u00e9", "x" * 257])
def test_an_id_that_is_no_header_value_breaks_the_stream(world, place):
    with pytest.raises(IssuerFailure):
        world.reader.apply(Event("later", b"{}", place))


def test_the_pause_grows_up_to_two_seconds_and_is_random():
    assert [pause(failures, lambda: 1) for failures in (0, 1, 2, 3, 4, 2000)] == [0.25, 0.5, 1, 2, 2, 2]
    assert [pause(failures, lambda: 0) for failures in (0, 3)] == [0.125, 1]


def test_news_are_as_old_as_they_say(world):
    world.confirm(2.5)
    world.wait(2.5)
    assert world.view.is_current
    world.wait(0.1)
    assert not world.view.is_current


def wrong_times(wrong, right):
    values = [b"true", b'"1"', b"null", b"-1", b"1e999"]
    return [b'{"%s":%s,"%s":0}' % (wrong, value, right) for value in values] + [b'{"%s":0}' % right]


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", *wrong_times(b"age", b"elapsed"), *wrong_times(b"elapsed", b"age")])
def test_news_without_their_times_break_the_stream(world, data):
    with pytest.raises(IssuerFailure):
        world.reader.apply(Event("current", data, None))
    assert not world.view.is_current


def test_news_that_a_relay_held_back_are_as_old_as_the_delay(world):
    world.wait(60)
    world.confirm(0, 58)
    world.wait(3)
    assert world.view.is_current
    world.wait(0.1)
    assert not world.view.is_current


def test_a_stream_that_is_late_by_half_of_the_time_that_the_view_may_be_old_is_read_again(world):
    world.wait(60)
    with pytest.raises(IssuerFailure, match="late"):
        world.confirm(0, 57.4)
    assert world.view.is_current
    world.reader.begin()
    assert world.confirm(0, 0)


def test_news_from_a_clock_that_runs_faster_are_not_younger_than_their_arrival(world):
    world.wait(60)
    world.confirm(1, 61)
    world.wait(4)
    assert world.view.is_current
    world.wait(0.1)
    assert not world.view.is_current


def test_after_a_reset_the_stream_is_read_from_its_start_and_known_revocations_count(world):
    revoked = [Event("revoked", b'{"session":"%s","time":1800000000}' % name, place) for name, place in [(b"a", "1-5"), (b"b", "2-1")]]
    world.reader.apply(revoked[0])
    world.confirm()
    world.reader.apply(Event("reset", b"{}", None))
    assert world.reader.place is None
    world.reader.apply(revoked[1])
    assert world.reader.place == "2-1" and world.view.is_revoked("a") and world.view.is_revoked("b")


def test_a_stream_that_goes_on_in_another_history_without_a_reset_is_read_from_its_start(world):
    world.reader.apply(Event("revoked", b'{"session":"a","time":1800000000}', "1-5"))
    with pytest.raises(IssuerFailure):
        world.reader.apply(Event("revoked", b'{"session":"b","time":1800000000}', "12-6"))
    assert world.reader.place is None and world.view.is_revoked("b")
