"""What the tables hold."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

type Row = Mapping[str, Any]


class Stored(NamedTuple):
    """Every row of the tables that the engine's statements write; written: by which transaction."""

    orders: dict[UUID, Row]
    events: list[Row]
    attempts: list[Row]
    keys: list[Row]


async def stored(session: Any) -> Stored:
    """Read all, as the session sees it now."""
    orders: dict[UUID, Row] = {
        row["id"]: dict(row) for row in await session.fetch("select *, xmin::text as written from orders")
    }
    events = await session.fetch(
        "select *, floor(extract(epoch from at) * 1000)::bigint as ms from order_events order by order_id, seq"
    )
    attempts = await session.fetch("select * from tx_attempts order by order_id, attempt")
    keys = await session.fetch("select *, xmin::text as written from idempotency_keys order by account, key")
    return Stored(orders, [*map(dict, events)], [*map(dict, attempts)], [*map(dict, keys)])


async def touched(session: Any, before: Stored) -> set[str]:
    """Return the orders and keys that the session's open transaction has written or deleted, by name."""
    written = await session.fetch(
        """
        select id::text as name from orders where xmin = pg_current_xact_id()::xid
        union all select account || ' ' || key from idempotency_keys where xmin = pg_current_xact_id()::xid
        """
    )
    left = {f"{row['account']} {row['key']}" for row in (await stored(session)).keys}
    deleted = {name for row in before.keys if (name := f"{row['account']} {row['key']}") not in left}
    return {row["name"] for row in written} | deleted
