"""What the executor needs of the chain, and of the nodes that show it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from swaprail.domain.chain import Blockhash, BuiltSwap, Doubt, ExpiryProof, Finality, Landing, Search, SignedSwap


class Signer(Protocol):
    """Holds the key."""

    async def sign(self, built: BuiltSwap) -> SignedSwap:
        """Return the signed swap; the same message always gives the same bytes."""
        ...


class Chain(Protocol):
    """The chain as the executor sees it. An error of any call is no verdict on a transaction; none takes for ever."""

    async def send(self, raw: bytes) -> None:
        """Hand the signed bytes to the chain. Returning, or failing, says nothing about landing."""
        ...

    async def last_valid_height(self, blockhash: str) -> int | None:
        """Return the height past which nothing with the blockhash can land; None unless every node knows it."""
        ...

    async def height_surely_past(self) -> int | None:
        """Return a height past which nothing can land that was signed before; None unless every node answers."""
        ...

    async def landings(self, signatures: Sequence[str]) -> Mapping[str, Landing | Doubt]:
        """Return what is surely on the chain of up to 256 signatures, a doubt of what is shown without being sure.

        One that is not shown may still land.
        """
        ...

    async def wait_hint(self, signature: str, longest: float) -> None:
        """Return when it is worth asking for the signature's landing, at most after so many seconds."""
        ...

    async def prove_expired(self, signature: str, last_valid_block_height: int) -> ExpiryProof | None:
        """Return the proof that the signature can never land, or None while there is none."""
        ...


class ChainNode(Protocol):
    """One node: it may be behind, on a fork, silent, or fail. Errors are VenueError, EngineError, OSError, TimeoutError."""

    @property
    def name(self) -> str:
        """The node's name in evidence, metrics and logs: no address, no key."""
        ...

    async def latest_blockhash(self) -> Blockhash:
        """Return a recent blockhash and the last height at which a transaction with it can land."""
        ...

    async def height_knowing(self, blockhash: str) -> int | None:
        """Return a height of the node at which it holds the blockhash for valid; None if it does not now."""
        ...

    async def send(self, raw: bytes) -> None:
        """Hand the signed bytes to the node. Returning, or failing, says nothing about landing."""
        ...

    async def statuses(self, signatures: Sequence[str]) -> dict[str, Landing]:
        """Return what the node shows of up to 256 signatures, at whatever commitment; one not shown may still land."""
        ...

    async def wait_hint(self, signature: str, longest: float) -> None:
        """Return when it is worth asking for the signature's status, at most after so many seconds."""
        ...

    async def finality(self) -> Finality:
        """Return the latest finalized block as the node knows it."""
        ...

    async def search(self, signature: str) -> Search:
        """Look for the signature in the full history, at whatever commitment."""
        ...
