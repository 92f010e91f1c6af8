"""Sign one attempt, store it with SUBMITTED in one commit, and only then let it be sent."""

import msgspec

from swaprail.domain.chain import SignedSwap
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import LeasedOrder
from swaprail.domain.quotes import QuoteRequest, Route
from swaprail_executor.attempts import Submission
from swaprail_executor.desk import Desk


async def submit_attempt(desk: Desk, order: LeasedOrder, route: Route) -> tuple[SignedSwap, LeasedOrder]:
    """Return the signed swap, durable but unsent, and the order as it now stands (SUBMITTED)."""
    attempt = order.attempts + 1
    request = QuoteRequest(order.input_mint, order.output_mint, order.input_amount)
    swap = await desk.builder.build(order.id, order.wallet, attempt, request, route)
    data = {"venue": route.venue, "attempt": attempt, "signature": swap.signature}
    moved = await desk.submissions.write(
        Submission(
            order,
            Status.SUBMITTED,
            msgspec.json.encode(data).decode(),
            attempt=attempt,
            swap=swap,
            venue=route.venue,
        ),
    )
    desk.extended(order)
    return swap, msgspec.structs.replace(order, status=Status.SUBMITTED, seq=moved.seq, attempts=attempt)
