"""Bodies go to the app while they arrive, and never to the check."""
import pytest

from proxy import wait_for
from recording_app import BODY
from wire import Closed

MEGABYTE = 1024 * 1024


def begin(browser, wire, target, framing):
    fields = browser.fields("POST", "same-origin", framing)
    lines = [f"{name}: {value}" for name, value in fields.items()]
    wire.send("\r\n".join([f"POST {target} HTTP/1.1", *lines, "", ""]).encode())


def test_an_upload_of_200_megabytes_is_forwarded_while_it_arrives(place, app, ann):
    wire = place.wire()
    begin(ann, wire, "/files", {"Content-Length": str(200 * MEGABYTE)})
    block = bytes(MEGABYTE)
    wire.send(block)
    wait_for(lambda: app.arrived > 0, "the beginning of the upload at the app")
    for _ in range(199):
        wire.send(block)
    answer = wire.answer()
    assert answer.status == 200 and answer.body == BODY and app.bodies == [200 * MEGABYTE]
    wire.socket.close()
    assert all("content-length: 2" not in check.lower() for check in place.relay.checks)


def test_a_chunked_upload_is_forwarded_while_it_arrives(place, app, ann):
    wire = place.wire()
    begin(ann, wire, "/files", {"Transfer-Encoding": "chunked"})
    chunk = b"%x\r\n%s\r\n" % (MEGABYTE, bytes(MEGABYTE))
    wire.send(chunk)
    wait_for(lambda: app.arrived > 0, "the beginning of the upload at the app")
    wire.send(4 * chunk + b"0\r\n\r\n")
    assert wire.answer().status == 200 and app.bodies == [5 * MEGABYTE]
    wire.socket.close()
    assert all("transfer-encoding" not in check.lower() for check in place.relay.checks)


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_the_body_of_a_refused_request_is_no_request(place, app, anyone, framing):
    inner = b"GET /public/inner HTTP/1.1\r\nHost: app.example.com\r\n\r\n"
    wire = place.wire()
    if framing == "length":
        begin(anyone, wire, "/files", {"Content-Length": str(len(inner))})
        wire.send(inner)
    else:
        begin(anyone, wire, "/files", {"Transfer-Encoding": "chunked"})
        wire.send(b"%x\r\n%s\r\n0\r\n\r\n" % (len(inner), inner))
    answer = wire.answer()
    assert answer.status == 401 and answer.code == "session_missing"
    if not answer.closes:
        wire.request("GET", "/public/outer", {"Host": "app.example.com", "Connection": "close"}, host=False)
        assert wire.answer().status == 200
    assert wire.rest() == b"" and not any("inner" in request for request in app.requests)
    wire.socket.close()


def test_a_refused_upload_never_reaches_the_app(place, app, anyone):
    wire = place.wire()
    begin(anyone, wire, "/files", {"Content-Length": str(3 * MEGABYTE)})
    try:
        wire.send(bytes(3 * MEGABYTE))
        assert wire.answer().status == 401
    except (OSError, Closed):
        pass        # the proxy has closed the connection without reading the whole body
    assert app.requests == []
    wire.socket.close()


def test_a_client_that_expects_100_continue_is_served(place, app, ann):
    wire = place.wire()
    begin(ann, wire, "/files", {"Content-Length": "5", "Expect": "100-continue"})
    wire.send(b"hello")
    answer = wire.answer()
    while answer.status == 100:
        answer = wire.answer()
    assert answer.status == 200 and app.bodies == [5]
    assert all("expect:" not in check.lower() for check in place.relay.checks)
    wire.socket.close()


def test_an_event_arrives_before_the_next_one_is_sent(place, app, ann):
    wire = place.wire()
    wire.request("GET", "/events", ann.fields("GET", "same-origin", {}), host=False)
    assert b"data: one" in wire.read_until(b"data: one") and app.header("x-auth-subject")
    app.may_go_on.set()
    assert b"data: two" in wire.read_until(b"data: two")
    wire.socket.close()
