"""The checks of an access token (RFC 9068), all but revocation."""
import logging
import re
import time
from typing import Any

import jwt

from .key_set import Key
from .limits import LEEWAY
from .refused_request import RefusedRequest

logger = logging.getLogger("cloakroom")
_TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
# PyJWT raises its own errors for most faults of a token, and these for some values of the wrong shape.
_FAULTS = (jwt.PyJWTError, ValueError, TypeError, AttributeError, OverflowError, RecursionError)
_WARNING_PERIOD = 60


class AccessTokenVerifier:
    def __init__(self, issuer: str, audience: str, host: str | None, algorithms: tuple[str, ...], longest_token_lifetime: float):
        self._issuer, self._audience, self._host = issuer, audience, host
        self._algorithms = algorithms
        self._longest = longest_token_lifetime
        self._warned = float("-inf")

    def key_id(self, token: str) -> str:
        """The `kid` of a token that could be one of ours. Nothing is verified yet."""
        try:
            header = jwt.get_unverified_header(token) if _TOKEN.fullmatch(token) else {}
        except _FAULTS:
            raise RefusedRequest("token_invalid") from None
        # Another `typ` is a refresh token, or an ID token of the same issuer. `crit` names rules that are not known here.
        if _algorithm(header) not in self._algorithms or header.get("typ") != "at+jwt" or "crit" in header:
            raise RefusedRequest("token_invalid")
        if not isinstance(header.get("kid"), str):
            raise RefusedRequest("token_invalid")
        return header["kid"]

    def verify(self, token: str, key: Key) -> dict[str, Any]:
        """The claims of a token with this key's signature, for this audience, at this time."""
        try:
            name = jwt.get_unverified_header(token)["alg"]
            if _algorithm({"alg": name}) != key.algorithm:
                raise RefusedRequest("token_invalid")
            claims = jwt.decode(
                token, key.jwk, algorithms=[name], issuer=self._issuer, audience=self._audience, leeway=LEEWAY,
                options={"require": ["iss", "aud", "sub", "sid", "exp", "iat"]})
            self._check(claims)
        except jwt.ExpiredSignatureError:
            raise RefusedRequest("token_expired") from None
        except _FAULTS as error:
            self._warn(error)
            raise RefusedRequest("token_invalid") from None
        return claims

    def _check(self, claims: dict[str, Any]) -> None:
        """What PyJWT leaves to the caller."""
        for name in ("sub", "sid"):
            if not isinstance(claims[name], str) or not claims[name]:
                raise RefusedRequest("token_invalid")
        for name in ("exp", "iat", "nbf"):
            if name in claims and (isinstance(claims[name], bool) or not isinstance(claims[name], int | float)):
                raise RefusedRequest("token_invalid")
        if self._host != "*" and claims.get("cloakroom:host") != self._host:
            raise jwt.InvalidTokenError("it belongs to another host")
        if claims["exp"] - claims["iat"] > self._longest + LEEWAY:
            # The view of revocations forgets a session before such a token expires.
            raise jwt.InvalidTokenError("it is valid for longer than longest_token_lifetime")
        if claims["exp"] > time.time() + self._longest + LEEWAY:
            raise RefusedRequest("token_expired")

    def _warn(self, error: Exception) -> None:
        """Logs a token that a key of the issuer has signed, but that this app refuses: a setting is probably wrong."""
        known = jwt.InvalidIssuerError, jwt.InvalidAudienceError
        if (isinstance(error, known) or type(error) is jwt.InvalidTokenError) and time.monotonic() > self._warned + _WARNING_PERIOD:
            self._warned = time.monotonic()
            logger.warning("a token of a known key was refused; see the arguments of ResourceServer: %s", error)


def _algorithm(header: dict[str, Any]) -> str | None:
    """RFC 9864 renames EdDSA to Ed25519; both are in use."""
    name = header.get("alg")
    return "Ed25519" if name == "EdDSA" else name if isinstance(name, str) else None
