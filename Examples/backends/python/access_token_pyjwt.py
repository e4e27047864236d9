"""Checks access tokens of Cloakroom. pip install "PyJWT[crypto]>=2.15" """
import threading
import time

import jwt

from bearer import Refused, Unavailable

ISSUER = AUDIENCE = "https://app.example.com"  # your publicURL
JWKS = "http://127.0.0.1:8080/.well-known/jwks.json"
ALGORITHM = "ES256"  # never read it from the token
LEEWAY = 10  # seconds that the clocks of the two machines may differ
REFRESH = 300  # seconds between two fetches of the key set, so that a removed key is refused
COOLDOWN = 1  # seconds between two fetches that tokens with an unknown kid cause
TIMEOUT = 2  # seconds


class Keys(jwt.PyJWKClient):
    """PyJWKClient caches the key set and limits the fetches for unknown kids. These methods add what it lacks."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.last_good = None
        self.tried = float("-inf")
        self.lock = threading.Lock()

    def fetch_data(self):
        """Keeps the last good key set while Cloakroom cannot be reached."""
        if self.last_good is None and time.monotonic() - self.tried < COOLDOWN:
            raise Unavailable
        try:
            super().fetch_data()
            self.last_good = self.jwk_set_cache.get()
        except (jwt.PyJWTError, OSError, ValueError) as error:
            print(f"the key set could not be fetched, the last one stays: {error!r}", flush=True)
            if self.last_good is None:
                raise Unavailable from error
        finally:
            self.tried = time.monotonic()
        return self.last_good

    def get_signing_key(self, kid):
        """While a request fetches, requests with a known kid do not wait, those with an unknown kid do."""
        known = self.last_good and self.match_kid(self.last_good.keys, kid)
        if not self.lock.acquire(blocking=not known):
            return known
        try:
            return super().get_signing_key(kid)
        finally:
            self.lock.release()


keys = Keys(JWKS, lifespan=REFRESH, cooldown_duration=COOLDOWN, timeout=TIMEOUT)


def verify(token):
    """Returns the claims of an access token. Raises Refused or Unavailable."""
    try:
        verified = jwt.decode_complete(
            token, keys.get_signing_key_from_jwt(token), algorithms=[ALGORITHM], issuer=ISSUER, audience=AUDIENCE,
            leeway=LEEWAY, options={"require": ["exp", "iss", "aud", "sub"]})
    except jwt.ExpiredSignatureError:
        raise Refused("token_expired")
    except jwt.PyJWTError:
        raise Refused
    if verified["header"].get("typ") != "at+jwt" or not verified["payload"]["sub"]:
        raise Refused  # a refresh token, or an ID token of the same issuer
    return verified["payload"]
