"""Write down what became of an attempt, and with it what becomes of its order."""

import msgspec

from swaprail.clock import database_now
from swaprail.domain.amounts import to_decimal_string
from swaprail.domain.chain import AttemptState, Doubt, ExpiryProof, Landing, SignedSwap
from swaprail.domain.errors import ErrorCode
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import Failure, FundsMoved, LeasedOrder, Stage, failure
from swaprail.telemetry.logging import get_logger
from swaprail_executor.attempts import Settlement
from swaprail_executor.desk import Attempt, Desk
from swaprail_executor.metrics import ATTEMPTS, RETRIES, SLIPPAGE

log = get_logger(__name__)

_REVERT_CODES = {str(code): code for code in (ErrorCode.SLIPPAGE_EXCEEDED, ErrorCode.VENUE_REJECTED)}


async def settle_landed(desk: Desk, order: LeasedOrder, attempt: Attempt, landing: Landing) -> None:
    """Confirm the order, or fail it when the venue's program refused the swap: then no funds moved."""
    if landing.error is None:
        await _confirm(desk, order, attempt, landing)
        return
    code = _REVERT_CODES.get(landing.error, ErrorCode.VENUE_REJECTED)
    reason = failure(code, Stage.LANDING, FundsMoved.NO, f"{landing.error} in slot {landing.slot}")
    await _fail(desk, order, attempt.swap, Status.FAILED, reason, AttemptState.REVERTED, landing=landing)
    ATTEMPTS.labels(attempt.venue, "reverted").inc()


async def settle_expired(desk: Desk, order: LeasedOrder, attempt: Attempt, proof: ExpiryProof) -> None:
    """With proof that the attempt can never land: route again, or end the order when its time is up."""
    await _end_or_route_again(desk, order, attempt.swap, proof)
    ATTEMPTS.labels(attempt.venue, "expired").inc()


async def _end_or_route_again(desk: Desk, order: LeasedOrder, swap: SignedSwap, proof: ExpiryProof) -> None:
    now = database_now()
    reason = failure(ErrorCode.DEADLINE_PASSED, Stage.LANDING, FundsMoved.NO, "no attempt landed in time")
    if order.expires_at is not None and order.expires_at <= now:
        await _fail(desk, order, swap, Status.EXPIRED, reason, AttemptState.EXPIRED, proof=proof)
        return
    late = order.expires_at is None and (now - order.queued_at).total_seconds() > desk.settings.order_deadline_s
    if late or order.attempts >= desk.settings.executor_max_attempts:
        await _fail(desk, order, swap, Status.FAILED, reason, AttemptState.EXPIRED, proof=proof)
        return
    await desk.settlements.write(
        Settlement(
            order,
            Status.ROUTING,
            '{"reason":"attempt_expired"}',
            due_in_s=0,
            signature=swap.signature,
            state=AttemptState.EXPIRED,
            evidence=msgspec.json.encode(proof).decode(),
        ),
    )
    RETRIES.labels("attempt_expired").inc()


async def mark_reconciling(desk: Desk, order: LeasedOrder, swap: SignedSwap, doubt: Doubt | None) -> None:
    """Say openly that nothing can be proven: the order stays SUBMITTED and an alert fires."""
    log.warning(
        "nothing can be proven about a submitted order",
        order_id=str(order.id),
        signature=swap.signature,
        landing=doubt or "not shown",
    )
    await desk.settlements.write(
        Settlement(order, Status.SUBMITTED, signature=swap.signature, state=AttemptState.LIVE, reconciling=True),
    )


async def _confirm(desk: Desk, order: LeasedOrder, attempt: Attempt, landing: Landing) -> None:
    token = desk.tokens.by_mint(order.output_mint)
    units = landing.output_amount
    data: dict[str, object] = {
        "signature": attempt.swap.signature,
        "outputAmount": to_decimal_string(units, token.decimals) if token and units is not None else None,
        "outputAmountBase": None if units is None else str(units),
        "slot": landing.slot,
    }
    if not landing.amount_confirmed:
        data["amountConfirmed"] = False
    await desk.settlements.write(
        Settlement(
            order,
            Status.CONFIRMED,
            msgspec.json.encode(data).decode(),
            due_in_s=0,
            signature=attempt.swap.signature,
            state=AttemptState.LANDED,
            slot=landing.slot,
            output_amount=units,
        ),
    )
    ATTEMPTS.labels(attempt.venue, "landed").inc()
    if units is not None and attempt.quoted:
        SLIPPAGE.labels(attempt.venue).observe(1 - units / attempt.quoted)


async def _fail(
    desk: Desk,
    order: LeasedOrder,
    swap: SignedSwap,
    following: Status,
    reason: Failure,
    state: AttemptState,
    *,
    landing: Landing | None = None,
    proof: ExpiryProof | None = None,
) -> None:
    await desk.settlements.write(
        Settlement(
            order,
            following,
            msgspec.json.encode({"failure": reason}).decode(),
            due_in_s=0,
            failure=msgspec.json.encode(reason).decode(),
            signature=swap.signature,
            state=state,
            slot=landing.slot if landing else None,
            error=landing.error if landing else None,
            evidence=msgspec.json.encode(proof).decode() if proof else None,
        ),
    )
