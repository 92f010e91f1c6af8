"""Ten clients that never read, among 500 that do: nobody else waits longer, memory stays bounded, nothing is lost."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import Any
from uuid import UUID

import asyncpg

from swaprail.messages.topics import OrderEvent
from swaprail.testing.conditions import until
from tests.faults.websockets.follows import decode
from tests.faults.websockets.wire import Wire, open_wire
from tests.load.fanout_clients import Clients
from tests.load.fanout_notifier import PATH, WALLET, WALLET_PATH, Notifier, new_ids, steps

HEALTHY, STALLED = 500, 10
ORDERS_PER_S = 10.0  # each with all its steps at once: 25,000 deliveries a second, below what saturates
PADDING = 2_000  # bytes in each step
SECONDS = 3.0  # of each half of a round
CLOSE_S = 10.0
RESUME_S = 20.0
MOST_SLOWER = 1.10  # p99 of the healthy while others stall, to p99 while nobody does
# What waits for ten stalled clients (256 KiB each) and all else that the notifier may come to hold meanwhile.
MOST_GROWTH_MIB = 16.0
SLOW_CLOSED = 'swaprail_websocket_closed_total{code="4008"}'

_STORE = """
with o as (
    insert into orders (id, account, wallet, input_mint, output_mint, input_symbol, output_symbol, input_decimals,
        output_decimals, input_amount, slippage_bps, status, seq, queued_at, closed_at)
    values ($1, 'local', $2, 'm1', 'm2', 'SOL', 'USDC', 9, 6, 1, 50, 'CONFIRMED', cardinality($3::text[]), now(), now())
    returning id
)
insert into order_events (order_id, seq, status, data)
select o.id, t.seq, t.status, t.data from o, unnest($3::text[], $4::json[]) with ordinality as t(status, data, seq)
"""


class Stalled:
    """One client that stopped reading, and what it had seen until then: nothing."""

    def __init__(self, wire: Wire, since_ms: int, orders_before: int) -> None:
        self.wire = wire
        self.since_ms = since_ms
        self.orders_before = orders_before


class Stall:
    """One notifier with its healthy clients, and orders that are stored and told."""

    def __init__(self, running: Notifier, connection: Any, healthy: Clients) -> None:
        self._running = running
        self._connection = connection
        self._healthy = healthy
        self.orders: list[UUID] = []
        self.stalled: list[Stalled] = []

    async def half(self, *, stalling: bool) -> float:
        """Return the p99 of the healthy clients' delays, in seconds."""
        if stalling:
            await self._stall()
        self._healthy.forget_delays()
        await self._tell_for(SECONDS)
        (p99,) = self._healthy.delays(0.99)
        if stalling:
            await self._until_closed()
        return p99

    async def resume(self) -> None:
        """Connect each stalled client again: AssertionError unless it gets every step told since it stalled."""
        for client in self.stalled:
            client.wire.drop()
            missed = set(self.orders[client.orders_before :])
            seen: defaultdict[str, list[int]] = defaultdict(list)
            wire = await open_wire(self._running.port, f"{WALLET_PATH}?after={client.since_ms}", _note(seen))
            try:
                await until(
                    partial(_has_all, seen, missed), within_s=RESUME_S, what="who stalled and came back sees all"
                )
            finally:
                wire.drop()
            wrong = {order_id: seqs for order_id, seqs in seen.items() if seqs != list(range(1, len(PATH) + 1))}
            assert not wrong, f"a stalled client that came back saw {list(wrong.items())[:3]}"

    async def _stall(self) -> None:
        since_ms = int(time.time() * 1000)
        for _ in range(STALLED):
            wire = await open_wire(self._running.port, WALLET_PATH, lambda _: None, receive_buffer=4096)
            wire.pause()
            self.stalled.append(Stalled(wire, since_ms, len(self.orders)))

    async def _tell_for(self, seconds: float) -> None:
        began = time.monotonic()
        for number in range(round(seconds * ORDERS_PER_S)):
            await asyncio.sleep(began + number / ORDERS_PER_S - time.monotonic())
            await self._tell_order()

    async def _tell_order(self) -> None:
        (order_id,) = new_ids(1)
        events: list[OrderEvent] = [
            event for seq in range(1, len(PATH) + 1) for event in steps([order_id], seq, padding=PADDING)
        ]
        data = [bytes(event.data).decode() for event in events]
        await self._connection.execute(_STORE, order_id, WALLET, [str(status) for status in PATH], data)
        self.orders.append(order_id)
        self._running.tell(events)

    async def _until_closed(self) -> None:
        deadline = time.monotonic() + CLOSE_S
        while (closed := self._running.metric(SLOW_CLOSED)) < len(self.stalled):
            assert time.monotonic() < deadline, (
                f"{closed:.0f} of {len(self.stalled)} stalled clients were closed as slow"
            )
            await self._tell_for(0.5)


async def stalled_run(running: Notifier, rounds: int) -> dict[str, float]:
    """Return the figures; AssertionError when the stalled harm the others, the notifier, or themselves."""
    connection = await asyncpg.connect(running.dsn, timeout=10)
    with _healthy(running) as healthy:
        stall = Stall(running, connection, healthy)
        await stall.half(stalling=False)  # warm
        before = running.memory()
        p99: dict[bool, list[float]] = {False: [], True: []}
        for number in range(rounds):
            for stalling in (False, True) if number % 2 else (True, False):
                p99[stalling].append(await stall.half(stalling=stalling))
        grown = (running.memory() - before) / 2**20
        await stall.resume()
        expected = len(stall.orders) * len(PATH) * HEALTHY
        tally = await asyncio.to_thread(healthy.wait_for, expected)
    await connection.close()
    alone, beside = median(p99[False]), median(p99[True])
    shown = f"p99 {_ms(p99[True])} ms beside stalled clients, {_ms(p99[False])} ms without"
    assert (tally.steps, tally.lost) == (expected, 0), f"{tally.steps} of {expected} steps, {tally.lost} lost"
    assert beside <= MOST_SLOWER * alone, shown
    assert grown <= MOST_GROWTH_MIB, f"the notifier grew by {grown:.1f} MiB"
    return {
        "stalled_clients_closed_as_slow": len(stall.stalled),
        "deliveries_beside_them": tally.steps,
        "p99_ms_without_stalled": alone * 1000,
        "p99_ms_beside_stalled": beside * 1000,
        "p99_ratio": beside / alone,
        "notifier_grown_mib": grown,
    }


@contextmanager
def _healthy(running: Notifier) -> Iterator[Clients]:
    clients = Clients(running.port, HEALTHY, WALLET_PATH)
    try:
        yield clients
    finally:
        clients.close()


def _has_all(seen: defaultdict[str, list[int]], order_ids: set[UUID]) -> bool:
    return all(len(seen[str(order_id)]) >= len(PATH) for order_id in order_ids)


def _note(seen: defaultdict[str, list[int]]) -> Any:
    def take(payload: bytes) -> None:
        message = decode(payload)
        seen[message.order_id].append(message.seq)

    return take


def _ms(seconds: list[float]) -> str:
    return "/".join(f"{each * 1000:.1f}" for each in seconds)
