"""https on this machine: the certificate that the server makes for itself, and settings that do not fit together."""
import json
import pathlib
import signal
import ssl
import stat
import subprocess

import pytest

from browser import Client
from gateway import Gateway
from http2 import HTTP2
from raw_backend import free_port
from server import Server, refuse_to_serve, wait_until

CERTIFICATE, KEY = "development-certificate.pem", "development-key.pem"
NOTICE = "TLS uses a self-signed certificate"
DAY = 86400


def started(directory, kind=Server, **settings):
    """A server at an https address of this machine."""
    port = str(free_port())
    settings.setdefault("publicURL", f"https://127.0.0.1:{port}")
    return kind(directory / "data", port=port, tlsSelfSigned="true", **settings)


@pytest.fixture
def server(tmp_path):
    server = started(tmp_path, clock="+0")
    yield server
    assert server.stop() == 0


def restart(server, **settings):
    assert server.stop() == 0
    server.settings |= settings
    server.start()


def notices(server):
    return [line for line in map(json.loads, server.log_lines()) if line["message"].startswith(NOTICE)]


def openssl(path, *arguments):
    result = subprocess.run(["openssl", "x509", "-in", path, "-noout", *arguments], capture_output=True, text=True)
    return result.stdout.strip()


def fingerprint(path):
    return openssl(path, "-fingerprint", "-sha256").split("=")[1]


def test_a_browser_logs_in_over_https(server):
    client = Client(server)
    assert client.sign_up().status == 201
    assert client.get("/auth/session").json["authenticated"] is True


def test_with_the_flag_alone_the_address_is_localhost_with_the_port(tmp_path):
    server = started(tmp_path, publicURL=None)
    try:
        answered = curl(server, f"https://localhost:{server.port}/auth/session")
        assert answered.returncode == 0 and json.loads(answered.stdout) == {"authenticated": False}
        token = Client(server).get("/.well-known/oauth-authorization-server")
        assert token.json["issuer"] == f"https://localhost:{server.port}"
    finally:
        assert server.stop() == 0


def curl(server, url, *arguments):
    return subprocess.run(
        ["curl", "-sS", "--cacert", server.certificate, "--connect-to", f"::127.0.0.1:{server.port}", *arguments, url], capture_output=True, text=True)


@pytest.mark.parametrize("name, names", [
    ("localhost", []), ("127.0.0.1", []), ("[::1]", []), ("app.localhost", ["app.localhost"]), ("a.b.localhost", ["a.b.localhost"])])
def test_the_certificate_is_for_this_machine_and_the_host_of_the_public_url(tmp_path, name, names):
    server = started(tmp_path, publicURL=f"https://{name}:8443")
    try:
        for host in ["localhost", "127.0.0.1", "[::1]", *names]:
            assert curl(server, f"https://{host}:{server.port}/healthz").returncode == 0, host
        for host in ["other.localhost", "example.com"]:
            assert curl(server, f"https://{host}:{server.port}/healthz").returncode == 60, host
    finally:
        assert server.stop() == 0


def test_the_files_are_private_and_the_certificate_is_no_authority(server):
    directory = pathlib.Path(server.directory)
    assert [stat.S_IMODE((directory / name).stat().st_mode) for name in (CERTIFICATE, KEY)] == [0o600] * 2
    text = openssl(directory / CERTIFICATE, "-text")
    assert "CA:FALSE" in text and "prime256v1" in text and "TLS Web Server Authentication" in text


def test_the_log_has_the_fingerprint_that_the_browser_shows(server):
    [notice] = notices(server)
    assert notice["sha256"] == fingerprint(server.certificate) and notice["file"] == server.certificate
    assert pathlib.Path(server.certificate).read_text().strip() == ssl.get_server_certificate(("127.0.0.1", server.port)).strip()


def test_a_restart_keeps_the_certificate(server):
    before = fingerprint(server.certificate)
    restart(server)
    assert fingerprint(server.certificate) == before == notices(server)[-1]["sha256"]


def test_it_is_made_again_for_another_host(server):
    before = fingerprint(server.certificate)
    restart(server, publicURL="https://app.localhost:8443")
    assert fingerprint(server.certificate) != before


@pytest.mark.parametrize("days, kept", [(80, True), (84, False), (91, False), (-1, False)])
def test_it_is_made_again_a_week_before_it_expires(server, days, kept):
    before = fingerprint(server.certificate)
    server.move(days * DAY)
    restart(server)
    assert (fingerprint(server.certificate) == before) == kept


def test_a_running_server_makes_it_again_at_sighup(server):
    before = fingerprint(server.certificate)
    server.move(84 * DAY)
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "SIGHUP: the certificate was read again" in server.log())
    assert ssl.get_server_certificate(("127.0.0.1", server.port)).strip() == pathlib.Path(server.certificate).read_text().strip()
    assert fingerprint(server.certificate) != before


@pytest.mark.parametrize("name", [CERTIFICATE, KEY])
@pytest.mark.parametrize("content", [None, "", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_damaged_files_are_made_again(server, name, content):
    path = pathlib.Path(server.directory) / name
    path.unlink() if content is None else path.write_text(content)
    restart(server)
    assert Client(server).get("/healthz").status == 200


def test_the_gateway_offers_http_2_with_it(tmp_path):
    gateway = started(tmp_path, Gateway, routes=[{"path": "/*", "access": "public"}])
    with HTTP2(gateway) as client:
        assert client.ask("GET", "/a").status == 200
    assert gateway.stop() == 0


def test_browsers_are_not_told_to_use_https_for_the_other_servers_on_localhost(server):
    """Strict-Transport-Security applies to a host with all its ports."""
    assert Client(server).get("/auth/session").header("strict-transport-security") is None


REFUSED = {
    "a host of the internet": ["--tls-self-signed", "--public-url", "https://app.example.com"],
    "a host that only looks like one of this machine": ["--tls-self-signed", "--public-url", "https://localhost.example.com"],
    "plain http": ["--tls-self-signed", "--public-url", "http://localhost:8080"],
    "a port that is not known": ["--tls-self-signed"],
    "both": ["--tls-self-signed", "--tls-cert", "a.pem", "--public-url", "https://localhost"],
    "a certificate without an address": ["--tls-cert", "a.pem"],
    "a certificate and an address with http": ["--tls-cert", "a.pem", "--public-url", "http://localhost:8080"],
    "a key alone": ["--tls-key", "a.pem", "--public-url", "https://localhost"],
}


@pytest.mark.parametrize("name", REFUSED)
def test_settings_of_tls_that_do_not_fit_together_stop_the_start(tmp_path, name):
    arguments = REFUSED[name]
    setting = {"--tls-self-signed": "tlsSelfSigned", "--tls-cert": "tlsCert", "--tls-key": "tlsKey"}[arguments[0]]
    result = refuse_to_serve(tmp_path / "data", *arguments)
    assert result.returncode == 78 and result.stderr.splitlines()[-1].startswith(f"cloakroom: {setting}: "), result
    assert not (tmp_path / "data" / KEY).exists()
