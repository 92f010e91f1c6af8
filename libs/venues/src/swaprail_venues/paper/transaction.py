"""The paper transaction on the wire.

64 bytes of ed25519 signature over the rest, which is a MessagePack array:

    [payer (32 bytes, the public key that signed), blockhash (32 bytes), order id (16 bytes, the memo), attempt,
     wallet, venue, input mint, output mint, input amount, least output]    amounts in base units

The last height at which it can land is not in it: the chain derives it from the blockhash.
"""

from uuid import UUID

import msgspec
from solders.pubkey import Pubkey
from solders.signature import Signature

SIGNATURE_SIZE = 64
MAX_SIZE = 1232  # bytes, as on Solana


class SwapMessage(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What is signed."""

    payer: bytes
    blockhash: bytes
    order_id: bytes
    attempt: int
    wallet: str
    venue: str
    input_mint: str
    output_mint: str
    input_amount: int
    least_output: int


class SignedMessage(msgspec.Struct, frozen=True):
    """A message whose signature, base58 of 64 bytes, was found good."""

    signature: str
    signature_bytes: bytes
    order_id: UUID
    message: SwapMessage


class TransactionError(Exception):
    """The bytes are no transaction, or its signature is not its payer's."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(SwapMessage)


def encode_message(message: SwapMessage) -> bytes:
    """Return the bytes to sign; the same message always gives the same bytes."""
    return _encoder.encode(message)


def read_message(body: bytes) -> SwapMessage:
    """Return the message of these bytes, or raise TransactionError."""
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, ValueError) as error:
        raise TransactionError("the message cannot be read") from error


def signature_text(signature: bytes) -> str:
    """Return the signature in base58."""
    return str(Signature.from_bytes(signature))


def open_transaction(raw: bytes, *, verified: bool = False) -> SignedMessage:
    """Decode the transaction and check its signature, unless it is verified already, or raise TransactionError."""
    if not SIGNATURE_SIZE < len(raw) <= MAX_SIZE:
        raise TransactionError(f"a transaction has {SIGNATURE_SIZE + 1} to {MAX_SIZE} bytes")
    body = raw[SIGNATURE_SIZE:]
    message = read_message(body)
    try:
        payer, order_id = Pubkey.from_bytes(message.payer), UUID(bytes=message.order_id)
    except ValueError as error:
        raise TransactionError("the message cannot be read") from error
    signature = Signature.from_bytes(raw[:SIGNATURE_SIZE])
    if not verified and not signature.verify(payer, body):
        raise TransactionError("the signature is not the payer's")
    return SignedMessage(str(signature), raw[:SIGNATURE_SIZE], order_id, message)
