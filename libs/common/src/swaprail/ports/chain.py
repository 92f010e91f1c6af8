"""What the executor needs of the chain, and of the nodes that show it."""

from collections.abc import Sequence
from typing import Protocol

from swaprail.domain.chain import Blockhash, BuiltSwap, ExpiryProof, Finality, Landing, Search, SignedSwap


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

    async def landings(self, signatures: Sequence[str]) -> dict[str, Landing]:
        """Return what is surely on the chain of up to 256 signatures; one not shown may still land."""
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
