"""Idempotency keys: what makes two requests the same."""

import hashlib
import re

import msgspec

from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.domain.orders import NewOrder

_VISIBLE = re.compile(rb"[\x21-\x7e]{1,255}")
_encode = msgspec.msgpack.Encoder().encode


def read_key(header: bytes | None, *, required: bool) -> str | None:
    """Return the Idempotency-Key, if any; EngineError when it is needed and missing, or malformed."""
    if header is None:
        if required:
            raise EngineError(ErrorCode.IDEMPOTENCY_KEY_REQUIRED, "the request has no Idempotency-Key header")
        return None
    if not _VISIBLE.fullmatch(header):
        raise EngineError(
            ErrorCode.IDEMPOTENCY_KEY_INVALID, "the Idempotency-Key has other than 1 to 255 visible characters"
        )
    return header.decode("ascii")


def order_fingerprint(order: NewOrder) -> bytes:
    """Return what identifies a request for an order: its meaning, however it was spelled."""
    meaning = (
        order.execute,
        order.wallet,
        order.input_mint,
        order.output_mint,
        order.input_amount,
        order.slippage_bps,
        order.min_output_amount,
        order.expires_at,
    )
    return hashlib.sha256(_encode(meaning)).digest()


def start_fingerprint(order_id: str) -> bytes:
    """Return what identifies a request to execute a stored order."""
    return hashlib.sha256(f"execute {order_id}".encode()).digest()
