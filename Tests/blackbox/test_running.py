"""Running the binary from a terminal, a supervisor or a container: exit codes and messages."""
import json
import os
import pathlib
import re
import socket
import sqlite3
import subprocess
import threading

import pytest

from browser import PASSWORD, Client
from server import BINARY, Address, Server, clean_environment, preloaded, refuse_to_serve, run, wait_until

RAW = re.compile(r"SQLite error|SQL logic|INSERT INTO|CREATE TABLE|SELECT |Error Domain|NSCocoa|errno|Fatal error|IOError\(|POSIXError|Optional\(|swift:")


def assert_sentence(result, *named, codes=(1,)):
    """Asserts an exit code of the table, and a message that names the cause."""
    assert result.returncode in codes, (result.returncode, result.stderr)
    assert not RAW.search(result.stderr), result.stderr
    for name in named:
        assert str(name) in result.stderr, result.stderr
    assert result.stderr.strip() and len(result.stderr.splitlines()) <= 6, result.stderr


# Variables that look like settings.

@pytest.mark.parametrize("name, value", [
    ("CLOAKROOM_PORT", "tcp://10.0.0.1:8080"), ("CLOAKROOM_SERVICE_HOST", "10.0.0.1"), ("CLOAKROOM_SERVICE_PORT", "8080"),
    ("CLOAKROOM_PORT_8080_TCP", "tcp://10.0.0.1:8080"), ("CLOAKROOM_PORT_8080_TCP_PROTO", "tcp"), ("CLOAKROOM_PORT_8080_TCP_PORT", "8080"),
    ("CLOAKROOM_PORT_8080_TCP_ADDR", "10.0.0.1"), ("CLOAKROOM_SERVICE_PORT_HTTP", "8080"), ("CLOAKROOM_PORT", "udp://10.0.0.1:53"),
    ("CLOAKROOM_PORT", "tcp://[fd00::1]:8080"),
])
def test_the_variables_that_kubernetes_sets_for_a_service_are_ignored(tmp_path, name, value):
    path = tmp_path / "cloakroom.yaml"
    path.write_text("port: 0\n")
    server = Server(tmp_path / "data", environment={name: value}, port=None, config=path)
    assert Client(server).get("/healthz").status == 200
    assert server.stop() == 0
    if name == "CLOAKROOM_PORT":
        assert "CLOAKROOM_PORT" in server.log(), "with a notice"


@pytest.mark.parametrize("value", ["http", "tcp:8080", "80 80", "-1", "65536"])
def test_an_invalid_port_is_still_refused(tmp_path, value):
    result = run("serve", "--data-dir", tmp_path / "data", port=value)
    assert_sentence(result, "CLOAKROOM_PORT", codes=(78,))


# The end of the process.

def test_no_exit_handler_of_a_library_runs_beside_threads_that_use_the_library(tmp_path):
    preload = {"LD_PRELOAD": str(preloaded("exit_handler"))}
    server = Server(tmp_path / "data", environment=preload)
    assert server.stop() == 0
    for code, *arguments in [
            (0, "--help"), (0, "--version"), (0, "keys", "list", "--data-dir", tmp_path / "data"), (1, "users", "disable", "nobody@example.com", "--data-dir", tmp_path / "data"), (2, "routes", "check", "--upstream", "http://127.0.0.1:1", "GET", "/%00"),
            (64, "frobnicate"), (64, "users", "frobnicate"), (78, "serve", "--port", "x")]:
        result = subprocess.run([BINARY, *arguments], env=clean_environment() | preload, capture_output=True, text=True)
        assert result.returncode == code, (arguments, result)
        assert result.stdout if code == 0 else result.stderr


# Messages of failures.

@pytest.mark.parametrize("directory", ["/proc/foo", "/dev/null", "/proc/self/mem", "/sys/cloakroom"])
def test_a_directory_that_cannot_be_created_is_named(directory):
    assert_sentence(refuse_to_serve(directory), directory, codes=(1, 78))


def test_a_data_directory_that_is_a_file_is_named(tmp_path):
    path = tmp_path / "data"
    path.write_text("")
    assert_sentence(refuse_to_serve(path), path, codes=(1, 78))
    assert path.read_text() == ""


def test_a_missing_config_file_is_named(tmp_path):
    assert_sentence(refuse_to_serve(tmp_path / "data", "--config", tmp_path / "none.yaml"), tmp_path / "none.yaml", codes=(78,))


@pytest.mark.parametrize("arguments, named, codes", [
    (["users", "delete", "x@example.com"], "x@example.com", (1, 64)), (["users", "frobnicate", "x@example.com"], "frobnicate", (64,)),
    (["frobnicate"], "frobnicate", (64,)), (["sessions", "end", "abc"], "end", (64,)),
])
def test_an_unknown_command_is_named_and_not_its_option(tmp_path, arguments, named, codes):
    Server(tmp_path / "data").stop()
    result = run(*arguments, "--data-dir", tmp_path / "data")
    assert result.returncode in codes and "Unknown option" not in result.stderr, result.stderr
    assert named in result.stderr or arguments[1] in result.stderr


@pytest.mark.parametrize("time", [
    "2020-01-01", "2020-01-01T00:00:00Z", "2020-01-01T01:00:00+01:00", "2020-01-01T00:00:00.5Z", "2019-12-31T19:00:00-05:00",
])
def test_times_are_accepted_in_the_usual_forms(start, time):
    server = start()
    Client(server).sign_up()
    result = run("sessions", "revoke", "--created-before", time, "--data-dir", server.directory, "--json")
    assert result.returncode == 0 and json.loads(result.stdout) == [{"revoked": 0}]
    later = time.replace("2020", "2090").replace("2019", "2090")
    result = run("sessions", "revoke", "--created-before", later, "--data-dir", server.directory, "--json")
    assert json.loads(result.stdout) == [{"revoked": 1}]


@pytest.mark.parametrize("time", ["yesterday", "2020-13-01", "2020-01-01T25:00:00Z", "", "1577836800x"])
def test_an_invalid_time_is_wrong_usage(start, time):
    server = start()
    result = run("sessions", "revoke", f"--created-before={time}", "--data-dir", server.directory)
    assert result.returncode == 64 and "--created-before" in result.stderr


@pytest.mark.parametrize("arguments, code", [
    (["users", "disable", "nobody@example.com"], 1), (["users", "enable", "nobody@example.com"], 1), (["users", "set-password", "nobody@example.com"], 1),
    (["sessions", "revoke", "no-such-session"], 1), (["sessions", "revoke", "--user", "nobody@example.com"], 1), (["keys", "remove", "no-such-key"], 1),
    (["users", "list"], 0), (["sessions", "list"], 0), (["keys", "list"], 0), (["sessions", "revoke"], 64), (["users", "add"], 64), (["keys", "remove"], 64),
])
def test_exit_codes_are_those_of_the_table(tmp_path_factory, arguments, code):
    data = tmp_path_factory.mktemp("codes") / "data"
    Server(data).stop()
    result = run(*arguments, "--data-dir", data, stdin=PASSWORD + "\n")
    assert result.returncode == code, result.stderr
    assert not RAW.search(result.stderr), result.stderr


# Commands that only read create no files.

@pytest.mark.parametrize("arguments", [
    ["users", "list"], ["users", "disable", "ann@example.com"], ["users", "enable", "ann@example.com"], ["users", "set-password", "ann@example.com"],
    ["sessions", "list"], ["sessions", "revoke", "--all"], ["sessions", "revoke", "x"], ["keys", "list"], ["keys", "rotate"], ["keys", "remove", "x"],
])
@pytest.mark.parametrize("is_there", [False, True])
def test_a_command_with_a_wrong_path_creates_no_file(tmp_path, arguments, is_there):
    data = tmp_path / "wrong"
    if is_there:
        data.mkdir()
    result = run(*arguments, "--data-dir", data, stdin=PASSWORD + "\n")
    assert_sentence(result, data)
    assert data.exists() == is_there and (not is_there or list(data.iterdir()) == [])


# Events of commands are logged and counted once.

@pytest.mark.parametrize("arguments, event", [
    (["users", "disable", "ann@example.com"], "account_disabled"), (["sessions", "revoke", "--user", "ann@example.com"], "revocation"),
    (["users", "set-password", "ann@example.com"], "password_change"),
])
def test_events_of_commands_are_logged_and_counted_by_the_server(start, arguments, event):
    server = start()
    client = Client(server)
    client.sign_up("ann@example.com")
    before = len(server.log())
    assert run(*arguments, "--data-dir", server.directory, stdin="another fine phrase\n").returncode == 0
    wait_until(lambda: event in server.log()[before:])
    metrics = client.get("/metrics", private=True).body.decode()
    assert [line for line in metrics.splitlines() if event in line and not line.endswith(" 0")], "counted"


@pytest.mark.parametrize("step", ["login limited", "step-up", "password"])
def test_each_security_relevant_request_is_recorded_once(start, step):
    server = start(clock="+0", holds_uptime=True, loginRateLimit=2)
    client = Client(server)
    client.sign_up()
    before = len(server.log())
    if step == "login limited":
        for _ in range(4):
            client.log_in(password="wrong password")
    elif step == "step-up":
        client.post("/auth/step-up", {"password": PASSWORD})
    else:
        client.post("/auth/password", {"current_password": PASSWORD, "new_password": "another fine phrase"})
    event = {"login limited": "login_rate_limited", "step-up": "step_up", "password": "password_change"}[step]
    lines = [json.loads(line) for line in server.log()[before:].splitlines()]
    events = [line.get("event") for line in lines]
    assert event in events
    assert step == "login limited" or events.count(event) == 1


def test_a_step_up_by_bearer_is_logged_as_a_step_up(start):
    server = start()
    client = Client(server)
    client.sign_up()
    bearer = {"Authorization": "Bearer " + client.cookie.split("~")[0]}
    before = len(server.log())
    assert client.post("/auth/step-up", {"password": PASSWORD}, headers=bearer, cookie=False).status == 200
    assert "step_up" in server.log()[before:]


def test_refusals_are_logged_at_debug_with_the_reason(start):
    server = start(logLevel="debug")
    client = Client(server)
    client.sign_up()
    before = len(server.log())
    assert client.refresh(headers={"Origin": "https://evil.example"}).status == 403
    assert "cross_site_request" in server.log()[before:] and "https://evil.example" in server.log()[before:]
    metrics = client.get("/metrics", private=True).body.decode()
    assert "cross_site_request" in metrics


# The service manager.

@pytest.mark.parametrize("is_abstract", [False, True])
def test_systemd_is_told_when_the_listeners_accept_connections(tmp_path, is_abstract):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        name = f"cloakroom-{os.getpid()}" if is_abstract else str(tmp_path / "notify")
        manager.bind(f"\0{name}" if is_abstract else name)
        manager.settimeout(20)
        server = Server(tmp_path / "data", environment={"NOTIFY_SOCKET": f"@{name}" if is_abstract else name})
        assert manager.recv(100) == b"READY=1"
        assert Client(server).get("/healthz", private=True).status == 200
        assert server.stop() == 0


@pytest.mark.parametrize("path", ["", "rubbish", "@", "/nowhere/notify", "/" + "x" * 200])
def test_a_notify_socket_that_is_none_stops_nothing(tmp_path, path):
    assert Server(tmp_path / "data", environment={"NOTIFY_SOCKET": path}).stop() == 0


# Core dumps.

def test_a_core_dump_is_never_written(tmp_path):
    """A core dump would contain passwords and tokens."""
    server = Server(tmp_path / "data", wrapper=["prlimit", "--core=unlimited:unlimited", "--"])
    limits = pathlib.Path(f"/proc/{server.process.pid}/limits").read_text()
    soft, hard = re.search(r"Max core file size +(\S+) +(\S+)", limits).groups()
    assert (soft, hard) != ("unlimited", "unlimited") and soft == "0"
    assert server.stop() == 0


# Two processes at once.

@pytest.mark.parametrize("round", range(6))
def test_two_servers_that_start_at_once_on_a_new_directory_share_their_keys(tmp_path, round):
    """All processes serve, or all but one end with a message."""
    data, processes = tmp_path / "data", []
    for _ in range(3):
        settings = {"signup": "open", "signupRateLimit": "off"}
        processes.append(subprocess.Popen(
            [BINARY, "serve", "--port", "0", "--data-dir", data], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=clean_environment(**settings)))
    ports, cookies, keys = [], [], set()
    try:
        for process in processes:
            watchdog = threading.Timer(30, process.kill)
            watchdog.start()
            line = process.stdout.readline()
            watchdog.cancel()
            if line:
                ports.append(int(line.rsplit(":", 1)[1]))
            else:
                refused = subprocess.CompletedProcess([], process.wait(30), "", process.stderr.read())
                assert_sentence(refused, data)
        assert ports
        for port in ports:
            client = Client(Running(port))
            client.sign_up(f"on{port}@example.com")
            cookies.append(client.cookie)
            keys.add(client.get("/.well-known/jwks.json").body)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.communicate(timeout=20)
    assert len(keys) == 1, "one set of keys"
    server = Server(data)
    for cookie in cookies:
        assert Client(server, cookie).get("/auth/session").json["authenticated"] is True, "and it is the one that stays"
    assert server.stop() == 0


class Running(Address):
    def __init__(self, port):
        self.port, self.origin = port, f"http://127.0.0.1:{port}"


def test_a_second_server_on_one_directory_works_or_is_refused_with_a_message(start):
    first = start()
    client = Client(first)
    client.sign_up()
    second = subprocess.Popen(
        [BINARY, "serve", "--port", "0", "--data-dir", first.directory], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=clean_environment())
    watchdog = threading.Timer(30, second.kill)
    watchdog.start()
    line = second.stdout.readline()
    if line:
        other = Client(Running(int(line.rsplit(":", 1)[1])), client.cookie)
        assert other.protected().status == 200
        assert client.post("/auth/logout", keep=False).status == 204
        wait_until(lambda: other.protected().code == "session_revoked")
        second.terminate()
        assert second.wait(20) == 0
    else:
        assert_sentence(subprocess.CompletedProcess([], second.wait(30), "", second.stderr.read()), first.directory)
    watchdog.cancel()
    second.communicate()
    assert client.get("/healthz").status == 200


# Ending all of many sessions.

def test_all_sessions_are_revoked_in_steps_between_which_others_are_served(start):
    """One transaction over all sessions would make logins and renewals time out meanwhile."""
    server = start()
    client = Client(server)
    client.sign_up()
    count = multiply_sessions(server, 60000)
    command = subprocess.Popen(
        [BINARY, "sessions", "revoke", "--all", "--data-dir", server.directory, "--json"], stdout=subprocess.PIPE, text=True, env=clean_environment())
    served = 0
    while command.poll() is None:
        newcomer = Client(server)
        answer = newcomer.sign_up()
        assert answer.status == 201 and newcomer.refresh().status in (200, 401)
        served += 1
    assert command.returncode == 0
    assert json.loads(command.stdout.read())[0]["revoked"] >= count
    command.stdout.close()
    assert served >= 1
    wait_until(lambda: client.protected().code == "session_revoked")


def multiply_sessions(server, count):
    """Copies a row with other ids. Reads the columns from the table."""
    database = sqlite3.connect(f"{server.directory}/cloakroom.sqlite", timeout=30)
    (columns,) = [[row[1] for row in database.execute("PRAGMA table_info(sessions)")]]
    key = next(row[1] for row in database.execute("PRAGMA table_info(sessions)") if row[5])
    others = ", ".join(f'"{name}"' for name in columns if name != key)
    with database:
        database.execute(
            f'INSERT INTO sessions ("{key}", {others}) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) '
            f"SELECT printf('copy%020d', i), {others} FROM n, (SELECT * FROM sessions LIMIT 1)")
    database.close()
    return count


# Shutdown.

def test_a_server_that_is_told_to_stop_is_not_ready_and_serves_on_for_the_delay(start):
    server = start(shutdownDelay=300)
    client = Client(server)
    assert client.get("/readyz").status == 200
    server.terminate()
    wait_until(lambda: client.get("/readyz").status == 503)
    assert client.get("/readyz", private=True).status == 503 and client.get("/healthz").status == 200
    assert client.sign_up().status == 201 and client.refresh().status == 200 and client.check().status == 204
    server.kill()


def test_a_server_ends_after_the_delay(start):
    server = start(shutdownDelay=0.5)
    server.terminate()
    assert server.process.wait(60) == 0
