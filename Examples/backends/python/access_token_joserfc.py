"""Checks access tokens of Cloakroom. pip install "joserfc>=1.6" """
import json
import threading
import time
import urllib.request

from joserfc import errors, jwk, jwt

from bearer import Refused, Unavailable

ISSUER = AUDIENCE = "https://app.example.com"  # your publicURL
JWKS = "http://127.0.0.1:8080/.well-known/jwks.json"
ALGORITHM = "ES256"  # never read it from the token
LEEWAY = 10  # seconds that the clocks of the two machines may differ
REFRESH = 300  # seconds between two fetches of the key set, so that a removed key is refused
COOLDOWN = 1  # seconds between two fetches that tokens with an unknown kid cause
TIMEOUT = 2  # seconds


class Keys:
    """The last good key set. joserfc has no client for key sets."""

    def __init__(self):
        self.keys = {}
        self.tried = float("-inf")
        self.lock = threading.Lock()

    def find(self, kid):
        # While a request fetches, requests with a known kid do not wait, those with an unknown kid do.
        if self.is_due(kid) and self.lock.acquire(blocking=kid not in self.keys):
            try:
                if self.is_due(kid):
                    self.fetch()
            finally:
                self.lock.release()
        if not self.keys:
            raise Unavailable
        return self.keys.get(kid)

    def is_due(self, kid):
        return time.monotonic() - self.tried > (REFRESH if kid in self.keys else COOLDOWN)

    def fetch(self):
        try:
            with urllib.request.urlopen(JWKS, timeout=TIMEOUT) as response:
                found = jwk.KeySet.import_key_set(json.load(response))
            self.keys = {key.kid: key for key in found.keys}
        except (OSError, ValueError, TypeError, KeyError, AttributeError, errors.JoseError) as error:
            print(f"the key set could not be fetched, the last one stays: {error!r}", flush=True)
        finally:
            self.tried = time.monotonic()


keys = Keys()
rules = {"exp": {}, "sub": {}, "iss": {"value": ISSUER}, "aud": {"value": AUDIENCE}}
rules = {name: rule | {"essential": True} for name, rule in rules.items()}


def key_of(token):
    kid = token.headers().get("kid")
    if not isinstance(kid, str) or not (key := keys.find(kid)):
        raise Refused
    return key


def verify(token):
    """Returns the claims of an access token. Raises Refused or Unavailable."""
    try:
        decoded = jwt.decode(token, key_of, algorithms=[ALGORITHM])
        jwt.JWTClaimsRegistry(leeway=LEEWAY, **rules).validate(decoded.claims)
    except errors.ExpiredTokenError:
        raise Refused("token_expired")
    except (errors.JoseError, TypeError, AttributeError, RecursionError):
        raise Refused  # joserfc raises more than its own errors for a header of the wrong shape
    claims = decoded.claims
    if decoded.header.get("typ") != "at+jwt":
        raise Refused  # a refresh token, or an ID token of the same issuer
    # joserfc takes lists for strings here.
    if claims["iss"] != ISSUER or not isinstance(claims["sub"], str) or not claims["sub"]:
        raise Refused
    return claims
