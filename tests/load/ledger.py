"""What the database says of a run's orders."""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from tests.load.subject import Subject


class Ended(NamedTuple):
    """How many of the orders are CONFIRMED, and when the last one was closed (seconds since 1970)."""

    confirmed: int
    last: float


class Watch:
    """Waits for orders to end; asked counts its own transactions, which are none of the engine's."""

    def __init__(self, subject: Subject) -> None:
        self._dsn = subject.dsn
        self._open = subject.questions.open
        self.asked = 0

    async def until_none_open(self, within_s: float) -> None:
        connection = await asyncpg.connect(self._dsn, timeout=10)
        try:
            statement = await connection.prepare(self._open)
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


async def read_ended(subject: Subject, order_ids: Sequence[str]) -> Ended:
    connection = await asyncpg.connect(subject.dsn, timeout=10)
    try:
        (row,) = await connection.fetch(subject.questions.ended, order_ids, timeout=30)
    finally:
        await connection.close()
    return Ended(row["confirmed"], row["last"])
