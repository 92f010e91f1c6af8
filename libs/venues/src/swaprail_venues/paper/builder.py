"""Builds paper swaps, reads them back, and signs them."""

from hashlib import sha256
from uuid import UUID

from nacl.bindings import crypto_sign, crypto_sign_seed_keypair
from solders.hash import Hash

from swaprail.domain.chain import Blockhash, BuiltSwap, SignedSwap, SwapTerms
from swaprail.domain.quotes import QuoteRequest, Route
from swaprail.ports.chain import ChainNode
from swaprail.ports.venues import VenueError
from swaprail_venues.paper.transaction import (
    SIGNATURE_SIZE,
    SwapMessage,
    TransactionError,
    encode_message,
    read_message,
    signature_text,
)

MAX_UNSENT = 10_000


class PaperSigner:
    """Signs with one key for all orders."""

    def __init__(self, seed: bytes) -> None:
        """Take the 32 secret bytes of the key."""
        self.payer, self._secret = crypto_sign_seed_keypair(seed)
        self._unsent: dict[bytes, None] = {}

    async def sign(self, built: BuiltSwap) -> SignedSwap:
        """Return the signed swap; the same message always gives the same bytes."""
        raw = crypto_sign(built.message, self._secret)
        self._unsent[raw] = None
        if len(self._unsent) > MAX_UNSENT:
            del self._unsent[next(iter(self._unsent))]
        return SignedSwap(
            signature=signature_text(raw[:SIGNATURE_SIZE]),
            raw=raw,
            message_sha256=sha256(built.message).digest(),
            blockhash=built.blockhash,
            last_valid_block_height=built.last_valid_block_height,
        )

    def take_signed(self, raw: bytes) -> bool:
        """Tell, once, whether these very bytes were signed here: then the chain need not verify their signature."""
        return raw in self._unsent and self._unsent.pop(raw) is None


class PaperSwapBuilder:
    """The same order, attempt, route and blockhash give the same message."""

    def __init__(self, node: ChainNode, payer: bytes) -> None:
        """Take the blockhashes of the node; payer is the public key that will sign."""
        self._node = node
        self._payer = payer
        self._decoded = ("", b"")

    async def build(self, order_id: UUID, wallet: str, attempt: int, request: QuoteRequest, route: Route) -> BuiltSwap:
        """Return the swap to be signed: it gives at least route.least_output, or reverts."""
        blockhash = await self._node.latest_blockhash()
        message = SwapMessage(
            payer=self._payer,
            blockhash=self._bytes_of(blockhash),
            order_id=order_id.bytes,
            attempt=attempt,
            wallet=wallet,
            venue=route.venue,
            input_mint=request.input_mint,
            output_mint=request.output_mint,
            input_amount=request.input_amount,
            least_output=route.least_output,
        )
        return BuiltSwap(encode_message(message), blockhash.value, blockhash.last_valid_block_height)

    def read(self, message: bytes) -> SwapTerms:
        """Return what the bytes of a message say, whoever wrote them; VenueError malformed if they say nothing."""
        try:
            read = read_message(message)
            order_id, blockhash = UUID(bytes=read.order_id), str(Hash.from_bytes(read.blockhash))
        except (TransactionError, ValueError) as error:
            raise VenueError("malformed", str(error), retryable=False) from error
        return SwapTerms(
            order_id=order_id,
            attempt=read.attempt,
            wallet=read.wallet,
            venue=read.venue,
            input_mint=read.input_mint,
            output_mint=read.output_mint,
            input_amount=read.input_amount,
            least_output=read.least_output,
            blockhash=blockhash,
        )

    def _bytes_of(self, blockhash: Blockhash) -> bytes:
        if self._decoded[0] != blockhash.value:
            self._decoded = (blockhash.value, bytes(Hash.from_string(blockhash.value)))
        return self._decoded[1]
