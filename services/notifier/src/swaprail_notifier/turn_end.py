"""What waits for the end of a turn of the event loop: frames, so that a socket is written to once for all of them."""

import asyncio
from typing import Protocol

from swaprail.clock import database_time
from swaprail_notifier import metrics


class Held(Protocol):
    """Whoever holds frames back until the end of the turn."""

    def flush(self) -> None:
        """Write them; never raises: the others of the turn are waiting."""
        ...


class TurnEnd:
    """Writing is what a delivery costs: steps that come together are worth one write to each follower, not one each."""

    def __init__(self) -> None:
        self._held: list[Held] = []
        self._told_ms: list[int] = []

    def add(self, held: Held) -> None:
        """Flush it as soon as what runs now is done."""
        if not self._held:
            asyncio.get_running_loop().call_soon(self._end)
        self._held.append(held)

    def told(self, at_ms: int) -> None:
        """Observe how late a step of that time is, as soon as its followers were written to."""
        if self._held:
            self._told_ms.append(at_ms)
        else:
            observe_push(at_ms)

    def _end(self) -> None:
        held, self._held = self._held, []
        for each in held:
            each.flush()
        told_ms, self._told_ms = self._told_ms, []
        for at_ms in told_ms:
            observe_push(at_ms)


def observe_push(at_ms: int) -> None:
    """Observe that a step, committed at that time in milliseconds since 1970, was written now."""
    metrics.PUSH_DELAY.observe(max(0.0, database_time() - at_ms / 1000))
