"""What a WebSocket client is sent."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec


class StatusMessage(msgspec.Struct, frozen=True, tag_field="type", tag="status", rename="camel"):
    """One step of an order. seq counts from 1 without gaps; timestamp is the time of the commit."""

    order_id: UUID
    seq: int
    status: str
    timestamp: datetime
    data: msgspec.Raw


_encode = msgspec.json.Encoder().encode


def encode_status(order_id: UUID, seq: int, status: str, at_ms: int, data: bytes | msgspec.Raw) -> bytes:
    """Return the JSON text of one step; at_ms is in milliseconds since 1970."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return _encode(StatusMessage(order_id, seq, status, at, msgspec.Raw(data)))
