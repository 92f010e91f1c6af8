"""Pings every connection once an interval, spread evenly, with one task for all of them."""

import asyncio
from itertools import cycle
from typing import Protocol

SLOTS = 25


class Pinged(Protocol):
    """A connection that can be pinged."""

    def ping(self) -> None:
        """Ask for a sign of life."""
        ...

    def check_alive(self) -> None:
        """Close unless there was a sign of life since the ping."""
        ...


class Heartbeat:
    """A wheel: each connection has a slot, a slot is pinged each turn and checked a while later."""

    def __init__(self, *, interval_s: float, timeout_s: float) -> None:
        self._tick_s = interval_s / SLOTS
        self._slots: list[set[Pinged]] = [set() for _ in range(SLOTS)]
        self._check_after = min(SLOTS - 1, max(1, round(timeout_s / self._tick_s)))
        self._next = cycle(range(SLOTS))
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to ping."""
        self._task = asyncio.create_task(self._run(), name="heartbeat")

    async def stop(self) -> None:
        """Ping no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def add(self, connection: Pinged) -> int:
        """Return the slot that the connection got: the next to be filled."""
        slot = next(self._next)
        self._slots[slot].add(connection)
        return slot

    def remove(self, connection: Pinged, slot: int) -> None:
        """Forget the connection."""
        self._slots[slot].discard(connection)

    def turn(self, tick: int) -> None:
        """Ping one slot and check another."""
        for connection in list(self._slots[(tick - self._check_after) % SLOTS]):
            connection.check_alive()
        for connection in list(self._slots[tick % SLOTS]):
            connection.ping()

    async def _run(self) -> None:
        tick = 0
        while True:
            await asyncio.sleep(self._tick_s)
            self.turn(tick)
            tick += 1
