"""Reads of the paper chain's ledger: the judge of what was executed, independent of the engine's own tables."""

from uuid import UUID

import asyncpg
import msgspec

type _Connection = asyncpg.Connection[asyncpg.Record]


class LedgerEntry(msgspec.Struct, frozen=True):
    """A transaction the chain received. slot is None when it was dropped; output_amount is in base units."""

    signature: str
    order_id: UUID
    venue: str
    receipts: int
    slot: int | None
    output_amount: int | None
    error: str | None


async def executed_counts(connection: _Connection) -> dict[UUID, int]:
    """Return how many swaps were done for each order that has any: more than 1 is a double execution."""
    rows = await connection.fetch(
        "select order_id, count(*) as swaps from paper.transactions "
        "where lands_at <= clock_timestamp() and error is null group by order_id"
    )
    return {row["order_id"]: row["swaps"] for row in rows}


async def entries_of(connection: _Connection, order_id: UUID) -> list[LedgerEntry]:
    """Return every transaction received for the order, oldest first, dropped ones included."""
    rows = await connection.fetch(
        "select signature, order_id, venue, receipts, slot, output_amount::text as output_amount, error "
        "from paper.transactions where order_id = $1 order by received_at, signature",
        order_id,
    )
    return [msgspec.convert(dict(row), LedgerEntry, strict=False) for row in rows]


async def still_to_land(connection: _Connection) -> int:
    """Return how many received transactions have yet to land."""
    count: int = await connection.fetchval("select count(*) from paper.transactions where lands_at > clock_timestamp()")
    return count


async def moved_amounts(connection: _Connection) -> dict[tuple[str, str], tuple[int, int]]:
    """Return by (wallet, order id) what all landed swaps took and gave, in base units."""
    rows = await connection.fetch(
        "select wallet, order_id, sum(input_amount)::text as taken, sum(output_amount)::text as given "
        "from paper.transactions where lands_at <= clock_timestamp() and error is null group by wallet, order_id"
    )
    return {(row["wallet"], str(row["order_id"])): (int(row["taken"]), int(row["given"])) for row in rows}
