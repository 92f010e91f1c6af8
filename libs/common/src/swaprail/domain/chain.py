"""Words of the chain: a signed transaction, what became of it, and the proof that it can never land."""

from enum import StrEnum

import msgspec


class SignedSwap(msgspec.Struct, frozen=True):
    """A swap signed by us. raw is what is sent, to the byte, every time."""

    signature: str
    raw: bytes
    message_sha256: bytes
    blockhash: str
    last_valid_block_height: int


class Blockhash(msgspec.Struct, frozen=True):
    """A recent blockhash; a transaction with it lands at or before last_valid_block_height, or never."""

    value: str
    last_valid_block_height: int


class AttemptState(StrEnum):
    """What became of an attempt. LIVE: it may still land. REVERTED: it landed, and its program refused the swap."""

    LIVE = "LIVE"
    LANDED = "LANDED"
    REVERTED = "REVERTED"
    EXPIRED = "EXPIRED"


class Landing(msgspec.Struct, frozen=True):
    """A transaction found on the chain. error is None when the swap was done."""

    signature: str
    slot: int
    finalized: bool
    output_amount: int | None = None
    error: str | None = None


class ExpiryProof(msgspec.Struct, frozen=True, rename="camel"):
    """Why a transaction can never land: finalized height past its last, and no trace in full history by a node past it."""

    signature: str
    last_valid_block_height: int
    finalized_block_height: int
    searched_slot: int
    node: str
