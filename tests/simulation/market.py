"""Virtual venues, and the builder and signer of swaps: quick, deterministic, and with nothing of a real chain in them."""

import asyncio
from hashlib import sha256
from random import Random
from uuid import UUID

import msgspec

from swaprail.domain.chain import BuiltSwap, SignedSwap, SwapTerms
from swaprail.domain.quotes import Quote, QuoteRequest, Route
from swaprail.ports.venues import VenueError
from tests.simulation.clock import VirtualTime
from tests.simulation.nodes import VirtualNode
from tests.simulation.weather import Weather

_encode = msgspec.msgpack.encode
_decode = msgspec.msgpack.Decoder(SwapTerms).decode


class VirtualVenue:
    """Quotes about the same price as the others; late, silent or failing now and then."""

    def __init__(self, name: str, rng: Random, weather: Weather) -> None:
        self.name = name
        self._rng = rng
        self._weather = weather

    async def quote(self, request: QuoteRequest) -> Quote:
        """Return a quote."""
        await asyncio.sleep(self._weather.latency() + (3.0 if self._weather.chance(0.03, "venue silent") else 0))
        if self._weather.chance(0.05, "venue failed"):
            raise VenueError("unavailable", "the venue has a bad moment")
        output = request.input_amount * self._rng.randrange(990, 1010) // 10_000
        return Quote(self.name, request.input_amount, output, 25, 3, 1, VirtualTime.time())


class VirtualBuilder:
    """Implements ports.venues.SwapBuilder."""

    def __init__(self, node: VirtualNode) -> None:
        self._node = node

    async def build(self, order_id: UUID, wallet: str, attempt: int, request: QuoteRequest, route: Route) -> BuiltSwap:
        """Return the swap to be signed."""
        blockhash = await self._node.latest_blockhash()
        mints = (request.input_mint, request.output_mint, request.input_amount)
        terms = SwapTerms(order_id, attempt, wallet, route.venue, *mints, route.least_output, blockhash.value)
        return BuiltSwap(_encode(terms), blockhash.value, blockhash.last_valid_block_height)

    def read(self, message: bytes) -> SwapTerms:
        """Return what a message says."""
        return read_terms(message)


def read_terms(message: bytes) -> SwapTerms:
    """Return what the bytes of a message, or of a signed swap, say."""
    return _decode(message)


class VirtualSigner:
    """Implements ports.chain.Signer: the message is its own signature."""

    async def sign(self, built: BuiltSwap) -> SignedSwap:
        """Return the signed swap."""
        digest = sha256(built.message)
        return SignedSwap(
            signature_of(built.message),
            built.message,
            digest.digest(),
            built.blockhash,
            built.last_valid_block_height,
        )


def signature_of(raw: bytes) -> str:
    """Return the signature of signed bytes."""
    return sha256(raw).hexdigest()[:32]
