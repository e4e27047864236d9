"""The key set of the issuer: fetched at the start, in intervals, and when a token names an unknown key."""
import json
import logging
import threading
import time
from concurrent.futures import Future
from typing import NamedTuple

import jwt

from .address import Connection, Deadline, IssuerFailure, ServiceAddress
from .limits import COOLDOWN, MAXIMUM_KEY_SET, REFRESH, RETRY, TIMEOUT

logger = logging.getLogger("cloakroom")

# The algorithm of a key, by `kty` and `crv`, and PyJWT's name for it.
_ALGORITHMS = {("EC", "P-256"): ("ES256", "ES256"), ("OKP", "Ed25519"): ("Ed25519", "EdDSA"), ("RSA", None): ("RS256", "RS256")}


class Key(NamedTuple):
    """A public key. It is bound to one algorithm: a token must not choose another one for it."""

    algorithm: str
    jwk: jwt.PyJWK


class KeySetFeed:
    """A thread fetches, requests wait. The last good set stays while the issuer is away."""

    def __init__(self, address: ServiceAddress):
        self._address = address
        self._keys: dict[str, Key] = {}
        self._document = b""
        self._change = threading.Condition()
        self._fetching: Future[None] | None = None
        self._began = float("-inf")
        self._is_failing = False
        self._is_closed = False
        self._connection: Connection | None = None

    def start(self) -> None:
        threading.Thread(target=self._run, name="cloakroom-keys", daemon=True).start()

    def close(self) -> None:
        with self._change:
            self._is_closed = True
            self._change.notify()

    def abandon(self) -> None:
        """Closes what a child process inherited."""
        if connection := self._connection:
            connection.abandon()

    @property
    def has_keys(self) -> bool:
        return bool(self._keys)

    def find(self, key_id: str) -> Key | None:
        return self._keys.get(key_id)

    def look_up(self) -> "Future[None] | None":
        """Asks for a fetch. Returns what ends with it; None if the last fetch began less than the cooldown ago."""
        with self._change:
            if self._fetching is None:
                if self._is_closed or time.monotonic() < self._began + COOLDOWN:
                    return None
                self._ask()
            return self._fetching

    def _ask(self) -> "Future[None]":
        self._fetching = Future()
        self._fetching.set_running_or_notify_cancel()  # a caller that is cancelled does not cancel the others' fetch
        self._change.notify()
        return self._fetching

    def _run(self) -> None:
        while not self._is_closed:
            with self._change:
                fetching = self._fetching or self._ask()
                self._began = time.monotonic()
            self._fetch()
            with self._change:
                self._fetching = None
                fetching.set_result(None)
                self._change.wait_for(lambda: self._fetching or self._is_closed, RETRY if self._is_failing else REFRESH)

    def _fetch(self) -> None:
        try:
            self._adopt(self._read())
            if self._is_failing:
                logger.warning("the key set of the issuer is read again")
            self._is_failing = False
        except Exception as error:  # libraries raise many for a set of the wrong shape, and without the thread requests would wait
            if not self._is_failing:
                logger.error("the key set of the issuer cannot be used, the last one stays: %s: %r", self._address.text, error)
            self._is_failing = True

    def _read(self) -> bytes:
        self._connection = self._address.connect()
        try:
            with Deadline(self._connection, TIMEOUT):
                document = self._connection.get({}).read(MAXIMUM_KEY_SET + 1)
        finally:
            self._connection.close()
            self._connection = None
        if len(document) > MAXIMUM_KEY_SET:
            raise IssuerFailure(f"it is longer than {MAXIMUM_KEY_SET} bytes")
        return document

    def _adopt(self, document: bytes) -> None:
        if document != self._document:
            self._keys = parse_key_set(document)
            self._document = document


def parse_key_set(document: bytes) -> dict[str, Key]:
    """Raises an error for a set with a broken key or a secret: every reader of a secret could forge tokens with it."""
    members = json.loads(document)["keys"]
    keys = {}
    for member in members:
        key_id = member["kid"]
        if not isinstance(key_id, str) or key_id in keys or member.get("use", "sig") != "sig" or "d" in member or "k" in member:
            raise IssuerFailure("a key has no kid of its own, is for another use, or is a secret")
        algorithm, name = _ALGORITHMS[member["kty"], member.get("crv")]
        if member.get("alg", algorithm) not in (algorithm, name):
            raise IssuerFailure(f"the key {key_id} is for another algorithm")
        keys[key_id] = Key(algorithm, jwt.PyJWK(member, name))
        if algorithm == "RS256" and keys[key_id].jwk.key.key_size < 2048:
            raise IssuerFailure(f"the key {key_id} is shorter than 2048 bits")
    if not keys:
        raise IssuerFailure("it has no key")
    return keys
