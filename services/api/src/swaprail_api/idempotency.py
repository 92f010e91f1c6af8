"""Idempotency keys: what makes two requests the same."""

import hashlib
import re
from collections.abc import Sequence

import msgspec

from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.domain.orders import NewOrder
from swaprail_api.store.intake_row import BatchKey

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


def batch_key(key: str, orders: Sequence[NewOrder | bytes], *, execute: bool) -> BatchKey:
    """Return the key of a batch. What was no valid order stands for itself, as it was sent.

    Its name is one that no request can have: whoever waits for one of these holds no other key, so two never wait for
    each other in a circle.
    """
    parts = [order if isinstance(order, bytes) else order_fingerprint(order) for order in orders]
    first = next(order for order in orders if not isinstance(order, bytes))
    return BatchKey(first.id, f"{key} batch", hashlib.sha256(_encode(("batch", execute, parts))).digest())


def start_fingerprint(order_id: str) -> bytes:
    """Return what identifies a request to execute a stored order."""
    return hashlib.sha256(f"execute {order_id}".encode()).digest()
