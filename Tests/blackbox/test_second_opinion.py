"""Compares `cloakroom verify` with PyJWT and joserfc: both libraries accept every token that we accept, and for each token
that only we refuse there is a reason.

The tokens are made here: good ones, attacks with genuine signatures (J1, J2, ...), and thousands of mutants. Every token
goes to both libraries, with the key and its one algorithm fixed. A sample of about 300 goes to `cloakroom verify`."""
import base64
import functools
import hashlib
import hmac
import json
import random
import time

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from joserfc import errors, jwk, jws
from joserfc import jwt as jose

from browser import encode
from server import run

NOW = int(time.time())
LEEWAY = 30
MUTANTS = 1500
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
KEYS = {
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "HS256": bytes(range(32)),
}
# joserfc with the strictness of RFC 7515. By default it also refuses unknown header members.
LENIENT = {name: jws.JWSRegistry(algorithms=[name], strict_check_header=False) for name in KEYS}
for registry in LENIENT.values():
    registry.max_header_length = 1024
CLAIMS = {"iss": "i", "sub": "s", "aud": "a", "iat": NOW, "exp": NOW + 3000}

# Tokens that a library accepts and we refuse, with the reason. A missing row fails the tests, and so does a row that no
# library accepts any more.
NO_DEFAULT_KEY = "kid names the key, exactly; there is no default key (RFC 8725bis 3.1, J12 to J15)"
FOREIGN_KEY = "a token must not bring or point to a key (RFC 8725bis 3.10, J16, J17)"
EXTENSION = "crit, b64, zip and enc are refused whatever they say (RFC 7515 4.1.11, J18, J19, J23)"
TYPE = "typ is a string (RFC 7515 4.1.9, J22)"
DUPLICATE = "a member name stands twice, and readers differ in which one counts (RFC 7515 4, J20)"
ENCODING = "JSON in a token is UTF-8 without a mark (RFC 8725bis 3.7, J42)"
NOT_JSON = "not JSON by RFC 8259, or not the same to every reader (J26, J42)"
NUMBER = "a number that no 64-bit type holds, or of no use as one (J26)"
SIZE = "size and depth are bounded (J24, J25)"
DATE = "a NumericDate is a number between 1970 and 9999 (RFC 7519 2, J30, J31)"
BASE64 = "base64url has one form, without padding (RFC 7515 2, RFC 8725bis 3.14, J29)"
REASONS = {
    NO_DEFAULT_KEY: ["kid absent", "kid unknown", "kid traversal", "kid empty", "kid case", "kid huge"],
    FOREIGN_KEY: ["jku", "x5u", "x5c", "jwk"],
    EXTENSION: ["crit empty", "crit standard", "b64 true", "zip", "enc"],
    TYPE: ["typ number", "typ list"],
    DUPLICATE: ["duplicate alg first", "duplicate same", "payload duplicate", "payload duplicate escaped"],
    ENCODING: [f"{part} {name}" for part in ("header", "payload") for name in ("BOM", "UTF-16", "UTF-16LE")],
    NOT_JSON: [f"{part} {name}" for part in ("header", "payload") for name in ("surrogate", "NaN")],
    NUMBER: ["header 1e400", "header long number", "payload 1e400", "payload long number", "payload 2^63"],
    SIZE: ["header deep", "header long", "payload deep", "payload huge"],
    DATE: ["exp string", "exp 1e300", "exp 2^53"],
    BASE64: ["header padding", "payload padding", "signature padding"],
}
REFUSED_BY_US_ALONE = {row: reason for reason, rows in REASONS.items() for row in rows}

# Tokens that we accept and a library refuses. `--typ any` checks form, signature and time, but sub, jti, iss and aud only
# with `--issuer` and `--audience`. PyJWT checks sub and jti, joserfc from 1.8 checks all four.
ACCEPTED_BY_US_ALONE = {"sub number", "jti number", "iss number", "aud number", "aud empty"}


def sign(algorithm, message):
    key = KEYS[algorithm]
    if algorithm == "ES256":
        r, s = utils.decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    if algorithm == "EdDSA":
        return key.sign(message)
    if algorithm == "RS256":
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    return hmac.new(key, message, hashlib.sha256).digest()


def token(algorithm, header, payload):
    """Signs an object, or bytes unchanged."""
    message = f"{encode(header)}.{encode(payload)}"
    return f"{message}.{encode(sign(algorithm, message.encode()))}"


def public_jwk(algorithm):
    key = KEYS[algorithm]
    if algorithm == "HS256":
        return {"kty": "oct", "k": encode(key), "kid": "k1", "alg": "HS256"}
    pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    kinds = {"ES256": "EC", "EdDSA": "OKP", "RS256": "RSA"}
    return jwk.import_key(pem, kinds[algorithm]).as_dict(private=False) | {"kid": "k1", "alg": algorithm, "use": "sig"}


def text(header):
    return json.dumps(header).encode()


def good(algorithm):
    header = {"alg": algorithm, "kid": "k1", "typ": "at+jwt"}
    yield "good", token(algorithm, header, CLAIMS)
    yield "good other typ", token(algorithm, header | {"typ": "JWT"}, CLAIMS)
    yield "good without typ", token(algorithm, {"kid": "k1", "alg": algorithm}, CLAIMS)
    yield "good unknown member", token(algorithm, header | {"x": [1, {"y": None}]}, CLAIMS)
    yield "good spaces", token(algorithm, json.dumps(header, indent=2).encode(), json.dumps(CLAIMS, indent=2).encode())
    yield "good escapes", token(algorithm, text(header).replace(b'"alg"', b'"\\u0061lg"'), CLAIMS)
    yield "good claims", token(algorithm, header, CLAIMS | {"aud": ["a", "b"], "x": {"y": [1, 2.5, None, True, "\u00e9\U0001f600"]}})
    yield "good without dates", token(algorithm, header, {"sub": "s"})
    yield "good empty", token(algorithm, header, {})
    yield "good fraction", token(algorithm, header, CLAIMS | {"exp": NOW + 3000.5})
    yield "good nbf", token(algorithm, header, CLAIMS | {"nbf": NOW - 10})


def table_j(algorithm):
    header = {"alg": algorithm, "kid": "k1", "typ": "at+jwt"}
    genuine = token(algorithm, header, CLAIMS)
    head, payload, signature = genuine.split(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    for name in ("none", "None", "NONE", "nOnE", " none", "none\u0000", "", "HS512", "ES384", "RS512", "PS256", algorithm.lower(), algorithm + " "):
        yield f"alg {name!r}", token(algorithm, header | {"alg": name}, CLAIMS)
        yield f"alg {name!r} bare", f"{encode(header | {'alg': name})}.{payload}."
    for value in (None, 1, [algorithm], {}, True):
        yield f"alg {value!r}", token(algorithm, header | {"alg": value}, CLAIMS)
    yield "alg absent", token(algorithm, {"kid": "k1"}, CLAIMS)
    yield "kid absent", token(algorithm, {"alg": algorithm}, CLAIMS)
    for name, kid in (("unknown", "k2"), ("traversal", "../../dev/null"), ("empty", ""), ("case", "K1"), ("number", 1), ("null", None), ("list", ["k1"])):
        yield f"kid {name}", token(algorithm, header | {"kid": kid}, CLAIMS)
    yield "kid huge", token(algorithm, header | {"kid": "k" * 5000}, CLAIMS)
    for name, more in (
        ("crit unknown", {"crit": ["x"], "x": 1}), ("crit empty", {"crit": []}), ("crit standard", {"crit": ["alg"]}), ("crit absent", {"crit": ["x"]}),
        ("crit twice", {"crit": ["x", "x"], "x": 1}), ("crit exp", {"crit": ["exp"], "exp": 1}), ("b64 false", {"b64": False}), ("b64 crit", {"crit": ["b64"], "b64": False}),
        ("b64 true", {"crit": ["b64"], "b64": True}), ("zip", {"zip": "DEF"}), ("enc", {"enc": "A128GCM"}), ("jku", {"jku": "http://127.0.0.1:9/"}), ("x5u", {"x5u": "file:///etc/passwd"}),
        ("x5c", {"x5c": ["MIIB"]}), ("jwk", {"jwk": public_jwk("ES256")}), ("cty", {"cty": "JWT"}), ("typ number", {"typ": 1}), ("typ list", {"typ": ["at+jwt"]}),
    ):
        yield name, token(algorithm, header | more, CLAIMS)
    for name, head_text in (
        ("duplicate alg", text(header)[:-1] + b',"alg":"none"}'), ("duplicate alg first", b'{"alg":"none",' + text(header)[1:]),
        ("duplicate alg escaped", text(header)[:-1] + b',"\\u0061lg":"none"}'), ("duplicate same", text(header)[:-1] + b',"typ":"at+jwt"}'),
        ("header BOM", b"\xef\xbb\xbf" + text(header)), ("header UTF-16", json.dumps(header).encode("utf-16")), ("header UTF-16LE", json.dumps(header).encode("utf-16-le")),
        ("header overlong", text(header)[:-1] + b',"x":"\xc0\xaf"}'), ("header surrogate", text(header)[:-1] + b',"x":"\\ud800"}'), ("header trailing", text(header) + b"x"),
        ("header NaN", text(header)[:-1] + b',"x":NaN}'), ("header 1e400", text(header)[:-1] + b',"x":1e400}'), ("header long number", text(header)[:-1] + b',"x":' + b"9" * 600 + b"}"),
        ("header 1e300", text(header)[:-1] + b',"x":1e300}'), ("header -0", text(header)[:-1] + b',"x":-0}'), ("header list", b"[" + text(header) + b"]"), ("header null", b"null"),
        ("header empty", b""), ("header deep", text(header)[:-1] + b',"x":' + b"[" * 300 + b"]" * 300 + b"}"), ("header depth 8", text(header)[:-1] + b',"x":' + b"[" * 7 + b"]" * 7 + b"}"),
        ("header control", text(header)[:-1] + b',"x":"\x01"}'), ("header long", text(header)[:-1] + b',"x":"' + b"x" * 1000 + b'"}'),
    ):
        yield name, token(algorithm, head_text, CLAIMS)
    claims = text(CLAIMS)
    for name, body in (
        ("payload duplicate", claims[:-1] + b',"sub":"root"}'), ("payload duplicate escaped", claims[:-1] + b',"\\u0073ub":"root"}'), ("payload BOM", b"\xef\xbb\xbf" + claims),
        ("payload UTF-16", json.dumps(CLAIMS).encode("utf-16")), ("payload UTF-16LE", json.dumps(CLAIMS).encode("utf-16-le")), ("payload overlong", claims[:-1] + b',"x":"\xc0\xaf"}'),
        ("payload surrogate", claims[:-1] + b',"x":"\\ud800"}'), ("payload NaN", claims[:-1] + b',"x":NaN}'), ("payload 1e400", claims[:-1] + b',"x":1e400}'),
        ("payload long number", claims[:-1] + b',"x":' + b"9" * 4000 + b"}"), ("payload trailing", claims + b"{}"), ("payload list", b"[]"), ("payload null", b"null"), ("payload empty", b""),
        ("payload string", b'"x"'), ("payload text", b"hello"), ("payload deep", claims[:-1] + b',"x":' + b"[" * 500 + b"]" * 500 + b"}"), ("payload control", claims[:-1] + b',"x":"\n"}'),
        ("payload huge", claims[:-1] + b',"x":"' + b"x" * 9000 + b'"}'), ("payload 2^63", claims[:-1] + b',"x":9223372036854775808}'),
    ):
        yield name, token(algorithm, header, body)
    for name, more in (
        ("exp past", {"exp": NOW - 60}), ("exp string", {"exp": str(NOW + 3000)}), ("exp null", {"exp": None}), ("exp true", {"exp": True}), ("exp list", {"exp": [NOW + 3000]}),
        ("exp negative", {"exp": -1}), ("exp 1e300", {"exp": 1e300}), ("exp 2^53", {"exp": 2**53 + 1}), ("nbf future", {"nbf": NOW + 3000}), ("nbf string", {"nbf": "x"}), ("iat future", {"iat": NOW + 3000}),
        ("iat string", {"iat": "x"}), ("sub number", {"sub": 1}), ("aud empty", {"aud": []}), ("aud number", {"aud": 1}), ("jti number", {"jti": 1}), ("iss number", {"iss": 1}),
    ):
        yield name, token(algorithm, header, CLAIMS | more)
    for part, name in enumerate(("header", "payload", "signature")):
        for label, change in (
            ("padding", lambda part: part + "=" * (-len(part) % 4)), ("wrong padding", lambda part: part + "=" * (3 - len(part) % 2)), ("newline", lambda part: part[:4] + "\n" + part[4:]), ("space", lambda part: part + " "),
            ("star", lambda part: part[:4] + "*" + part[4:]), ("standard alphabet", lambda part: part.replace("-", "+").replace("_", "/")), ("loose bits", loosened), ("letter more", lambda part: part + "A"),
        ):
            parts = [head, payload, signature]
            changed = change(parts[part])
            if changed == parts[part]:
                continue
            parts[part] = changed
            if part < 2:
                parts[2] = encode(sign(algorithm, f"{parts[0]}.{parts[1]}".encode()))
            yield f"{name} {label}", ".".join(parts)
    yield from [("two parts", f"{head}.{payload}"), ("no signature", f"{head}.{payload}."), ("four parts", f"{genuine}.x"), ("five parts", f"{genuine}.{payload}.{signature}")]
    yield from [("space before", f" {genuine}"), ("tab after", f"{genuine}\t"), ("Bearer", f"Bearer {genuine}"), ("upper case", genuine.upper())]
    yield "flattened JSON", json.dumps({"payload": payload, "protected": head, "signature": signature})
    yield "general JSON", json.dumps({"payload": payload, "signatures": [{"protected": head, "signature": signature}]})
    yield from [("signature zero", f"{head}.{payload}.{encode(bytes(len(raw)))}"), ("signature ones", f"{head}.{payload}.{encode(bytes([255]) * len(raw))}")]
    yield from [("signature longer", f"{head}.{payload}.{encode(raw + b'x')}"), ("signature zero in front", f"{head}.{payload}.{encode(bytes(1) + raw)}"), ("signature cut", f"{head}.{payload}.{encode(raw[:-1])}")]
    for secret in (b"", json.dumps(public_jwk(algorithm)).encode(), public_jwk(algorithm).get("x", "x").encode()):
        message = f"{encode(header | {'alg': 'HS256'})}.{payload}".encode()
        yield f"HS256 over {secret[:8]!r}", f"{message.decode()}.{encode(hmac.new(secret, message, hashlib.sha256).digest())}"
    if algorithm == "ES256":
        r, s = raw[:32], int.from_bytes(raw[32:], "big")
        yield "(r, n - s)", f"{head}.{payload}.{encode(r + (P256_ORDER - s).to_bytes(32, 'big'))}"
        yield "DER", f"{head}.{payload}.{encode(utils.encode_dss_signature(int.from_bytes(r, 'big'), s))}"


def loosened(part):
    """Sets the unused bits of the last letter, if it has any."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return part[:-1] + alphabet[alphabet.index(part[-1]) | 1] if len(part) % 4 else part


def mutants(algorithm):
    generator = random.Random(algorithm)
    genuine = token(algorithm, {"alg": algorithm, "kid": "k1", "typ": "at+jwt"}, CLAIMS)
    letters = "ABCXYZabcxyz019-_.=+/ \n\t~*\u00e9"
    for number in range(MUTANTS):
        letters_of = list(genuine)
        for _ in range(generator.randint(1, 3)):
            index = generator.randrange(len(letters_of))
            action = generator.randrange(5)
            if action == 0:
                letters_of[index] = generator.choice(letters)
            elif action == 1:
                letters_of.insert(index, generator.choice(letters))
            elif action == 2:
                del letters_of[index]
            elif action == 3:
                letters_of[index] = chr(ord(letters_of[index]) ^ 1 << generator.randrange(7))
            else:
                letters_of = letters_of[: max(1, len(letters_of) - generator.randint(1, 9))]
        mutant = "".join(letters_of)
        if mutant != genuine:
            yield f"mutant {number}", mutant


@functools.cache
def ours(path, text):
    result = run("verify", "--jwks", path, "--typ", "any", "--now", NOW, "-", stdin=text)
    assert result.returncode in (0, 1), f"{text!r}: {result.returncode} {result.stderr}"
    assert (result.returncode == 0) == (result.stdout != ""), text
    return result.returncode == 0


def pyjwt(algorithm, text):
    key = KEYS[algorithm] if algorithm == "HS256" else KEYS[algorithm].public_key()
    try:
        # PyJWT refuses a token with an audience if none is expected.
        jwt.decode(text, key, algorithms=[algorithm], options={"verify_aud": False}, leeway=LEEWAY)
        return True
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError, RecursionError, OverflowError, KeyError):
        return False


def joserfc(algorithm, text):
    key = jwk.import_key(public_jwk(algorithm))
    try:
        decoded = jose.decode(text, key, algorithms=[algorithm], registry=LENIENT[algorithm])
        jose.JWTClaimsRegistry(now=NOW, leeway=LEEWAY).validate(decoded.claims)
        return isinstance(decoded.claims, dict)
    except (errors.JoseError, ValueError, TypeError, AttributeError, RecursionError, OverflowError, KeyError):
        return False


@functools.cache
def corpus(algorithm):
    """All tokens: name, token, and the libraries that accept it."""
    rows = [*good(algorithm), *table_j(algorithm), *mutants(algorithm)]
    return [(name, row, [library.__name__ for library in (pyjwt, joserfc) if library(algorithm, row)]) for name, row in rows]


def sample(algorithm):
    """The tokens for the command. ES256: all tokens that a library accepts. Other algorithms: all good tokens and some others.
    Of the rest as many as the limit allows."""
    rows = corpus(algorithm)
    generator = random.Random(algorithm)
    accepted, named, mutated = [], [], []
    for row in rows:
        (accepted if row[2] else mutated if row[0].startswith("mutant") else named).append(row)
    if algorithm == "ES256":
        return accepted + generator.sample(named, 75) + generator.sample(mutated, 30)
    surely = [row for row in accepted if row[0].startswith(("good", "mutant"))]
    others = [row for row in accepted if row not in surely]
    return surely + generator.sample(others, 10) + generator.sample(named, 10) + generator.sample(mutated, 10)


@pytest.fixture(scope="module")
def key_set(tmp_path_factory):
    @functools.cache
    def write(algorithm):
        path = tmp_path_factory.mktemp("jwks") / "jwks.json"
        path.write_text(json.dumps({"keys": [public_jwk(algorithm)]}))
        return path

    return write


@pytest.mark.parametrize("algorithm", sorted(KEYS))
def test_both_libraries_accept_what_we_accept_and_what_only_we_refuse_has_a_reason(key_set, algorithm):
    path = key_set(algorithm)
    wrong, unexplained, accepted = [], [], 0
    for name, row, libraries in sample(algorithm):
        if ours(path, row):
            accepted += 1
            if len(libraries) < 2 and name not in ACCEPTED_BY_US_ALONE:
                wrong.append((name, libraries, row))
        elif libraries and name not in REFUSED_BY_US_ALONE:
            unexplained.append((name, libraries, row))
    assert wrong == [], "accepted by us alone"
    assert unexplained == [], "refused by us alone"
    assert accepted >= 11, "the good ones are accepted"


@pytest.mark.parametrize("algorithm", sorted(KEYS))
def test_every_valid_token_is_accepted_by_all(algorithm):
    for name, row, libraries in corpus(algorithm):
        assert len(libraries) == 2 or not name.startswith("good"), name


def test_the_list_of_tokens_that_only_we_refuse_is_exact(key_set):
    path = key_set("ES256")
    accepted = {name: row for name, row, libraries in corpus("ES256") if libraries}
    assert set(REFUSED_BY_US_ALONE) <= set(accepted), "no library accepts these any more"
    for name in REFUSED_BY_US_ALONE:
        assert not ours(path, accepted[name]), f"we accept {name}"


def test_the_sample_stays_small():
    """Each token of the sample starts one process."""
    assert sum(len(sample(algorithm)) for algorithm in KEYS) <= 300
