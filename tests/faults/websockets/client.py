"""One client: follows order after order, or one wallet, through whatever happens to its connections."""

import asyncio
import random
from collections import Counter
from typing import Any

from tests.faults.websockets.follows import Follow
from tests.faults.websockets.wire import Wire, open_wire

LIFE_S = (1.0, 5.0)
BACKOFF_S = (0.05, 0.25)
LINGER_S = 0.3  # after the last step: what comes too often comes then
AWAY_S = (5.5, 9.0)  # longer than what the notifier looks back by itself
AWAY_SHARE = 0.05
CUTS = ("abort", "reset", "close")


class Client:
    """Cuts its own connection at random every 1 to 5 s, and goes on at any of the notifiers."""

    def __init__(self, ports: list[int], rng: random.Random) -> None:
        """Take the ports of the notifiers: the list may change."""
        self.ports = ports
        self.counts = Counter[str]()
        self._rng = rng
        self._last_port = 0

    async def follow(self, follow: Follow) -> None:
        """Return when everything was seen."""
        while not follow.ended:
            try:
                await self._live_once(follow)
            except (OSError, TimeoutError):
                self.counts["not opened"] += 1
                await asyncio.sleep(self._rng.uniform(*BACKOFF_S))

    async def _live_once(self, follow: Follow) -> None:
        port = self._rng.choice(self.ports)
        follow.begin()
        wire = await open_wire(port, follow.path, follow.take)
        self.counts["opened"] += 1
        self.counts["moved"] += bool(self._last_port) and port != self._last_port
        self._last_port = port
        try:
            await self._stay(wire, follow)
        finally:
            wire.drop()

    async def _stay(self, wire: Wire, follow: Follow) -> None:
        ends: set[asyncio.Future[Any]] = {wire.closed, follow.over}
        await asyncio.wait(ends, timeout=self._rng.uniform(*LIFE_S), return_when="FIRST_COMPLETED")
        if follow.over.done():
            await asyncio.sleep(self._rng.uniform(0, LINGER_S))
        if wire.closed.done():
            self.counts[f"lost {wire.closed.result()}"] += 1
            return
        how = self._rng.choice(CUTS)
        self.counts[how] += 1
        wire.cut(how)
        if self._rng.random() < AWAY_SHARE and not follow.ended:
            await asyncio.sleep(self._rng.uniform(*AWAY_S))
