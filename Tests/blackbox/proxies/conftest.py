import pytest

from kinds import PROXIES
from place import Browser, Place


@pytest.fixture(scope="session", params=PROXIES, ids=lambda kind: kind.name)
def place(request):
    """A site behind each proxy, for all tests that need no settings of their own."""
    if not request.param.is_installed():
        pytest.skip(f"{request.param.name} is not installed")
    place = Place(request.param)
    yield place
    place.stop()


@pytest.fixture
def app(place):
    """The app, which has forgotten the requests of earlier tests."""
    place.relay.fail()
    forget(place)
    return place.backend


@pytest.fixture
def ann(place, app):
    """A browser with a session that needs no renewal. Sign-ups are slow, so the tests of a proxy share one."""
    if place.ann is None:
        place.ann = Browser(place)
        place.ann.sign_up()
    if place.settled != place.server.time:
        place.settle()
    forget(place)
    return place.ann


@pytest.fixture
def newcomer(place, app):
    """A browser that has just signed up."""
    browser = Browser(place)
    browser.sign_up()
    forget(place)
    return browser


@pytest.fixture
def anyone(place, app):
    """A browser without a session."""
    return Browser(place)


def forget(place):
    place.relay.checks.clear()
    place.backend.forget()
