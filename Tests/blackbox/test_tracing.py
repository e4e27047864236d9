"""The trace of a request (W3C Trace Context): what the backend gets, and which log lines have its id."""
import json
import re
import secrets
import subprocess

import pytest

from browser import PASSWORD, Client, generation
from gateway import STEERED, Gateway
from raw_backend import OK
from server import ROOT, wait_until
from wire import Wire

ROUTES = [
    {"path": "/public/*", "access": "public"}, {"path": "/gone/*", "access": "public", "upstream": "http://127.0.0.1:1"},
    {"path": "/*", "access": "session"}]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    gateway = Gateway(tmp_path_factory.mktemp("gateway") / "data", ROUTES, logLevel="debug", **STEERED)
    yield gateway
    assert gateway.is_alive(), gateway.log()
    assert gateway.stop() == 0


@pytest.fixture
def visitor(gateway):
    return gateway.visitor()


class Trace:
    def __init__(self):
        self.id = secrets.token_hex(16)
        self.parent = f"00-{self.id}-{secrets.token_hex(8)}-01"
        self.headers = {"traceparent": self.parent, "tracestate": "vendor=1,other=2"}
        self.lines = [f"{name}: {value}" for name, value in self.headers.items()]

    def logged(self, server):
        """The messages of the log lines with this id."""
        lines = [json.loads(line) for line in server.log_lines()]
        return [line["message"] for line in lines if line.get("trace_id") == self.id]


@pytest.fixture
def trace():
    return Trace()


# What the backend gets.

@pytest.mark.parametrize("area, signed_in", [("", True), ("/public", False)])
def test_the_backend_gets_the_headers_of_the_trace_unchanged(visitor, trace, area, signed_in):
    backend = visitor.gateway.backend
    path = backend.on(OK, area)
    assert visitor.get(path, *trace.lines, cookie=signed_in).status == 200
    request = backend.one(path)
    assert {name: request.value(name) for name in trace.headers} == trace.headers


def test_a_request_without_a_trace_gets_none(visitor):
    backend = visitor.gateway.backend
    path = backend.on(OK)
    assert visitor.get(path).status == 200
    assert not {"traceparent", "tracestate"} & set(backend.one(path).names)


# Which log lines have the id.

def wrong_password(gateway, visitor, trace):
    fields = {"email": visitor.account.email, "password": "a wrong password"}
    assert Client(gateway).post("/auth/login", fields, headers=trace.headers).status == 401
    return {"login_failed", "a request was refused"}


def right_password(gateway, visitor, trace):
    fields = {"email": visitor.account.email, "password": PASSWORD}
    assert Client(gateway).post("/auth/login", fields, headers=trace.headers).status == 200
    return {"login"}


def renewal(gateway, visitor, trace):
    """On the event loop."""
    answer = visitor.account.refresh(headers=trace.headers)
    assert answer.status == 200 and generation(visitor.cookie) == 1
    return {"renewal"}


def renewal_on_the_way(gateway, visitor, trace):
    gateway.expire_access_tokens()
    assert visitor.get(gateway.backend.on(OK), *trace.lines).status == 200
    return {"renewal"}


def refused_by_a_rule(gateway, visitor, trace):
    assert visitor.get("/page", *trace.lines, cookie=False).status == 401
    return {"a request was refused"}


def unreachable_backend(gateway, visitor, trace):
    assert visitor.get("/gone/", *trace.lines).status == 502
    return {"a backend cannot be reached", "a request was refused"}


def refused_check(gateway, visitor, trace):
    assert Client(gateway).check(headers=trace.headers).status == 401
    return {"a request was refused"}


def check_with_a_renewal(gateway, visitor, trace):
    gateway.expire_access_tokens()
    assert visitor.account.check(headers=trace.headers).status == 204
    return {"renewal"}


def other_origin(gateway, visitor, trace):
    answer = visitor.account.post("/auth/logout", headers=trace.headers | {"Origin": "https://evil.example"})
    assert answer.status == 403
    return {"a request was refused"}


@pytest.mark.parametrize("cause", [
    wrong_password, right_password, renewal, renewal_on_the_way, refused_by_a_rule, unreachable_backend, refused_check,
    check_with_a_renewal, other_origin], ids=lambda cause: cause.__name__)
def test_the_log_lines_of_a_request_have_the_id_of_its_trace(gateway, visitor, trace, cause):
    messages = cause(gateway, visitor, trace)
    wait_until(lambda: messages <= set(trace.logged(gateway)))


def test_no_other_request_of_the_connection_has_the_id(gateway, visitor, trace):
    gateway.expire_access_tokens()
    path = gateway.backend.on(OK)
    with Wire(gateway) as wire:
        # The second one is read while the first is being renewed.
        wire.send(visitor.head("GET", path, *trace.lines) + visitor.head("GET", "/second", cookie=False))
        assert wire.answer("GET").status == 200
        assert wire.answer("GET").status == 401
    refused = [
        line for line in map(json.loads, gateway.log_lines()) if line.get("path") == "/second" and "denial" in line]
    assert refused and not any("trace_id" in line for line in refused)
    assert trace.logged(gateway)


MALFORMED = [
    "", "x", "00", "00-{id}-{parent}", "00-{id}-{parent}-1", "00-{id}-{parent}-01-", "00-{id}-{parent}-01-more", "ff-{id}-{parent}-01",
    "0-{id}-{parent}-01", "00-{upper}-{parent}-01", "00-{id}0-{parent}-01", "00-{zero}-{parent}-01", "00-{id}-0000000000000000-01",
    "00-{id}-{parent}-0g", "00_{id}_{parent}_01", "{id}", "00-{id}-{parent}-01,00-{id}-{parent}-01", "00-'\"\\u001b[31m{id}-{parent}-01",
]


@pytest.mark.parametrize("value", MALFORMED)
@pytest.mark.parametrize("refuse", [
    lambda gateway, headers: Client(gateway).check(headers=headers),
    lambda gateway, headers: Client(gateway).get("/auth/sessions", headers=headers),
    lambda gateway, headers: Client(gateway).get("/page", headers=headers)], ids=["check", "endpoint", "gateway"])
def test_a_malformed_header_is_ignored_and_not_logged(gateway, value, refuse):
    id = secrets.token_hex(16)
    value = value.format(id=id, upper=id.upper() if not id.isdigit() else "A" * 32, parent=secrets.token_hex(8), zero="0" * 32)
    begin = len(gateway.log())
    assert refuse(gateway, {"traceparent": value, "tracestate": f"vendor={id}"}).status == 401
    told = wait_until(lambda: "a request was refused" in gateway.log()[begin:] and gateway.log()[begin:])
    assert "trace_id" not in told and id not in told.lower()


def test_two_headers_are_no_trace(gateway, visitor, trace):
    begin = len(gateway.log())
    assert visitor.get("/page", *trace.lines, f"TraceParent: {Trace().parent}", cookie=False).status == 401
    told = wait_until(lambda: "a request was refused" in gateway.log()[begin:] and gateway.log()[begin:])
    assert "trace_id" not in told


def test_a_header_of_a_later_version_counts(gateway, visitor, trace):
    assert visitor.get("/page", f"traceparent: {trace.parent.replace('00-', '01-', 1)}-more", cookie=False).status == 401
    wait_until(lambda: trace.logged(gateway))


# The page.

def test_the_snippet_finds_the_lines_of_a_trace(gateway):
    script = (ROOT / "docs/snippets/tracing.sh").read_text()
    for name, value in [
            ("http://127.0.0.1:8080", gateway.origin), ("journalctl --unit cloakroom --output cat", f"cat {gateway.log_path}")]:
        assert name in script
        script = script.replace(name, value)
    printed = subprocess.run(["bash", "-ec", script], check=True, capture_output=True, text=True).stdout.splitlines()
    [line] = [line for line in printed if '"logger":"cloakroom.security"' in line]
    shown = (ROOT / "docs/snippets/tracing.json").read_text().strip()

    def without_time(text):
        return re.sub(r'"time":"[^"]+"', "", text)

    assert without_time(line) == without_time(shown)
