"""Stores the steps of a fan-out, and then tells the topic, as the other services do: a notifier believes the table only."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import asyncpg

from tests.load.fanout_notifier import PATH, WALLET, Notifier, steps

_STORE = """
with step as (
    insert into order_events (order_id, seq, status, data)
    select id, $2::int, $3::text, $4::text::json from unnest($1::uuid[]) as t(id)
)
insert into orders (id, account, wallet, input_mint, output_mint, input_symbol, output_symbol, input_decimals,
    output_decimals, input_amount, slippage_bps, status, seq, queued_at, closed_at)
select id, 'local', $5, 'm1', 'm2', 'SOL', 'USDC', 9, 6, 1, 50, $3, $2, now(), case when $2 = $6::int then now() end
from unnest($1::uuid[]) as t(id)
on conflict (id) do update set status = excluded.status, seq = excluded.seq, closed_at = excluded.closed_at
"""


class Store:
    """A connection for a caller that has no event loop."""

    def __init__(self, running: Notifier, loop: asyncio.AbstractEventLoop) -> None:
        self._running = running
        self._loop = loop
        self._connection: Any = loop.run_until_complete(asyncpg.connect(running.dsn, timeout=10))

    def tell(self, ids: list[UUID], seq: int) -> None:
        """Commit the step with that number of each order, and tell the topic. Delays count from before the commit."""
        events = steps(ids, seq)
        data = bytes(events[0].data).decode()
        storing = self._connection.execute(_STORE, ids, seq, str(PATH[seq - 1]), data, WALLET, len(PATH))
        self._loop.run_until_complete(storing)
        self._running.tell(events)

    def close(self) -> None:
        self._loop.run_until_complete(self._connection.close())


@contextmanager
def store(running: Notifier) -> Iterator[Store]:
    with asyncio.Runner() as runner:
        storing = Store(running, runner.get_loop())
        try:
            yield storing
        finally:
            storing.close()
