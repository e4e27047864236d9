import itertools
import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "blackbox"))

from drivers import ENGINES, Browser  # noqa: E402
from proxy import Proxy  # noqa: E402
from server import Server  # noqa: E402

WANTED = os.environ.get("CLOAKROOM_ENGINES", ",".join(ENGINES)).split(",")
_numbers = itertools.count()


def pytest_generate_tests(metafunc):
    if "engine" in metafunc.fixturenames:
        metafunc.parametrize("engine", WANTED)


@pytest.fixture
def browsers(engine):
    """Starts browsers with separate cookie jars, and ends them after the test."""
    started = []

    def start(**options):
        started.append(Browser(engine, **options))
        return started[-1]

    yield start
    for browser in started:
        browser.end()


@pytest.fixture
def browser(browsers):
    return browsers()


@pytest.fixture(scope="session")
def shared():
    """One server with the demo, for all tests that need no settings of their own."""
    server = Server(demo="true")
    yield server
    assert server.is_alive(), server.log()
    assert server.stop() == 0


@pytest.fixture
def start(tmp_path):
    servers = []

    def start(**settings):
        servers.append(Server(tmp_path / f"data{len(servers)}", **({"demo": "true"} | settings)))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def proxies():
    """Creates proxies in front of servers, and sites without a server."""
    made = []

    def make(upstream=None, certificate=None):
        made.append(Proxy(upstream, certificate))
        return made[-1]

    yield make
    for proxy in made:
        proxy.end()


@pytest.fixture
def site(shared, proxies):
    """The shared server behind a recording proxy."""
    return proxies(shared)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    directory = tmp_path_factory.mktemp("tls")
    key, chain = directory / "key.pem", directory / "chain.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,DNS:*.localhost", "-keyout", key, "-out", chain],
        check=True, capture_output=True)
    return chain, key


@pytest.fixture
def account():
    """An e-mail address without an account."""
    return f"user{next(_numbers)}@example.com"
