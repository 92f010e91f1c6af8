"""I7: every subscriber saw the steps 1..n of its orders, once each and in order, each of them as it is stored."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol

import msgspec

type Step = tuple[int, str, int, str]  # seq, status, milliseconds since 1970, digest of the data

_STORED = """
select order_id::text as id, seq, status, floor(extract(epoch from at) * 1000)::bigint as at, data
from order_events where order_id = any($1::uuid[]) order by order_id, seq
"""


class Seen(Protocol):
    """Whoever followed one order, and what it was told (messages as in docs/architecture.md, or `compact` ones)."""

    @property
    def order_id(self) -> str: ...

    @property
    def messages(self) -> Sequence[Mapping[str, Any]]: ...


def compact(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return the message with a digest in place of its data: for those who keep many."""
    kept = {name: message[name] for name in ("seq", "status", "timestamp")}
    return kept | {"digest": digest(message["data"])}


def digest(data: object) -> str:
    """Return what stands for a step's data: equal for equal JSON, whatever its spacing and the order of its names."""
    value = msgspec.json.decode(data) if isinstance(data, bytes | str | msgspec.Raw) else data
    return sha256(msgspec.json.encode(value, order="sorted")).hexdigest()[:16]


async def check_subscribers(connection: Any, subscribers: list[Seen]) -> list[str]:
    stored: dict[str, list[Step]] = defaultdict(list)
    for row in await connection.fetch(_STORED, [subscriber.order_id for subscriber in subscribers]):
        stored[row["id"]].append((row["seq"], row["status"], row["at"], digest(row["data"])))
    told = [(s.order_id, [_step(message) for message in s.messages]) for s in subscribers]
    return [f"I7 {order_id} saw {seen} of {stored[order_id]}" for order_id, seen in told if seen != stored[order_id]]


def _step(message: Mapping[str, Any]) -> Step:
    at = message["timestamp"]
    moment = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    told = message["digest"] if "digest" in message else digest(message["data"])
    return message["seq"], message["status"], round(moment.timestamp() * 1000), told
