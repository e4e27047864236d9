"""Runs the proxy configurations of deploy/ in front of the real binary and an app that records raw requests. Only ports and
paths are replaced."""
import grp
import http.client
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import socketserver
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse

import jwt
import pytest

from browser import NAME, PASSWORD, Answer, claims, tokens
from server import BINARY, ROOT, Server

HOST = "app.example.com"
ORIGIN = f"https://{HOST}"
TOKEN = re.compile(r"eyJ[\w-]+\.eyJ[\w-]+")
PATIENCE = 30
numbers = itertools.count()
WEB_SOCKET = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"still waiting for {what}"
        time.sleep(0.05)


def replaced(file, replacements):
    """A file of deploy/nginx with the ports and paths of this test."""
    text = (ROOT / "deploy/nginx" / file).read_text()
    for old, new in replacements.items():
        assert text.count(old) == 1, f"{file} does not have one {old}"
        text = text.replace(old, new)
    return text


class Backend:
    """An app that records every raw request, and responds with the status that a test sets."""

    def __init__(self):
        self.requests = []
        self.bodies = []
        self.status = 200
        backend = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                while head := self.read_head():
                    backend.requests.append(head)
                    backend.bodies.append(self.read_body(head))
                    self.answer(head)

            def read_head(self):
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    line = self.rfile.readline()
                    if not line:
                        return None
                    head += line
                return head.decode("latin-1")

            def read_body(self, head):
                if length := re.search(r"^content-length: (\d+)", head, re.I | re.M):
                    return len(self.rfile.read(int(length[1])))
                size = 0
                while re.search(r"^transfer-encoding: chunked", head, re.I | re.M):
                    chunk = int(self.rfile.readline(), 16)
                    size += len(self.rfile.read(chunk))
                    self.rfile.readline()
                    if not chunk:
                        break
                return size

            def answer(self, head):
                if re.search(r"^upgrade: websocket", head, re.I | re.M):
                    self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
                    return
                body = b"" if backend.status == 204 else b"the app"
                self.wfile.write(
                    f"HTTP/1.1 {backend.status} Told\r\nContent-Length: {len(body)}\r\nSet-Cookie: own=1; Path=/\r\n"
                    "Cache-Control: public, max-age=600\r\nX-Auth-Set-Cookie: evil\r\nAuthorization: evil\r\n\r\n".encode()
                    + (b"" if head.startswith("HEAD ") else body))

        class Threads(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self.server = Threads(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def header(self, name, request=-1):
        """Every value of this header, in upper or lower case."""
        lines = self.requests[request].split("\r\n")[1:]
        return [line.split(":", 1)[1].strip() for line in lines if line.lower().startswith(name.lower() + ":")]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Nginx:
    """Debian's nginx with the files of deploy/nginx, in its own directory."""

    def __init__(self, directory, replacements):
        self.directory = directory
        self.port = free_port()
        self.metrics_port = free_port()
        shutil.copytree(ROOT / "deploy/nginx/snippets", directory / "snippets")
        listening = {"listen 443 ssl;": f"listen 127.0.0.1:{self.port} ssl;"}
        (directory / "forward-auth.conf").write_text(replaced("forward-auth.conf", replacements | listening))
        (directory / "metrics.conf").write_text(
            replaced("metrics.conf", {"listen 127.0.0.1:9180;": f"listen 127.0.0.1:{self.metrics_port};"}))
        scratch = "".join(
            f"{name}_temp_path {directory}/{name}; " for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        # As root, nginx would change its worker to a user that may not open the socket.
        user = "user root;" if os.getuid() == 0 else ""
        (directory / "nginx.conf").write_text(
            f"{user} pid {directory}/nginx.pid; daemon off; worker_processes 1; events {{}}\n"
            f"http {{ access_log off; {scratch} include forward-auth.conf; include metrics.conf; }}\n")
        self.process = subprocess.Popen(
            ["nginx", "-p", directory, "-c", "nginx.conf", "-e", directory / "error.log"], stderr=subprocess.PIPE, text=True)
        wait_for(self.listens, "nginx")

    def listens(self):
        assert self.process.poll() is None, self.process.stderr.read()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        self.process.send_signal(signal.SIGQUIT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:       # a WebSocket is still open
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(10)


class Site:
    """Cloakroom and an app behind nginx."""

    def __init__(self, recipe=None, **settings):
        """`recipe`: further replacements in the configuration of nginx."""
        self.recipe = recipe or {}
        # A short name: the path of a socket has at most 107 characters.
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="recipe-"))
        self.backend = Backend()
        configuration = replaced("cloakroom.yaml", {
            "/run/cloakroom/private.sock": f"{self.directory}/private.sock",
            "www-data": grp.getgrgid(os.getgid()).gr_name})
        (self.directory / "cloakroom.yaml").write_text(configuration)
        self.server = Server(
            self.directory / "data", private=False, config=self.directory / "cloakroom.yaml", signupRateLimit="off", **settings)
        try:
            self.make_certificate()
            self.proxy = self.start_proxy()
        except BaseException:
            self.server.stop()
            raise

    def start_proxy(self):
        directory = self.directory / "nginx"
        directory.mkdir()
        return Nginx(directory, {
            "server 127.0.0.1:8080;": f"server 127.0.0.1:{self.server.port};",
            "server unix:/run/cloakroom/private.sock;": f"server unix:{self.directory}/private.sock;",
            "server 127.0.0.1:3000;": f"server 127.0.0.1:{self.backend.port};",
            "/etc/ssl/app.example.com/fullchain.pem": f"{self.directory}/cert.pem",
            "/etc/ssl/app.example.com/privkey.pem": f"{self.directory}/key.pem",
        } | self.recipe)

    def make_certificate(self):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj",
             f"/CN={HOST}", "-keyout", self.directory / "key.pem", "-out", self.directory / "cert.pem"],
            check=True, capture_output=True)

    def stop(self):
        self.proxy.stop()
        self.server.stop()
        self.backend.stop()
        shutil.rmtree(self.directory)


class Browser:
    """One browser at the site: keeps the cookie, and sends the headers of browsers."""

    def __init__(self, site, address="127.0.0.1", name=NAME):
        self.site = site
        self.address = address
        self.name = name
        self.cookie = None

    def send(self, method, path, headers=None, body=None, keep=True, site="same-origin"):
        fields = {"Host": HOST, "Sec-Fetch-Site": site, "Sec-Fetch-Mode": "cors"}
        if method not in ("GET", "HEAD"):
            fields["Origin"] = ORIGIN if site == "same-origin" else "https://evil.example"
        if self.cookie:
            fields["Cookie"] = f"theme=dark; {self.name}={self.cookie}; lang=en"
        if isinstance(body, dict):
            body = json.dumps(body)
            fields["Content-Type"] = "application/json"
        trust = ssl.create_default_context(cafile=self.site.directory / "cert.pem")
        trust.check_hostname = False
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.site.proxy.port, timeout=PATIENCE, context=trust, source_address=(self.address, 0))
        connection.request(method, path, body, fields | (headers or {}))
        answer = Answer(connection.getresponse())
        connection.close()
        mine = [value for value in answer.set_cookies if value.startswith(self.name + "=")]
        assert len(mine) < 2, mine
        if mine and keep:
            self.cookie = mine[0].split(";")[0].split("=", 1)[1] or None
        return answer

    def get(self, path, **options):
        return self.send("GET", path, **options)

    def sign_up(self):
        self.email = f"recipe{next(numbers)}@example.com"
        answer = self.send("POST", "/auth/signup", body={"email": self.email, "password": PASSWORD})
        assert answer.status == 201, answer

    def log_in(self, email, password=PASSWORD, headers=None):
        return self.send("POST", "/auth/login", body={"email": email, "password": password}, headers=headers)


pytestmark = pytest.mark.skipif(shutil.which("nginx") is None, reason="there is no nginx here")


@pytest.fixture(scope="module")
def site():
    site = Site()
    yield site
    site.stop()


@pytest.fixture
def ann(site):
    browser = Browser(site)
    browser.sign_up()
    site.backend.status = 200
    site.backend.requests.clear()
    site.backend.bodies.clear()
    return browser


@pytest.fixture(scope="module")
def hurried():
    """A site where access tokens expire so soon that checks renew them all the time."""
    site = Site(accessTokenLifetime="1", stragglerWindow="0.3", reissueDelay="0.1")
    yield site
    site.stop()


@pytest.fixture
def renewing(hurried):
    browser = Browser(hurried)
    browser.sign_up()
    hurried.backend.status = 200
    hurried.backend.requests.clear()
    return browser


def test_the_app_gets_the_identity_and_its_own_cookies(site, ann):
    answer = ann.get("/notes?a=1&b=%2F")
    assert answer.status == 200 and answer.body == b"the app"
    assert site.backend.requests[-1].startswith("GET /notes?a=1&b=%2F HTTP/1.1\r\n")
    [authorization] = site.backend.header("authorization")
    access = claims(authorization.removeprefix("Bearer "))
    assert access == claims(tokens(ann.cookie)[0])
    assert site.backend.header("x-auth-subject") == [access["sub"]]
    assert site.backend.header("x-auth-session") == [access["sid"]]
    assert site.backend.header("x-auth-claims") == ["{}"]
    assert site.backend.header("cookie") == ["theme=dark; lang=en"]
    assert site.backend.header("host") == [HOST]
    assert site.backend.header("x-forwarded-proto") == ["https"]
    assert answer.set_cookies == ["own=1; Path=/"]
    assert answer.header("x-auth-set-cookie") is None and answer.header("authorization") is None
    assert answer.header("cache-control") == "public, max-age=600"


PAIR = "eyJhbGciOiJFUzI1NiJ9.eyJhIjoxfQ.c2ln~eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2ln"
HYBRID = "~eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2ln"
LONGEST = "__Host-" + 57 * "n"


@pytest.mark.parametrize("sent, kept", [
    (f"a=1; {NAME}={PAIR}; {NAME}=rubbish; b=2", "a=1; b=2"),
    (f"{NAME}=rubbish", None),
    (f"{NAME}=", None),
    (f"{NAME}={HYBRID}; a=1", "a=1"),
    (f"a=1;{NAME}={PAIR};b=2", "a=1;b=2"),
    (f"a=1;\t{NAME}={PAIR};\tb=2", "a=1;\tb=2"),
    (f"__Host-Http-shop={PAIR}; a=1", "a=1"),
    (f"a=1; __Host-shop_1.x-y={HYBRID}", "a=1; "),
    (f"a=1; {LONGEST}={PAIR}; b=2", "a=1; b=2"),
    (f"cloakroom-session={PAIR}; a=1", "a=1"),
    (f"a=1; cloakroom-shop={PAIR}; __Host-Http-shop={PAIR}; b=2", "a=1; b=2"),
    (f"a=1; {NAME}={PAIR}; cloakroom-x={HYBRID}; cloakroom-y={HYBRID}; b=2", None),
    ("__Host-csrf=secret; theme=dark~light; x__Host-a=1; cloakroom-theme=dark",) * 2,
    (f"my__Host-Http-session={PAIR}; a=1",) * 2])
def test_the_app_gets_its_own_cookies_and_no_cookie_of_cloakroom_under_any_name(site, ann, sent, kept):
    assert ann.get("/public/logo", headers={"Cookie": sent}).status == 200
    assert site.backend.header("cookie") == ([] if kept is None else [kept.strip()])


@pytest.mark.parametrize("name", ["__Host-Http-shop", "__Host-shop.two_3"])
def test_the_app_gets_no_session_cookie_of_another_name(name):
    site = Site(cookieName=name)
    try:
        browser = Browser(site, name=name)
        browser.sign_up()
        assert browser.get("/notes").status == 200
        assert site.backend.header("x-auth-subject") and site.backend.header("cookie") == ["theme=dark; lang=en"]
    finally:
        site.stop()


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "OPTIONS"])
def test_a_request_without_session_is_refused_with_the_problem(site, ann, method):
    ann.cookie = None
    answer = ann.send(method, "/notes")
    assert answer.status == 401 and site.backend.requests == []
    challenges = [value for name, value in answer.headers if name.lower() == "www-authenticate"]
    assert challenges == ['Bearer realm="cloakroom"']
    if method != "HEAD":
        assert answer.code == "session_missing" and answer.header("content-type") == "application/problem+json"


def test_a_navigation_without_session_is_redirected_to_the_login_page_and_back(site, ann):
    ann.cookie = None
    answer = ann.get("/notes?a=1&b=2", headers={"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"})
    assert answer.status == 302
    page, _, query = answer.header("location").partition("?")
    assert page == "/auth/pages/login" and urllib.parse.parse_qs(query) == {"return_to": ["/notes?a=1&b=2"]}
    page = ann.get("/auth/pages/login", headers={"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"})
    assert page.status == 200 and b"<html" in page.body.lower()


def test_after_a_logout_the_app_is_closed(site, ann):
    old = ann.cookie
    assert ann.send("POST", "/auth/logout").status == 204 and ann.cookie is None
    ann.cookie = old
    wait_for(lambda: ann.get("/notes").code == "session_revoked", "the revocation to arrive")


@pytest.mark.parametrize("status", [200, 204, 304, 404, 500])
def test_a_renewed_cookie_is_sent_once_beside_the_apps_own_and_not_cached(hurried, renewing, status):
    first = renewing.cookie
    hurried.backend.status = status
    answers = []

    def is_renewed():
        answers.append(renewing.get("/notes"))
        assert answers[-1].status == status
        return renewing.cookie != first

    wait_for(is_renewed, "a renewal")
    for answer in answers:
        mine = [value for value in answer.set_cookies if value.startswith(NAME)]
        policies = [value for name, value in answer.headers if name.lower() == "cache-control"]
        assert ("no-store" in policies) == bool(mine)
        assert "own=1; Path=/" in answer.set_cookies
        assert answer.header("x-auth-set-cookie") is None
    sent = hurried.backend.header("authorization")[0].removeprefix("Bearer ")
    assert sent == tokens(renewing.cookie)[0]


def test_every_renewal_arrives_and_the_session_stays_valid(hurried, renewing):
    seen = {renewing.cookie}

    def has_been_renewed_often():
        assert renewing.get("/notes").status == 200
        seen.add(renewing.cookie)
        return len(seen) > 4

    wait_for(has_been_renewed_often, "four renewals")


PROXY_HEADERS = [
    {}, {"X-Original-URI": "/notes"}, {"X-Original-Method": "GET", "X-Original-URI": "/notes"},
    {"X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/notes"},
    {"X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/notes", "X-Forwarded-Host": HOST, "X-Forwarded-Proto": "https",
     "X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1"}]
CHECK_PATHS = [
    "/auth/check", "/auth/check/", "/auth/check?allow=200", "/auth/check;allow=200/notes", "/auth/check/notes", "/_check", "//auth/check",
    "/auth/./check", "/auth%2Fcheck", "/auth/%63heck", "/auth/pages/../check"]


@pytest.mark.parametrize("path", CHECK_PATHS)
def test_a_page_cannot_reach_the_check(site, ann, path):
    for headers in PROXY_HEADERS:
        for method in ("GET", "POST"):
            answer = ann.send(method, path, headers=headers)
            assert answer.status == 404 and site.backend.requests == [], (method, headers)
            assert not TOKEN.search(f"{answer.headers} {answer.body}")


def test_no_response_of_cloakroom_shows_a_page_a_token(hurried, renewing):
    paths = [*CHECK_PATHS, "/auth/session", "/auth/sessions", "/metrics", "/service/sessions", "/@denied", "/@unavailable"]

    def has_been_renewed():
        before = renewing.cookie
        for path in paths:
            for headers in PROXY_HEADERS:
                answer = renewing.get(path, headers=headers)
                readable = [pair for pair in answer.headers if pair[0].lower() != "set-cookie"]
                assert not TOKEN.search(f"{readable} {answer.body}"), (path, headers)
        return renewing.cookie != before

    wait_for(has_been_renewed, "a renewal")


FORGED = {
    "X-Auth-Subject": "u_forged", "X_Auth_Subject": "u_forged", "X.Auth.Subject": "u_forged", "X-Auth-Session": "forged",
    "X_Auth_Session": "forged", "X-Auth-Claims": '{"forged":1}', "X-Auth-Token": "forged", "X-Auth-Set-Cookie": "forged=1",
    "X-Auth-Preflight": "forged", "X-Auth-Cache-Control": "forged", "Authorization": "Bearer forged.forged.forged",
    "X-Forwarded-For": "203.0.113.66", "X-Forwarded-Proto": "forged", "X-Forwarded-Host": "forged.example",
    "X-Forwarded-Uri": "/forged", "X-Forwarded-Method": "FORGED", "X-Original-URI": "/forged", "X-Original-Method": "FORGED",
    "Forwarded": "for=203.0.113.66;host=forged", "HTTP2-Settings": "forged"}


def test_proxy_headers_of_a_client_are_removed(site, ann):
    for name, value in FORGED.items():
        answer = ann.get("/notes", headers={name: value})
        assert answer.status == 200, name
        assert "forged" not in site.backend.requests[-1].lower() and "203.0.113" not in site.backend.requests[-1], name
        assert len(site.backend.header("authorization")) == 1 and len(site.backend.header("x-auth-subject")) == 1
    assert ann.get("/notes", headers=FORGED).status == 200
    assert "forged" not in site.backend.requests[-1].lower()
    assert site.backend.header("x-forwarded-for") == ["127.0.0.1"]


def test_a_public_path_has_no_identity_with_any_headers_of_the_client(site, ann):
    assert ann.get("/public/logo", headers=FORGED).status == 200
    assert "forged" not in site.backend.requests[-1].lower()
    assert site.backend.header("authorization") == [] and site.backend.header("x-auth-subject") == []
    assert site.backend.header("cookie") == ["theme=dark; lang=en"]
    ann.cookie = None
    assert ann.get("/public/logo").status == 200


def test_a_connection_header_removes_none_of_our_headers(site, ann):
    named = "keep-alive, Authorization, X-Auth-Subject, X-Auth-Session, X-Forwarded-For, Cookie"
    assert ann.get("/notes", headers={"Connection": named}).status == 200
    for name in ("authorization", "x-auth-subject", "x-auth-session", "x-forwarded-for"):
        assert len(site.backend.header(name)) == 1, name


def test_with_a_bearer_of_another_issuer_the_cookie_decides(site, ann):
    foreign = jwt.encode({"sub": "somebody", "iss": "https://elsewhere.example"}, "k" * 32, "HS256")
    assert ann.get("/notes", headers={"Authorization": f"Bearer {foreign}"}).status == 200
    assert site.backend.header("authorization") == [f"Bearer {tokens(ann.cookie)[0]}"]


def test_a_request_of_another_site_that_changes_something_is_refused(site, ann):
    for headers in ({}, {"X-Original-Method": "GET"}, {"X-Forwarded-Method": "GET"}):
        answer = ann.send("POST", "/notes", site="cross-site", headers=headers)
        assert answer.status == 403 and answer.code == "cross_site_request"
    assert site.backend.requests == []
    assert ann.send("POST", "/notes", body={"text": "x"}).status == 200


def test_a_websocket_of_another_site_is_refused_and_the_apps_own_is_forwarded(site, ann):
    foreign = WEB_SOCKET | {"Origin": "https://evil.example"}
    for missing in (None, "Upgrade", "Sec-WebSocket-Key"):
        handshake = {name: value for name, value in foreign.items() if name != missing}
        answer = ann.send("GET", "/live", headers=handshake, site="cross-site")
        assert answer.status == 403 and answer.code == "cross_site_request", handshake
    assert site.backend.requests == []
    assert ann.send("GET", "/live", headers=WEB_SOCKET | {"Origin": ORIGIN}).status == 101
    assert site.backend.header("upgrade") == ["websocket"] and site.backend.header("connection") == ["Upgrade"]
    assert site.backend.header("x-auth-subject") != []
    ann.cookie = None
    assert ann.send("GET", "/live", headers=WEB_SOCKET | {"Origin": ORIGIN}).status == 401


def test_other_upgrades_are_not_forwarded_and_block_no_later_request(site, ann):
    for _ in range(4):
        offered = ann.get("/notes", headers={"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABk"})
        assert offered.status == 200
        assert site.backend.header("upgrade") == [] and site.backend.header("http2-settings") == []
        assert ann.get("/notes").status == 200


def test_an_upload_is_forwarded_and_a_refused_one_is_not(site, ann):
    size = 3 * 1024 * 1024
    assert ann.send("POST", "/notes", body=b"x" * size).status == 200
    assert site.backend.bodies[-1] == size
    ann.cookie = None
    asked = len(site.backend.requests)
    try:
        assert ann.send("POST", "/notes", body=b"x" * size).status == 401
    except (BrokenPipeError, ConnectionResetError):
        pass        # nginx closes the connection before it has read the whole body
    assert len(site.backend.requests) == asked


def test_a_location_can_demand_a_fresh_password(site, ann):
    assert ann.get("/money/1").status == 200
    site = Site(recipe={"max_age=300": "max_age=0"})
    try:
        browser = Browser(site)
        browser.sign_up()
        wait_for(lambda: browser.get("/money/1").status == 401, "the login to be too old")
        asked = len(site.backend.requests)
        for method in ("GET", "POST"):
            answer = browser.send(method, "/money/1")
            assert answer.status == 401 and answer.code == "insufficient_user_authentication"
            assert 'max_age="0"' in answer.header("www-authenticate")
        person = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"}
        location = browser.get("/money/1", headers=person).header("location")
        assert location.startswith("/auth/pages/login?")
        assert urllib.parse.parse_qs(location.partition("?")[2]) == {"return_to": ["/money/1"], "step_up": ["1"]}
        assert len(site.backend.requests) == asked
        # nginx normalizes each of these paths to the same location.
        for path in ("//money/1", "/%6Doney/1", "/x/../money/1"):
            assert browser.get(path).status == 401
        assert browser.get("/notes").status == 200
    finally:
        site.stop()


def test_if_the_second_check_allows_the_browser_is_redirected_to_the_same_target(site, ann):
    # The second check of nginx, for a request that is now allowed.
    answer = shown_refusal(site, ann.cookie, "/notes?a=1")
    assert answer.status == 307 and answer.header("location") == "/notes?a=1"
    assert not TOKEN.search(f"{answer.headers}")


def shown_refusal(site, cookie, target):
    connection = http.client.HTTPConnection("localhost", timeout=PATIENCE)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(site.directory / "private.sock"))
    connection.request("GET", "/auth/check?login=/auth/pages/login&refuse", headers={
        "Host": HOST, "Cookie": f"{NAME}={cookie}", "X-Original-Method": "GET", "X-Original-URI": target})
    answer = Answer(connection.getresponse())
    connection.close()
    return answer


def test_the_address_of_a_client_is_that_of_its_connection_to_nginx(site):
    owner = Browser(site, "127.3.0.1")
    owner.sign_up()
    forged = {"X-Forwarded-For": "203.0.113.66", "Forwarded": "for=203.0.113.66", "X-Real-IP": "203.0.113.66"}
    assert Browser(site, "127.3.0.2").log_in(owner.email, headers=forged).status == 200
    listed = owner.get("/auth/sessions", headers=forged).json["sessions"]
    assert {session["ip"] for session in listed} == {"127.3.0.1", "127.3.0.2"}


def test_twenty_failed_logins_of_one_client_do_not_limit_another():
    site = Site(loginRateLimit="20")
    try:
        owner = Browser(site, "127.4.0.1")
        owner.sign_up()
        attacker = Browser(site, "127.4.0.2")
        statuses = [attacker.log_in(f"nobody{number}@example.com", "wrong password").status for number in range(24)]
        assert statuses[0] == 401 and statuses[-1] == 429
        assert Browser(site, "127.4.0.3").log_in(owner.email).status == 200
    finally:
        site.stop()


def test_a_check_without_a_response_refuses_the_request(ann, site):
    site.server.process.send_signal(signal.SIGSTOP)
    try:
        answer = ann.get("/notes")
        assert answer.status == 503 and answer.code == "unavailable" and answer.header("retry-after") == "1"
        assert site.backend.requests == []
        assert ann.get("/public/logo").status == 200
    finally:
        site.server.process.send_signal(signal.SIGCONT)
    wait_for(lambda: ann.get("/notes").status == 200, "the server to be back")


def test_a_stopped_server_refuses_all_requests_until_it_runs_again():
    site = Site()
    try:
        browser = Browser(site)
        browser.sign_up()
        assert browser.get("/notes").status == 200
        asked = len(site.backend.requests)
        site.server.kill()
        answer = browser.get("/notes")
        assert answer.status == 503 and answer.code == "unavailable" and len(site.backend.requests) == asked
        site.server.start()
        wait_for(lambda: browser.get("/notes").status == 200, "the server to be back")
    finally:
        site.stop()


def test_metadata_and_keys_are_served(site, ann):
    ann.cookie = None
    assert ann.get("/.well-known/jwks.json").json["keys"]
    assert ann.get("/.well-known/oauth-authorization-server").json["issuer"] == ORIGIN
    assert ann.get("/.well-known/change-password").status == 302


@pytest.mark.parametrize("path, address, status", [
    ("/metrics", "127.0.0.1", 200), ("/metrics/", "127.0.0.1", 404), ("/auth/check", "127.0.0.1", 404), ("/metrics", "127.5.0.1", 403)])
def test_prometheus_gets_the_metrics_and_nothing_else(site, path, address, status):
    connection = http.client.HTTPConnection("127.0.0.1", site.proxy.metrics_port, timeout=PATIENCE, source_address=(address, 0))
    connection.request("GET", path)
    answer = Answer(connection.getresponse())
    connection.close()
    assert answer.status == status and (b"cloakroom_sessions" in answer.body) == (status == 200)


def test_a_page_whose_name_resolves_to_the_proxy_reads_no_metrics(site):
    connection = http.client.HTTPConnection("127.0.0.1", site.proxy.metrics_port, timeout=PATIENCE)
    connection.request("GET", "/metrics", headers={"Host": f"evil.test:{site.proxy.metrics_port}"})
    answer = Answer(connection.getresponse())
    connection.close()
    assert answer.status == 421 and b"cloakroom_" not in answer.body


UNIT = (ROOT / "deploy/systemd/cloakroom.service").read_text()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_accepts_the_unit(tmp_path):
    unit = tmp_path / "cloakroom.service"
    unit.write_text(UNIT.replace("/usr/bin/cloakroom", BINARY))
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)
    about_it = [line for line in verified.stderr.splitlines() if "cloakroom" in line]
    assert verified.returncode == 0 and about_it == []


def test_the_unit_makes_the_directories_that_the_settings_name():
    settings = (ROOT / "deploy/nginx/cloakroom.yaml").read_text()
    assert "StateDirectory=cloakroom\n" in UNIT and "dataDir: /var/lib/cloakroom " in settings
    assert "RuntimeDirectory=cloakroom\n" in UNIT and "privateListen: unix:/run/cloakroom/private.sock " in settings
    assert "SupplementaryGroups=www-data\n" in UNIT and "privateSocketGroup: www-data " in settings
