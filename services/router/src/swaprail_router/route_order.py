"""Find the route of a leased order and hand it to the executors, or end the order."""

import msgspec

from swaprail.clock import database_now, database_time
from swaprail.db.transitions import Move
from swaprail.domain.amounts import to_decimal_string
from swaprail.domain.errors import ErrorCode
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import FundsMoved, LeasedOrder, Stage, failure
from swaprail.domain.quotes import QuoteRequest, Route, Routing, read_routing
from swaprail.domain.tokens import TokenList
from swaprail.runtime.order_writer import OrderWriter
from swaprail.telemetry.metrics import STAGE
from swaprail.telemetry.tracing import span
from swaprail_router import metrics
from swaprail_router.quoting import Quoting
from swaprail_router.settings import RouterSettings

_NEVER_ROUTED = msgspec.Raw(b"null")
_encode = msgspec.json.Encoder().encode


class Desk(msgspec.Struct, frozen=True):
    """What routing works with, wired once in app.py."""

    settings: RouterSettings
    quoting: Quoting
    tokens: TokenList
    moves: OrderWriter[Move]


async def route_order(desk: Desk, order: LeasedOrder) -> None:
    """Choose the route and move the order to BUILDING; without one, ask again later while its time allows."""
    if order.at is not None and order.routing == _NEVER_ROUTED:
        STAGE.labels("queued").observe(max(0.0, database_time() - order.at / 1000))
    with span("route order", order.trace, attributes={"order.id": str(order.id)}):
        if order.expires_at is not None and order.expires_at <= database_now():
            await _end(desk, order, Status.EXPIRED, ErrorCode.DEADLINE_PASSED, None)
            return
        request = QuoteRequest(order.input_mint, order.output_mint, order.input_amount)
        routing, refusal = await desk.quoting.route(request, order.slippage_bps, order.min_output_amount)
        if routing.route is not None:
            await _hand_over(desk, order, routing, routing.route)
        else:
            await _retry_or_end(desk, order, routing, refusal)


async def _hand_over(desk: Desk, order: LeasedOrder, routing: Routing, route: Route) -> None:
    token = desk.tokens.by_mint(order.output_mint)
    data = {
        "venue": route.venue,
        "outputAmount": to_decimal_string(route.quote.output_amount, token.decimals) if token else None,
        "outputAmountBase": str(route.quote.output_amount),
        "leastOutputBase": str(route.least_output),
        "priceImpactBps": route.quote.price_impact_bps,
    }
    stored = _encode(routing).decode()
    await desk.moves.write(Move(order, Status.BUILDING, _encode(data).decode(), routing=stored, hand_over=True))
    metrics.SELECTED.labels(route.venue).inc()


async def _retry_or_end(desk: Desk, order: LeasedOrder, routing: Routing, refusal: ErrorCode) -> None:
    earlier = read_routing(order.routing)
    rounds = 1 + (earlier.rounds if earlier else 0)
    pause = min(desk.settings.router_retry_s * 2 ** min(rounds - 1, 16), desk.settings.router_retry_longest_s)
    spent = (database_now() - order.queued_at).total_seconds()
    if order.expires_at is None and spent + pause > desk.settings.order_deadline_s:
        await _end(desk, order, Status.FAILED, refusal, routing)
        return
    metrics.RETRIES.labels(refusal).inc()
    tried = _encode(msgspec.structs.replace(routing, rounds=rounds)).decode()
    await desk.moves.write(Move(order, Status.ROUTING, due_in_s=pause, routing=tried))


async def _end(desk: Desk, order: LeasedOrder, status: Status, code: ErrorCode, routing: Routing | None) -> None:
    reason = failure(code, Stage.ROUTING, FundsMoved.NO)
    await desk.moves.write(
        Move(
            order,
            status,
            _encode({"failure": reason}).decode(),
            due_in_s=0,
            routing=_encode(routing).decode() if routing else None,
            failure=_encode(reason).decode(),
        ),
    )
