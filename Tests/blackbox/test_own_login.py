"""docs/own-login.md and Examples/own-login: an app keeps its login, and its users get sessions."""
import http.client
import http.server
import json
import shutil
import subprocess
import threading
import urllib.parse

import pytest

from backend import ALL, add_credential
from browser import NAME, PASSWORD, TIMEOUT, Answer
from own_login import APPS, EXAMPLES, SNIPPETS, App, Gateway, environment, free_port, is_open
from server import ROOT, Server, wait_until
from shell import Shell, blocks

def forward(port, method, path, body, headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    connection.request(method, path, body, headers)
    answer = Answer(connection.getresponse())
    connection.close()
    return answer


class Front(http.server.ThreadingHTTPServer):
    """A proxy with forward-auth: /auth/* and the keys are Cloakroom's, /login is public, all else needs a session."""
    daemon_threads = True

    def __init__(self, port):
        super().__init__(("127.0.0.1", port), Pass)
        self.server = self.app_port = None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def origin(self):
        return f"http://localhost:{self.server_address[1]}"

    def stop(self):
        self.shutdown()
        self.server_close()
        self.server.stop()


class Pass(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in self.headers.items() if not name.lower().startswith("x-auth-")}
        headers["X-Forwarded-For"] = self.client_address[0]
        if self.path.startswith(("/auth/", "/.well-known/")):
            return self.answer(forward(self.server.server.port, self.command, self.path, body, headers))
        renewed = []
        if self.path != "/login":
            told = headers | {"X-Forwarded-Method": self.command, "X-Forwarded-Uri": self.path, "Content-Length": "0"}
            verdict = forward(self.server.server.private_port, "GET", "/auth/check", None, told)
            if verdict.status != 204:
                return self.answer(verdict)
            renewed = verdict.set_cookies
            names = ("Authorization", "X-Auth-Subject", "X-Auth-Claims")
            headers |= {name: verdict.header(name) for name in names}
        self.answer(forward(self.server.app_port, self.command, self.path, body, headers), renewed)

    do_GET = do_POST = handle_any

    def answer(self, answer, renewed=()):
        self.send_response(answer.status)
        for name, value in [*answer.headers, *(("Set-Cookie", cookie) for cookie in renewed)]:
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server", "keep-alive"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *arguments):
        pass


def proxy(directory, app_port):
    front = Front(0)
    front.app_port = app_port
    front.server = Server(directory / "data", publicURL=front.origin, claims="roles")
    return front


@pytest.fixture(scope="module", params=[(name, front) for name in APPS for front in (proxy, Gateway)], ids=lambda pair: f"{pair[0]}-{pair[1].__name__}")
def site(request, tmp_path_factory):
    name, front = request.param
    port = free_port()
    front = front(tmp_path_factory.mktemp(name), port)
    app = App(name, "after", port, **environment(front))
    yield front
    app.stop()
    front.stop()


def send(site, method, path, body=None, cookie=None, origin=None, fetch_site="same-origin", **headers):
    headers = {"Host": urllib.parse.urlsplit(site.origin).netloc, "Sec-Fetch-Site": fetch_site, "User-Agent": "Firefox/128.0"} | headers
    if method != "GET":
        headers["Origin"] = origin or site.origin
    if cookie:
        headers["Cookie"] = f"theme=dark; {NAME}={cookie}"
    if body is not None:
        headers["Content-Type"] = "application/json"
    return forward(site.server_address[1], method, path, json.dumps(body) if body is not None else None, headers)


GOOD = {"email": "ann@example.com", "password": PASSWORD}


def test_the_login_of_the_app_sets_a_session_cookie_and_hands_out_no_token(site):
    answer = send(site, "POST", "/login", GOOD)
    assert answer.status == 200 and answer.json == {"id": "42"} and answer.header("cache-control") == "no-store"
    [cookie] = answer.set_cookies
    assert cookie.startswith(f"{NAME}=") and "HttpOnly" in cookie and "Secure" in cookie
    me = send(site, "GET", "/me", cookie=answer.cookie)
    assert me.status == 200 and me.json == {"id": "42", "roles": ["editor"]}
    state = send(site, "GET", "/auth/session", cookie=answer.cookie).json
    assert state["authenticated"] and state["user"] == {"id": "42"}
    [listed] = send(site, "GET", "/auth/sessions?limit=1", cookie=answer.cookie).json["sessions"]
    assert (listed["ip"], listed["user_agent"]) == ("127.0.0.1", "Firefox/128.0")


def test_a_wrong_password_and_a_missing_session_are_refused(site):
    wrong = send(site, "POST", "/login", GOOD | {"password": "wrong"})
    assert wrong.status == 401 and not wrong.set_cookies
    assert send(site, "GET", "/me").code == "session_missing"


def test_another_site_cannot_log_a_visitor_in(site):
    answer = send(site, "POST", "/login", GOOD, origin="https://evil.example", fetch_site="cross-site")
    assert answer.status == 403 and b'"cross_site_request"' in answer.body and not answer.set_cookies


def test_a_new_login_ends_the_session_in_the_cookie(site):
    first = send(site, "POST", "/login", GOOD)
    second = send(site, "POST", "/login", GOOD, cookie=first.cookie)
    assert send(site, "GET", "/me", cookie=first.cookie).code == "session_revoked"
    assert send(site, "GET", "/me", cookie=second.cookie).status == 200


@pytest.mark.parametrize("name", APPS)
def test_before_the_change_the_page_got_both_tokens(name):
    app = App(name, "before", free_port(), SECRET="x" * 32)
    try:
        answer = forward(app.port, "POST", "/login", json.dumps(GOOD), {"Content-Type": "application/json"})
        assert set(answer.json) == {"access_token", "refresh_token"} and not answer.set_cookies
        me = forward(app.port, "GET", "/me", None, {"Authorization": f"Bearer {answer.json['access_token']}"})
        assert me.json == {"id": "42", "roles": ["editor"]}
    finally:
        app.stop()


@pytest.mark.parametrize("path", ["flask/app.py", "node/server.mjs", "hummingbird/App.swift"])
def test_the_change_has_fewer_than_twenty_lines_and_is_shown_as_it_is(path):
    directory, file = path.split("/")
    made = subprocess.run(
        ["diff", "-u", "--label", f"before/{file}", "--label", f"after/{file}", f"before/{file}", f"after/{file}"],
        cwd=EXAMPLES / directory, capture_output=True, text=True).stdout
    changed = [line for line in made.splitlines()[2:] if line[:1] in "+-"]
    assert 0 < len(changed) < 20
    assert (EXAMPLES / directory / "login.diff").read_text() == made


def test_the_commands_of_the_document_work_as_they_stand(start, tmp_path):
    server = start(publicURL="http://localhost:8080", claims="roles,tenant")
    shell = Shell(tmp_path)
    add, listed = blocks("docs/own-login.md")
    data = {"/var/lib/cloakroom": server.directory}
    added = shell.run(add, data)
    assert added.returncode == 0 and "crk_" in added.stdout, added
    assert shell.run(listed, data).returncode == 0
    key = add_credential(server, scope=ALL)["key"]
    script = (SNIPPETS / "service.sh").read_text()
    result = shell.run(f"SERVICE_KEY={key}\n{script}", {"127.0.0.1:8081": f"127.0.0.1:{server.private_port}"})
    assert result.returncode == 0, result
    assert f"{NAME}=" in result.stdout and '"event":"subject_blocked"' in result.stdout


def test_the_settings_of_the_document_start_a_server(tmp_path):
    file = tmp_path / "proxy.yaml"
    file.write_text((SNIPPETS / "proxy.yaml").read_text().replace("127.0.0.1:8081", f"127.0.0.1:{free_port()}"))
    server = Server(tmp_path / "data", private=False, config=file)
    server._read_private_address()
    assert server.private_port and server.stop() == 0


def test_the_walk_through_behind_the_gateway_works_as_it_stands(tmp_path):
    """Log in, log in again, step up, log out: with the Flask example and the rules of the document."""
    shell = Shell(tmp_path)
    shell.add("curl", f'exec {shutil.which("curl")} --silent --show-error "$@"')       # the document shows refusals, too
    shell.add("python3", 'exec /usr/bin/python3 "$@"')
    (tmp_path / "Examples").symlink_to(ROOT / "Examples")
    app_port = free_port()
    gateway = Gateway(tmp_path, app_port, clock="+0")
    private = f"127.0.0.1:{gateway.server.private_port}"
    here = {"localhost:8080": f"localhost:{gateway.server_address[1]}", "127.0.0.1:8081": private, "--data-dir trial": f"--data-dir {gateway.server.directory}",
            "--port 3000": f"--port {app_port}"}
    app = shell.begin((SNIPPETS / "try_app.sh").read_text(), here)
    try:
        wait_until(lambda: is_open(app_port), 60)
        script = (SNIPPETS / "try.sh").read_text()
        first = shell.run(script, here)
        assert first.returncode == 0, first
        assert "Location: /login?return_to=/" in first.stdout
        me = '{"id":"42","name":"Ann","roles":["editor"]}'
        assert me in first.stdout and first.stdout.count(NAME) == 0
        assert first.stdout.index(me) < first.stdout.index('"code":"session_revoked"')
        gateway.server.move(301)
        later = shell.run(script.splitlines()[0] + "\n" + (SNIPPETS / "try_step_up.sh").read_text(), here)
        assert later.returncode == 0, later
        told = ['"code":"insufficient_user_authentication"', "Location: /login?return_to=/payments&step_up=1", '{"payments":[]}', '"code":"session_missing"']
        places = [later.stdout.index(text) for text in told]
        assert places == sorted(places)
    finally:
        shell.end(app)
        gateway.stop()
