"""Quotes as clients see them."""

import msgspec

from swaprail.domain.amounts import to_decimal_string
from swaprail.domain.quotes import QuoteResult


class QuoteView(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What a venue would give, or why its answer does not count."""

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


class QuoteList(msgspec.Struct, frozen=True):
    """The venues' answers, best first."""

    quotes: list[QuoteView]


def quote_view(result: QuoteResult, input_decimals: int, output_decimals: int) -> QuoteView:
    """Return what one venue answered."""
    quote = result.quote
    if quote is None:
        return QuoteView(result.venue, discarded=result.discarded, detail=result.detail)
    return QuoteView(
        venue=result.venue,
        input_amount=to_decimal_string(quote.input_amount, input_decimals),
        input_amount_base=str(quote.input_amount),
        output_amount=to_decimal_string(quote.output_amount, output_decimals),
        output_amount_base=str(quote.output_amount),
        fee_bps=quote.fee_bps,
        price_impact_bps=quote.price_impact_bps,
        duration_ms=round(quote.duration_ms, 3),
        discarded=result.discarded,
        detail=result.detail,
    )
