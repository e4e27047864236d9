"""What the kit refuses at the start, and how it waits for keys."""
import asyncio
import json
import socket
import threading
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from cloakroom_resource_server import RefusedRequest, ResourceServer, RevocationSource, UnusableAddress
from cloakroom_resource_server.access_token import AccessTokenVerifier
from cloakroom_resource_server.address import ServiceAddress
from cloakroom_resource_server.key_set import parse_key_set

ISSUER = "http://localhost"
KEY = ec.generate_private_key(ec.SECP256R1())
EC = ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True) | {"kid": "a", "use": "sig", "alg": "ES256"}
OKP = OKPAlgorithm.to_jwk(ed25519.Ed25519PrivateKey.generate().public_key(), as_dict=True) | {"kid": "b"}
SHORT = RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 1024).public_key(), as_dict=True) | {"kid": "c"}
LONG = RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048).public_key(), as_dict=True) | {"kid": "d"}
P384 = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key(), as_dict=True) | {"kid": "e"}


@pytest.mark.parametrize("text", [
    "https://app.example.com/jwks", "http://localhost:8080/jwks", "http://127.0.0.1/jwks", "http://[::1]:8080/jwks", "http://a.localhost/jwks"])
def test_https_and_the_local_host_are_good_addresses(text):
    assert ServiceAddress(text).text == text


@pytest.mark.parametrize("text", [
    "http://app.example.com/jwks", "http://127.0.0.1.example.com/jwks", "http://localhost.example.com", "ftp://localhost/jwks", "localhost:8080",
    "unix:/run/s", "https://", "https://user@app.example.com/", "https://app.example.com/?a", "http://10.0.0.1/", "http://[::1", ""])
def test_an_address_where_another_host_can_replace_the_keys_is_refused(text):
    with pytest.raises(UnusableAddress):
        ServiceAddress(text)


def test_plain_http_to_another_host_is_unsafe_by_name_and_a_socket_is_for_the_stream():
    assert ServiceAddress("http://cloakroom:8080/jwks", allows_plain_http=True).host == "cloakroom"
    assert ServiceAddress("unix:/run/s", "/service/revocations").socket_path == "/run/s"


@pytest.mark.parametrize("arguments", [
    {"algorithms": ()}, {"algorithms": ("none",)}, {"algorithms": ("ES256", "HS256")}, {"longest_token_lifetime": 0},
    {"longest_token_lifetime": 86400}, {"jwks": "http://app.example.com/jwks"},
    {"revocations": RevocationSource("http://10.0.0.1:8081", "k")}, {"revocations": RevocationSource("/run/s", "k")}], ids=str)
def test_an_argument_that_cannot_be_used_stops_the_start(arguments):
    with pytest.raises(ValueError):
        ResourceServer(ISSUER, **arguments)


def test_a_source_that_is_always_stale_is_refused_and_its_key_is_not_shown():
    with pytest.raises(ValueError):
        RevocationSource("unix:/run/s", "crk_x", stale_after=0.4)
    assert "crk_x" not in repr(RevocationSource("unix:/run/s", "crk_x"))


def test_the_keys_of_a_set_are_bound_to_their_algorithms():
    keys = parse_key_set(json.dumps({"keys": [EC, OKP, LONG]}).encode())
    assert {name: key.algorithm for name, key in keys.items()} == {"a": "ES256", "b": "Ed25519", "d": "RS256"}


@pytest.mark.parametrize("members", [
    [], [EC, EC], [EC, SHORT], [EC, P384], [EC | {"use": "enc"}], [EC | {"alg": "RS256"}], [EC | {"d": "x"}], [EC | {"y": EC["x"]}],
    [{"kty": "oct", "k": "eA", "kid": "s"}], [EC | {"kid": 7}], [{name: EC[name] for name in EC if name != "kid"}], ["x"], None, "x", 7], ids=lambda value: str(value)[:40])
def test_a_set_with_a_broken_key_or_a_secret_is_refused_as_a_whole(members):
    with pytest.raises(Exception):
        parse_key_set(json.dumps({"keys": members}).encode())


class Issuer:
    """Serves the key set. Fetches after the first one hang until `release`."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/jwks"
        self.asked, self.release = threading.Semaphore(0), threading.Event()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        body = json.dumps({"keys": [EC]}).encode()
        while True:
            connection, _ = self.listener.accept()
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            connection.close()
            self.asked.release()
            self.release.wait()


def token(kid="a", **more):
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": ISSUER, "sub": "1", "sid": "s", "iat": now, "exp": now + 300}
    return jwt.encode(claims | more, KEY, "ES256", {"typ": "at+jwt", "kid": kid})


@pytest.mark.parametrize("host, accepted", [(None, [None]), ("shop.example", ["shop.example"]), ("*", [None, "shop.example", "app.example"])])
def test_a_token_of_another_host_is_refused(host, accepted):
    key = parse_key_set(json.dumps({"keys": [EC]}).encode())["a"]
    verifier = AccessTokenVerifier(ISSUER, ISSUER, host, ("ES256",), 3600)
    for own in (None, "shop.example", "app.example"):
        presented = token(**{"cloakroom:host": own} if own else {})
        if own in accepted:
            assert verifier.verify(presented, key).get("cloakroom:host") == own
        else:
            with pytest.raises(RefusedRequest, match="token_invalid"):
                verifier.verify(presented, key)


def test_while_a_token_with_an_unknown_key_waits_for_a_fetch_the_event_loop_goes_on(monkeypatch):
    monkeypatch.setattr("cloakroom_resource_server.key_set.COOLDOWN", 0)
    monkeypatch.setattr("cloakroom_resource_server.key_set.TIMEOUT", 1000)
    issuer = Issuer()
    server = ResourceServer(ISSUER, jwks=issuer.url)
    issuer.asked.acquire()
    while not server.is_ready:
        time.sleep(0.01)

    async def ask():
        waiting = asyncio.create_task(server.verify_async(token("unknown")))
        await asyncio.sleep(0)
        assert (await server.verify_async(token()))["sub"] == "1"
        assert not waiting.done()
        cancelled = asyncio.create_task(server.verify_async(token("unknown")))
        await asyncio.sleep(0)
        cancelled.cancel()
        issuer.release.set()
        with pytest.raises(RefusedRequest) as refused:
            await waiting
        assert refused.value.code == "token_invalid" and cancelled.cancelled()

    asyncio.run(ask())
    server.close()


@pytest.mark.parametrize("broken", [b'{"keys":[{"kty":"RSA","kid":"d","n":7,"e":[]}]}', b'{"keys":[{"kty":["EC"],"kid":"a"}]}', b"[" * 60000, b"\xff"], ids=lambda text: str(text)[:40])
def test_after_a_set_that_cannot_be_read_the_next_one_is_fetched(monkeypatch, broken):
    monkeypatch.setattr("cloakroom_resource_server.key_set.RETRY", 0.01)
    good = json.dumps({"keys": [EC]}).encode()
    documents = iter([broken])
    monkeypatch.setattr("cloakroom_resource_server.key_set.KeySetFeed._read", lambda feed: next(documents, good))
    server = ResourceServer(ISSUER)
    end = time.monotonic() + 20
    while not server.is_ready:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert server.verify(token())["sid"] == "s"
    server.close()
