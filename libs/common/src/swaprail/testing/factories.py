"""Rows for tests, as the engine's own statements would have written them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from swaprail.db.leases import read_order
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import LeasedOrder

SOL = "So11111111111111111111111111111111111111112"
USDC = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"


async def insert_order(
    connection: Any,
    *,
    status: Status = Status.ROUTING,
    due_in_s: float = 0,
    expires_at: datetime | None = None,
    account: str = "local",
    wallet: str = "wallet",
    input_amount: int = 1_500_000_000,
    slippage_bps: int = 50,
    min_output_amount: int | None = None,
    routing: str | None = None,
    trace: str | None = None,
) -> UUID:
    """Insert an order (SOL to USDC) that nobody holds, with the events on its way; PENDING ones wait to be executed."""
    order_id = uuid7()
    path = [Status.PENDING, Status.ROUTING, Status.BUILDING, Status.SUBMITTED]
    steps = path[: path.index(status) + 1]
    await connection.fetch(
        """
        with o as (
            insert into orders (id, account, wallet, input_mint, output_mint, input_symbol, output_symbol,
                input_decimals, output_decimals, input_amount, slippage_bps, min_output_amount, expires_at, status,
                seq, fence, due_at, queued_at, routing, trace)
            values ($1, $2, $3, $4, $5, 'SOL', 'USDC', 9, 6, $6, $7, $8, $9, $10, $11, $12,
                now() + make_interval(secs => $13), case when $14 then now() end, $15, $16)
        )
        insert into order_events (order_id, seq, status, data)
        select $1, t.seq, t.status, '{}' from unnest($17::text[]) with ordinality as t(status, seq)
        """,
        order_id,
        account,
        wallet,
        SOL,
        USDC,
        input_amount,
        slippage_bps,
        min_output_amount,
        expires_at,
        status,
        len(steps),
        len(steps) - 1,
        due_in_s,
        status is not Status.PENDING,
        routing,
        trace,
        [str(s) for s in steps],
    )
    return order_id


async def lease_order(connection: Any, order_id: UUID, *, owner: str = "test", lease_s: float = 30) -> LeasedOrder:
    """Take the lease on an order, whoever holds it."""
    rows = await connection.fetch(
        """
        update orders set fence = fence + 1, lease_owner = $2, lease_until = now() + make_interval(secs => $3)
        where id = $1 returning *
        """,
        order_id,
        owner,
        lease_s,
    )
    return read_order(rows[0])
