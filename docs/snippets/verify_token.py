# pip install "PyJWT[crypto]>=2.14"
import jwt

ISSUER = AUDIENCE = "http://localhost"      # your publicURL; without publicURL keep this value
LEEWAY = 10     # seconds: clocks differ, and a request takes time
# Fetches the key set for the first token, and again when a token names an unknown key (after a rotation).
keys = jwt.PyJWKClient("http://localhost:8080/.well-known/jwks.json")
keys.cooldown_duration = 1      # seconds between two fetches; the default is 30


def verify(token: str) -> dict:
    """Returns the claims of an access token. Raises jwt.PyJWTError if it is not a valid one."""
    key = keys.get_signing_key_from_jwt(token)
    verified = jwt.decode_complete(
        token, key, algorithms=["ES256"], issuer=ISSUER, audience=AUDIENCE, leeway=LEEWAY,
        options={"require": ["exp", "iss", "aud", "sub"]})
    if verified["header"].get("typ") != "at+jwt":
        raise jwt.InvalidTokenError("not an access token")
    return verified["payload"]
