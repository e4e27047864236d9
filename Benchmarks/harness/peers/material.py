"""Keys and access tokens, the same for every peer."""
import base64
import json
import os
import time
import uuid
from functools import cache
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from .peer import Material

LIFETIME = 3600


def make(directory: Path, venv: Path) -> Material:
    """Writes new keys into an existing directory."""
    material = Material(
        directory=directory,
        issuer="https://id.example.org",
        audience="app",
        kid="bench-1",
        ec_private_pem=directory / "ec-private.pem",
        ec_public_pem=directory / "ec-public.pem",
        jwks=directory / "jwks.json",
        hs_secret=directory / "hs-secret",
        venv=venv,
    )
    key = ec.generate_private_key(ec.SECP256R1())
    material.ec_private_pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    material.ec_public_pem.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    material.jwks.write_text(json.dumps({"keys": [_jwk(key.public_key(), material.kid)]}))
    material.hs_secret.write_bytes(base64.urlsafe_b64encode(os.urandom(48)))
    return material


def token(material: Material, algorithm: str, **claims: object) -> str:
    """A valid access token, except for the given claims."""
    header = {"typ": "at+jwt", "kid": material.kid}
    payload = _claims(material) | claims
    return jwt.encode(payload, _key(material, algorithm), algorithm, headers=header)


def tokens(material: Material, algorithm: str, count: int) -> list[str]:
    return [token(material, algorithm) for _ in range(count)]


def _claims(material: Material) -> dict[str, object]:
    now = int(time.time())
    return {
        "iss": material.issuer,
        "sub": str(uuid.uuid4()),
        "aud": material.audience,
        "client_id": "web",
        "iat": now,
        "exp": now + LIFETIME,
        "jti": os.urandom(16).hex(),
        "sid": os.urandom(16).hex(),
        "gen": 1,
        "auth_time": now,
        "acr": "1",
        "amr": ["pwd"],
        "scope": "openid profile",
    }


@cache
def _key(material: Material, algorithm: str) -> object:
    if algorithm == "none":
        return None
    if algorithm == "HS256":
        return material.hs_secret.read_bytes()
    return serialization.load_pem_private_key(material.ec_private_pem.read_bytes(), password=None)


def _jwk(key: ec.EllipticCurvePublicKey, kid: str) -> dict[str, str]:
    numbers = key.public_numbers()
    return {
        "kty": "EC",
        "crv": "P-256",
        "use": "sig",
        "alg": "ES256",
        "kid": kid,
        "x": _base64url(numbers.x.to_bytes(32, "big")),
        "y": _base64url(numbers.y.to_bytes(32, "big")),
    }


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
