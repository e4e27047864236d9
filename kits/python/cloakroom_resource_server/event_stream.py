"""Reads the lines of a stream of server-sent events (HTML standard, section 9.2.6)."""
import re
from collections.abc import Iterator
from typing import NamedTuple

from .address import IssuerFailure
from .limits import MAXIMUM_EVENT

_LINE_END = re.compile(rb"\r\n|\r|\n")


class Event(NamedTuple):
    name: str
    data: bytes
    id: str | None


class EventStreamParser:
    def __init__(self) -> None:
        self._line = b""
        self._after_return = False
        self._name = ""
        self._data: list[bytes] = []
        self._size = 0
        self._id: str | None = None

    def read(self, chunk: bytes) -> Iterator[Event | None]:
        """Yields the events of a chunk, and None for each comment. Raises `IssuerFailure` for an event that is too long."""
        if self._after_return and chunk.startswith(b"\n"):
            chunk = chunk[1:]  # the second half of a line end
        self._after_return = chunk.endswith(b"\r")
        *lines, self._line = _LINE_END.split(self._line + chunk)
        for line in lines:
            self._check(line)
            if line.startswith(b":"):
                yield None
            elif line:
                self._field(line)
            elif event := self._end():
                yield event
        self._check(self._line)

    def _check(self, line: bytes) -> None:
        if len(line) + self._size > MAXIMUM_EVENT:
            raise IssuerFailure(f"an event is longer than {MAXIMUM_EVENT} bytes")

    def _field(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"event":
            self._name = value.decode(errors="replace")
        elif field == b"data":
            self._data.append(value)
            self._size += len(value) + 1
        elif field == b"id":
            self._id = value.decode(errors="replace")

    def _end(self) -> Event | None:
        """None for an event without data, which the standard leaves out."""
        event = Event(self._name, b"\n".join(self._data), self._id) if self._data else None
        self._name, self._data, self._size, self._id = "", [], 0, None
        return event
