"""An order as clients see it."""

from datetime import datetime
from uuid import UUID

import msgspec

from swaprail.domain.amounts import to_decimal_string
from swaprail.domain.chain import AttemptState
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import Failure, NewOrder
from swaprail.messages.push import StatusMessage
from swaprail_api.schemas.quotes import QuoteView
from swaprail_api.schemas.times import Time


class OrderView(msgspec.Struct, frozen=True, rename="camel"):
    """An order. reconciling: nothing can be proven yet about its submitted transaction, and nobody guesses."""

    order_id: UUID
    user_wallet: str
    input_token: str
    input_mint: str
    output_token: str
    output_mint: str
    input_amount: str
    input_amount_base: str
    slippage_bps: int
    min_output_amount: str | None
    min_output_amount_base: str | None
    status: Status
    seq: int
    reconciling: bool
    created_at: Time
    queued_at: Time | None
    closed_at: Time | None
    expires_at: Time | None
    output_amount: str | None
    output_amount_base: str | None
    signature: str | None
    failure: Failure | None


class AttemptView(msgspec.Struct, frozen=True, rename="camel"):
    """One signed transaction of an order, and what became of it.

    lastValidBlockHeight is null while the nodes of the chain are not agreed on it.
    """

    attempt: int
    venue: str
    signature: str
    state: AttemptState
    blockhash: str
    last_valid_block_height: int | None
    slot: int | None
    error: str | None
    created_at: Time
    settled_at: Time | None


class RouteView(msgspec.Struct, frozen=True, rename="camel"):
    """The chosen quote. leastOutput: what landing must give, or the swap reverts."""

    venue: str
    output_amount: str
    output_amount_base: str
    least_output: str
    least_output_base: str
    fee_bps: int
    price_impact_bps: int


class OrderDetail(OrderView, frozen=True, rename="camel"):
    """An order with its history. timestamps: when each status was first reached."""

    timestamps: dict[Status, Time]
    route: RouteView | None
    quotes: list[QuoteView]
    attempts: list[AttemptView]


class OrderPage(msgspec.Struct, frozen=True, rename="camel"):
    """Orders, newest first. nextCursor is null on the last page."""

    orders: list[OrderView]
    next_cursor: str | None


class EventList(msgspec.Struct, frozen=True):
    """Steps of an order, as its WebSocket sends them."""

    events: list[StatusMessage]


def accepted_view(order: NewOrder, created_at: datetime, queued_at: datetime | None) -> OrderView:
    """Return the order as it was when accepted: only of what never changes, so it is the same at every repetition."""
    least = order.min_output_amount
    return OrderView(
        order_id=order.id,
        user_wallet=order.wallet,
        input_token=order.input_symbol,
        input_mint=order.input_mint,
        output_token=order.output_symbol,
        output_mint=order.output_mint,
        input_amount=to_decimal_string(order.input_amount, order.input_decimals),
        input_amount_base=str(order.input_amount),
        slippage_bps=order.slippage_bps,
        min_output_amount=None if least is None else to_decimal_string(least, order.output_decimals),
        min_output_amount_base=None if least is None else str(least),
        status=Status.PENDING,
        seq=1,
        reconciling=False,
        created_at=created_at,
        queued_at=queued_at,
        closed_at=None,
        expires_at=order.expires_at,
        output_amount=None,
        output_amount_base=None,
        signature=None,
        failure=None,
    )
