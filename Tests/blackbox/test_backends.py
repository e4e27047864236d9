"""Runs the examples of docs/backends.md and docs/kits.md behind one table of requests: each language gives the same answers."""
import base64
import concurrent.futures
import hashlib
import hmac
import json
import re
import shutil
import time

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from jwt.algorithms import ECAlgorithm

from backends import LANGUAGES, Backend, KeyServer
from browser import Client, claims, encode, part, tokens
from server import ROOT, Server, run, wait_until

APP = "https://app.example.com"
INVALID = 'Bearer error="invalid_token"'
KEY = ec.generate_private_key(ec.SECP256R1())
THIEF = ec.generate_private_key(ec.SECP256R1())
JWK = ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True) | {"kid": "test", "use": "sig", "alg": "ES256"}
PEM = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
HEADER = {"alg": "ES256", "kid": "test", "typ": "at+jwt"}
FLOOD = 200


def payload(**changes):
    now = int(time.time())
    found = {"iss": APP, "aud": APP, "sub": "u_1", "sid": "s1", "iat": now - 30, "exp": now + 270} | changes
    return {name: value for name, value in found.items() if value != "absent"}


def signature(message, key=KEY):
    r, s = utils.decode_dss_signature(key.sign(message.encode(), ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def sign(header=HEADER, body=None, key=KEY, **changes):
    message = f"{encode(header)}.{encode(payload(**changes) if body is None else body)}"
    return f"{message}.{encode(signature(message, key))}"


def hs256(secret, **header):
    message = f"{encode(HEADER | {'alg': 'HS256'} | header)}.{encode(payload())}"
    return f"{message}.{encode(hmac.new(secret, message.encode(), hashlib.sha256).digest())}"


def forged():
    """Tokens that the issuer has not signed, or that are broken."""
    good = sign()
    head, body, tail = good.split(".")
    raw = base64.urlsafe_b64decode(tail + "==")
    for name in ("none", "None", "NONE", "nOnE", "", "es256", "ES384", "RS256", "EdDSA", None, 1, ["ES256"], {}, True):
        yield f"alg {name!r}", f"{encode(HEADER | {'alg': name})}.{body}.{tail}"
        yield f"alg {name!r} signed", sign(HEADER | {"alg": name})
        yield f"alg {name!r} without signature", f"{encode(HEADER | {'alg': name})}.{body}."
    yield "alg absent", sign({"kid": "test", "typ": "at+jwt"})
    for name, secret in (
        ("PEM", PEM), ("PEM stripped", PEM.strip()), ("JWK", json.dumps(JWK).encode()), ("x", JWK["x"].encode()), ("empty", b""), ("null", b"null"),
        ("DER", KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))):
        yield f"HS256 with {name}", hs256(secret)
        yield f"HS256 with {name}, no kid", hs256(secret, kid=None)
    yield "other sub", f"{head}.{encode(payload(sub='root'))}.{tail}"
    yield "other kid", f"{encode(HEADER | {'kid': 'other'})}.{body}.{tail}"
    yield "duplicate alg", f"{encode(json.dumps(HEADER)[:-1].encode() + b',' + json.dumps({'alg': 'none'}).encode()[1:])}.{body}.{tail}"
    for kid in ("x", "", None, 7, ["test"], {"test": 1}, "../../dev/null", "x' OR 1=1--", "k\u0000", "\u00e9", "k" * 3000):
        yield f"foreign key, kid {str(kid)[:20]!r}", sign(HEADER | {"kid": kid}, key=THIEF)
    yield "foreign key, kid absent", sign({"alg": "ES256", "typ": "at+jwt"}, key=THIEF)
    yield "foreign key, known kid", sign(key=THIEF)
    own = ECAlgorithm.to_jwk(THIEF.public_key(), as_dict=True)
    yield "key in the token", sign(HEADER | {"jwk": own}, key=THIEF)
    yield "key in the token, no kid", sign({"alg": "ES256", "typ": "at+jwt", "jwk": own}, key=THIEF)
    for value in (["x"], "x", 7, True):
        yield f"crit {value!r}", sign(HEADER | {"crit": value, "x": 1})
    for name, text in (
        ("zero", bytes(64)), ("ones", b"\xff" * 64), ("one", bytes(63) + b"\x01"), ("short", raw[:-1]), ("long", raw + b"x"), ("ten bytes", raw[:10]), ("DER", KEY.sign(f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256()))),
        ("flipped", bytes([raw[0] ^ 1]) + raw[1:])):
        yield f"signature {name}", f"{head}.{body}.{encode(text)}"
    for name, text in (
        ("list", b"[]"), ("null", b"null"), ("number", b"7"), ("string", b'"x"'), ("empty", b""), ("text", b"hello"), ("UTF-8", b'{"alg":"\xff"}'), ("NUL", b"\x00"), ("half", b'{"alg":'), ("deep", b"[" * 3000),
        ("deep object", b'{"a":' * 1000), ("closed", b"[" * 1500 + b"]" * 1500), ("1e400", b'{"alg":1e400}'), ("BOM", b"\xef\xbb\xbf{}")):
        yield f"header {name}", f"{encode(text)}.{body}.{tail}"
        yield f"header and payload {name}", f"{encode(text)}.{encode(text)}.{tail}"
        yield f"payload {name}", f"{head}.{encode(text)}.{tail}"
        yield f"payload {name} signed", sign(body=text)
    yield from [("padding", good + "="), ("dot", good + "."), ("four parts", good + ".x"), ("two parts", f"{head}.{body}"), ("two dots", ".."), ("no signature", f"{head}.{body}.")]
    yield from [("star", f"{head}.{body}*.{tail}"), ("plus", good + "+"), ("space", f"{head} .{body}.{tail}"), ("words", "a b c"), ("one letter", "a"), ("a.b.c", "a.b.c"), ("nothing", ""), ("comma", f"{good},{good}")]
    yield "JSON serialization", json.dumps({"payload": body, "protected": head, "signature": tail})


def misdirected(session):
    """Genuine tokens of the issuer that are no access tokens for this backend."""
    yield "refresh token", tokens(session.cookie)[1]
    yield "cookie", session.cookie
    yield "ID token", sign(HEADER | {"typ": "JWT"}, nonce="n", aud="browser")
    for typ in ("JWT", "rt+jwt", "", None, ["at+jwt"]):
        yield f"typ {typ!r}", sign(HEADER | {"typ": typ})
    yield "typ absent", sign({"alg": "ES256", "kid": "test"})
    for name in ("iss", "aud"):
        for value in ("https://elsewhere.example", APP + "/", APP.upper(), "", "absent", None, 7, [], {}, ["https://elsewhere.example"]):
            yield f"{name} {value!r}", sign(**{name: value})
    yield "iss list", sign(iss=[APP])
    for value in ("absent", None, "", 7, ["u_1"], {}):
        yield f"sub {value!r}", sign(sub=value)
    yield "exp absent", sign(exp="absent")


@pytest.fixture(scope="module")
def cloakroom(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("cloakroom") / "data", publicURL=APP)
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def session(cloakroom):
    client = Client(cloakroom)
    answer = client.post("/auth/signup", {"email": "ann@example.com", "password": "correct horse battery"}, headers={"Origin": APP})
    assert answer.status == 201, answer
    return client


def access_token(session):
    """The access token of a new login."""
    answer = session.post("/auth/login", {"email": "ann@example.com", "password": "correct horse battery"}, headers={"Origin": APP}, keep=False)
    return tokens(answer.cookie)[0]


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request):
    if shutil.which(LANGUAGES[request.param][1]) is None:
        pytest.skip(f"there is no {LANGUAGES[request.param][1]} here")
    return request.param


@pytest.fixture(scope="module")
def issuer(cloakroom, language):
    server = KeyServer(cloakroom, [JWK])
    yield server
    server.stop()


@pytest.fixture(scope="module")
def backend(language, issuer, tmp_path_factory):
    """The example as it stands."""
    backend = Backend(language, tmp_path_factory.mktemp("backend"), issuer)
    wait_until(lambda: backend.status(sign()) == 200)
    yield backend
    assert backend.is_alive()
    backend.stop()


@pytest.fixture(scope="module")
def hasty(language, issuer, tmp_path_factory):
    """The example with shorter times. It is started, and gets its first request, while the issuer is away."""
    issuer.fault = "error"
    backend = Backend(language, tmp_path_factory.mktemp("hasty"), issuer, REFRESH=0.3, COOLDOWN=0.1, TIMEOUT=0.5)
    before = issuer.fetches
    backend.first_answer = backend.ask(f"Bearer {sign()}")
    backend.first_fetches = issuer.fetches - before
    issuer.heal()
    wait_until(lambda: backend.status(sign()) == 200)
    yield backend
    assert backend.is_alive()
    backend.stop()


@pytest.fixture
def patient(language, issuer, tmp_path):
    """The example with a timeout that no test reaches."""
    backend = Backend(language, tmp_path, issuer, REFRESH=0.3, COOLDOWN=0.1, TIMEOUT=1000)
    yield backend
    issuer.heal()
    backend.stop()


def wrong_answers(backend, rows, expected):
    answers = {name: backend.ask(*headers) for name, headers in rows}
    return {name: answer for name, answer in answers.items() if (answer[0], answer[1], answer[2].get("code")) != expected}


def test_a_token_of_a_running_server_is_accepted(backend, session):
    access = access_token(session)
    assert backend.ask(f"Bearer {access}") == (200, None, {name: claims(access)[name] for name in ("sub", "sid")})


@pytest.mark.parametrize("change", [{}, {"aud": [APP, "https://elsewhere.example"]}, {"roles": ["editor"]}], ids=str)
def test_a_good_token_is_accepted_whatever_the_case_of_the_scheme(backend, change):
    for scheme in ("Bearer", "bearer", "BEARER", "Bearer "):
        assert backend.ask(f"{scheme} {sign(**change)}") == (200, None, {"sub": "u_1", "sid": "s1"}), scheme


def test_a_forged_or_broken_token_is_refused(backend):
    rows = [(name, [f"Bearer {token}"]) for name, token in forged()]
    assert len(rows) > 130
    assert wrong_answers(backend, rows, (401, INVALID, "token_invalid")) == {}
    assert backend.status(sign()) == 200


def test_a_genuine_token_for_another_purpose_is_refused(backend, session):
    rows = [(name, [f"Bearer {token}"]) for name, token in misdirected(session)]
    assert wrong_answers(backend, rows, (401, INVALID, "token_invalid")) == {}
    # ruby-jwt takes them for expired.
    answers = [backend.ask(f"Bearer {sign(exp=value)}") for value in (None, "soon", [9999999999], {})]
    assert {answer[:2] for answer in answers} == {(401, INVALID)}


def test_an_expired_token_is_refused_with_a_code_of_its_own(backend):
    rows = [(seconds, [f"Bearer {sign(exp=int(time.time()) - seconds)}"]) for seconds in (11, 60, 10**6)]
    assert wrong_answers(backend, rows, (401, INVALID, "token_expired")) == {}


def test_a_token_that_has_just_expired_is_accepted(backend):
    """The clocks of two machines differ. A new token for each try, so that a slow machine does not fail the test."""
    wait_until(lambda: backend.status(sign(exp=int(time.time()) - 1)) == 200)


def test_a_request_has_exactly_one_authorization_header(backend):
    good = f"Bearer {sign()}"
    rows = {
        "twice": [good, good], "good first": [good, "Bearer x"], "good last": ["Bearer x", good], "with Basic": ["Basic YTpi", good], "Basic": ["Basic YTpi"],
        "no scheme": [good.removeprefix("Bearer ")], "no token": ["Bearer"], "empty": [""], "joined": [f"{good}, {good}"], "other scheme": [good.replace("Bearer", "DPoP")]}
    assert wrong_answers(backend, rows.items(), (401, INVALID, "token_invalid")) == {}
    assert backend.ask()[:2] == (401, "Bearer") and backend.ask()[2]["code"] == "session_missing"


def test_after_a_rotation_a_new_token_is_accepted_at_once_and_an_old_one_still(backend, session, cloakroom, issuer):
    old = access_token(session)
    assert backend.status(old) == 200
    assert run("keys", "rotate", "--now", "--data-dir", cloakroom.directory).returncode == 0
    new = wait_until(lambda: (token := access_token(session)) and part(token, 0)["kid"] != part(old, 0)["kid"] and token)
    time.sleep(1.1)     # COOLDOWN: an earlier test may just have caused a fetch
    fetches = issuer.fetches
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(backend.status, [new] * 8)) == {200}
    assert backend.status(old) == 200
    assert issuer.fetches == fetches + 1


def test_a_flood_of_unknown_kids_causes_one_fetch_a_second(backend, issuer):
    fetches, began = issuer.fetches, time.monotonic()
    flood = [sign(HEADER | {"kid": f"unknown{number}"}, key=THIEF) for number in range(FLOOD)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(backend.status, flood)) == {401}
    assert issuer.fetches - fetches <= 2 + (time.monotonic() - began) and issuer.fetches - fetches < FLOOD / 4
    assert backend.status(sign()) == 200


def test_a_backend_that_starts_before_cloakroom_answers_503_until_it_has_keys(hasty):
    status, challenge, problem = hasty.first_answer
    assert (status, challenge, problem["code"]) == (503, None, "unavailable")
    assert hasty.first_fetches <= 1


@pytest.mark.parametrize("fault", [*KeyServer.FAULTS, "reset", "hang"])
def test_known_keys_work_while_the_issuer_is_away(hasty, issuer, fault):
    assert hasty.status(sign()) == 200
    issuer.fault = fault
    fetches = issuer.fetches

    def has_asked_in_vain():
        assert hasty.status(sign(HEADER | {"kid": "unknown"})) == 401
        return issuer.fetches > fetches + 1

    wait_until(has_asked_in_vain)
    assert hasty.status(sign()) == 200
    issuer.heal()


def test_the_key_set_is_fetched_again_in_time_and_a_removed_key_is_refused(hasty, issuer):
    assert hasty.status(sign()) == 200
    issuer.keys = []
    wait_until(lambda: hasty.status(sign()) == 401)
    issuer.keys = [JWK]
    wait_until(lambda: hasty.status(sign()) == 200)


def test_a_request_with_a_known_key_does_not_wait_for_a_fetch(patient, issuer):
    wait_until(lambda: patient.status(sign()) == 200)
    fetches = issuer.fetches
    issuer.fault = "hang"
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        time.sleep(0.2)     # COOLDOWN
        waiting = pool.submit(patient.status, sign(HEADER | {"kid": "unknown"}))
        wait_until(lambda: issuer.fetches > fetches)
        time.sleep(0.4)     # REFRESH: the set is due for the known key, too
        assert patient.status(sign()) == 200 and not waiting.done()
        issuer.heal()
        assert waiting.result() == 401


def test_the_documents_show_every_example():
    pages = "".join((ROOT / "docs" / name).read_text() for name in ("backends.md", "kits.md"))
    shown = set(re.findall(r"^<!-- file: (Examples/backends/[^\s,]+) -->$", pages, re.M))
    linked = set(re.findall(r"\]\(\.\./(Examples/backends/[\w./]+)\)", pages))
    files = {str(path.relative_to(ROOT)) for path in (ROOT / "Examples/backends").rglob("*") if path.is_file()}
    assert {name for name in files if "__pycache__" not in name and not name.endswith("Package.resolved")} == shown | linked
