"""Forged, malformed and oversized tokens, cookies, headers and bodies: 4xx, never 5xx, never a hang."""
import errno
import hashlib
import hmac
import json
import socket

import pytest

from browser import NAME, PASSWORD, Client, encode, part, tokens


@pytest.fixture(scope="module")
def genuine(shared):
    client = Client(shared)
    client.sign_up()
    return client


def header_of(genuine, **changes):
    return part(tokens(genuine.cookie)[0], 0) | changes


def with_header(genuine, header):
    _, payload, signature = tokens(genuine.cookie)[0].split(".")
    return f"{encode(header)}.{payload}.{signature}"


def with_claims(genuine, changes):
    header, payload, signature = tokens(genuine.cookie)[0].split(".")
    claims = part(tokens(genuine.cookie)[0], 1) | changes
    return f"{header}.{encode(claims)}.{signature}"


def hs256(genuine, secret, header):
    message = f"{encode(header)}.{tokens(genuine.cookie)[0].split('.')[1]}"
    return f"{message}.{encode(hmac.new(secret, message.encode(), hashlib.sha256).digest())}"


def flipped(text, index):
    return text[:index] + ("A" if text[index] != "A" else "B") + text[index + 1:]


def forged_tokens(genuine):
    token, refresh = tokens(genuine.cookie)
    header, payload, signature = token.split(".")
    jwk = genuine.get("/.well-known/jwks.json").json["keys"][0]
    yield from ["", ".", "..", "...", "a", "a.b", "a.b.c", "null", "{}", "Bearer", "\u00e9"]
    for name in ("none", "None", "NONE", "nOnE", " none", "HS256", "ES384", "RS256", "es256", "EdDSA", ""):
        yield with_header(genuine, header_of(genuine, alg=name))
        yield with_header(genuine, header_of(genuine, alg=name)).rsplit(".", 1)[0] + "."
    for value in (None, 1, [], {}, ["ES256"], True):
        yield with_header(genuine, header_of(genuine, alg=value))
    for kid in ("", "x", "../../../../dev/null", "/proc/sys/kernel/randomize_va_space", "x' UNION SELECT '1'--", ";sleep 10", "k" * 3000, "k\u0000x", 7, None, ["a"]):
        yield with_header(genuine, header_of(genuine, kid=kid))
        yield hs256(genuine, b"", header_of(genuine, alg="HS256", kid=kid))
    for extra in ({"crit": ["exp"]}, {"crit": []}, {"b64": False}, {"zip": "DEF"}, {"jwk": jwk}, {"jku": "http://127.0.0.1:9/"}, {"x5u": "file:///etc/passwd"}, {"x5c": ["MII"]}, {"enc": "A128GCM"}, {"cty": "JWT"}):
        yield with_header(genuine, header_of(genuine, **extra))
    for typ in ("JWT", "rt+jwt", "AT+JWT", "", None, 1, ["at+jwt"]):
        yield with_header(genuine, header_of(genuine, typ=typ))
    for secret in (b"", b"secret", json.dumps(jwk).encode(), jwk["x"].encode()):
        yield hs256(genuine, secret, header_of(genuine, alg="HS256"))
    for changes in ({"sub": "u_other"}, {"exp": 1e300}, {"exp": 99999999999}, {"aud": []}, {"gen": -1}, {"sid": "other"}, {"iss": "https://evil.example"}, {"amr": ["hwk"]}, {"acr": "2"}):
        yield with_claims(genuine, changes)
    yield with_header(genuine, b'{"alg":"ES256","alg":"none"}')
    yield with_header(genuine, b"\xff\xfe{\x00}\x00")
    yield with_header(genuine, b"\xef\xbb\xbf" + json.dumps(header_of(genuine)).encode())
    yield with_header(genuine, b'{"x":1e300,"alg":"ES256"}')
    yield with_header(genuine, b"[" * 500)
    yield f"{header}." + encode(b"[" * 500) + f".{signature}"
    yield from [f"{header}.{payload}", f"{header}.{payload}.", f"{header}..{signature}", f".{payload}.{signature}"]
    yield from [f"{token}=", f"{token}==", f"{token}\t", f"{token}%3D", f"{token}.x", f"{token}.{token}", token.replace(".", ";")]
    yield f"{header}.{payload}.{encode(bytes(64))}"
    yield f"{header}.{payload}." + encode(b"\xff" * 64)
    yield f"{header}.{payload}.{encode(bytes(10))}"
    yield json.dumps({"payload": payload, "protected": header, "signature": signature})
    yield from [token + "A" * 9000, "A" * 10000, "." * 5000, encode(b"x" * 6000) + ".a.b"]
    yield from (flipped(token, index) for index in range(0, len(token), 23))
    yield refresh
    yield from (flipped(refresh, index) for index in range(0, len(refresh), 29))


def test_forged_access_tokens_are_refused(genuine):
    tried = 0
    for token in forged_tokens(genuine):
        if token.isprintable() and token.isascii():
            answer = genuine.get("/auth/sessions", cookie=False, headers={"Authorization": f"Bearer {token}"})
            assert (answer.status, answer.code) == (401, "token_invalid"), token[:80]
        refresh = tokens(genuine.cookie)[1]
        for cookie in (f"{token}~{refresh}",) if token else ():
            answer = genuine.get("/auth/sessions", cookie=cookie.encode().decode("latin-1"), keep=False)
            assert (answer.status, answer.code) == (401, "token_invalid"), token[:80]
            assert answer.set_cookies == []
        tried += 1
    assert tried > 140
    assert genuine.protected().status == 200


def test_forged_refresh_tokens_are_refused(genuine):
    access, refresh = tokens(genuine.cookie)
    header, payload, signature = refresh.split(".")
    claims = part(refresh, 1)
    forged = [flipped(refresh, index) for index in range(0, len(refresh), 7)]
    forged += [f"{header}.{encode(claims | change)}.{signature}" for change in ({"gen": 5}, {"sid": "x"}, {"exp": 1}, {"jti": "x"})]
    forged += [f"{encode({'alg': 'none'})}.{payload}.", "", access, "x" * 5000]
    for token in forged:
        for cookie in (f"{access}~{token}", f"~{token}"):
            answer = genuine.refresh(cookie=cookie, keep=False)
            assert answer.status == 401 and answer.code == "token_invalid" and answer.set_cookies == [], cookie[-60:]
    assert genuine.refresh().json["session"]["rotated"] is True


LOOK_ALIKES = [
    "\u2000" + NAME, "\u00a0" + NAME, "\u0085" + NAME, "\u3000" + NAME, "\u2028" + NAME, "\u1680" + NAME, "\ufeff" + NAME,
    NAME.lower(), NAME.upper(), "=" + NAME, f'"{NAME}"', "_[Host-Http-session", "%5F_Host-Http-session", NAME + " ", "x" + NAME, "session", "cloakroom-session",
]


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_a_cookie_with_a_similar_name_is_not_ours(genuine, name):
    header = f"{name}={genuine.cookie}".encode()
    answer = raw(genuine.server, b"GET /auth/sessions HTTP/1.1\r\nHost: localhost\r\nCookie: " + header + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 401") and b"session_missing" in answer


@pytest.mark.parametrize("header", ['$Version=1; {n}={c}; $Path=/', 'a="x; {n}={c}; b=y"', "a=b;{n}={c}", "{n}={c};;;", " {n}={c} "])
def test_odd_cookie_headers_have_no_second_meaning(genuine, header):
    text = header.format(n=NAME, c=genuine.cookie)
    assert genuine.get("/auth/sessions", headers={"Cookie": text}, cookie=False).status == 200


@pytest.mark.parametrize("value", ["", "~", "~~", "a~b~c", '"{c}"', "{c}~", "{c} x", "x{c}", "{c}\\", "A" * 15000])
def test_malformed_values_are_refused(genuine, value):
    answer = genuine.get("/auth/sessions", headers={"Cookie": f"{NAME}={value.replace('{c}', genuine.cookie)}"}, cookie=False)
    assert answer.status == 401 and answer.code == "token_invalid"


@pytest.mark.parametrize("value", ["Bearer", "Bearer ", "Bearer  x", "bearer x", "Bearerx", "Bearer a b", "Bearer \u00ff", "Bearer ,"])
def test_malformed_authorization_headers_are_refused(shared, value):
    answer = Client(shared).get("/auth/sessions", headers={"Authorization": value})
    assert answer.status == 401 and answer.code == "token_invalid"


@pytest.mark.parametrize("value", ["Basic YTpi", "Digest x", "Bear x", ""])
def test_other_schemes_of_authorization_are_ignored(shared, value):
    assert Client(shared).get("/auth/sessions", headers={"Authorization": value}).code == "session_missing"


BODIES = [
    b"{", b"[]", b"null", b"1", b'"x"', b"{}x", b"{'a':1}", b'{"email":}', b"\xff", b'{"a":"\xc0\xaf"}', b'{"a":"\xed\xa0\x80"}',
    b"\xef\xbb\xbf{}", b"\xff\xfe{\x00}\x00", b'{"email":"a","email":"b"}', b'{"email":"a","\\u0065mail":"b"}', b'{"a":1e400}',
    b'{"a":' + b"9" * 5000 + b"}", b'{"a":"\\ud800"}', b'{"a":\x00}', b"[" * 30000, b'{"a":' * 5000, b"\x00", b'{"email":"a@example.com","password":null}',
]


@pytest.mark.parametrize("path", ["/auth/login", "/auth/signup", "/auth/refresh"])
def test_malformed_bodies_are_refused(shared, path):
    for body in BODIES:
        answer = Client(shared).post(path, body=body, headers={"Content-Type": "application/json"})
        expected = [(400, "invalid_request")] + ([(401, "session_missing")] if path == "/auth/refresh" else [])
        assert (answer.status, answer.code) in expected, body[:40]


def test_bodies_that_are_too_large_are_refused_before_they_are_read(shared):
    large = json.dumps({"email": "a@example.com", "password": "x" * 70000})
    answer = Client(shared).post("/auth/login", body=large, headers={"Content-Type": "application/json"})
    assert (answer.status, answer.code) == (413, "content_too_large")
    promised = b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{"
    assert raw(shared, promised).startswith(b"HTTP/1.1 413")
    chunked = b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert raw(shared, chunked + (b"8000\r\n" + b"a" * 0x8000 + b"\r\n") * 3 + b"0\r\n\r\n").startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET /auth/session HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"POST /auth/logout HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /auth/logout HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", b"GET /auth/session HTTP/1.1\r\nHost: localhost\r\nX: \x00\r\n\r\n",
        b"POST /auth/logout HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n", b"GET /auth/session HTTP/1.1\r\n Host: localhost\r\n\r\n",
        b"GET /auth/session HTTP/1.1\r\nHost: localhost\r\nCookie: " + b"a" * 90000 + b"\r\n\r\n",
        b"GET /auth/session HTTP/1.1\r\nHost: localhost\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(5000)) + b"\r\n",
        b"GET /" + b"a" * 90000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
def test_requests_that_are_not_http_are_refused_or_disconnected(shared, request_bytes):
    answer = raw(shared, request_bytes)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer[:60]
    assert Client(shared).get("/healthz").status == 200


def raw(server, data):
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        answer = b""
        try:
            connection.sendall(data)
            try:
                connection.shutdown(socket.SHUT_WR)
            except OSError as error:
                # The server has closed the connection before.
                assert error.errno == errno.ENOTCONN
            while chunk := connection.recv(65536):
                answer += chunk
        except ConnectionError:
            pass
        return answer


@pytest.mark.parametrize("agent", ["x" * 5000, "\x1b[31mred", "a\u202eb".encode().decode("latin-1"), '{"a":"b"}', "</script><script>"])
def test_a_hostile_user_agent_is_harmless_in_log_and_list(genuine, agent):
    client = genuine.copy()
    client.post("/auth/login", {"email": genuine.email, "password": PASSWORD}, headers={"User-Agent": agent.replace("\x1b", "")}, cookie=False)
    named = genuine.get("/auth/sessions").json["sessions"][0]["user_agent"]
    assert len(named) <= 256 and named.isascii()
    for line in genuine.server.log().splitlines():
        json.loads(line)
