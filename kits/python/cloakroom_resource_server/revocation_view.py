"""The entries of the stream of revocations that can still concern a token."""
import time
from collections.abc import Callable

from .limits import MARGIN, STEP

PRUNE_PERIOD = 10
TOLERANCE = 1  # the maximum drift between the two clocks from one confirmation to the next


class RevocationView:
    """Decides about a token without I/O. One thread writes, any number of threads read: every read is one look-up.

    An entry is kept for the longest lifetime of an access token from its arrival: after that every token of the session has expired
    by the same clock. If the wall clock is set back, expired tokens are good again, so the view counts as unknown until the stream
    was read from its start.
    """

    def __init__(
        self, longest_token_lifetime: float, stale_after: float,
        now: Callable[[], float] = time.time, uptime: Callable[[], float] = time.monotonic,
    ):
        self._memory = longest_token_lifetime + MARGIN
        self.stale_after = stale_after
        self._now, self.uptime = now, uptime
        # The time of each entry, and since when it is kept.
        self._revoked: dict[str, tuple[float, float]] = {}
        self._stale: dict[str, tuple[float, float]] = {}
        # The keys of the entries by the time since when they are kept, so that dropping the oldest does not walk through all.
        self._periods: dict[float, list[tuple[dict[str, tuple[float, float]], str]]] = {}
        self._confirmed: tuple[float, float] | None = None
        self._pruned = uptime()

    def revoke(self, session: str, at: float) -> None:
        """Refuses the tokens of a session."""
        self._add(self._revoked, session, at)

    def mark_stale(self, subject: str, at: float) -> None:
        """Tokens of a subject that were issued at this time or before count as expired."""
        self._add(self._stale, subject, at)

    def _add(self, entries: dict[str, tuple[float, float]], key: str, at: float) -> None:
        now = self._now()
        if at + self._memory + STEP < now:
            return
        since = max(at, now)
        entries[key] = (max(at, entries[key][0]) if key in entries else at, since)
        self._periods.setdefault(since // PRUNE_PERIOD, []).append((entries, key))

    def confirm(self, age: float) -> None:
        """The view has every entry from more than `age` seconds ago."""
        uptime, now = self.uptime(), self._now()
        self._confirmed = (uptime - age, now - uptime)
        if uptime >= self._pruned + PRUNE_PERIOD:
            self._pruned = uptime
            self._prune(now)

    def _prune(self, now: float) -> None:
        for period in [period for period in self._periods if (period + 1) * PRUNE_PERIOD + self._memory < now]:
            for entries, key in self._periods.pop(period):
                if key in entries and entries[key][1] // PRUNE_PERIOD == period:
                    del entries[key]

    @property
    def is_set_back(self) -> bool:
        """Whether the wall clock was set back since the stream was last read."""
        confirmed = self._confirmed
        return confirmed is not None and self._now() - self.uptime() + TOLERANCE < confirmed[1]

    @property
    def is_current(self) -> bool:
        """Whether the view was confirmed a short time ago. A machine that was asleep sees that by its wall clock alone."""
        confirmed = self._confirmed
        if confirmed is None:
            return False
        uptime = self.uptime()
        step = self._now() - uptime - confirmed[1]
        return uptime <= confirmed[0] + self.stale_after and -TOLERANCE <= step <= self.stale_after

    def is_revoked(self, session: str) -> bool:
        return session in self._revoked

    def is_stale(self, subject: str, issued_at: float) -> bool:
        """Whether the claims of the subject have changed since the token was issued."""
        entry = self._stale.get(subject)
        return entry is not None and issued_at <= entry[0]

    def __len__(self) -> int:
        return len(self._revoked) + len(self._stale)
