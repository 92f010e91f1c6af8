"""Quotes, as text."""

from rich.text import Text

from swaprail_client.cli.output import Output, safe
from swaprail_client.orders import Quote


def show_quotes(output: Output, quotes: list[Quote], token: str, indent: int = 0) -> None:
    """Print quotes, one a row."""
    rows: list[list[str | Text]] = [
        [
            safe(found.venue),
            f"{safe(found.output_amount)} {safe(token)}" if found.usable else "–",
            safe(found.fee_bps),
            safe(found.price_impact_bps),
            "–" if found.duration_ms is None else f"{found.duration_ms:.0f}",
            "" if found.usable else safe(": ".join(filter(None, [found.discarded, found.detail]))),
        ]
        for found in quotes
    ]
    output.table(["venue", "gives", "fee bps", "impact bps", "ms", "discarded"], rows, indent)
