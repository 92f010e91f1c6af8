"""How orders come to a worker: named by a message, or found by a scan of what is due."""

import asyncio
from collections.abc import Sequence

import msgspec

from swaprail.broker.publisher import TopicPublisher
from swaprail.db.leases import Leases
from swaprail.domain.errors import EngineError
from swaprail.domain.orders import LeasedOrder
from swaprail.messages.topics import OrderEvent, OrderEvents, OrderRef, Topic
from swaprail.runtime.inflight import InFlight
from swaprail.telemetry import metrics
from swaprail.telemetry.logging import get_logger
from swaprail.telemetry.order_lines import log_step

log = get_logger(__name__)

SCAN_LIMIT = 256
RETRY_S = 0.5


class Intake:
    """Leases orders up to the free places and starts work on them."""

    def __init__(self, leases: Leases, inflight: InFlight, publisher: TopicPublisher, *, interval_s: float) -> None:
        self._leases = leases
        self._inflight = inflight
        self._publisher = publisher
        self._interval_s = interval_s
        self._scanner: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to scan for due orders."""
        self._scanner = asyncio.create_task(self._scan_forever(), name="reconciler")

    async def stop(self) -> None:
        """Scan no more."""
        if self._scanner is not None:
            self._scanner.cancel()
            await asyncio.gather(self._scanner, return_exceptions=True)

    async def take(self, refs: Sequence[OrderRef]) -> None:
        """Lease the orders of messages in one commit, waiting while the database is away.

        What finds no free place is left to the scans, here or of another replica.
        """
        traces = {ref.id: ref.trace for ref in refs}
        wanted = list(traces)[: self._inflight.free]
        while wanted:
            try:
                orders, events = await self._leases.take(wanted)
                self._begin([_in_trace(order, traces[order.id]) for order in orders], events)
            except EngineError as error:
                log.warning("orders not leased yet", detail=error.detail, orders=len(wanted))
                await asyncio.sleep(RETRY_S)
            else:
                return

    async def wait_free(self) -> None:
        """Return when another message may be read."""
        await self._inflight.wait_free()

    async def scan(self) -> int:
        """Lease and start what is due; return how many orders that were."""
        limit = min(self._inflight.free, SCAN_LIMIT)
        if not limit:
            return 0
        orders, events = await self._leases.scan(limit)
        for order in orders:
            metrics.RECONCILED.labels(order.status).inc()
        self._begin(orders, events)
        return len(orders)

    def _begin(self, orders: list[LeasedOrder], events: list[OrderEvent]) -> None:
        if events:
            self._publisher.publish(Topic.EVENTS, OrderEvents(events))
            metrics.TRANSITIONS.labels("PENDING", "ROUTING").inc(len(events))
            for event in events:
                log_step(event.status, event.order_id, event.seq, event.trace)
        self._inflight.take(orders)

    async def _scan_forever(self) -> None:
        while True:
            try:
                found = await self.scan()
            except EngineError as error:
                log.warning("due orders not scanned", detail=error.detail)
                found = 0
            if found < SCAN_LIMIT:
                await asyncio.sleep(self._interval_s)
            await self._inflight.wait_free()


def _in_trace(order: LeasedOrder, trace: str | None) -> LeasedOrder:
    """Continue the trace where the message left it; a scanned order continues the request's own."""
    return order if trace is None else msgspec.structs.replace(order, trace=trace)
