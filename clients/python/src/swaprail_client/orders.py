"""What the engine says of orders and quotes. Amounts are decimal strings; *_base are whole base units, as strings."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from swaprail_client.errors import Problem

TERMINAL = frozenset({"CONFIRMED", "FAILED", "CANCELLED", "EXPIRED"})

type Amount = str | int | Decimal

# The published spelling of an amount; Decimal itself reads more: 1_5, digits of any script, spaces around.
AMOUNT = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,9})?"
_AMOUNT = re.compile(AMOUNT)
_MOST_PLACES = 30  # before the point and behind it: more than any token has


def amount_text(amount: object) -> str:
    """Return an amount as a plain decimal string.

    Raises:
        TypeError: it is a float, which cannot hold most decimal amounts exactly.
        ValueError: it is not a decimal number as the engine reads them.

    """
    if isinstance(amount, bool) or not isinstance(amount, str | int | Decimal):
        message = "an amount is a str, an int or a Decimal: a float is not exact"
        raise TypeError(message)
    written = not isinstance(amount, str) or _AMOUNT.fullmatch(amount)
    value = Decimal(amount) if written else Decimal("nan")
    if not value.is_finite() or abs(value.adjusted()) > _MOST_PLACES:
        message = f"{str(amount)[:40]!r} is not an amount"
        raise ValueError(message)
    return format(value, "f")


class NewOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """An order to post. Tokens by symbol or mint; amounts in whole tokens, kept exactly."""

    user_wallet: str
    input_token: str
    output_token: str
    input_amount: Amount
    slippage_bps: int | None = None
    min_output_amount: Amount | None = None
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "input_amount", amount_text(self.input_amount))
        if self.min_output_amount is not None:
            msgspec.structs.force_setattr(self, "min_output_amount", amount_text(self.min_output_amount))
        if self.expires_at is not None and self.expires_at.tzinfo is None:
            message = "expires_at needs a time zone"
            raise ValueError(message)


class Failure(msgspec.Struct, frozen=True, rename="camel"):
    """Why an order failed. funds_moved is no, yes or unknown."""

    code: str
    stage: str = ""
    retryable: bool = False
    funds_moved: str = "unknown"
    hint: str = ""
    detail: str = ""


class Quote(msgspec.Struct, frozen=True, rename="camel"):
    """What a venue would give, or why its answer was discarded. output_amount is net of the venue's fee."""

    venue: str
    input_amount: str | None = None
    input_amount_base: str | None = None
    output_amount: str | None = None
    output_amount_base: str | None = None
    fee_bps: int | None = None
    price_impact_bps: int | None = None
    duration_ms: float | None = None
    discarded: str | None = None
    detail: str | None = None

    @property
    def usable(self) -> bool:
        """Whether an order could take it."""
        return self.output_amount is not None and self.discarded is None


class Route(msgspec.Struct, frozen=True, rename="camel"):
    """The quote an order took, and the least output it accepts at landing."""

    venue: str
    output_amount: str | None = None
    output_amount_base: str | None = None
    least_output: str | None = None
    least_output_base: str | None = None
    fee_bps: int | None = None
    price_impact_bps: int | None = None


class Attempt(msgspec.Struct, frozen=True, rename="camel"):
    """One signed transaction of an order."""

    attempt: int
    venue: str
    signature: str
    state: str
    blockhash: str | None = None
    last_valid_block_height: int | None = None
    slot: int | None = None
    error: str | None = None
    created_at: datetime | None = None
    settled_at: datetime | None = None


class Order(msgspec.Struct, frozen=True, rename="camel"):
    """An order. timestamps, route, quotes and attempts are there when one order was asked for."""

    order_id: UUID
    user_wallet: str
    input_token: str
    output_token: str
    input_amount: str
    status: str
    seq: int
    input_amount_base: str | None = None
    input_mint: str | None = None
    output_mint: str | None = None
    slippage_bps: int | None = None
    min_output_amount: str | None = None
    min_output_amount_base: str | None = None
    reconciling: bool = False
    created_at: datetime | None = None
    queued_at: datetime | None = None
    closed_at: datetime | None = None
    expires_at: datetime | None = None
    output_amount: str | None = None
    output_amount_base: str | None = None
    signature: str | None = None
    failure: Failure | None = None
    timestamps: dict[str, datetime] = {}
    route: Route | None = None
    quotes: list[Quote] = []
    attempts: list[Attempt] = []

    @property
    def ended(self) -> bool:
        """Whether the status is final."""
        return self.status in TERMINAL


class StatusMessage(msgspec.Struct, frozen=True, rename="camel"):
    """One step of an order. seq counts from 1 without gaps; timestamp is the time of the commit."""

    order_id: UUID
    seq: int
    status: str
    timestamp: datetime
    data: dict[str, Any] = {}
    type: str = "status"

    @property
    def ends(self) -> bool:
        """Whether no step can follow."""
        return self.status in TERMINAL


class OrderPage(msgspec.Struct, frozen=True, rename="camel"):
    """Orders, newest first. next_cursor is None on the last page."""

    orders: list[Order]
    next_cursor: str | None = None


class BatchResult(msgspec.Struct, frozen=True, rename="camel"):
    """What became of one order of a batch: an order, or the problem that kept it out."""

    status: int
    order: Order | None = None
    problem: Problem | None = None
    replayed: bool = False
