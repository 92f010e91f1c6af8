"""The orders this process works on: bounded, their leases renewed, dropped when a lease is lost."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from uuid import UUID

from swaprail.db.leases import Leases
from swaprail.domain.errors import EngineError
from swaprail.domain.orders import LeasedOrder, StaleLeaseError
from swaprail.telemetry import metrics
from swaprail.telemetry.logging import get_logger
from swaprail.telemetry.registry import start_at_zero
from swaprail.telemetry.survival import survive

log = get_logger(__name__)

RENEW_EVERY_S = 0.25
RENEW_AFTER = 0.6  # of a lease's length
HAND_OVER_PAUSE_S = 0.05  # so that one commit hands many orders over


class _Held:
    """An order, its task, and when its lease is to be renewed."""

    __slots__ = ("order", "renew_at", "task")

    def __init__(self, order: LeasedOrder, task: asyncio.Task[None], renew_at: float) -> None:
        self.order = order
        self.task = task
        self.renew_at = renew_at


class InFlight:
    """Runs one task per leased order, at most `limit` at once."""

    def __init__(
        self,
        work: Callable[[LeasedOrder], Coroutine[object, object, None]],
        leases: Leases,
        *,
        limit: int,
        stage: str,
    ) -> None:
        self._work = work
        self._leases = leases
        self._limit = limit
        self._orders: dict[UUID, _Held] = {}
        self._idle: dict[UUID, int] = {}  # orders that merely wait, and their fences
        self._freed = asyncio.Event()
        self._closed = False
        self._gauge = metrics.IN_FLIGHT.labels(stage)
        self._renewer: asyncio.Task[None] | None = None
        self.stage = stage
        metrics.SLOTS.labels("total").set(limit)
        metrics.SLOTS.labels("used").set_function(lambda: len(self._orders))
        start_at_zero(metrics.LEASES_LOST, [stage])
        start_at_zero(metrics.RELEASED, [stage])

    @property
    def free(self) -> int:
        """How many more orders may be taken."""
        return 0 if self._closed else max(0, self._limit - len(self._orders))

    @property
    def closed(self) -> bool:
        """Tell whether no more orders are taken."""
        return self._closed

    def __len__(self) -> int:
        """How many orders are worked on."""
        return len(self._orders)

    def start(self) -> None:
        """Begin to renew leases."""
        self._renewer = asyncio.create_task(self._renew_forever(), name=f"{self.stage} leases")

    def take(self, orders: Sequence[LeasedOrder], *, lease_s: float, scanned: bool = False) -> None:
        """Work on orders whose leases last so many seconds from now.

        A scan has read the rows and leased them anew: older work on them here is stale. A message, which anybody may
        have written, ends no work under way.
        """
        renew_at = time.monotonic() + lease_s * RENEW_AFTER
        loop = asyncio.get_running_loop()
        for order in orders:
            held = self._orders.get(order.id)
            if held is not None:
                if not scanned:
                    continue
                held.task.cancel()
            # Run at once until it waits: an order that waits for nothing costs no turn of the loop.
            task = asyncio.Task(self._run(order), loop=loop, eager_start=True)
            if not task.done():
                self._orders[order.id] = _Held(order, task, renew_at)
        self._gauge.set(len(self._orders))

    async def wait_free(self) -> None:
        """Return when an order may be taken, or none will be any more."""
        while not self.free and not self._closed:
            self._freed.clear()
            await self._freed.wait()

    def close(self) -> None:
        """Take no more orders."""
        self._closed = True
        self._freed.set()

    def idles(self, order: LeasedOrder, *, idle: bool) -> None:
        """Note whether the order merely waits from now on: then whoever takes it over loses nothing."""
        if idle:
            self._idle[order.id] = order.fence
            self._freed.set()
        else:
            self._idle.pop(order.id, None)

    async def drain(self) -> None:
        """Return when every order taken is finished, or handed over because it merely waits."""
        while self._orders:
            self._freed.clear()
            await self._hand_over([h for h in self._orders.values() if self._idle.get(h.order.id) == h.order.fence])
            if self._orders:
                await self._freed.wait()
                await asyncio.sleep(HAND_OVER_PAUSE_S)

    async def stop(self) -> None:
        """Drop what is left and hand it over to other workers."""
        self.close()
        if self._renewer is not None:
            self._renewer.cancel()
            await asyncio.gather(self._renewer, return_exceptions=True)
        await self._hand_over(list(self._orders.values()))

    async def _hand_over(self, dropped: list[_Held]) -> None:
        """Stop work on the orders and give their leases back, so that others need not wait for them to lapse."""
        if not dropped:
            return
        for held in dropped:
            held.task.cancel()
        await asyncio.gather(*(held.task for held in dropped), return_exceptions=True)
        try:
            await self._leases.release([(held.order.id, held.order.fence) for held in dropped])
        except EngineError as error:
            log.warning("leases left to lapse", orders=len(dropped), detail=error.detail)
            return
        metrics.RELEASED.labels(self.stage).inc(len(dropped))
        log.info("orders handed over", orders=len(dropped), stage=self.stage)

    async def _run(self, order: LeasedOrder) -> None:
        try:
            await self._work(order)
        except StaleLeaseError:
            metrics.LEASES_LOST.labels(self.stage).inc()
            log.warning("order went on elsewhere", order_id=str(order.id), fence=order.fence)
        except EngineError as error:
            # The lease lapses and whoever is able goes on: nothing is guessed here.
            metrics.OPERATIONAL_ERRORS.labels(error.code).inc()
            log.log(error.kind.log_level, "order left to its lease", order_id=str(order.id), detail=error.detail)
        except Exception:
            log.exception("order left to its lease", order_id=str(order.id), trace=order.trace)
        finally:
            held = self._orders.get(order.id)
            if held is not None and held.task is asyncio.current_task():
                del self._orders[order.id]
                self._idle.pop(order.id, None)
            self._gauge.set(len(self._orders))
            self._freed.set()

    def extended(self, order: LeasedOrder) -> None:
        """Note that a write of the order has just extended its lease to the full length."""
        held = self._orders.get(order.id)
        if held is not None and held.order.fence == order.fence:
            held.renew_at = time.monotonic() + self._leases.lease_s * RENEW_AFTER

    async def _renew_forever(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            await survive("renewal of leases", self._renew_due())

    async def _renew_due(self) -> None:
        now = time.monotonic()
        due = [(h.order.id, h.order.fence) for h in self._orders.values() if h.renew_at <= now]
        if not due:
            return
        kept = await self._leases.renew(due)
        for order_id, fence in due:
            held = self._orders.get(order_id)
            if held is None or held.order.fence != fence:
                continue
            if order_id in kept:
                held.renew_at = now + self._leases.lease_s * RENEW_AFTER
                continue
            metrics.LEASES_LOST.labels(self.stage).inc()
            log.warning("lease lost", order_id=str(order_id), fence=fence)
            held.task.cancel()
