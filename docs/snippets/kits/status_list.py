"""Says whether the session of an access token has ended, by polling a Token Status List. pip install 'pyjwt[crypto]'"""
import base64
import time
import urllib.request
import zlib

import jwt

PUBLIC_URL = "https://app.example.com"  # the setting publicURL of Cloakroom
CLOAKROOM = "http://127.0.0.1:8080"  # the public listener, as this backend connects to it
keys = jwt.PyJWKClient(CLOAKROOM + "/.well-known/jwks.json")
lists = {}


def is_revoked(claims):
    """`claims`: those of an access token that has passed all other checks. Respond with 503 if this raises an error."""
    entry = claims["status"]["status_list"]
    bits = read(entry["uri"])
    return bits[entry["idx"] // 8] >> entry["idx"] % 8 & 1 == 1


def read(uri):
    """The bits of a list that is at most `ttl` seconds old; while Cloakroom does not respond, of one before its `exp`."""
    known, bits = lists.get(uri, ({"iat": 0, "ttl": 0, "exp": 0}, b""))
    if time.time() >= known["iat"] + known["ttl"]:
        try:
            known, bits = lists[uri] = fetch(uri)
        except (OSError, jwt.PyJWTError):
            if time.time() >= known["exp"]:
                raise
    return bits


def fetch(uri):
    with urllib.request.urlopen(CLOAKROOM + uri.removeprefix(PUBLIC_URL), timeout=2) as response:
        token = response.read().decode()
    key = keys.get_signing_key_from_jwt(token)
    options = {"require": ["sub", "iat", "exp", "ttl", "status_list"]}
    parsed = jwt.decode_complete(token, key, algorithms=["ES256"], leeway=10, options=options)
    claims, text = parsed["payload"], parsed["payload"]["status_list"]["lst"]
    if parsed["header"]["typ"] != "statuslist+jwt" or claims["sub"] != uri:
        raise jwt.InvalidTokenError("this is not the status list " + uri)
    return claims, zlib.decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
