"""Runs the commands, the rules, the nginx configuration and the example app of docs/gateway.md."""
import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys

import pytest

from browser import NAME, PASSWORD, Answer, Client
from raw_backend import free_port
from server import BINARY, ROOT, Server, clean_environment, run, wait_until
from shell import blocks
from test_readme import shell  # noqa: F401 (a fixture)

APP = ROOT / "Examples/gateway/app.py"
SNIPPETS = ROOT / "docs/snippets"
GUIDE = (ROOT / "docs/gateway.md").read_text()
NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none", "Accept": "text/html"}


@contextlib.contextmanager
def example_app():
    """The app of the page, on a free port."""
    port = free_port()
    process = subprocess.Popen([sys.executable, APP], env=os.environ | {"PORT": str(port)})
    try:
        wait_for_port(port)
        yield port
    finally:
        process.kill()
        process.wait()


def wait_for_port(port):
    def is_open():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_until(is_open)


@pytest.fixture(scope="module")
def apps():
    """The app on the three addresses that the rules name."""
    with example_app() as first, example_app() as second, example_app() as third:
        yield {"3000": first, "4000": second, "4001": third}


def configuration(tmp_path, apps, text, **values):
    """The file of the page with the addresses of this test."""
    for old, new in apps.items():
        text = text.replace(f"127.0.0.1:{old}", f"127.0.0.1:{new}")
    text = text.replace("127.0.0.1:8081", f"127.0.0.1:{free_port()}")
    for old, new in values.items():
        text = re.sub(rf"^{old}: \S+", f"{old}: {new}", text, flags=re.M)
    path = tmp_path / "cloakroom.yaml"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, apps):
    """Cloakroom with the rules of the page."""
    directory = tmp_path_factory.mktemp("gateway")
    port = free_port()
    path = configuration(
        directory, apps, (SNIPPETS / "gateway.yaml").read_text(), publicURL=f"http://127.0.0.1:{port}", dataDir=directory / "data")
    server = Server(directory / "data", private=False, port=str(port), config=path)
    server._read_private_address()
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def member(gateway):
    client = Client(gateway)
    client.sign_up()
    return client


def received(answer):
    """The request line and the headers of a request, as the app has received them."""
    assert answer.status == 200, answer
    line, _, rest = answer.body.decode().partition("\n")
    return line, dict(line.split(": ", 1) for line in rest.split("\n") if line)


@contextlib.contextmanager
def running(shell, command, app, port, scheme="http"):  # noqa: F811
    """Runs a block that ends with `cloakroom serve`, and stops all that it has started."""
    environment = clean_environment(port=port) | {"PATH": shell.search, "PORT": str(app)}
    process = subprocess.Popen(
        ["bash", "-euc", command.replace("127.0.0.1:3000", f"127.0.0.1:{app}")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, cwd=shell.directory, env=environment, start_new_session=True)
    try:
        assert process.stdout.readline() == f"cloakroom: listening on {scheme}://127.0.0.1:{port}\n"
        wait_for_port(app)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(15)


def test_the_trial_works_as_it_stands(shell):  # noqa: F811
    (shell.directory / "Examples").symlink_to(ROOT / "Examples")
    port = free_port()
    with running(shell, (SNIPPETS / "gateway_try.sh").read_text(), free_port(), port):
        [asked] = blocks("docs/gateway.md")
        result = shell.run(asked, {"localhost:8080": f"localhost:{port}"})
        assert result.returncode == 0, result
        assert re.findall(r"HTTP/1\.1 (\d+)", result.stdout) == ["302"], result
        assert "Location: /auth/pages/login?return_to=/" in result.stdout
        subject = re.search(r'"id":"(u_[^"]+)"', result.stdout)[1]
        assert f"X-Auth-Subject: {subject}\n" in result.stdout and NAME not in result.stdout
        page = shell.run("curl -b jar http://localhost:8080/", {"8080": port}).stdout
        assert subject in page and "<li>milk</li>" in page


def test_the_command_of_the_readme_puts_cloakroom_in_front(shell, apps):  # noqa: F811
    section = (ROOT / "README.md").read_text().split("### Put Cloakroom in front")[1].split("\n### ")[0]
    [command] = re.findall(r"^```sh\n(.*?)^```", section, re.M | re.S)
    port = free_port()
    with running(shell, command, apps["3000"], port):
        assert through(port, "/", None, NAVIGATION | {"Host": f"localhost:{port}"}).status == 302
        assert through(port, "/", None, {"Host": f"localhost:{port}"}).status == 401


def test_the_commands_that_ask_for_a_rule_print_what_the_page_shows(shell, tmp_path):  # noqa: F811
    configured = tmp_path / "cloakroom.yaml"
    configured.write_text((SNIPPETS / "gateway.yaml").read_text())
    script = (SNIPPETS / "gateway_checks.sh").read_text()
    export, *commands = script.splitlines()
    printed = shell.run(f"{export}\nexec 2>&1\nset +e\n" + "\n".join(commands), {"/etc/cloakroom/cloakroom.yaml": configured})
    assert printed.stdout == (SNIPPETS / "gateway_checks.txt").read_text()


def test_the_keys_of_a_rule_are_those_of_the_page(tmp_path):
    """The message about an unknown key lists the keys; the page has them all."""
    refused = run("routes", "check", "GET", "/", data_dir=tmp_path / "data", routes="[{path: /*, other: 1}]")
    keys = set(re.search(r"there are (.+)", refused.stderr)[1].split(", "))
    table = set(re.findall(r"^\| `(\w+)` \|", GUIDE.split("## Say which paths")[1].split("\n## ")[0], re.M))
    assert keys == table


ANSWERS = [
    # Without a session: the method, the path, what a page gets, what fetch gets.
    ("GET", "/static/app.css", 200, 200), ("GET", "/pricing", 200, 200), ("GET", "/", 302, 401), ("GET", "/api/notes", 401, 401),
    ("POST", "/api/payments/7", 401, 401), ("GET", "/admin/users", 302, 401), ("GET", "/reports/q3", 302, 401), ("POST", "/upload", 401, 401), ("POST", "/pricing", 401, 401),
    ("GET", "/static/../api/notes", 400, 400), ("GET", "/api%2fnotes", 400, 400),
]


@pytest.mark.parametrize("method, path, page, fetch", ANSWERS)
def test_a_visitor_without_a_session_gets_what_the_page_says(gateway, method, path, page, fetch):
    visitor = Client(gateway)
    assert visitor.send(method, path, body=b"" if method == "POST" else None, headers=NAVIGATION | {"Sec-Fetch-Site": "same-origin"}).status == page
    assert visitor.send(method, path, body=b"" if method == "POST" else None).status == fetch


def test_the_app_receives_the_headers_of_the_page(member):
    line, headers = received(member.get("/headers?a=%61", headers={"X-Auth-Subject": "u_forged", "X_Auth_Subject": "u_forged"}))
    session = member.get("/auth/session").json
    assert line == "GET /headers?a=%61 HTTP/1.1"
    assert headers["X-Auth-Subject"] == session["user"]["id"] and headers["X-Auth-Session"] == session["session"]["id"]
    assert headers["Authorization"] == f"Bearer {member.cookie.split('~')[0]}" and headers["X-Auth-Claims"] == "{}"
    assert headers["X-Forwarded-For"] == "127.0.0.1" and headers["X-Forwarded-Proto"] == "http"
    assert "Cookie" not in headers and "X_Auth_Subject" not in headers


def test_a_path_that_demands_a_claim_is_refused_without_it(member):
    refused = member.get("/admin/users")
    assert refused.status == 403 and refused.code == "insufficient_claims"


def test_a_page_that_is_refused_or_unknown_is_shown_to_people_as_a_page(gateway, member):
    page = member.get("/admin/users", headers=NAVIGATION)
    assert page.status == 403 and page.header("content-type").startswith("text/html") and page.code is None


def test_the_commands_of_the_page_give_a_user_the_claim(shell, gateway):  # noqa: F811
    client = Client(gateway)
    subject = client.sign_up().json["user"]["id"]
    assert client.get("/admin/headers").status == 403
    given = shell.run((SNIPPETS / "gateway_claims.sh").read_text(), {
        "--config /etc/cloakroom/cloakroom.yaml": f"--data-dir {gateway.directory}", "u_...": subject,
        "127.0.0.1:8081": f"127.0.0.1:{gateway.private_port}"})
    assert given.returncode == 0, given
    wait_until(lambda: client.get("/admin/users").status != 403)


def test_a_public_path_has_the_identity_of_a_visitor_with_a_session(gateway, member):
    assert b"Notes of u_" in member.get("/static/a").body
    assert b"Notes of None" in Client(gateway).get("/static/a").body


def test_a_rewritten_path_reaches_both_backends_in_turn(member):
    assert received(member.get("/reports/headers"))[0] == "GET /headers HTTP/1.1"
    assert member.post("/reports/notes", body="text=only+here").status == 303
    pages = [b"only here" in member.get("/reports/").body for _ in range(4)]
    assert pages in ([True, False] * 2, [False, True] * 2), "each backend has its own notes"


def test_a_stale_login_needs_the_password_again(tmp_path, apps):
    text = (SNIPPETS / "gateway.yaml").read_text().replace("maxAge: 300", "maxAge: 30")
    port = free_port()
    path = configuration(tmp_path, apps, text, publicURL=f"http://127.0.0.1:{port}", dataDir=tmp_path / "data")
    server = Server(tmp_path / "data", private=False, port=str(port), config=path, clock="+0")
    client = Client(server)
    client.sign_up()
    server.move(60)
    refused = client.post("/api/payments/7", body="text=x")
    assert refused.status == 401 and refused.json["max_age"] == 30 and refused.code == "insufficient_user_authentication"
    assert client.post("/auth/step-up", {"password": PASSWORD}).status == 200
    assert client.post("/api/payments/7", body="text=x").status == 303
    assert server.stop() == 0


def test_the_first_lines_of_the_file_alone_demand_a_session_everywhere(tmp_path, apps):
    text = (SNIPPETS / "gateway.yaml").read_text().split("\n\n")[0] + "\n"
    port = free_port()
    path = configuration(tmp_path, apps, text, publicURL=f"http://127.0.0.1:{port}", dataDir=tmp_path / "data")
    server = Server(tmp_path / "data", private=False, port=str(port), config=path)
    client = Client(server)
    assert client.get("/static/app.css").status == 401
    client.sign_up()
    assert client.get("/static/app.css").status == 200
    assert server.stop() == 0


def test_cloakroom_terminates_tls_with_the_settings_of_the_page(tmp_path, apps):
    port = free_port()
    certificate, key = tmp_path / "fullchain.pem", tmp_path / "privkey.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True)
    key.chmod(0o640)
    path = configuration(
        tmp_path, apps, (SNIPPETS / "gateway_tls.yaml").read_text(), publicURL=f"https://localhost:{port}",
        dataDir=tmp_path / "data", host="127.0.0.1", port=port, tlsCert=certificate, tlsKey=key)
    process = subprocess.Popen([BINARY, "serve", "--config", path], stdout=subprocess.PIPE, text=True, env=clean_environment())
    try:
        assert process.stdout.readline() == f"cloakroom: listening on https://127.0.0.1:{port}\n"
        for version, status in (("2", "302 2"), ("1.1", "302 1.1")):
            answered = subprocess.run(
                ["curl", "-s", "--cacert", certificate, f"--http{version}", "-H", "Accept: text/html", "-o", tmp_path / "body", "-w",
                 "%{http_code} %{http_version}", f"https://localhost:{port}/"], capture_output=True, text=True, check=True)
            assert answered.stdout == status
    finally:
        process.terminate()
        assert process.wait(15) == 0


def test_a_developer_gets_https_with_the_command_of_the_page(shell, apps):  # noqa: F811
    port = free_port()
    command = (SNIPPETS / "gateway_https.sh").read_text().replace("8443", str(port))
    with running(shell, command, apps["3000"], port, "https"):
        result = subprocess.run(
            ["curl", "-s", "--cacert", shell.directory / "cloakroom-data/development-certificate.pem", "-H", "Accept: text/html", "-o",
             shell.directory / "body", "-w", "%{http_code} %{http_version}", f"https://localhost:{port}/"], capture_output=True, text=True)
        assert result.stdout == "302 2", result


class Nginx:
    """nginx with the configuration of the page, without TLS."""

    def __init__(self, directory, port, cloakroom):
        text = (ROOT / "deploy/proxies/nginx/gateway.conf").read_text().replace("127.0.0.1:8080", f"127.0.0.1:{cloakroom}")
        text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
        text = re.sub(r"^ *ssl_certificate.*\n", "", text, flags=re.M)
        (directory / "gateway.conf").write_text(text)
        (directory / "nginx.conf").write_text(
            "daemon off; worker_processes 1; pid nginx.pid; error_log stderr;\nevents {}\n"
            "http { access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u;"
            " scgi_temp_path s; include gateway.conf; }\n")
        self.process = subprocess.Popen(["nginx", "-p", directory, "-c", directory / "nginx.conf"])
        wait_for_port(port)

    def stop(self):
        self.process.terminate()
        self.process.wait(15)


@pytest.mark.skipif(shutil.which("nginx") is None, reason="there is no nginx here")
def test_nginx_in_front_of_the_gateway_forwards_requests_sockets_and_addresses(tmp_path, apps):
    port = free_port()
    host, origin = f"localhost:{port}", f"http://localhost:{port}"
    path = configuration(
        tmp_path, apps, (SNIPPETS / "gateway.yaml").read_text(), publicURL=origin, dataDir=tmp_path / "data")
    server = Server(tmp_path / "data", private=False, config=path)
    nginx = Nginx(tmp_path, port, server.port)
    page = {"Host": host, "Origin": origin}
    account = {"email": "ann@example.com", "password": PASSWORD}
    client = Client(server)
    try:
        assert client.post("/auth/signup", account, headers=page).status == 201
        _, headers = received(through(port, "/headers", client.cookie, {"Host": host, "X-Forwarded-For": "203.0.113.66"}))
        assert headers["X-Forwarded-For"] == "127.0.0.1" and headers["Host"] == host
        assert through(port, "/", None, NAVIGATION | {"Host": host}).header("location") == "/auth/pages/login?return_to=/"
        assert through(port, "/", client.cookie, {"Host": "evil.example"}).status == 421
        with handshake(port, client.cookie, origin) as stream:
            assert stream.recv(4096).startswith(b"HTTP/1.1 101 ")
            assert client.post("/auth/logout", headers=page).status == 204
            assert stream.recv(4096) == b"\x88\x11\x03\xf0session_revoked"
    finally:
        nginx.stop()
        assert server.stop() == 0


def through(port, target, cookie, headers):
    """Sends a request to nginx."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", target, headers=headers | ({"Cookie": f"{NAME}={cookie}"} if cookie else {}))
    answer = Answer(connection.getresponse())
    connection.close()
    return answer


def handshake(port, cookie, origin):
    stream = socket.create_connection(("127.0.0.1", port), 60)
    stream.sendall((
        f"GET /socket HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: {origin}\r\nCookie: {NAME}={cookie}\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").encode())
    return stream
