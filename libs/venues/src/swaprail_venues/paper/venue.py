"""A paper venue: quotes from the market's pools after the configured delay."""

import asyncio

from swaprail.clock import database_time
from swaprail.domain.amounts import MAX_BASE_UNITS
from swaprail.domain.errors import EngineError
from swaprail.domain.quotes import Quote, QuoteRequest
from swaprail.ports.venues import VenueError
from swaprail_venues.paper.clock import SlotClock
from swaprail_venues.paper.market import PaperMarket


class PaperVenue:
    """One of the market's venues. Without a delay a quote never suspends, once the clock is known."""

    def __init__(self, name: str, market: PaperMarket, clock: SlotClock, *, delay_ms: float) -> None:
        self.name = name
        self._market = market
        self._clock = clock
        self._delay_s = delay_ms / 1000

    async def quote(self, request: QuoteRequest) -> Quote:
        """Return what the pool would give at the current slot, or raise VenueError no_pool or rejected."""
        if self._delay_s > 0:
            await asyncio.sleep(self._delay_s)
        slot = await self._slot()
        pool = self._market.pool_at(self.name, request.input_mint, request.output_mint, slot)
        if pool is None:
            raise VenueError("no_pool", "the venue has no pool for these mints", retryable=False)
        output = pool.output(request.input_amount)
        if not 0 < output <= MAX_BASE_UNITS:
            raise VenueError("rejected", "the amount is too small or too large for the pool", retryable=False)
        return Quote(
            venue=self.name,
            input_amount=request.input_amount,
            output_amount=output,
            fee_bps=pool.fee_bps,
            price_impact_bps=pool.price_impact_bps(request.input_amount),
            slot=slot,
            quoted_at=database_time(),
            network_fee=self._market.network_fee(self.name, request.output_mint),
        )

    async def _slot(self) -> int:
        try:
            await self._clock.ready()
        except EngineError as error:
            raise VenueError("unavailable", error.detail) from error
        return self._clock.slot()
