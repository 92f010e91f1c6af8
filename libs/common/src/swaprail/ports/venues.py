"""What router and executor need of a venue and of the chain."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from swaprail.domain.chain import Blockhash, ExpiryProof, Landing, SignedSwap
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
    """Builds and signs one attempt of an order. Nothing is sent."""

    async def build(self, order_id: UUID, wallet: str, attempt: int, request: QuoteRequest, route: Route) -> SignedSwap:
        """Return the signed swap: it gives at least route.least_output, or reverts."""
        ...


class Chain(Protocol):
    """The chain as the executor sees it. A timeout or an error of any call is no verdict on a transaction."""

    async def latest_blockhash(self) -> Blockhash:
        """Return a recent blockhash and the last height at which a transaction with it can land."""
        ...

    async def send(self, raw: bytes) -> None:
        """Hand the signed bytes to the chain. Returning, or failing, says nothing about landing."""
        ...

    async def landings(self, signatures: Sequence[str]) -> dict[str, Landing]:
        """Return what the chain shows of up to 256 signatures; one not shown may still land."""
        ...

    async def wait_hint(self, signature: str, longest: float) -> None:
        """Return when it is worth asking for the signature's landing, at most after so many seconds."""
        ...

    async def prove_expired(self, signature: str, last_valid_block_height: int) -> ExpiryProof | None:
        """Return the proof that the signature can never land, or None while there is none."""
        ...
