"""Build one attempt, check its bytes, sign it, store it with SUBMITTED in one commit, and only then let it be sent."""

import time
from collections.abc import Awaitable

import msgspec

from swaprail.domain.chain import UNKNOWN_HEIGHT, SignedSwap
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import LeasedOrder
from swaprail.domain.quotes import QuoteRequest, Route
from swaprail.ports.venues import VenueError
from swaprail.telemetry.tracing import child_span
from swaprail_executor.attempts import Submission
from swaprail_executor.check_swap import check_swap
from swaprail_executor.desk import Attempt, Desk


async def submit_attempt(desk: Desk, order: LeasedOrder, route: Route) -> tuple[Attempt, LeasedOrder]:
    """Return the attempt, durable but unsent, and the order as it now stands (SUBMITTED).

    Raises SwapMismatchError, and nothing is signed, when the built bytes say something else than the order.
    """
    number = order.attempts + 1
    request = QuoteRequest(order.input_mint, order.output_mint, order.input_amount)
    with child_span("build swap", venue=route.venue):
        swap = await _in_time(desk, _build_and_sign(desk, order, number, request, route))
    asked = time.monotonic()
    data = {"venue": route.venue, "attempt": number, "signature": swap.signature}
    moved = await desk.submissions.write(
        Submission(
            order,
            Status.SUBMITTED,
            msgspec.json.encode(data).decode(),
            attempt=number,
            swap=swap,
            venue=route.venue,
        ),
    )
    desk.extended(order)
    attempt = Attempt(swap, route.venue, route.quote.output_amount, _send_until(order, asked, moved.at))
    following = msgspec.structs.replace(order, status=Status.SUBMITTED, seq=moved.seq, attempts=number, at=moved.at)
    return attempt, following


def _send_until(order: LeasedOrder, asked: float, database_ms: int) -> float | None:
    """Return when the order's time is over by the database's clock, which told its time after it was asked."""
    return None if order.expires_at is None else asked + order.expires_at.timestamp() - database_ms / 1000


async def _build_and_sign(
    desk: Desk, order: LeasedOrder, number: int, request: QuoteRequest, route: Route
) -> SignedSwap:
    built = await desk.builder.build(order.id, order.wallet, number, request, route)
    check_swap(order, number, route, built, desk.builder.read(built.message))
    # Until when it can land is the word of all nodes, not of who built it: too low, and it is replaced while it may land.
    height = await desk.chain.last_valid_height(built.blockhash)
    bounded = msgspec.structs.replace(built, last_valid_block_height=UNKNOWN_HEIGHT if height is None else height)
    return await desk.signer.sign(bounded)


async def _in_time(desk: Desk, building: Awaitable[SignedSwap]) -> SignedSwap:
    # A node or a signer that is silent must not hold the order for ever: its lease would be renewed all the while.
    try:
        return await desk.building.wait(building)
    except (VenueError, OSError, TimeoutError) as error:
        raise EngineError(ErrorCode.UNAVAILABLE, f"the swap could not be built ({type(error).__name__})") from error
