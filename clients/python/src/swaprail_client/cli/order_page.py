"""One order, as text."""

from datetime import datetime

import msgspec
from rich.text import Text

from swaprail_client.cli.output import Output, coloured, safe
from swaprail_client.cli.quote_table import show_quotes
from swaprail_client.cli.steps import describe_failure
from swaprail_client.orders import Order


def when(moment: datetime | None) -> str:
    """Return a time to the millisecond, in the local zone."""
    return "–" if moment is None else moment.astimezone().isoformat(" ", "milliseconds")


def show_order(output: Output, order: Order) -> None:
    """Print all that is known of an order."""
    output.line(f"{order.order_id}  ", coloured(order.status), "  reconciling" if order.reconciling else "")
    for name, value in _facts(order).items():
        if value:
            output.line(f"  {name:<10}{safe(value)}")
    _show_steps(output, order)
    if order.quotes:
        output.line("")
        show_quotes(output, order.quotes, order.output_token, indent=2)
    _show_attempts(output, order)


def _facts(order: Order) -> dict[str, str | None]:
    least = f", at least {order.min_output_amount} {order.output_token}" if order.min_output_amount else ""
    failure = msgspec.to_builtins(order.failure) if order.failure else None
    return {
        "wallet": order.user_wallet,
        "sells": f"{order.input_amount} {order.input_token}",
        "for": f"{order.output_token}, slippage {order.slippage_bps} bps{least}",
        "route": order.route.venue if order.route else None,
        "received": f"{order.output_amount} {order.output_token}" if order.output_amount else None,
        "signature": order.signature,
        "expires": when(order.expires_at) if order.expires_at else None,
        "failure": describe_failure(failure),
    }


def _show_steps(output: Output, order: Order) -> None:
    steps = sorted(order.timestamps.items(), key=lambda step: step[1])
    if not steps:
        return
    output.line("")
    start = steps[0][1]
    rows: list[list[str | Text]] = [
        [coloured(status), f"{(at - start).total_seconds():.3f} s", when(at)] for status, at in steps
    ]
    output.table(["step", "after", "at"], rows, indent=2)


def _show_attempts(output: Output, order: Order) -> None:
    if not order.attempts:
        return
    output.line("")
    rows: list[list[str | Text]] = [
        [
            str(tried.attempt),
            safe(tried.venue),
            safe(tried.state),
            safe(tried.slot),
            safe(tried.signature),
            safe(tried.error),
        ]
        for tried in order.attempts
    ]
    output.table(["attempt", "venue", "state", "slot", "signature", "error"], rows, indent=2)
