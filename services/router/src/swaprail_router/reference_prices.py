"""The last good price of each pair: what a quote is held against when no other venue answers."""

import time
from collections.abc import Callable

import msgspec

from swaprail.domain.amounts import BPS
from swaprail.domain.quotes import Quote, QuoteRequest


class Price(msgspec.Struct, frozen=True):
    """Output for input, in base units, before what the swap itself moves the price by."""

    output: int
    input: int

    def agrees(self, other: "Price", max_deviation_bps: int) -> bool:
        """Tell whether this price is within so many basis points of the other; exact, by cross products."""
        mine, others = self.output * other.input, other.output * self.input
        return abs(mine - others) * BPS <= max_deviation_bps * others


def price_of(quote: Quote) -> Price:
    """Return the price behind a quote: orders of every size have the same, whatever their impact."""
    return Price(quote.output_amount * BPS, quote.input_amount * max(1, BPS - quote.price_impact_bps))


class ReferencePrices:
    """Remembers, for as long as this process lives, the prices that two venues agreed on."""

    def __init__(
        self, *, max_age_s: float, max_pairs: int = 1_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_age_s = max_age_s
        self._max_pairs = max_pairs
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[float, Price]] = {}

    def find(self, request: QuoteRequest) -> Price | None:
        """Return the pair's price, unless there is none or it is too old to count."""
        at, price = self._known.get(_pair(request), (0.0, None))
        return price if self._clock() - at <= self._max_age_s else None

    def keep(self, request: QuoteRequest, price: Price) -> None:
        """Remember the pair's price; of too many pairs the one that was agreed on longest ago is forgotten."""
        pair = _pair(request)
        self._known.pop(pair, None)
        if len(self._known) >= self._max_pairs:
            self._known.pop(next(iter(self._known)))
        self._known[pair] = self._clock(), price


def _pair(request: QuoteRequest) -> tuple[str, str]:
    return request.input_mint, request.output_mint
