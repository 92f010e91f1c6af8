"""What the database says of a run's orders."""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

_OPEN = "select count(*) from orders where queued_at is not null and closed_at is null"
_ENDED = """
select count(*) filter (where status = 'CONFIRMED') as confirmed, extract(epoch from max(closed_at))::float8 as last
from orders where id = any($1::uuid[])
"""


class Ended(NamedTuple):
    """How many of the orders are CONFIRMED, and when the last one was closed (seconds since 1970)."""

    confirmed: int
    last: float


class Watch:
    """Waits for orders to end; asked counts its own transactions, which are none of the engine's."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self.asked = 0

    async def until_none_open(self, within_s: float) -> None:
        connection = await asyncpg.connect(self._dsn, timeout=10)
        try:
            statement = await connection.prepare(_OPEN)
            self.asked += 1
            await self._wait(statement, time.monotonic() + within_s)
        finally:
            await connection.close()

    async def _wait(self, statement: "asyncpg.prepared_stmt.PreparedStatement", deadline: float) -> None:
        while True:
            self.asked += 1
            count = await statement.fetchval(timeout=10)
            if not count:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"{count} orders did not end")
            await asyncio.sleep(0.05)


async def read_ended(dsn: str, order_ids: Sequence[str]) -> Ended:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        (row,) = await connection.fetch(_ENDED, order_ids, timeout=30)
    finally:
        await connection.close()
    return Ended(row["confirmed"], row["last"])
