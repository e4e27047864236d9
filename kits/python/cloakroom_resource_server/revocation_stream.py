"""Follows `GET /service/revocations` on the private listener of the issuer."""
import http.client
import json
import logging
import math
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .address import Connection, Deadline, IssuerFailure, ServiceAddress
from .event_stream import Event, EventStreamParser
from .limits import FIRST_PAUSE, LONGEST_PAUSE, SILENCE, TIMEOUT
from .revocation_view import RevocationView

logger = logging.getLogger("cloakroom")


@dataclass(frozen=True)
class RevocationSource:
    """Where a `ResourceServer` learns of revoked sessions.

    `private_listener`: the address of the issuer's private listener, `unix:/run/cloakroom/private.sock` or `http://127.0.0.1:8081`.
    `key`: a service key with the scope `revocations:read`.
    `stale_after`: the seconds without news from the stream, which come four times a second, after which requests get 503. A
    session that was revoked meanwhile works for that long.
    `insecure_trusts_tokens_when_stale`: accepts access tokens until they expire instead. Revoked sessions go on working for that
    long, and an attacker who can interrupt the stream can bring that about.
    """

    private_listener: str
    key: str = field(repr=False)
    stale_after: float = 1
    insecure_trusts_tokens_when_stale: bool = False

    def __post_init__(self) -> None:
        if not self.stale_after >= 0.5:
            raise ValueError("stale_after is under half a second: the stream has news four times a second")


class RevocationStream:
    """A thread copies the stream into the view. A broken stream is opened again after the last entry that was read."""

    def __init__(self, address: ServiceAddress, key: str, view: RevocationView):
        self._address = address
        self._key = key
        self._reader = RevocationReader(view)
        self._closed = threading.Event()
        self._connection: Connection | None = None
        self._failures = 0
        # Of the last failure; None while the stream is read.
        self._reason: str | None = None

    def start(self) -> None:
        threading.Thread(target=self._run, name="cloakroom-revocations", daemon=True).start()

    def close(self) -> None:
        self._closed.set()
        if connection := self._connection:
            connection.end()

    def abandon(self) -> None:
        """Closes what a child process inherited."""
        if connection := self._connection:
            connection.abandon()

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                self._follow()
            except Exception as error:  # any error: without the thread the view would stay stale
                self._complain(repr(error))
                self._closed.wait(pause(self._failures))
                self._failures += 1

    def _complain(self, reason: str) -> None:
        """Logs each reason once: a stream that ended may be refused from then on, because the key was removed."""
        if reason != self._reason and not self._closed.is_set():
            logger.error("the stream of revocations is broken: %s: %s", self._address.text, reason)
        self._reason = reason

    def _follow(self) -> None:
        self._reader.begin()
        self._connection = self._address.connect()
        try:
            with Deadline(self._connection, TIMEOUT):
                response = self._connection.get(self._headers())
            if response.headers.get_content_type() != "text/event-stream":
                raise IssuerFailure("the response is no event stream")
            self._connection.limit_silence(SILENCE)
            self._read(response)
        finally:
            self._connection.close()
            self._connection = None

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {self._key}"}
        if self._reader.place is not None:
            headers["Last-Event-ID"] = self._reader.place
        return headers

    def _read(self, response: http.client.HTTPResponse) -> None:
        parser = EventStreamParser()
        while chunk := response.read1(65536):
            for item in parser.read(chunk):
                if item is not None and self._reader.apply(item):
                    self._confirm()
        raise IssuerFailure("the stream ended")

    def _confirm(self) -> None:
        if self._reason:
            logger.warning("the stream of revocations is read again")
        self._reason = None
        self._failures = 0


def pause(failures: int, jitter: Callable[[], float] = random.random) -> float:
    """The seconds until the next try. Random, so that not every process asks at the same moment after a restart of the issuer."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(failures, 10)) * (0.5 + jitter() / 2)


class RevocationReader:
    """Applies the entries of the stream to the view, and remembers the place."""

    def __init__(self, view: RevocationView):
        self._view = view
        # The id of the last entry; None to read the stream from its start.
        self.place: str | None = None
        # Whether the stream is read from its start, and was not current since.
        self._is_from_start = True
        # When the request was sent.
        self._asked = 0.0

    def begin(self) -> None:
        """Called before a request, which reads from `place`."""
        self._is_from_start = self.place is None
        self._asked = self._view.uptime()

    def apply(self, item: Event) -> bool:
        """Whether the view is current now.

        Raises `IssuerFailure` for an entry that cannot be read: it could be a revocation, so the stream counts as broken.
        """
        match item.name:
            case "revoked":
                self._view.revoke(*_entry(item.data, "session"))
            case "stale":
                self._view.mark_stale(*_entry(item.data, "subject"))
            case "reset":
                self.place, self._is_from_start = None, True
            case "current":
                self._confirm(_object(item.data))
                return True
        if item.id is not None:
            self._go_on_after(item.id)
        return False

    def _go_on_after(self, place: str) -> None:
        # It goes into a header of the next request.
        if not 1 <= len(place) <= 256 or not all("!" <= letter <= "~" for letter in place):
            raise IssuerFailure("the id of an event is too long or not printable")
        # The part before the first hyphen names a history of the store. An issuer says "reset" when the history is another one.
        if self.place is not None and self.place.partition("-")[0] != place.partition("-")[0]:
            self.place = None
            raise IssuerFailure("the stream goes on in another history, so it is read from its start")
        self.place = place

    def _confirm(self, news: dict[str, Any]) -> None:
        """The response began after the request. So the news were sent no earlier than `elapsed` after the request, and what is
        missing since then is the delay, at most: also behind a relay that holds events back. Clocks that run at different speeds
        look like a delay that grows, and another connection ends it.
        """
        age, elapsed = _duration(news, "age"), _duration(news, "elapsed")
        if self._view.is_set_back and not self._is_from_start:
            # Expired tokens are good again, and the view has dropped their sessions.
            self.place = None
            raise IssuerFailure("the wall clock was set back, so the stream is read from its start")
        self._is_from_start = False
        delay = max(0.0, self._view.uptime() - self._asked - elapsed)
        self._view.confirm(age + delay)
        if delay > self._view.stale_after / 2:
            raise IssuerFailure("the stream is late")


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise IssuerFailure("an event is not readable")
    return value


def _entry(data: bytes, name: str) -> tuple[str, float]:
    entry = _object(data)
    key = entry.get(name)
    if not isinstance(key, str) or not key:
        raise IssuerFailure(f"an event has no {name}")
    return key, _number(entry, "time")


def _duration(entry: dict[str, Any], name: str) -> float:
    value = _number(entry, name)
    if value < 0:
        raise IssuerFailure(f"an event has no {name}")
    return value


def _number(entry: dict[str, Any], name: str) -> float:
    value = entry.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise IssuerFailure(f"an event has no {name}")
    return value
