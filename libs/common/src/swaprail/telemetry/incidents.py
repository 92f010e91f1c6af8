"""One line when something begins to fail, one for each other cause, one when it works again: not one a second."""

import time
from collections.abc import Callable

from swaprail.telemetry.causes import cause_of
from swaprail.telemetry.logging import get_logger

log = get_logger(__name__)

QUIET_S = 10.0  # without a failure, until it is over: what works and fails by turns is one incident
MOST_CAUSES = 5


class Incident:
    """Whether something fails at present."""

    def __init__(
        self, failing: str, works: str, *, most: int = MOST_CAUSES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the texts of the lines, most of them in one incident, and a clock in seconds. Without `works` its end is not told."""
        self._failing = failing
        self._works = works
        self._most = most
        self._clock = clock
        self._began = self._failed = 0.0
        self._causes: set[str] = set()

    @property
    def open(self) -> bool:
        """Tell whether it began, and is not yet known to be over."""
        return bool(self._causes)

    def failed(self, error: BaseException, **about: str) -> None:
        """Note a failure; it is told, with what it is about, when it is the first, or has another cause."""
        self._failed = self._clock()
        if not self._causes:
            self._began = self._failed
        cause = cause_of(error)
        if cause not in self._causes and len(self._causes) < self._most:
            self._causes.add(cause)
            log.warning(self._failing, cause=cause, **about)

    def succeeded(self, **about: str) -> None:
        """Note that it worked; that is told, with what it is about, when nothing has failed for a while."""
        if self._causes and (now := self._clock()) - self._failed >= QUIET_S:
            self._causes = set()
            if self._works:
                log.info(self._works, seconds=round(now - self._began, 1), **about)
