"""Moves the horizons of the scans on, so that these cost what is open and not what has been closed."""

import asyncio
import itertools
from datetime import datetime

from swaprail.db.connect import Database
from swaprail.db.horizons import REST_S, Scan, advance, look_below
from swaprail.telemetry.logging import get_logger
from swaprail.telemetry.survival import survive

log = get_logger(__name__)

EVERY_S = 10.0
SHORTEST_S = 60.0  # looked through at once; twice as much each time that nothing was there
BELOW_S = 0.2  # spent in one pass on what is below a horizon
LAP_EVERY = 6  # passes: then all that is below is looked through anew, and to its end


class Horizons:
    """Moves all horizons on, every few seconds, and looks whether anything was left below them."""

    def __init__(self, database: Database, *, every_s: float = EVERY_S, rest_s: float = REST_S) -> None:
        """every_s: between passes; rest_s: after one that moved a horizon, here or elsewhere."""
        self._database = database
        self._every_s = every_s
        self._rest_s = rest_s
        self._below: dict[Scan, datetime | None] = {}
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

    async def look_below(self, scan: Scan) -> None:
        """Look through some of what is below one, from where the last pass ended; what is there moves it back."""
        clock = asyncio.get_running_loop().time
        span_s, until = SHORTEST_S, clock() + BELOW_S
        while clock() < until:
            below = await look_below(self._database, scan, self._below.get(scan), span_s)
            self._below[scan] = below.following
            if below.was_there:
                log.warning("something was left below the horizon of a scan: it is found now", scan=scan)
            if below.following is None:
                return
            span_s *= 2

    async def _run(self) -> None:
        for number in itertools.count():
            for scan in Scan:
                await survive(f"horizon of the scan for {scan}", self.advance(scan))
                if number % LAP_EVERY == 0 or self._below.get(scan) is not None:
                    await survive(f"look below the horizon of the scan for {scan}", self.look_below(scan))
            await asyncio.sleep(self._every_s)
