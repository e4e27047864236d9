"""The private listener: its address, its admitted peers, and the endpoints that each listener lacks."""
import itertools
import os
import stat
import subprocess

import pytest

from browser import Client
from forwarding import IDENTITY, assert_allowed, names
from server import NEEDS_ROOT, Server, refuse_to_serve

TRUSTED = "https://www.example.com"


@pytest.fixture(scope="module")
def server():
    server = Server(trustedOrigins=TRUSTED, logLevel="debug")
    yield server
    assert server.stop() == 0


@pytest.fixture
def client(server):
    client = Client(server)
    client.sign_up()
    return client


# Endpoints that the public listener lacks.

@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("path", [
    "/auth/check", "/auth/check/", "/auth/check/x", "/auth/check/api/notes?a=b", "/auth/check?allow=200", "/auth/check;allow=200/x",
    "/auth/check;allow=200;max_age=300/REST?query", "/auth/check;", "/auth/check;/", "/metrics", "/service/sessions", "/service/events",
    "/service/", "/service",
])
def test_the_public_listener_has_none_of_the_private_endpoints(client, method, path):
    told = {"X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/", "X-Original-Method": "GET", "X-Original-URI": "/"}
    for headers in ({}, told):
        answer = client.send(method, path, headers=headers, keep=False)
        assert answer.status == 404 and not names(answer) & IDENTITY, (headers, answer)
        assert method == "HEAD" or answer.code == "not_found"


def test_the_private_listener_is_off_by_default(tmp_path):
    for settings in ({}, {"demo": "true"}):
        server = Server(tmp_path / f"data{len(settings)}", private=False, **settings)
        assert server.stop() == 0
        assert server.process.stdout.read() == "", "exactly one line"


def test_standard_output_has_two_lines_with_the_listeners(start):
    server = start()
    assert server.private_port != server.port
    assert server.stop() == 0
    assert server.process.stdout.read() == ""


def test_a_flag_and_the_file_set_the_private_listener_too(tmp_path):
    path = tmp_path / "cloakroom.yaml"
    path.write_text("privateListen: 127.0.0.1:0\n")
    server = Server(tmp_path / "data", private=False, config=path)
    server._read_private_address()
    assert Client(server).check(cookie=False).code == "session_missing"
    assert server.stop() == 0
    taken = refuse_to_serve(tmp_path / "data", "--private-listen", "nowhere")
    assert taken.returncode == 78 and "--private-listen" in taken.stderr


def test_a_private_port_in_use_stops_the_start_with_a_sentence(shared, tmp_path):
    address = f"127.0.0.1:{shared.private_port}"
    result = refuse_to_serve(tmp_path / "data", "--private-listen", address)
    assert result.returncode == 1 and str(shared.private_port) in result.stderr


# Admitted peers.

NEIGHBOUR = "10.9.9.9"


def status_for(server, source):
    """The response of the private listener to a peer with this address; None if it closes the connection without one."""
    address = f"http://127.0.0.1:{server.private_port}/healthz"
    result = subprocess.run(
        ["nsenter", f"--net=/proc/{server.process.pid}/ns/net", "curl", "--silent", "--max-time", "20", "--interface", source, "--output", "/dev/null",
         "--write-out", "%{http_code}", address], capture_output=True, text=True, timeout=30)
    assert result.returncode in (0, 52, 56), result
    return int(result.stdout) if result.returncode == 0 else None


@NEEDS_ROOT
@pytest.mark.parametrize("proxies, is_admitted", [
    (None, False), (NEIGHBOUR, True), ("10.9.0.0/16", True), ("10.8.0.0/16", False), ("192.0.2.1,10.9.9.9", True),
])
def test_only_loopback_and_trusted_proxies_are_admitted(tmp_path, proxies, is_admitted):
    """Runs in its own network namespace, where the loopback interface has a second address."""
    network = f'ip link set lo up && ip address add {NEIGHBOUR}/32 dev lo && exec "$@"'
    server = Server(tmp_path / "data", wrapper=["unshare", "--net", "sh", "-c", network, "sh"], trustedProxies=proxies)
    assert status_for(server, "127.0.0.1") == 200
    assert status_for(server, NEIGHBOUR) == (200 if is_admitted else None)
    assert server.stop() == 0


# Endpoints that the private listener lacks.

@pytest.mark.parametrize("method, path", [
    ("GET", "/"), ("GET", "/auth/session"), ("GET", "/auth/sessions"), ("POST", "/auth/login"), ("POST", "/auth/refresh"),
    ("POST", "/auth/logout"), ("GET", "/auth/client.js"), ("GET", "/auth/pages/login"), ("GET", "/auth/pages/account"),
    ("GET", "/auth/openapi.json"), ("GET", "/auth/nothing"), ("GET", "/nothing"), ("GET", "/api/notes"),
])
def test_the_private_listener_has_no_endpoints_for_browsers(client, method, path):
    answer = client.send(method, path, private=True, keep=False)
    assert (answer.status, answer.set_cookies) == (404, [])


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_the_private_listener_has_metrics_and_probes(client, path):
    assert client.get(path, private=True, cookie=False).status == 200


@pytest.mark.parametrize("origin", ["trusted", "own"])
def test_the_private_listener_never_answers_cors(client, origin):
    named = {"Origin": TRUSTED if origin == "trusted" else client.server.origin, "Access-Control-Request-Method": "POST"}
    answers = [client.check(headers=named), client.check(cookie=False, headers=named), client.check(method="OPTIONS", headers=named)]
    answers += [client.send(method, path, headers=named, private=True)
                for method, path in itertools.product(("GET", "OPTIONS"), ("/auth/check", "/metrics", "/healthz", "/nothing"))]
    for answer in answers:
        assert not [name for name in names(answer) if name.startswith("access-control-")], answer


REBOUND = ["evil.test", "evil.test:{port}", "EVIL.TEST.", "127.0.0.1.evil.test:{port}", "localhost.evil.test", "evil.internal.test", ":{port}",
           "evil.local:{port}"]
LOCAL = ["127.0.0.1", "127.0.0.1:{port}", "[::1]:{port}", "192.0.2.7:{port}", "localhost:{port}", "cloakroom:{port}", "cloakroom.internal",
         "cloakroom.prod.svc.cluster.local:{port}"]


@pytest.mark.parametrize("host", REBOUND)
def test_a_page_whose_name_resolves_to_this_machine_reads_no_metrics(client, host):
    """DNS rebinding: such a request has no Origin, and without TLS no Sec-Fetch-Site. Its Host alone shows it."""
    headers = {"Host": host.format(port=client.server.private_port), "User-Agent": "Mozilla/5.0", "Referer": "http://evil.test:8081/"}
    answer = client.get("/metrics", private=True, cookie=False, headers=headers)
    assert (answer.status, answer.code) == (421, "misdirected_request") and b"cloakroom_" not in answer.body
    assert client.get("/healthz", private=True, cookie=False, headers=headers).status == 200, "as on the public listener"
    assert client.check(cookie=False, headers=headers).status in (401, 421)


@pytest.mark.parametrize("host", LOCAL)
def test_metrics_are_served_by_address_and_by_local_names(client, host):
    answer = client.get("/metrics", private=True, cookie=False, headers={"Host": host.format(port=client.server.private_port)})
    assert answer.status == 200 and b"cloakroom_" in answer.body


def test_metrics_have_help_and_type(client):
    text = client.get("/metrics", private=True, cookie=False).body.decode()
    for name in ("cloakroom_http_request_duration_seconds_count", "process_cpu_seconds_total", "process_resident_memory_bytes",
                 "process_open_fds", "process_start_time_seconds", "# HELP", "# TYPE"):
        assert name in text, name
    counted = {line.split("{")[0].split(" ")[0] for line in text.splitlines() if line and not line.startswith("#")}
    families = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP")}
    stripped = {name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count") for name in counted}
    assert {name for name in stripped if name not in families and name + "_count" not in families} == set()
    assert [name for name in counted if "session" in name], "a gauge of sessions"


# The unix socket.

def test_a_socket_is_accessible_to_its_group_only_and_works_like_a_port(tmp_path):
    path = tmp_path / "private.sock"
    server = Server(tmp_path / "data", privateListen=f"unix:{path}")
    client = Client(server)
    client.sign_up()
    assert server.private_socket == str(path)
    assert stat.S_ISSOCK(os.stat(path).st_mode) and stat.S_IMODE(os.stat(path).st_mode) == 0o660
    assert_allowed(client.check())
    assert client.get("/healthz", private=True).status == client.get("/metrics", private=True).status == 200
    assert client.get("/auth/check").status == 404
    server.kill()
    server.start()
    assert_allowed(client.check())  # replaces the socket that a killed process has left
    assert server.stop() == 0 and not path.exists()


@pytest.mark.parametrize("kind", ["file", "living server"])
def test_a_socket_replaces_nothing_but_a_dead_socket(tmp_path, kind):
    path = tmp_path / "private.sock"
    other = None
    if kind == "file":
        path.write_text("a file of somebody else")
    else:
        other = Server(tmp_path / "other", privateListen=f"unix:{path}")
    result = refuse_to_serve(tmp_path / "data", "--private-listen", f"unix:{path}")
    assert result.returncode in (1, 78) and str(path) in result.stderr
    if other:
        client = Client(other)
        client.sign_up()
        assert_allowed(client.check())
        other.stop()
    else:
        assert path.read_text() == "a file of somebody else"


def test_refusals_are_counted_by_code_and_explained_at_debug(client):
    before = len(client.server.log())
    client.check(method="POST", headers={"Origin": "https://evil.example"})
    client.refresh(headers={"Origin": "https://evil.example"})
    assert client.server.log()[before:].count("cross_site_request") >= 2
    assert "cross_site_request" in client.get("/metrics", private=True).body.decode()


def test_a_refused_check_is_logged_with_the_original_request(client):
    before = len(client.server.log())
    client.check(target="/notes/" + "a" * 500 + "?token=hidden-value", method="DELETE", headers={"Origin": "https://evil.example"})
    line = next(line for line in client.server.log()[before:].splitlines() if "cross_site_request" in line)
    assert "DELETE" in line and "/notes/aaaa" in line and "a" * 201 not in line
    assert "hidden-value" not in client.server.log()[before:]


@pytest.mark.parametrize("query, status", [("", 204), ("?allow=200", 200), ("?acr=2", 403)])
def test_checks_are_counted_by_the_status_of_their_response(client, query, status):
    def count():
        lines = client.get("/metrics", private=True, cookie=False).body.decode().splitlines()
        return {line.split("}")[0]: float(line.split()[-1]) for line in lines
                if line.startswith("cloakroom_http_request_duration_seconds_count") and '"/auth/check"' in line}

    client.check(query=query)
    before = count()
    for _ in range(5):
        assert client.check(query=query).status == status
    grown = {labels for labels, value in count().items() if value != before.get(labels)}
    assert len(grown) == 1 and f'status="{status}"' in grown.pop()
