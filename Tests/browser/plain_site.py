"""Starts the site in `guestbook`: Flask, PHP, and a server with its gateway in front of both."""
import contextlib
import json
import pathlib
import socket

from backend import add_credential
from drivers import Process, free_port, wait
from server import Server

DIRECTORY = pathlib.Path(__file__).with_name("guestbook")
# Debian's Python has Debian's Flask.
FLASK = ["/usr/bin/python3", "-m", "flask", "--app", "guestbook", "run", "--port"]
PHP = ["php", "-S"]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def running(command, port, **environment):
    process = Process(command, {"PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"} | environment, DIRECTORY)
    try:
        wait("the site to listen", lambda: listens(port))
        yield
    finally:
        process.end()


@contextlib.contextmanager
def plain_site(directory, has_own_login, **settings):
    """With a login of its own, the site relays the cookie that the service API made."""
    flask, php = free_port(), free_port()
    routes = [
        {"path": "/php/*", "access": "session", "upstream": f"http://127.0.0.1:{php}"},
        {"path": "/login", "access": "public", "cookie": "keep"}, {"path": "/*", "access": "session"}]
    login_path = "/login" if has_own_login else "/auth/pages/login"
    config = directory / "site.yaml"
    config.write_text(json.dumps({"upstream": f"http://127.0.0.1:{flask}", "routes": routes, "loginPage": login_path}))
    server = Server(directory / "data", config=config, **settings)
    server.login_path = login_path
    service = {
        "SERVICE_URL": f"http://127.0.0.1:{server.private_port}/service/sessions",
        "SERVICE_KEY": add_credential(server, scope="sessions:create")["key"]}
    with running([*FLASK, str(flask)], flask, **service), running([*PHP, f"127.0.0.1:{php}"], php):
        yield server
    assert server.stop() == 0
