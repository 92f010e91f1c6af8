"""Builds and signs paper swaps."""

from hashlib import sha256
from uuid import UUID

from nacl.bindings import crypto_sign, crypto_sign_seed_keypair
from solders.hash import Hash

from swaprail.domain.chain import Blockhash, SignedSwap
from swaprail.domain.quotes import QuoteRequest, Route
from swaprail.ports.venues import Chain
from swaprail_venues.paper.transaction import SIGNATURE_SIZE, SwapMessage, encode_message, signature_text


class PaperSwapBuilder:
    """Signs with one key for all orders. The same order, attempt, route and blockhash give the same bytes."""

    def __init__(self, chain: Chain, signer_seed: bytes) -> None:
        """Take the blockhashes of the chain; signer_seed is the 32 secret bytes of the key."""
        self._chain = chain
        self._payer, self._secret = crypto_sign_seed_keypair(signer_seed)
        self._decoded = ("", b"")

    async def build(self, order_id: UUID, wallet: str, attempt: int, request: QuoteRequest, route: Route) -> SignedSwap:
        """Return the signed swap: it gives at least route.least_output, or reverts."""
        blockhash = await self._chain.latest_blockhash()
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
        body = encode_message(message)
        raw = crypto_sign(body, self._secret)
        return SignedSwap(
            signature=signature_text(raw[:SIGNATURE_SIZE]),
            raw=raw,
            message_sha256=sha256(body).digest(),
            blockhash=blockhash.value,
            last_valid_block_height=blockhash.last_valid_block_height,
        )

    def _bytes_of(self, blockhash: Blockhash) -> bytes:
        if self._decoded[0] != blockhash.value:
            self._decoded = (blockhash.value, bytes(Hash.from_string(blockhash.value)))
        return self._decoded[1]
