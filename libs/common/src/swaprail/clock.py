"""The database's time, by which times of several processes are compared: a host's own clock may be minutes off.

Each new session asks for it. In between it is what passed here since, by the clock that nobody sets.
"""

import time
from datetime import UTC, datetime

from swaprail.telemetry import metrics
from swaprail.telemetry.logging import get_logger

log = get_logger(__name__)

WORTH_A_WARNING_S = 2.0
SURE_S = 0.5  # of a reading


class DatabaseClock:
    """What a process knows of the database's clock; until it knows any, this host's own."""

    def __init__(self) -> None:
        self._told: tuple[float, float] | None = None  # the database's time, and ours by time.monotonic()
        self._differs = False

    def set(self, database_s: float, asked: float, answered: float) -> None:
        """Take the database's time, in seconds since 1970, told between two moments of `time.monotonic()`.

        Where those are far apart, as behind a pooler that has us wait, the time known already is the better one.
        """
        if self._told is not None and answered - asked > SURE_S:
            return
        self._told = (database_s, (asked + answered) / 2)
        skew = time.time() - self.time()
        metrics.CLOCK_SKEW.set(skew)
        differs = abs(skew) > WORTH_A_WARNING_S
        if differs and not self._differs:
            log.warning("this host's clock is not the database's", ahead_s=round(skew, 1))
        self._differs = differs

    def time(self) -> float:
        """Return the database's time in seconds since 1970."""
        if self._told is None:
            return time.time()
        database_s, then = self._told
        return database_s + time.monotonic() - then


CLOCK = DatabaseClock()  # of the process: it has one database


def database_time() -> float:
    """Return the database's time in seconds since 1970."""
    return CLOCK.time()


def database_now() -> datetime:
    """Return the database's time."""
    return datetime.fromtimestamp(CLOCK.time(), UTC)
