"""What router and executor need of a venue."""

from typing import Protocol
from uuid import UUID

from swaprail.domain.chain import BuiltSwap, SwapTerms
from swaprail.domain.quotes import Quote, QuoteRequest, Route


class VenueError(Exception):
    """A venue did not give what was asked.

    retryable tells whether asking again may help; reason is a short word for metrics and clients
    (unavailable, no_pool, rejected, rate_limited).
    """

    def __init__(self, reason: str, detail: str = "", *, retryable: bool = True) -> None:
        super().__init__(detail or reason)
        self.reason = reason
        self.retryable = retryable


class Venue(Protocol):
    """A place to swap."""

    @property
    def name(self) -> str:
        """The venue's name, lower case, as in settings, metrics and routes."""
        ...

    async def quote(self, request: QuoteRequest) -> Quote:
        """Return what the venue would give now, or raise VenueError. The caller sets the deadline."""
        ...


class SwapBuilder(Protocol):
    """Builds one attempt of an order. Nothing is signed, and nothing sent."""

    async def build(self, order_id: UUID, wallet: str, attempt: int, request: QuoteRequest, route: Route) -> BuiltSwap:
        """Return the swap to be signed: it gives at least route.least_output, or reverts."""
        ...

    def read(self, message: bytes) -> SwapTerms:
        """Return what the bytes of a message say, whoever wrote them; VenueError malformed if they say nothing.

        So it is of a message whose blockhash does not expire, such as a durable nonce: it could land at any time.
        """
        ...
