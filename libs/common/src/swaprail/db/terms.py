"""What an order is, as one text: whoever acts on anything else than the row, however it came to it, writes nothing.

Not a digest of it: to compute that on both sides costs more than to compare a kilobyte.
"""

from datetime import UTC, datetime

from swaprail.domain.orders import LeasedOrder

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Between fields, and in none of the row's: wallets and mints are visible text, and JSON escapes it.
_SEPARATOR = "\x1f"


def order_terms(order: LeasedOrder) -> str:
    """Return everything that work on the order depends on, its stored route to the byte."""
    return _SEPARATOR.join(
        (
            order.account,
            order.wallet,
            order.input_mint,
            order.output_mint,
            str(order.input_amount),
            str(order.slippage_bps),
            "-" if order.min_output_amount is None else str(order.min_output_amount),
            _seconds(order.expires_at),
            _seconds(order.queued_at),
            str(order.attempts),
            str(order.routing, "utf-8"),
        )
    )


def _seconds(at: datetime | None) -> str:
    if at is None:
        return "-"
    since = at - _EPOCH
    return f"{since.days * 86_400 + since.seconds}.{since.microseconds:06}"


def _sql_seconds(column: str) -> str:
    # Exact, with six digits after the point: extract gives numeric.
    return f"coalesce(extract(epoch from {column})::text, '-')"


# The same of a row o of orders. Of the type json, the column routing keeps its text to the byte.
ROW_TERMS = f"""concat_ws(E'\\x1f', o.account, o.wallet, o.input_mint, o.output_mint, o.input_amount, o.slippage_bps,
    coalesce(o.min_output_amount::text, '-'), {_sql_seconds("o.expires_at")}, {_sql_seconds("o.queued_at")},
    o.attempts, coalesce(o.routing::text, 'null'))"""
