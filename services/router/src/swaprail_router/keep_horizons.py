"""Moves the horizons of the scans on, so that these cost what is open and not what has been closed."""

import asyncio

from swaprail.db.connect import Database
from swaprail.db.horizons import REST_S, Scan, advance
from swaprail.telemetry.survival import survive

EVERY_S = 10.0
SHORTEST_S = 60.0  # looked through at once; twice as much each time that nothing was there


class Horizons:
    """Moves all horizons on, every few seconds."""

    def __init__(self, database: Database, *, every_s: float = EVERY_S, rest_s: float = REST_S) -> None:
        """every_s: between passes; rest_s: after one that moved a horizon, here or elsewhere."""
        self._database = database
        self._every_s = every_s
        self._rest_s = rest_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="horizons")

    async def stop(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def advance(self, scan: Scan) -> None:
        """Move one as far as it goes, in steps: what they have come to stays, if a later one takes too long."""
        span_s = SHORTEST_S
        while await advance(self._database, scan, span_s, rest_s=self._rest_s):
            span_s *= 2

    async def _run(self) -> None:
        while True:
            for scan in Scan:
                await survive(f"horizon of the scan for {scan}", self.advance(scan))
            await asyncio.sleep(self._every_s)
