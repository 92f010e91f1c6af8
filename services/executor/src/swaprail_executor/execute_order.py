"""Bring a leased order to its end: build, sign, store, send, land, settle."""

import time

import msgspec

from swaprail.clock import database_now
from swaprail.db.transitions import Move
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import Failure, FundsMoved, LeasedOrder, Stage, StaleLeaseError, failure
from swaprail.domain.quotes import read_routing
from swaprail.telemetry.logging import get_logger
from swaprail.telemetry.tracing import child_span, span
from swaprail_executor.await_landing import await_landing
from swaprail_executor.check_swap import SwapMismatchError
from swaprail_executor.desk import Attempt, Desk
from swaprail_executor.metrics import ATTEMPTS, RETRIES
from swaprail_executor.submit_attempt import submit_attempt

log = get_logger(__name__)


async def execute_order(desk: Desk, order: LeasedOrder) -> None:
    """Go on with an order from wherever it stands; a guard that refuses raises StaleLeaseError."""
    with span("execute order", order.trace, attributes={"order.id": str(order.id), "order.status": order.status}):
        if order.status is Status.BUILDING:
            await _build_and_land(desk, order)
        else:
            await _resume(desk, order)


async def _build_and_land(desk: Desk, order: LeasedOrder) -> None:
    now = database_now()
    if order.expires_at is not None and order.expires_at <= now:
        await _expire(desk, order)
        return
    routing = read_routing(order.routing)
    route = routing.route if routing else None
    if route is None:
        # Of another version, say: whatever it says, the order ends, or gets a route that this version can read.
        await _route_again(desk, order, "route_unreadable")
        return
    # A clock was set back where the quote is of a time to come: its age is unknown.
    if abs(now.timestamp() - route.quote.quoted_at) > desk.settings.executor_route_max_age_s:
        await _route_again(desk, order, "route_stale")
        return
    try:
        attempt, submitted = await submit_attempt(desk, order, route)
    except SwapMismatchError as error:
        await _refuse(desk, order, route.venue, error)
        return
    except StaleLeaseError:
        if order.expires_at is None:
            raise
        # Its time may be over by the database's clock, which decides on this write as well.
        await _expire(desk, order)
        return
    await _land(desk, submitted, attempt, fresh=True)


async def _resume(desk: Desk, order: LeasedOrder) -> None:
    asked = time.monotonic()
    live = await desk.live_attempt(order.id)
    if live is None:
        # Another worker settled it while this one stood still: then this write is refused.
        await desk.moves.write(Move(order, order.status))
        # SUBMITTED without a live attempt cannot be written by any statement of ours.
        raise EngineError(ErrorCode.INTERNAL, "a submitted order has no live attempt")
    # What was quoted is for a metric alone: an order that was sent is settled whatever its stored route looks like.
    send_until = None if live.left_s is None else asked + live.left_s
    await _land(desk, order, Attempt(live.swap, live.venue, quoted=None, send_until=send_until), fresh=False)


async def _land(desk: Desk, order: LeasedOrder, attempt: Attempt, *, fresh: bool) -> None:
    with child_span("await landing", venue=attempt.venue):
        await await_landing(desk, order, attempt, fresh=fresh)


async def _expire(desk: Desk, order: LeasedOrder) -> None:
    await _end(desk, order, Status.EXPIRED, failure(ErrorCode.DEADLINE_PASSED, Stage.BUILDING, FundsMoved.NO))


async def _refuse(desk: Desk, order: LeasedOrder, venue: str, error: SwapMismatchError) -> None:
    detail = f"{venue} built another swap than ordered: {error}"
    await _end(desk, order, Status.FAILED, failure(ErrorCode.BUILD_FAILED, Stage.BUILDING, FundsMoved.NO, detail))
    # Only now: until the table agreed, it may have been the order that was another than ordered.
    log.error(
        "a built swap is not its order's; nothing was signed", order_id=str(order.id), venue=venue, differs=str(error)
    )
    ATTEMPTS.labels(venue, "refused").inc()


async def _end(desk: Desk, order: LeasedOrder, status: Status, reason: Failure) -> None:
    text = msgspec.json.encode(reason).decode()
    data = msgspec.json.encode({"failure": reason}).decode()
    await desk.moves.write(Move(order, status, data, due_in_s=0, failure=text))


async def _route_again(desk: Desk, order: LeasedOrder, why: str) -> None:
    spent = (database_now() - order.queued_at).total_seconds()
    if order.expires_at is None and spent > desk.settings.order_deadline_s:
        # An order that cannot be built comes here time and again, and must end some day.
        reason = failure(ErrorCode.DEADLINE_PASSED, Stage.BUILDING, FundsMoved.NO, "no swap could be built in time")
        await _end(desk, order, Status.FAILED, reason)
        return
    RETRIES.labels(why).inc()
    # Found by a router's next scan.
    data = msgspec.json.encode({"reason": why}).decode()
    await desk.moves.write(Move(order, Status.ROUTING, data, due_in_s=0))
