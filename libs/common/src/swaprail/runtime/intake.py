"""How orders come to a worker: handed over by a message, or found by a scan of what is due."""

import asyncio
from collections.abc import Sequence
from functools import partial

from swaprail.clock import database_time
from swaprail.db.leases import Leases
from swaprail.domain.lifecycle import Status
from swaprail.messages.topics import HANDOVER_S, HandedOver
from swaprail.runtime.inflight import InFlight
from swaprail.telemetry import metrics
from swaprail.telemetry.registry import start_at_zero
from swaprail.telemetry.survival import survive

SCAN_LIMIT = 256
BUSY_PAUSE_S = 0.1


class Intake:
    """Takes orders up to the free places and starts work on them."""

    def __init__(self, leases: Leases, inflight: InFlight, *, takes: Status, interval_s: float) -> None:
        """Of messages take orders in the status `takes` alone; scan for those that the leases are for."""
        self._takes = takes
        self._leases = leases
        self._inflight = inflight
        self._interval_s = interval_s
        self._scanner: asyncio.Task[None] | None = None
        self._pass: asyncio.Task[int | None] | None = None
        start_at_zero(metrics.HANDED_OVER, [inflight.stage], ["foreign", "late", "full"])
        start_at_zero(metrics.RECONCILED, leases.statuses)

    def start(self) -> None:
        """Begin to scan for due orders."""
        self._scanner = asyncio.create_task(self._scan_forever(), name="reconciler")

    async def stop(self) -> None:
        """Take no more orders; a scan under way ends, and gives back what it leased."""
        self._inflight.close()
        if self._scanner is not None:
            self._scanner.cancel()
            await asyncio.gather(self._scanner, return_exceptions=True)
        if self._pass is not None:
            await self._pass

    def take(self, handed_over: Sequence[HandedOver]) -> None:
        """Work on the orders of messages: they bring their leases along.

        Anybody may have written a message. Nothing of it is believed: whatever work on it comes to is written only if
        the table holds that very order. What is in no status to be handed over, comes too late, or finds no free place,
        is left to the scans, here or of another replica.
        """
        now, dropped = database_time() * 1000, partial(metrics.HANDED_OVER.labels, self._inflight.stage)
        own = [item for item in handed_over if item.order.status is self._takes]
        fresh = [item.order for item in own if item.until > now]
        taken = fresh[: self._inflight.free]
        dropped("foreign").inc(len(handed_over) - len(own))
        dropped("late").inc(len(own) - len(fresh))
        dropped("full").inc(len(fresh) - len(taken))
        self._inflight.take(taken, lease_s=HANDOVER_S)

    async def wait_free(self) -> None:
        """Return when another message may be read."""
        await self._inflight.wait_free()

    async def scan(self, limit: int) -> int:
        """Lease and start up to so many due orders; return how many there were."""
        if not limit:
            return 0
        orders = await self._leases.scan(limit)
        if self._inflight.closed:
            await self._leases.release([(order.id, order.fence) for order in orders])
            return 0
        for order in orders:
            metrics.RECONCILED.labels(order.status).inc()
        self._inflight.take(orders, lease_s=self._leases.lease_s, scanned=True)
        return len(orders)

    async def _scan_forever(self) -> None:
        while True:
            limit = min(self._inflight.free, SCAN_LIMIT)
            # Shielded: orders leased by a scan that was cut off would wait for their leases to lapse.
            self._pass = asyncio.create_task(survive("scan of due orders", self.scan(limit)))
            found = await asyncio.shield(self._pass)
            if found is None or found < limit:
                await asyncio.sleep(self._interval_s)
            elif limit < SCAN_LIMIT:
                # More is due than there are places: gather a few that become free.
                await asyncio.sleep(min(BUSY_PAUSE_S, self._interval_s))
            await self._inflight.wait_free()
