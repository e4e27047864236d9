# pip install "PyJWT[crypto]>=2.14"
import jwt

ISSUER = AUDIENCE = "http://localhost"      # your publicURL; this is what it is without one
LEEWAY = 10     # seconds: clocks differ, and a request takes its time
# Fetches the keys at the first token, and once more for a key that it does not know: after a rotation.
keys = jwt.PyJWKClient("http://localhost:8080/.well-known/jwks.json")
keys.cooldown_duration = 1      # seconds between two fetches; by itself it waits 30


def verify(token: str) -> dict:
    """The claims of an access token. Raises jwt.PyJWTError for everything else."""
    key = keys.get_signing_key_from_jwt(token)
    verified = jwt.decode_complete(
        token, key, algorithms=["ES256"], issuer=ISSUER, audience=AUDIENCE, leeway=LEEWAY,
        options={"require": ["exp", "iss", "aud", "sub"]})
    if verified["header"].get("typ") != "at+jwt":
        raise jwt.InvalidTokenError("not an access token")
    return verified["payload"]
