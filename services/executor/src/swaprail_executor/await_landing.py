"""Send the stored bytes until the chain shows them, or shows that they can never land."""

import asyncio
import time
from collections.abc import Awaitable

from swaprail.domain.chain import UNKNOWN_HEIGHT, Doubt, ExpiryProof, Landing, SignedSwap
from swaprail.domain.errors import EngineError
from swaprail.domain.orders import LeasedOrder
from swaprail.ports.venues import VenueError
from swaprail.telemetry.incidents import Incident
from swaprail.telemetry.logging import get_logger
from swaprail.telemetry.tracing import child_span
from swaprail_executor.desk import Attempt, Desk
from swaprail_executor.metrics import CHAIN_ERRORS, DISPUTES, SENDS
from swaprail_executor.settle_attempt import mark_reconciling, settle_expired, settle_landed

log = get_logger(__name__)

_SILENCE = {
    call: Incident("the chain gave no answer", "the chain answers again")
    for call in ("landings", "prove_expired", "send")
}
ASK_SOONEST_S = 0.005
ASK_LATEST_S = 0.4  # one slot

type Outcome = Landing | ExpiryProof


class _Sent:
    """An attempt that was sent, and what this process alone knows of it."""

    def __init__(self, order: LeasedOrder, attempt: Attempt) -> None:
        self.order = order
        self.attempt = attempt
        self.swap = attempt.swap
        self.last_valid = attempt.swap.last_valid_block_height
        self.doubt: Doubt | None = None  # about what the nodes showed when they were last asked
        self.disputed = False


async def await_landing(desk: Desk, order: LeasedOrder, attempt: Attempt, *, fresh: bool) -> None:
    """Return when the attempt is settled. fresh: these bytes were never sent before."""
    outcome = await _outcome(desk, _Sent(order, attempt), fresh=fresh)
    if isinstance(outcome, Landing):
        await settle_landed(desk, order, attempt, outcome)
    else:
        await settle_expired(desk, order, attempt, outcome)


async def _outcome(desk: Desk, sent: _Sent, *, fresh: bool) -> Outcome:
    # The bytes are stored, and all that is done with them here may be done again: another worker may go on at any moment.
    desk.idles(sent.order, True)
    outcome = None if fresh else await _verdict(desk, sent)
    began, marked = time.monotonic(), False
    while outcome is None:
        # What every node shows only has to become final.
        if sent.doubt is not Doubt.NOT_FINAL:
            await _send(desk, sent.attempt)
        outcome = await _watch(desk, sent) or await _verdict(desk, sent)
        overdue = time.monotonic() - began > desk.settings.executor_reconciling_after_s
        if outcome is None and overdue and not marked:
            await mark_reconciling(desk, sent.order, sent.swap, sent.doubt)
            marked = True
    desk.idles(sent.order, False)
    return outcome


async def _verdict(desk: Desk, sent: _Sent) -> Outcome | None:
    landing = await _look(desk, sent)
    if landing is not None or sent.doubt is Doubt.NOT_FINAL:
        return landing
    if sent.last_valid == UNKNOWN_HEIGHT:
        sent.last_valid = await desk.chain.height_surely_past() or UNKNOWN_HEIGHT
    proof = desk.chain.prove_expired(sent.swap.signature, sent.last_valid)
    return await _answer("prove_expired", proof)


async def _watch(desk: Desk, sent: _Sent) -> Landing | None:
    until = time.monotonic() + desk.settings.executor_rebroadcast_s
    await desk.chain.wait_hint(sent.swap.signature, desk.settings.executor_rebroadcast_s)
    pause = ASK_SOONEST_S
    while True:
        landing = await _look(desk, sent)
        if landing is not None or time.monotonic() >= until:
            return landing
        await asyncio.sleep(pause)
        pause = min(2 * pause, ASK_LATEST_S)


async def _look(desk: Desk, sent: _Sent) -> Landing | None:
    signature = sent.swap.signature
    shown = (await _answer("landings", desk.chain.landings((signature,))) or {}).get(signature)
    sent.doubt = shown if isinstance(shown, Doubt) else None
    if sent.doubt is Doubt.DISPUTED and not sent.disputed:
        sent.disputed = True
        DISPUTES.inc()
        log.warning("nodes show different outcomes", order_id=str(sent.order.id), signature=signature)
    return shown if isinstance(shown, Landing) else None


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
        answer = await asked
    except (VenueError, EngineError, OSError, TimeoutError) as error:
        CHAIN_ERRORS.labels(call).inc()
        _SILENCE[call].failed(error, call=call)
        return None
    _SILENCE[call].succeeded()
    return answer
