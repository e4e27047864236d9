"""The check of a request."""
import asyncio
import os
import re
import weakref
from typing import Any

from .access_token import AccessTokenVerifier
from .address import ServiceAddress
from .key_set import KeySetFeed
from .refused_request import RefusedRequest
from .revocation_stream import RevocationSource, RevocationStream
from .revocation_view import RevocationView

_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)
_ALGORITHMS = {"ES256", "Ed25519", "RS256"}
# The stream has the entries of the last day.
_LONGEST_TOKEN_LIFETIME = 23 * 3600


class ResourceServer:
    """Verifies the access tokens of a Cloakroom that runs elsewhere. Make one when the app is loaded.

    Two threads fetch the key set and follow the stream of revocations; a request reads memory only. A process that is forked, such
    as a worker of gunicorn, starts threads of its own.

    `issuer`: `iss` of the tokens: the issuer's `publicURL`. `audience`: `aud` of the tokens, the same by default.
    `host`: the host of the issuer's setting `hosts` to which this app belongs, "*" for all, by default the login host.
    `jwks`: the address of the key set, by default `/.well-known/jwks.json` of the issuer.
    `algorithms`: the issuer's `signingAlgorithm`; two of them while it changes.
    `revocations`: the stream of revocations; without it a token is good until it expires.
    `longest_token_lifetime`: a token that is valid for longer is refused. Set it at least to the issuer's `accessTokenLifetime`.
    `insecure_allows_plain_http`: allows `http` to other hosts than the local one.
    """

    def __init__(
        self, issuer: str, *, audience: str | None = None, host: str | None = None, jwks: str | None = None,
        algorithms: tuple[str, ...] = ("ES256",),
        revocations: RevocationSource | None = None, longest_token_lifetime: float = 3600, insecure_allows_plain_http: bool = False,
    ):
        if not algorithms or not set(algorithms) <= _ALGORITHMS:
            raise ValueError(f"algorithms has a name that is not one of {', '.join(sorted(_ALGORITHMS))}")
        if not 0 < longest_token_lifetime <= _LONGEST_TOKEN_LIFETIME:
            raise ValueError("longest_token_lifetime is over 23 hours: the stream has the entries of one day")
        self._jwks = ServiceAddress(jwks or f"{issuer}/.well-known/jwks.json", allows_plain_http=insecure_allows_plain_http)
        self._verifier = AccessTokenVerifier(issuer, audience or issuer, host, tuple(algorithms), longest_token_lifetime)
        self._revocations = revocations
        self._longest_token_lifetime = longest_token_lifetime
        self._listener = revocations and ServiceAddress(
            revocations.private_listener, "/service/revocations", insecure_allows_plain_http)
        self._start()
        _servers.add(self)

    def _start(self) -> None:
        self._keys = KeySetFeed(self._jwks)
        self._view: RevocationView | None = None
        self._stream: RevocationStream | None = None
        self._keys.start()
        if self._revocations and self._listener:
            self._view = RevocationView(self._longest_token_lifetime, self._revocations.stale_after)
            self._stream = RevocationStream(self._listener, self._revocations.key, self._view)
            self._stream.start()

    def _start_in_child(self) -> None:
        """Threads do not survive a fork, and their locks may be held for ever."""
        self._keys.abandon()
        if self._stream:
            self._stream.abandon()
        self._start()

    def close(self) -> None:
        """Ends the threads. Tokens are refused with `unavailable` once the stream counts as stale."""
        _servers.discard(self)
        self._keys.close()
        if self._stream:
            self._stream.close()

    @property
    def is_ready(self) -> bool:
        """Whether tokens can be checked: there is a key set, and the view of revocations is current. For a readiness probe."""
        return self._keys.has_keys and (self._view is None or self._view.is_current)

    @property
    def revocation_count(self) -> int:
        """The number of entries of the stream in memory, for a metric."""
        return 0 if self._view is None else len(self._view)

    def verify(self, token: str) -> dict[str, Any]:
        """The claims of an access token.

        A token with an unknown `kid` waits for a fetch of the key set, two seconds at most; all others wait for nothing. Raises
        `RefusedRequest`.
        """
        key_id = self._key_id(token)
        if not self._keys.find(key_id) and (fetch := self._keys.look_up()):
            fetch.result()
        return self._judge(token, key_id)

    async def verify_async(self, token: str) -> dict[str, Any]:
        """As `verify`, for asyncio: a token with an unknown `kid` does not hold up the event loop."""
        key_id = self._key_id(token)
        if not self._keys.find(key_id) and (fetch := self._keys.look_up()):
            await asyncio.wrap_future(fetch)
        return self._judge(token, key_id)

    def authorize(self, authorization: str | None) -> dict[str, Any]:
        """The claims of the access token in the value of the `Authorization` header."""
        return self.verify(_bearer(authorization))

    async def authorize_async(self, authorization: str | None) -> dict[str, Any]:
        """As `authorize`, for asyncio."""
        return await self.verify_async(_bearer(authorization))

    def _key_id(self, token: str) -> str:
        if not self._keys.has_keys:
            raise RefusedRequest("unavailable")
        return self._verifier.key_id(token)

    def _judge(self, token: str, key_id: str) -> dict[str, Any]:
        key = self._keys.find(key_id)
        if key is None:
            raise RefusedRequest("token_invalid")
        claims = self._verifier.verify(token, key)
        if self._view is None or self._revocations is None:
            return claims
        if self._view.is_revoked(claims["sid"]):
            raise RefusedRequest("session_revoked")
        if self._view.is_stale(claims["sub"], claims["iat"]):
            raise RefusedRequest("token_expired")
        if not self._view.is_current and not self._revocations.insecure_trusts_tokens_when_stale:
            raise RefusedRequest("unavailable")
        return claims


def _bearer(authorization: str | None) -> str:
    if authorization is None:
        raise RefusedRequest("session_missing")
    # A server joins two headers with a comma: that is no token.
    match = _BEARER.fullmatch(authorization)
    if not match:
        raise RefusedRequest("token_invalid")
    return match[1]


_servers: "weakref.WeakSet[ResourceServer]" = weakref.WeakSet()


def _start_in_child() -> None:
    for server in list(_servers):
        server._start_in_child()


os.register_at_fork(after_in_child=_start_in_child)
