"""Lines that repeat are left out after a few: an incident is told, not each order and socket that meets it."""

import logging
import time
from collections.abc import Callable
from typing import Any

WINDOW_S = 60.0
MOST = 4  # lines of one kind in a window
_MOST_KINDS = 1_000
# With its text, what makes a line one of a kind. Each has few values; a detail has many.
_FIELDS = ("what", "error", "code", "topic", "venue", "call")


class Repeats(logging.Filter):
    """Lets warnings and errors pass as long as few of their kind came in this window; the next window's first tells how many."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the clock of the windows, in seconds."""
        super().__init__()
        self._clock = clock
        self._kinds: dict[tuple[object, ...], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the record is worth a line."""
        if record.levelno < logging.WARNING:
            return True
        kind, now = _kind(record), self._clock()
        began, count = self._kinds.get(kind, (now, 0))
        if now - began < WINDOW_S:
            self._note(kind, began, count + 1)
            return count < MOST
        self._note(kind, now, 1)
        if count > MOST and isinstance(record.msg, dict):
            record.msg["left_out"] = count - MOST
        return True

    def _note(self, kind: tuple[object, ...], began: float, count: int) -> None:
        if kind not in self._kinds and len(self._kinds) >= _MOST_KINDS:
            self._kinds.clear()
        self._kinds[kind] = (began, count)


def _kind(record: logging.LogRecord) -> tuple[object, ...]:
    if not isinstance(record.msg, dict):
        return record.name, record.pathname, record.lineno  # others put names and numbers into their texts
    event: dict[str, Any] = record.msg
    return event.get("event"), *(event.get(name) for name in _FIELDS)
