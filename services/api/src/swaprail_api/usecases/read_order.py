"""Read one order with its route, quotes, attempts and times."""

from datetime import datetime
from functools import partial
from uuid import UUID

import msgspec

from swaprail.auth import Principal
from swaprail.domain.amounts import to_decimal_string
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.domain.lifecycle import Status
from swaprail.domain.quotes import Route, Routing, read_routing
from swaprail.messages.push import StatusMessage
from swaprail_api.schemas.orders import AttemptView, OrderDetail, RouteView
from swaprail_api.schemas.quotes import quote_view
from swaprail_api.store.reads import OrderReader
from swaprail_api.store.rows import Row, order_fields
from swaprail_api.turns import Turns

_attempts = msgspec.json.Decoder(list[AttemptView]).decode
_times = msgspec.json.Decoder(dict[Status, datetime]).decode


class ReadOrder:
    """Reads orders and their events."""

    def __init__(self, reader: OrderReader, turns: Turns) -> None:
        self._reader = reader
        self._turns = turns

    async def detail(self, order_id: UUID, caller: Principal) -> OrderDetail:
        """Return the order; EngineError order_not_found if the account has none of that id."""
        read = partial(self._reader.order, order_id, caller.account)
        row = await self._turns.take(caller, read)
        if row is None:
            raise _not_found()
        return _detail(row)

    async def events(self, order_id: UUID, caller: Principal, after: int) -> list[StatusMessage]:
        """Return its steps after a seq, oldest first."""
        read = partial(self._reader.events, order_id, caller.account, after)
        rows = await self._turns.take(caller, read)
        if rows is None:
            raise _not_found()
        return [
            StatusMessage(order_id, row["seq"], row["status"], _to_millisecond(row["at"]), msgspec.Raw(row["data"]))
            for row in rows
        ]


def _not_found() -> EngineError:
    return EngineError(ErrorCode.ORDER_NOT_FOUND, "no order of this account has the id")


def _to_millisecond(at: datetime) -> datetime:
    # As the WebSocket tells it.
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _detail(row: Row) -> OrderDetail:
    routing = read_routing(row["routing"] or "null") or Routing(None, [])
    decimals = row["input_decimals"], row["output_decimals"]
    attempts = _attempts(row["attempt_list"]) if row["attempt_list"] else []
    times = _times(row["timestamps"]) if row["timestamps"] else {}
    return OrderDetail(
        **order_fields(row),
        timestamps=dict(sorted(times.items(), key=lambda pair: pair[1])),
        route=_route(routing.route, row["output_decimals"]) if routing.route else None,
        quotes=[quote_view(result, *decimals) for result in routing.quotes],
        attempts=sorted(attempts, key=lambda attempt: attempt.attempt),
    )


def _route(route: Route, decimals: int) -> RouteView:
    quote = route.quote
    return RouteView(
        venue=route.venue,
        output_amount=to_decimal_string(quote.output_amount, decimals),
        output_amount_base=str(quote.output_amount),
        least_output=to_decimal_string(route.least_output, decimals),
        least_output_base=str(route.least_output),
        fee_bps=quote.fee_bps,
        price_impact_bps=quote.price_impact_bps,
    )
