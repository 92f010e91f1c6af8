"""Words of the chain: a transaction built and signed, what became of it, and the proof that it can never land."""

from enum import IntEnum, StrEnum
from uuid import UUID

import msgspec

# The last valid height of an attempt on which the nodes are not agreed yet: no finality is ever past it.
UNKNOWN_HEIGHT = 2**63 - 1


class SwapTerms(msgspec.Struct, frozen=True):
    """What a built transaction does, read from its bytes: whoever built it need not be believed. Amounts in base units."""

    order_id: UUID
    attempt: int
    wallet: str
    venue: str
    input_mint: str
    output_mint: str
    input_amount: int
    least_output: int
    blockhash: str


class BuiltSwap(msgspec.Struct, frozen=True):
    """A swap to be signed: the bytes of its message, and of its blockhash the last height at which it can land."""

    message: bytes
    blockhash: str
    last_valid_block_height: int


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


class Commitment(IntEnum):
    """How sure the chain is of a block. PROCESSED: one node saw it, and it may be rolled back."""

    PROCESSED = 0
    CONFIRMED = 1
    FINALIZED = 2


class Landing(msgspec.Struct, frozen=True):
    """A transaction found on the chain. error is None when the swap was done.

    amount_confirmed is False when the output amount is the word of one node of several, or of none.
    """

    signature: str
    slot: int
    commitment: Commitment
    output_amount: int | None = None
    error: str | None = None
    amount_confirmed: bool = True


class Doubt(StrEnum):
    """Why a landing that a node shows is no verdict."""

    ALONE = "alone"  # fewer nodes show it than it takes
    DISPUTED = "disputed"  # nodes show different outcomes
    NOT_FINAL = "not final"  # every node shows it, and it may still be rolled back


class Finality(msgspec.Struct, frozen=True):
    """The latest finalized block as a node knows it: its height and its slot."""

    block_height: int
    slot: int


class Search(msgspec.Struct, frozen=True):
    """A node's answer from its full history: the slot as of which it looked, and whether it knows the signature."""

    slot: int
    found: bool


class NodeProof(msgspec.Struct, frozen=True, rename="camel"):
    """One node's part of a proof: its finalized height, and a search without a trace as of a slot not before it."""

    node: str
    finalized_block_height: int
    finalized_slot: int
    searched_slot: int


class ExpiryProof(msgspec.Struct, frozen=True, rename="camel"):
    """Why a transaction can never land: every node is final past its last height, and finds no trace of it.

    One node alone is asked twice, at least a slot apart.
    """

    signature: str
    last_valid_block_height: int
    searches: list[NodeProof]
