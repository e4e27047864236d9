"""WebSockets: the handshake is checked, with its origin."""
import pytest

from place import ORIGIN

HANDSHAKE_HEADERS = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
FOREIGN = HANDSHAKE_HEADERS | {"Origin": "https://evil.example"}


def test_a_handshake_of_the_app_opens_a_connection_in_both_directions(place, app, ann):
    wire = place.wire()
    assert ann.get("/live", headers=HANDSHAKE_HEADERS | {"Origin": ORIGIN}, wire=wire).status == 101
    assert app.header("upgrade") == ["websocket"] and [value.lower() for value in app.header("connection")] == ["upgrade"]
    assert app.header("x-auth-subject") != [] and app.header("sec-websocket-key") == [HANDSHAKE_HEADERS["Sec-WebSocket-Key"]]
    for frame in (b"\x81\x05hello", b"\x82\x7e\x01\x00" + 256 * b"x"):
        wire.send(frame)
        assert wire.read(len(frame)) == frame
    wire.socket.close()


@pytest.mark.parametrize("missing", [None, "Upgrade", "Sec-WebSocket-Key", "Connection"])
def test_a_handshake_of_another_site_is_refused(app, ann, missing):
    headers = {name: value for name, value in FOREIGN.items() if name != missing}
    answer = ann.get("/live", headers=headers, site="cross-site")
    assert answer.code == "cross_site_request" and answer.status == 403 or answer.status == 400 and missing == "Sec-WebSocket-Key"
    assert app.requests == []


def test_a_handshake_without_session_is_refused(app, anyone):
    assert anyone.get("/live", headers=HANDSHAKE_HEADERS | {"Origin": ORIGIN}).status == 401 and app.requests == []


def test_a_public_path_opens_no_websocket_of_another_protocol(app, anyone):
    assert anyone.get("/public/live", headers={"Connection": "Upgrade", "Upgrade": "h2c"}).status == 200
    assert app.header("upgrade") in ([], [""])


def test_an_upgrade_to_something_else_is_not_passed_on_and_stops_no_later_request(app, ann):
    for _ in range(4):
        offered = ann.get("/notes", headers={"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABk"})
        assert offered.status == 200
        assert app.header("upgrade") in ([], [""]) and app.header("http2-settings") in ([], [""])
        assert ann.get("/notes").status == 200
