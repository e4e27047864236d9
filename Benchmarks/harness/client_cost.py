"""The cost of a session in the browser: bytes of each request, bytes of script, round trips."""
import gzip
import http.client
import json
import time
from pathlib import Path

from . import server
from .bench import Bench
from .peers.launch import Running
from .peers.material import token
from .default_headers import flask_jwt_extended_headers, simplejwt_headers
from .wrk import CHECK, COOKIE, FORWARDED

SCENARIO = "client"
CLIENT_JS = Path(__file__).parents[2] / "Web" / "client" / "client.js"
OURS = "cloakroom, one cookie with both tokens"
LIFETIME = 1


def estimate(bench: Bench) -> float:
    return 10


def run(bench: Bench) -> None:
    with server.cloakroom(
        bench, bench.directory("client-data"), signup="open", access_token_lifetime=LIFETIME
    ) as running:
        cookie = _sign_up(running.port)
        time.sleep(LIFETIME + 0.5)
        inline = _renewed_inline(running, cookie)
    _bytes(bench, OURS, [("Cookie", COOKIE + cookie)])
    _bytes(bench, "a bare ES256 access token in a cookie", [("Cookie", f"access={token(bench.material, 'ES256')}")])
    _bytes(bench, "Flask-JWT-Extended, its default cookies", flask_jwt_extended_headers())
    _bytes(bench, "simplejwt, its default header (access token only)", simplejwt_headers())
    add = bench.results.add
    script = CLIENT_JS.read_bytes()
    add(SCENARIO, "client.js", "bytes", "bytes", [float(len(script))])
    add(SCENARIO, "client.js", "gzip", "bytes with gzip -9", [float(len(gzip.compress(script, 9, mtime=0)))])
    add(SCENARIO, "cloakroom", "inline renewal", "extra round trips for a renewal on the way of a request", [0.0],
        problem=None if inline else "an expired access token was not renewed on the way")


def _bytes(bench: Bench, what: str, headers: list[tuple[str, str]]) -> None:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    bench.results.add(SCENARIO, what, "request", "bytes in each request", [float(len(lines))])


def _sign_up(port: int) -> str:
    body = json.dumps({"email": "bench@example.com", "password": "correct horse battery"})
    origin = f"localhost:{port}"
    headers = {"Host": origin, "Origin": f"http://{origin}", "Content-Type": "application/json"}
    return _cookie(port, "POST", "/auth/signup", body, headers) or _fail("no cookie at sign-up")


def _renewed_inline(running: Running, cookie: str) -> bool:
    headers = {"Host": f"localhost:{running.port}", "Cookie": COOKIE + cookie} | FORWARDED
    return bool(_cookie(running.private_port, "GET", CHECK, None, headers))


def _cookie(port: int, method: str, path: str, body: str | None, headers: dict[str, str]) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.read()
        return (answer.getheader("Set-Cookie") or "").partition(";")[0].removeprefix(COOKIE)
    finally:
        connection.close()


def _fail(reason: str) -> str:
    raise RuntimeError(reason)
