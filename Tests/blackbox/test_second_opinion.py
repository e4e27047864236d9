"""What we accept, the libraries of other backends accept too: PyJWT and joserfc as second opinions."""
import base64
import json
import random

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc import jwk, jws

from browser import encode
from server import run

NOW = 1_800_000_000
KEYS = {
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
}
CLAIMS = {"iss": "i", "sub": "s", "aud": "a", "iat": NOW, "exp": NOW + 300}
SAMPLES = 40


def public_jwk(algorithm):
    name = jwt.algorithms.get_default_algorithms()[algorithm]
    members = name.to_jwk(KEYS[algorithm].public_key())
    members = json.loads(members) if isinstance(members, str) else members
    return {key: value for key, value in members.items() if key not in ("key_ops",)} | {"kid": "k1", "alg": algorithm, "use": "sig"}


def good(algorithm, claims=CLAIMS, **header):
    return jwt.encode(claims, KEYS[algorithm], algorithm=algorithm, headers={"kid": "k1", "typ": "at+jwt"} | header)


def mutants(token, seed):
    random.seed(seed)
    alphabet = "ABCxyz019-_.=+/ "
    for _ in range(SAMPLES):
        text = list(token)
        for _ in range(random.randint(1, 3)):
            index = random.randrange(len(text))
            action = random.choice(("replace", "insert", "delete", "cut"))
            if action == "replace":
                text[index] = random.choice(alphabet)
            elif action == "insert":
                text.insert(index, random.choice(alphabet))
            elif action == "delete":
                del text[index]
            else:
                text = text[: max(1, index)]
        yield "".join(text)


def corpus(algorithm):
    token = good(algorithm)
    header, payload, signature = token.split(".")
    yield token
    yield good(algorithm, typ="application/at+jwt")
    yield good(algorithm, CLAIMS | {"aud": ["a", "b"], "nested": {"deep": [1, 2.5, None, True, "\u00e9"]}})
    yield from mutants(token, algorithm)
    yield good(algorithm, crit=["x"], x=1)
    yield good(algorithm, kid="other")
    yield f"{encode({'alg': 'none', 'kid': 'k1'})}.{payload}."
    yield f"{header}.{payload}.{signature}=="
    spare = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    yield f"{header}.{payload}.{base64.urlsafe_b64encode(spare + b'x').rstrip(b'=').decode()}"


def ours(path, token):
    result = run("verify", "--jwks", path, "--typ", "any", "--now", NOW + 1, "-", stdin=token)
    assert result.returncode in (0, 1), result.stderr
    return result.returncode == 0


def pyjwt(algorithm, token):
    options = {"verify_exp": False, "verify_aud": False, "verify_iat": False}
    try:
        jwt.decode(token, KEYS[algorithm].public_key(), algorithms=[algorithm], options=options)
        return True
    except (jwt.PyJWTError, ValueError):
        return False


def joserfc(algorithm, token):
    try:
        jws.deserialize_compact(token, jwk.import_key(public_jwk(algorithm)), algorithms=[algorithm])
        return True
    except Exception:
        return False


@pytest.mark.parametrize("algorithm", sorted(KEYS))
def test_what_we_accept_two_others_accept(tmp_path, algorithm):
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": [public_jwk(algorithm)]}))
    accepted = 0
    for token in corpus(algorithm):
        if ours(path, token):
            accepted += 1
            assert pyjwt(algorithm, token) and joserfc(algorithm, token), token
    assert accepted >= 3, "the good ones are accepted"


@pytest.mark.parametrize("algorithm", sorted(KEYS))
def test_the_known_disagreements_are_ours_to_refuse(tmp_path, algorithm):
    """No fallback to a default key, and no token whose bytes can be spelled a second way."""
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": [public_jwk(algorithm)]}))
    token = good(algorithm)
    stranger = good(algorithm, kid="other")
    assert pyjwt(algorithm, stranger) and not ours(path, stranger)
    assert not ours(path, token + "=")
