"""What becomes of a paper swap that lands in a given slot."""

import msgspec

from swaprail.domain.amounts import MAX_BASE_UNITS
from swaprail.domain.errors import ErrorCode
from swaprail_venues.paper.market import PaperMarket
from swaprail_venues.paper.transaction import SignedMessage

_ALL = 2**64


class Outcome(msgspec.Struct, frozen=True):
    """What arrives in base units, or why the program refused the swap; dropped: it never lands, however often it is sent."""

    output_amount: int | None = None
    error: str | None = None
    dropped: bool = False


class OutcomeJudge:
    """Decides outcomes: by the pool at the slot, and by rates that the signature and the seed play out."""

    def __init__(self, market: PaperMarket, *, seed: int, failure_rate: float, drop_rate: float = 0) -> None:
        self._market = market
        self._mask = (seed * 0x9E3779B97F4A7C15) % _ALL
        self._fails_below = int(failure_rate * _ALL)
        self._dropped_from = _ALL - int(drop_rate * _ALL)

    def decide(self, signed: SignedMessage, slot: int) -> Outcome:
        """Return the outcome of the swap landing in the slot."""
        message = signed.message
        # A signature's bytes are as good as random, so the seed need only choose among them.
        drawn = int.from_bytes(signed.signature_bytes[:8]) ^ self._mask
        if drawn < self._fails_below:
            return Outcome(error=ErrorCode.VENUE_REJECTED)
        if drawn >= self._dropped_from:
            return Outcome(dropped=True)
        pool = self._market.pool_at(message.venue, message.input_mint, message.output_mint, slot)
        if pool is None or not 0 < message.input_amount <= MAX_BASE_UNITS:
            return Outcome(error=ErrorCode.VENUE_REJECTED)
        output = pool.output(message.input_amount)
        if not 0 < output <= MAX_BASE_UNITS:
            return Outcome(error=ErrorCode.VENUE_REJECTED)
        if output < message.least_output:
            return Outcome(error=ErrorCode.SLIPPAGE_EXCEEDED)
        return Outcome(output_amount=output)
