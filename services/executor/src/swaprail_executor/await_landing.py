"""Send the stored bytes until the chain shows them, or shows that they can never land."""

import asyncio
import time
from collections.abc import Awaitable

from swaprail.domain.chain import ExpiryProof, Landing, SignedSwap
from swaprail.domain.errors import EngineError
from swaprail.domain.orders import LeasedOrder
from swaprail.ports.venues import VenueError
from swaprail.telemetry.logging import get_logger
from swaprail.telemetry.tracing import child_span
from swaprail_executor.desk import Attempt, Desk
from swaprail_executor.metrics import CHAIN_ERRORS, SENDS
from swaprail_executor.settle_attempt import mark_reconciling, settle_expired, settle_landed

log = get_logger(__name__)

ASK_SOONEST_S = 0.005
ASK_LATEST_S = 0.4  # one slot

type Outcome = Landing | ExpiryProof


async def await_landing(desk: Desk, order: LeasedOrder, attempt: Attempt, *, fresh: bool) -> None:
    """Return when the attempt is settled. fresh: these bytes were never sent before."""
    outcome = await _outcome(desk, order, attempt, fresh=fresh)
    if isinstance(outcome, Landing):
        await settle_landed(desk, order, attempt, outcome)
    else:
        await settle_expired(desk, order, attempt, outcome)


async def _outcome(desk: Desk, order: LeasedOrder, attempt: Attempt, *, fresh: bool) -> Outcome:
    swap = attempt.swap
    # The bytes are stored, and all that is done with them here may be done again: another worker may go on at any moment.
    desk.idles(order, True)
    outcome = None if fresh else await _verdict(desk, swap)
    began, marked = time.monotonic(), False
    while outcome is None:
        await _send(desk, attempt)
        outcome = await _watch(desk, swap) or await _verdict(desk, swap)
        overdue = time.monotonic() - began > desk.settings.executor_reconciling_after_s
        if outcome is None and overdue and not marked:
            await mark_reconciling(desk, order, swap)
            marked = True
    desk.idles(order, False)
    return outcome


async def _verdict(desk: Desk, swap: SignedSwap) -> Outcome | None:
    landing = await _look(desk, swap)
    if landing is not None:
        return landing
    proof = desk.chain.prove_expired(swap.signature, swap.last_valid_block_height)
    return await _answer("prove_expired", proof)


async def _watch(desk: Desk, swap: SignedSwap) -> Landing | None:
    until = time.monotonic() + desk.settings.executor_rebroadcast_s
    await desk.chain.wait_hint(swap.signature, desk.settings.executor_rebroadcast_s)
    pause = ASK_SOONEST_S
    while True:
        landing = await _look(desk, swap)
        if landing is not None or time.monotonic() >= until:
            return landing
        await asyncio.sleep(pause)
        pause = min(2 * pause, ASK_LATEST_S)


async def _look(desk: Desk, swap: SignedSwap) -> Landing | None:
    landings = await _answer("landings", desk.chain.landings((swap.signature,)))
    return landings.get(swap.signature) if landings else None


async def _send(desk: Desk, attempt: Attempt) -> None:
    """Send the bytes, while the order's time lasts: what has not left by then must not leave later."""
    left_s = None if attempt.send_until is None else attempt.send_until - time.monotonic()
    if left_s is not None and left_s <= 0:
        return
    with child_span("send"):
        sent = await _answer("send", asyncio.wait_for(_sent(desk, attempt.swap), left_s))
    SENDS.labels("ok" if sent else "unknown").inc()


async def _sent(desk: Desk, swap: SignedSwap) -> bool:
    await desk.chain.send(swap.raw)
    return True


async def _answer[T](call: str, asked: Awaitable[T]) -> T | None:
    """Return the chain's answer, or None: a failing or silent node is no verdict."""
    try:
        return await asked
    except (VenueError, EngineError, OSError, TimeoutError) as error:
        CHAIN_ERRORS.labels(call).inc()
        log.info("the chain gave no answer", call=call, error=type(error).__name__, detail=str(error))
        return None
