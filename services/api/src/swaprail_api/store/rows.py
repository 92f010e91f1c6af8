"""Rows of orders, as new orders and as views."""

from typing import Any

import msgspec

from swaprail.domain.amounts import to_decimal_string
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import Failure, NewOrder
from swaprail_api.schemas.orders import OrderView

type Row = Any  # asyncpg.Record

_decode_failure = msgspec.json.Decoder(Failure).decode


def accepted_order(row: Row, *, execute: bool) -> NewOrder:
    """Return the order as it was accepted, from its row in the table."""
    least = row["min_output_amount"]
    return NewOrder(
        id=row["id"],
        account=row["account"],
        wallet=row["wallet"],
        input_mint=row["input_mint"],
        output_mint=row["output_mint"],
        input_symbol=row["input_symbol"],
        output_symbol=row["output_symbol"],
        input_decimals=row["input_decimals"],
        output_decimals=row["output_decimals"],
        input_amount=int(row["input_amount"]),
        slippage_bps=row["slippage_bps"],
        min_output_amount=None if least is None else int(least),
        expires_at=row["expires_at"],
        execute=execute,
        trace=row["trace"],
    )


def order_fields(row: Row) -> dict[str, Any]:
    """Return the fields of OrderView for a row of orders that also has signature."""
    least, output = row["min_output_amount"], row["output_amount"]
    return {
        "order_id": row["id"],
        "user_wallet": row["wallet"],
        "input_token": row["input_symbol"],
        "input_mint": row["input_mint"],
        "output_token": row["output_symbol"],
        "output_mint": row["output_mint"],
        "input_amount": to_decimal_string(int(row["input_amount"]), row["input_decimals"]),
        "input_amount_base": str(int(row["input_amount"])),
        "slippage_bps": row["slippage_bps"],
        "min_output_amount": None if least is None else to_decimal_string(int(least), row["output_decimals"]),
        "min_output_amount_base": None if least is None else str(int(least)),
        "status": Status(row["status"]),
        "seq": row["seq"],
        "reconciling": row["reconciling_since"] is not None,
        "created_at": row["created_at"],
        "queued_at": row["queued_at"],
        "closed_at": row["closed_at"],
        "expires_at": row["expires_at"],
        "output_amount": None if output is None else to_decimal_string(int(output), row["output_decimals"]),
        "output_amount_base": None if output is None else str(int(output)),
        "signature": row["signature"],
        "failure": _failure(row["failure"]),
    }


def _failure(stored: str | None) -> Failure | msgspec.Raw | None:
    if stored is None:
        return None
    try:
        return _decode_failure(stored)
    except msgspec.MsgspecError:
        # Of another version: told as it is, since it says whether funds moved. What is no object says nothing.
        return msgspec.Raw(stored.encode()) if stored.lstrip().startswith("{") else None


def order_view(row: Row) -> OrderView:
    """Return the order as it is now."""
    return OrderView(**order_fields(row))
