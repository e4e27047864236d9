"""The page of each proxy: its trial works as it stands, and it says what the proxy cannot do."""
import contextlib
import http.server
import os
import pathlib
import shutil
import signal
import tempfile
import threading

import pytest

from cannot import CANNOT
from kinds import PROXIES
from proxy import free_port, wait_for
from server import ROOT, Server
from shell import Shell, blocks

KINDS = pytest.mark.parametrize("kind", PROXIES, ids=lambda kind: kind.name)


def page(kind):
    return f"docs/proxies/{kind.name}.md"


@KINDS
def test_the_page_says_what_the_proxy_cannot_do(kind):
    text = " ".join((ROOT / page(kind)).read_text().split())
    for sentence in [*CANNOT[kind.name].values(), "A WebSocket stays open after logout."]:
        assert sentence in text, sentence


class App(http.server.BaseHTTPRequestHandler):
    """An app that trusts the headers of its proxy."""

    def do_GET(self):
        body = f"the app of {self.headers['X-Auth-Subject'][:2]}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def shell():
    # A short name: the path of a socket has at most 107 characters. The worker of a proxy may run as another user.
    directory = pathlib.Path(tempfile.mkdtemp(prefix="trial-"))
    directory.chmod(0o755)
    (directory / "deploy").symlink_to(ROOT / "deploy")
    yield Shell(directory)
    shutil.rmtree(directory)


@pytest.fixture
def app():
    app = http.server.ThreadingHTTPServer(("127.0.0.1", 0), App)
    threading.Thread(target=app.serve_forever, daemon=True).start()
    yield app
    app.shutdown()
    app.server_close()


@KINDS
def test_the_trial_works_as_it_stands(kind, shell, app):
    if not kind.is_installed():
        pytest.skip(f"{kind.name} is not installed")
    shell.add(kind.program, f'exec {kind.path()} "$@"')
    prepare, ask = blocks(page(kind))
    port = free_port()
    (shell.directory / "trial").mkdir()
    socket = shell.directory / "trial/private.sock"
    server = Server(
        shell.directory / "data", private=False, publicURL=f"http://localhost:{port}", trustedProxies="127.0.0.1", privateListen=f"unix:{socket}")
    # The document uses fixed ports, which other tests may occupy, and programs that must not run as root.
    ports = {"8088": port, "127.0.0.1:8080": f"127.0.0.1:{server.port}", "127.0.0.1:3000": f"127.0.0.1:{app.server_port}",
             "port_value: 8080": f"port_value: {server.port}", "port_value: 3000": f"port_value: {app.server_port}"}
    elsewhere = "".join(f" -e 's#{old}#{new}#g'" for old, new in ports.items() if old != "8088")
    as_root = {"ServerName localhost\n": "User www-data\nGroup www-data\nServerName localhost\n"} if os.getuid() == 0 else {}
    try:
        socket.chmod(0o666)
        prepared = shell.run(prepare, {"8088": port, "sed -e": f"sed{elsewhere} -e"} | as_root)
        assert prepared.returncode == 0, prepared
        shell.add("curl", f'exec {shutil.which("curl")} --silent --show-error --retry 9 --retry-connrefused --retry-max-time 30 "$@"')
        asked = shell.run(ask, {"8088": port})
        assert asked.returncode == 0 and '"code":"session_missing"' in asked.stdout, asked
        assert asked.stdout.endswith("the app of u_"), asked
    finally:
        server.stop()
        for file in (shell.directory / "trial").glob("*.pid"):      # a failed test has left the proxy running
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(file.read_text()), signal.SIGKILL)
