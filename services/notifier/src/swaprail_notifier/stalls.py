"""How long commits took: a step has the time its transaction began, and becomes visible when it is committed."""

from collections import deque
from typing import NamedTuple

# Commits are not ordered by their time: mostly a step becomes visible no longer than this after one with a later time.
AFTER_OVERLAP_MS = 5_000
MOST_STALLS = 1_000


class Writing(NamedTuple):
    """A time of the database's clock, and when the oldest transaction that writes at that time began, if any does."""

    now_ms: int
    oldest_ms: int | None


class Stall(NamedTuple):
    """What became visible in the time up to until_ms may have begun as early as since_ms."""

    until_ms: int
    since_ms: int


class Stalls:
    """Remembers what was seen of transactions that took longer than the overlap, since this process began to look."""

    def __init__(self) -> None:
        self._stalls: deque[Stall] = deque(maxlen=MOST_STALLS)
        self._bound_ms: int | None = None  # what is not visible as of the last look has begun then or later

    def note(self, writing: Writing) -> None:
        """Take what writes now; however long nobody has looked, nothing is missed."""
        if self._bound_ms is not None and writing.now_ms - self._bound_ms > AFTER_OVERLAP_MS:
            if self._stalls and self._stalls[-1].since_ms == self._bound_ms:
                self._stalls.pop()
            self._stalls.append(Stall(writing.now_ms, self._bound_ms))
        self._bound_ms = writing.now_ms if writing.oldest_ms is None else min(writing.oldest_ms, writing.now_ms)

    def earliest_ms(self, after_ms: int) -> int:
        """Return a time before which nothing has begun that became visible after `after_ms`."""
        known_ms = max(0, after_ms - AFTER_OVERLAP_MS)
        begun = [stall.since_ms for stall in self._stalls if stall.until_ms >= known_ms]
        return min(known_ms, *begun, known_ms if self._bound_ms is None else self._bound_ms)
