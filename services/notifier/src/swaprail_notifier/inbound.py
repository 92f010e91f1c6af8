"""What clients may send: little, and seldom."""

import time

MAX_INBOUND_BYTES = 4096
MAX_INBOUND_PER_S = 10


class Inbound:
    """Counts the messages of one client in the current second."""

    __slots__ = ("_count", "_since")

    def __init__(self) -> None:
        self._count = 0
        self._since = 0.0

    def floods(self) -> bool:
        """Count a message; tell whether it is one too many."""
        now = time.monotonic()
        if now - self._since >= 1:
            self._since, self._count = now, 0
        self._count += 1
        return self._count > MAX_INBOUND_PER_S
