"""A new order as the intake statement takes it."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from swaprail.domain.orders import NewOrder


class BatchKey(NamedTuple):
    """The idempotency key of a whole batch: its orders are stored only together with it.

    batch tells batches of one statement apart. Each order has a key of its own besides, `<key>#<number>`.
    """

    batch: UUID
    key: str
    request_sha256: bytes


class IntakeRow(NamedTuple):
    """An order to store, in the statement's order of columns. Amounts are text: the database parses them fastest."""

    id: UUID
    account: str
    wallet: str
    input_mint: str
    output_mint: str
    input_symbol: str
    output_symbol: str
    input_decimals: int
    output_decimals: int
    input_amount: str
    slippage_bps: int
    min_output_amount: str | None
    expires_at: datetime | None
    execute: bool
    trace: str | None
    key: str | None
    request_sha256: bytes | None
    batch: UUID | None = None
    batch_key: str | None = None
    batch_sha256: bytes | None = None


def intake_row(
    order: NewOrder, key: str | None, request_sha256: bytes | None, batch: BatchKey | None = None
) -> IntakeRow:
    """Return the row of an order."""
    least = order.min_output_amount
    return IntakeRow(
        order.id,
        order.account,
        order.wallet,
        order.input_mint,
        order.output_mint,
        order.input_symbol,
        order.output_symbol,
        order.input_decimals,
        order.output_decimals,
        str(order.input_amount),
        order.slippage_bps,
        None if least is None else str(least),
        order.expires_at,
        order.execute,
        order.trace,
        key,
        request_sha256,
        *(batch or ()),
    )
