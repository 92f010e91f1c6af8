"""Quotes of venues and the route chosen among them. All amounts are base units."""

import msgspec


class QuoteRequest(msgspec.Struct, frozen=True):
    """What a venue is asked: so much of one mint for how much of another."""

    input_mint: str
    output_mint: str
    input_amount: int


class Quote(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What a venue would give.

    output_amount is what arrives, net of the venue's fee; network_fee is the chain's fee expressed in
    output units, taken off only for ranking. price_impact_bps compares with the pool's price before the swap.
    slot is the block the quote was read at.
    """

    venue: str
    input_amount: int
    output_amount: int
    fee_bps: int
    price_impact_bps: int
    slot: int
    quoted_at: float
    network_fee: int = 0
    duration_ms: float = 0.0
    pool: str = ""

    @property
    def net_output(self) -> int:
        """What ranking compares: output less the network fee, in base units."""
        return self.output_amount - self.network_fee


class QuoteResult(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What came of asking one venue: a quote, or the reason there is none, or why it was discarded."""

    venue: str
    quote: Quote | None = None
    discarded: str | None = None
    detail: str | None = None


class Route(msgspec.Struct, frozen=True, rename="camel"):
    """The chosen quote and the least output in base units that landing must give."""

    venue: str
    quote: Quote
    least_output: int


class Routing(msgspec.Struct, frozen=True, rename="camel"):
    """What the router found: the route, if any, and every venue's answer, best first."""

    route: Route | None
    quotes: list[QuoteResult]
    rounds: int = 1


_routing_decoder: msgspec.json.Decoder[Routing | None] = msgspec.json.Decoder(Routing | None)


def read_routing(stored: msgspec.Raw | str) -> Routing | None:
    """Return what was stored; None for null, and for what this version cannot read."""
    try:
        return _routing_decoder.decode(stored)
    except msgspec.MsgspecError:
        return None
