"""Runs the commands and snippets of the README and the documents."""
import grp
import html.parser
import json
import os
import pathlib
import re
import shutil
import subprocess
import threading
import time
import urllib.parse

import pytest

from browser import PASSWORD, Client
from server import ROOT, Server
from shell import Shell, blocks

README = (ROOT / "README.md").read_text()
SNIPPETS = ROOT / "docs/snippets"
DEADLINE = 30


@pytest.fixture
def client(shared):
    client = Client(shared)
    client.sign_up()
    return client


def wait_until(condition):
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def shell(tmp_path):
    if missing := [command for command in ("curl", "jq", "sqlite3") if shutil.which(command) is None]:
        pytest.skip(f"there is no {missing} here")
    return Shell(tmp_path)


def test_the_curl_commands_of_the_readme_work_as_they_stand(client, shell):
    [command] = blocks("README.md")
    result = shell.run(command, {"localhost:8080": f"localhost:{client.server.port}", "ann@": "readme@"})
    answers = re.findall(r'"authenticated":(\w+)', result.stdout)
    assert result.returncode == 0 and answers == ["true", "true", "true"], result
    logged_out = shell.run("curl -b jar http://localhost:8080/auth/session", {"8080": client.server.port})
    assert logged_out.stdout == '{"authenticated":false}'


def test_the_commands_about_the_http_interface_work_as_they_stand(start, shell):
    server = start(clients="mobile=body")
    Client(server).sign_up("ann@example.com")
    with_cookie, with_tokens = blocks("docs/http.md")
    result = shell.run(with_cookie, {"localhost:8080": f"localhost:{server.port}"})
    assert result.returncode == 0 and '"sessions":[' in result.stdout, result
    result = shell.run(with_tokens, {"localhost:8080": f"localhost:{server.port}"})
    assert result.returncode == 0 and '"delivery":"body"' in result.stdout, result
    kept = json.loads((shell.directory / "tokens.json").read_text())
    assert kept["session"]["rotated"] and Client(server).post(
        "/auth/refresh", {"refresh_token": kept["refresh_token"]}, headers={"Origin": None, "Sec-Fetch-Site": None}).status == 401


class Machine:
    """A machine as in docs/operations.md: settings in a file, and a service that systemctl stops and starts."""

    def __init__(self, shell):
        self.shell = shell
        self.replacements = {
            "/etc/cloakroom/cloakroom.yaml": shell.directory / "cloakroom.yaml", "/var/lib/cloakroom": shell.directory / "data",
            "/run/cloakroom/private.sock": shell.directory / "private.sock"}
        settings = (ROOT / "deploy/proxies/nginx/cloakroom.yaml").read_text().replace("www-data", grp.getgrgid(os.getgid()).gr_name)
        for old, new in self.replacements.items():
            settings = settings.replace(old, str(new))
        (shell.directory / "cloakroom.yaml").write_text(settings)
        self.server = Server(shell.directory / "data", private=False, config=shell.directory / "cloakroom.yaml", signup="closed")
        shell.add("systemctl", f'echo "$1" >> {shell.directory}/asked; while test -e {shell.directory}/asked; do sleep 0.05; done')
        self.is_done = threading.Event()
        threading.Thread(target=self.obey, daemon=True).start()

    def obey(self):
        """Carries out the stops and starts that the blocks request from systemctl."""
        asked = self.shell.directory / "asked"
        while not self.is_done.wait(0.05):
            if asked.exists() and (order := asked.read_text().strip()):
                self.server.stop() if order == "stop" else self.server.start()
                asked.unlink()

    def run(self, block):
        result = self.shell.run(block, self.replacements)
        assert result.returncode == 0, (block, result)
        return result.stdout

    def stop(self):
        self.is_done.set()
        self.server.stop()


@pytest.fixture
def machine(shell):
    machine = Machine(shell)
    yield machine
    machine.stop()


def test_the_commands_of_operators_work_as_they_stand(machine, shell):
    said = [machine.run(block) for block in blocks("docs/operations.md")]
    assert "ann@example.com" in said[0] and any("cloakroom_sessions" in text for text in said), said
    assert any(" sign_up subject=" in text for text in said), said
    client = Client(machine.server)
    browser = {"Origin": "https://app.example.com"}
    assert client.post("/auth/login", {"email": "ann@example.com", "password": "another horse battery"}, headers=browser).status == 200


def status_lines(output):
    return re.findall(r"HTTP/1\.1 (\d+)", output)


def test_the_check_with_curl_works_as_it_stands_over_loopback(shared, shell):
    over_loopback, _ = blocks("docs/forward-auth.md")
    shell.add("curl", f'exec {shutil.which("curl")} --silent --show-error "$@"')
    ports = {":8080": f":{shared.port}", ":8081": f":{shared.private_port}", "ann@": "curl@"}
    asked = shell.run(over_loopback, ports)
    assert status_lines(asked.stdout) == ["204", "401"] and '"code":"session_missing"' in asked.stdout, asked
    headers = ("Authorization: Bearer ", "X-Auth-Subject: u_", "X-Auth-Session: ", "X-Auth-Claims: {}")
    assert all(f"\n{header}" in asked.stdout for header in headers), asked


def test_the_check_with_curl_works_as_it_stands_over_a_unix_socket(shell):
    over_loopback, over_socket = blocks("docs/forward-auth.md")
    server = Server(shell.directory / "data", private=False, privateListen=f"unix:{shell.directory}/private.sock")
    try:
        sign_up = over_loopback.split("\n\n")[0]
        signed_up = shell.run(sign_up, {":8080": f":{server.port}"})
        asked = shell.run(over_socket, {})
        assert signed_up.returncode == 0 and status_lines(asked.stdout) == ["204"], (signed_up, asked)
    finally:
        server.stop()


def test_a_new_refresh_secret_and_the_end_of_all_sessions_lock_a_thief_out(machine):
    """A stolen refresh secret (docs/operations.md): after the first command alone, old tokens stay valid."""
    machine.run(blocks("docs/operations.md")[0])
    client = Client(machine.server)
    browser = {"Origin": "https://app.example.com"}
    client.post("/auth/login", {"email": "ann@example.com", "password": "another horse battery"}, headers=browser)
    [block] = [block for block in blocks("docs/operations.md") if "--refresh-secret" in block and "--all" in block]
    rotate, revoke = block.replace("export ", "").strip().splitlines()[1:]
    machine.run(f"export CLOAKROOM_CONFIG=/etc/cloakroom/cloakroom.yaml\n{rotate}")
    assert client.refresh(headers=browser, keep=False).status == 200
    machine.run(f"export CLOAKROOM_CONFIG=/etc/cloakroom/cloakroom.yaml\n{revoke}")
    wait_until(lambda: client.refresh(headers=browser, keep=False).code == "session_revoked")


class FormFields(html.parser.HTMLParser):
    """The fields that a browser sends for a form with checked checkboxes."""

    def __init__(self, text, **typed):
        super().__init__()
        self.typed = typed
        self.fields = {}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "form":
            self.method, self.action = given["method"], given["action"]
        if tag == "input":
            value = "on" if given.get("type") == "checkbox" else given.get("value", "")
            self.fields[given["name"]] = self.typed.get(given["name"], value)


@pytest.mark.parametrize("password, leads_to", [
    (PASSWORD, "/notes?page=2"), ("wrong password", "/enter?error=invalid_credentials&return_to=/notes%3Fpage%3D2")])
def test_the_form_without_script_logs_in_and_shows_errors(client, password, leads_to):
    form = FormFields((SNIPPETS / "login_form.html").read_text(), email=client.email, password=password)
    answer = client.send(
        form.method.upper(), form.action, body=urllib.parse.urlencode(form.fields), cookie=False, headers={
            "Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Mode": "navigate",
            "Referer": f"{client.server.origin}/enter"})
    assert answer.status == 303 and urllib.parse.unquote(answer.header("location")) == urllib.parse.unquote(leads_to)
    assert bool(answer.set_cookies) == (password == PASSWORD)
    assert all("Max-Age=" in cookie for cookie in answer.set_cookies)


def test_every_document_that_the_readme_names_exists():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / pathlib.Path(target)).exists(), target
