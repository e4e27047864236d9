"""docs/front-end-elsewhere.md: pages of development servers, of other hosts, of previews and of apps."""
import json
import subprocess

import pytest

from browser import PASSWORD, Client
from dev_server import CONFIGURATIONS, SNIPPETS, dev_server, with_ports
from gateway import Gateway
from raw_backend import Backend, free_port
from server import ROOT, Address, Server, refuse_to_serve

TRACING = "baggage,content-type,sentry-trace,traceparent,tracestate"


class Port(Address):
    """A port in front of a server, to which a `Client` sends the requests of a page of this port."""

    def __init__(self, port):
        self.port, self.origin = port, f"http://localhost:{port}"


def start(directory, file, **settings):
    return Server(directory / "data", config=str(file), signup="open", **settings)


def line(server, begin, word):
    """The one log line since `begin` that has this word."""
    lines = [text for text in server.log()[begin:].splitlines() if word in text]
    assert len(lines) == 1, lines
    return lines[0]


# Development servers.

@pytest.mark.parametrize("kind", CONFIGURATIONS)
def test_a_page_of_a_dev_server_is_same_origin_if_the_public_url_is_its_address(tmp_path, kind):
    page, backend = free_port(), Backend()
    server = start(tmp_path, with_ports("development.yaml", tmp_path / "development.yaml", {5173: page, 4000: backend.address.rsplit(":", 1)[1]}))
    with dev_server(kind, tmp_path, server.port, page):
        client = Client(Port(page))
        client.sign_up()
        assert client.get("/auth/session").json["user"]["email"] == client.email
        assert client.refresh().status == 200
        assert client.get("/").body.startswith(b"<!doctype html>")
        answer = client.get("/api/notes", headers={"Host": f"localhost:{page}"})
        if kind == "next":
            assert answer.code == "misdirected_request"
        else:
            assert answer.status == 200 and backend.requests[-1].value("x-auth-subject") == subject(client)
    assert server.stop() == 0
    backend.stop()


def subject(client):
    return client.get("/auth/session").json["user"]["id"]


def test_cloakroom_in_front_of_the_server_of_next_forwards_pages_and_the_api(tmp_path):
    page, backend = free_port(), Backend()
    ports = {3000: page, 4000: backend.address.rsplit(":", 1)[1]}
    server = start(tmp_path, with_ports("next.yaml", tmp_path / "next.yaml", ports))
    with dev_server("next", tmp_path, server.port, page):
        client = Client(server)
        assert client.get("/").body.startswith(b"<!doctype html>") and client.get("/api/notes").status == 401
        client.sign_up()
        assert client.get("/api/notes").status == 200 and backend.requests[-1].value("x-auth-subject") == subject(client)
    assert server.stop() == 0
    backend.stop()


@pytest.mark.parametrize("kind, keeps_host", [("vite", False), ("webpack", True), ("next", False)])
def test_without_a_public_url_a_dev_server_that_changes_host_is_refused_and_the_log_says_why(tmp_path, kind, keeps_host):
    server = Server(tmp_path / "data")
    with dev_server(kind, tmp_path, server.port) as page:
        begin = len(server.log())
        login = {"email": "a@example.com", "password": PASSWORD}
        answer = Client(Port(page)).post("/auth/login", login, headers={"Host": f"localhost:{page}"}, cookie=False)
        assert answer.code == ("invalid_credentials" if keeps_host else "cross_site_request")
        if not keeps_host:
            told = line(server, begin, "another origin")
            for part in (f"http://localhost:{page}", f"localhost:{server.port}", "trustedOrigins", "publicURL"):
                assert part in told
    assert server.stop() == 0


@pytest.fixture(scope="module")
def other_port(tmp_path_factory):
    server = start(tmp_path_factory.mktemp("port"), SNIPPETS / "other-port.yaml")
    yield server
    assert server.stop() == 0


def preflight(server, origin, path="/auth/login", method="POST", **options):
    headers = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": TRACING}
    return Client(server).send("OPTIONS", path, headers=headers, cookie=False, **options)


def shares_with(answer):
    return answer.header("access-control-allow-origin"), answer.header("access-control-allow-credentials")


def test_a_page_on_a_trusted_port_may_log_in_with_tracing_headers(other_port):
    page = "http://localhost:5173"
    asked = preflight(other_port, page)
    assert (asked.status, *shares_with(asked)) == (204, page, "true")
    assert asked.header("access-control-allow-headers") == TRACING
    client = Client(other_port)
    headers = {"Origin": page, "Sec-Fetch-Site": "same-site", "traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"}
    answer = client.post("/auth/signup", {"email": "port@example.com", "password": PASSWORD}, headers=headers)
    assert (answer.status, *shares_with(answer)) == (201, page, "true") and client.cookie


def test_a_preflight_of_an_origin_that_is_not_trusted_is_logged_with_the_setting(other_port):
    begin = len(other_port.log())
    assert shares_with(preflight(other_port, "http://localhost:3000")) == (None, None)
    told = line(other_port, begin, "preflight")
    for part in ("http://localhost:3000", f"127.0.0.1:{other_port.port}", "trustedOrigins"):
        assert part in told


# Other hosts, and previews.

ORIGINS = [
    ("https://app.example.com", True), ("https://pr-7.preview.example.com", True), ("https://api.example.com", True),
    ("https://main--shop.preview.example.com", True),
    ("https://preview.example.com", False), ("https://a.pr-7.preview.example.com", False), ("https://www.example.com", False),
    ("http://pr-7.preview.example.com", False), ("https://pr-7.preview.example.com:8443", False),
    ("https://pr-7.preview.example.com.evil.example", False), ("https://evil.example/.preview.example.com", False), ("null", False),
    ("https://*.preview.example.com", False),
]


@pytest.fixture(scope="module")
def hosts(tmp_path_factory):
    server = start(tmp_path_factory.mktemp("hosts"), SNIPPETS / "hosts.yaml")
    yield server
    assert server.stop() == 0


@pytest.fixture
def quiet(tmp_path):
    """A server without earlier log lines: those of one kind are sampled."""
    server = start(tmp_path, SNIPPETS / "hosts.yaml")
    yield server
    assert server.stop() == 0


@pytest.mark.parametrize("origin, is_trusted", ORIGINS)
def test_origins_of_other_hosts(hosts, origin, is_trusted):
    """The same rule decides at the endpoints, in CORS, at forward-auth and about its preflights."""
    is_own = origin == "https://api.example.com"
    headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin" if is_own else "same-site"}
    answer = Client(hosts).post("/auth/logout", headers=headers)
    assert answer.status == (204 if is_trusted else 403)
    assert shares_with(answer) == ((origin, "true") if is_trusted and not is_own else (None, None))
    client = Client(hosts)
    checked = client.check("/notes", "POST", headers=headers, cookie=False)
    assert checked.code == ("session_missing" if is_trusted else "cross_site_request")
    asked = client.check("/notes", "OPTIONS", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}, cookie=False)
    assert asked.header("x-auth-preflight") == ("allowed" if is_trusted and not is_own else None)


@pytest.mark.parametrize("pattern", [
    "https://*.com", "https://*.co.uk", "https://*.github.io", "https://*.vercel.app", "http://*.preview.example.com", "https://*.*.example.com",
    "https://pr-*.preview.example.com", "*", "null", "capacitor://*", "file://localhost"])
def test_a_pattern_that_trusts_strangers_stops_the_start(tmp_path, pattern):
    refused = refuse_to_serve(tmp_path / "data", trustedOrigins=pattern)
    assert refused.returncode == 78 and "CLOAKROOM_TRUSTED_ORIGINS: expected origins such as" in refused.stderr


def test_the_log_of_a_refused_check_names_the_host_that_the_browser_requested(quiet):
    begin = len(quiet.log())
    headers = {"X-Forwarded-Host": "app.example.com", "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert Client(quiet).check("/notes?secret=1", "POST", headers=headers, cookie=False).code == "cross_site_request"
    told = line(quiet, begin, "another origin")
    for part in ("app.example.com", "https://evil.example", "trustedOrigins", "/notes"):
        assert part in told
    assert str(quiet.private_port) not in told and "secret" not in told


def test_a_refused_preflight_of_a_check_is_logged_with_the_setting(quiet):
    begin = len(quiet.log())
    headers = {"X-Forwarded-Host": "app.example.com", "Origin": "https://evil.example", "Access-Control-Request-Method": "PUT"}
    assert Client(quiet).check("/notes", "OPTIONS", headers=headers, cookie=False).status == 401
    told = line(quiet, begin, "preflight")
    assert "app.example.com" in told and "https://evil.example" in told and "trustedOrigins" in told


def test_the_gateway_follows_patterns_and_logs_what_would_allow_a_request(tmp_path):
    gateway = Gateway(tmp_path / "data", trustedOrigins="http://*.preview.localhost:5173,capacitor://localhost")
    client = Client(gateway)
    for origin in ("http://pr-7.preview.localhost:5173", "capacitor://localhost"):
        answer = client.post("/notes", headers={"Origin": origin, "Sec-Fetch-Site": "cross-site"}, cookie=False)
        assert (answer.code, *shares_with(answer)) == ("session_missing", origin, "true")
        assert preflight(gateway, origin, "/notes").status == 200, "the backend answers preflights of trusted origins"
    begin = len(gateway.log())
    foreign = {"Origin": "http://a.pr-7.preview.localhost:5173", "Sec-Fetch-Site": "cross-site"}
    answer = client.post("/notes", headers=foreign, cookie=False)
    assert (answer.code, *shares_with(answer)) == ("cross_site_request", None, None)
    told = line(gateway, begin, "another origin")
    assert foreign["Origin"] in told and f"127.0.0.1:{gateway.port}" in told and "trustedOrigins" in told
    begin = len(gateway.log())
    assert preflight(gateway, foreign["Origin"], "/notes").status == 401
    assert foreign["Origin"] in line(gateway, begin, "preflight")
    assert gateway.stop() == 0


# Apps with a web view, and programs without cookies.

@pytest.fixture(scope="module")
def apps(tmp_path_factory):
    server = start(tmp_path_factory.mktemp("apps"), SNIPPETS / "apps.yaml")
    client = Client(server)
    client.sign_up("app@example.com")
    yield server
    assert server.stop() == 0


@pytest.mark.parametrize("origin", ["capacitor://localhost", "https://localhost", "tauri://localhost", "http://tauri.localhost"])
def test_a_web_view_of_an_app_gets_its_tokens_in_the_body(apps, origin):
    headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site"}
    assert shares_with(preflight(apps, origin)) == (origin, "true")
    answer = Client(apps).post("/auth/login", {"email": "app@example.com", "password": PASSWORD, "client_id": "app"}, headers=headers)
    assert (answer.status, *shares_with(answer)) == (200, origin, "true")
    assert answer.json["refresh_token"] and not answer.set_cookies
    bearer = headers | {"Authorization": f"Bearer {answer.json['access_token']}"}
    assert Client(apps).get("/auth/sessions", headers=bearer).status == 200
    renewed = Client(apps).post("/auth/refresh", {"refresh_token": answer.json["refresh_token"]}, headers=headers)
    assert renewed.status == 200 and renewed.json["access_token"]


@pytest.mark.parametrize("origin", ["ionic://localhost", "capacitor://other", "capacitor://localhost:1", "http://localhost", "tauri://tauri.localhost"])
def test_the_web_view_of_another_app_is_refused(apps, origin):
    login = {"email": "app@example.com", "password": PASSWORD, "client_id": "app"}
    answer = Client(apps).post("/auth/login", login, headers={"Origin": origin, "Sec-Fetch-Site": "cross-site"})
    assert (answer.code, *shares_with(answer)) == ("cross_site_request", None, None)


# The script steps its own clock past the expiry of the access token.
NODE = """
import { createTokenSession } from %s;
const now = performance.now.bind(performance);
let step = 0;
performance.now = () => now() + step;
const saved = [];
const store = { load: async () => saved.at(-1), save: async (token) => saved.push(token) };
const session = createTokenSession({ cloakroom: process.argv[1], client_id: "app", store });
const login = { email: "app@example.com", password: process.argv[2] };
const wrong = await session.login({ ...login, password: "wrong" }).catch(({ code }) => code);
const user = await session.login(login);
const first = (await session.fetch("/auth/sessions")).status;
step = 3600_000;
const answers = await Promise.all(Array.from({ length: 5 }, () => session.fetch("/auth/sessions")));
const elsewhere = await session.fetch("https://elsewhere.example/").catch(({ message }) => message);
const tokens = new Set(saved).size;
await session.logout();
const out = await session.fetch("/auth/sessions").catch(({ status }) => status);
console.log(JSON.stringify({ wrong, user: user.email, first, later: answers.map(({ status }) => status), elsewhere, tokens, last: saved.at(-1), out }));
"""


def test_a_program_without_cookies_logs_in_renews_once_and_logs_out(apps):
    module = json.dumps((ROOT / "docs/snippets/token_session.mjs").as_uri())
    run = subprocess.run(
        ["node", "--input-type=module", "--eval", NODE % module, "--", apps.origin, PASSWORD], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == {
        "wrong": "invalid_credentials", "user": "app@example.com", "first": 200, "later": [200] * 5,
        "elsewhere": "the access token is not for https://elsewhere.example", "tokens": 2, "last": "", "out": 401}
