"""I7: every subscriber saw the steps 1..n of its orders, once each and in order, as they are stored."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Seen(Protocol):
    """Whoever followed one order, and what it was told (messages as in docs/architecture.md)."""

    @property
    def order_id(self) -> str: ...

    @property
    def messages(self) -> Sequence[Mapping[str, Any]]: ...


async def check_subscribers(connection: Any, subscribers: list[Seen]) -> list[str]:
    ids = [subscriber.order_id for subscriber in subscribers]
    rows = await connection.fetch(
        "select order_id::text as id, seq, status from order_events where order_id = any($1::uuid[]) "
        "order by order_id, seq",
        ids,
    )
    stored: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for row in rows:
        stored[row["id"]].append((row["seq"], row["status"]))
    return [
        f"I7 {s.order_id} saw {_told(s)} of {stored[s.order_id]}" for s in subscribers if _told(s) != stored[s.order_id]
    ]


def _told(subscriber: Seen) -> list[tuple[int, str]]:
    return [(message["seq"], message["status"]) for message in subscriber.messages]
