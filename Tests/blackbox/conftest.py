import shutil

import pytest

from browser import Client
from installation import Installation, build
from server import Server

# The files that take longest, which come first: at the end all processes of tests then have something to do.
LONGEST = [
    "test_token_leak", "test_kits", "test_durability", "test_gateway_streams", "test_gateway_http2", "test_gateway_bodies",
    "test_running", "test_backends", "test_limits", "test_package", "test_forward_auth"]


@pytest.fixture(scope="session")
def shared():
    """One server for all tests that need no settings of their own."""
    server = Server()
    yield server
    assert server.is_alive(), server.log()
    assert server.stop() == 0


@pytest.fixture
def client(shared):
    """A client that has just signed up."""
    client = Client(shared)
    client.sign_up()
    return client


@pytest.fixture
def start(tmp_path):
    """Starts servers with the settings of the test, and stops them at its end."""
    servers = []

    def start(**settings):
        servers.append(Server(tmp_path / f"data{len(servers)}", **settings))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def packages(tmp_path_factory):
    """Two revisions of the Debian package with the binary under test."""
    if shutil.which("dh") is None:
        pytest.skip("there is no debhelper here")
    directory = tmp_path_factory.mktemp("packages")
    return [build(directory, revision) for revision in (1, 2)]


@pytest.fixture
def machine_without_package(tmp_path, packages):
    """A copy of this machine with the packages in root's home directory. Takes root."""
    machine = Installation(tmp_path, packages)
    yield machine
    machine.stop()


@pytest.fixture
def installation(machine_without_package, packages):
    """A copy of this machine with the first package installed. Takes root."""
    machine_without_package.install(packages[0])
    return machine_without_package


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


def pytest_sessionfinish():
    """Ends servers that a failed test has left running."""
    for process in Server.started:
        if process.poll() is None:
            process.kill()
            process.wait()


def pytest_make_parametrize_id(val):
    """Shortens the parameters in the names of tests: some are kilobytes long."""
    text = repr(val)
    return f"{text[:40]}...{len(text)}" if isinstance(val, (str, bytes)) and len(text) > 60 else None


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    servers = {name: value for name, value in item.funcargs.items() if isinstance(value, Server)}
    if report.failed:
        for name, server in servers.items():
            report.sections.append((f"the log of {name}", server.log()[-2000:]))
