"""HTTP/2 towards browsers, where the configuration has it."""
import subprocess

import pytest

from browser import tokens
from place import HOST, NAME


def curl(place, path, *arguments):
    result = subprocess.run(
        ["curl", "--silent", "--show-error", "--http2", "--cacert", place.certificate, "--resolve", f"{HOST}:{place.proxy.port}:127.0.0.1",
         "--write-out", "%{http_version} %{http_code}", "--output", "/dev/null", *arguments, f"https://{HOST}:{place.proxy.port}{path}"],
        capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result
    return result.stdout


@pytest.fixture
def http2(place):
    if not place.kind.has_http2:
        pytest.skip(f"{place.kind.name} speaks HTTP/1.1 here")


def test_a_request_is_checked_and_nothing_forged_arrives(http2, place, app, ann):
    forged = ["--header", "X-Auth-Subject: u_forged", "--header", "x.auth.session: forged", "--header", "X-Forwarded-For: 203.0.113.66"]
    # Browsers send each cookie in a field of its own.
    cookies = ["--header", "Cookie: theme=dark", "--header", f"Cookie: {NAME}={ann.cookie}", "--header", "Cookie: lang=en"]
    host = ["--header", f"Host: {HOST}"]
    assert curl(place, "/notes?a=1", *forged, *cookies, *host) == "2 200"
    assert app.target == "/notes?a=1" and app.header("authorization") == [f"Bearer {tokens(ann.cookie)[0]}"]
    assert "forged" not in app.requests[-1] and "203.0.113" not in app.requests[-1]
    assert "; ".join(app.header("cookie")) == "theme=dark; lang=en"
    app.forget()
    assert curl(place, "/notes", *forged, *host) == "2 401"
    assert curl(place, "/public/..;/notes", *cookies, *host, "--path-as-is") == "2 400" and app.requests == []
