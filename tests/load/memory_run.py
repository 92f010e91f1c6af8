"""Memory with many open orders: all that the engine lets in, held by venues that do not answer in time to end them."""

import asyncio
import time

import asyncpg

from tests.load.counters import memory_by_process
from tests.load.figures import Figures
from tests.load.options import Layout, Options
from tests.load.running import running
from tests.load.subject import Subject
from tests.load.throughput import place_orders
from tests.load.verdict import VoidRunError

OPEN_ORDERS = 50_000
SLOW = {
    "mock_dex_quote_delay_ms": 0,
    "mock_dex_execution_delay_ms": 600_000,
    "mock_dex_failure_rate": 0,
    "max_open_orders": 2 * OPEN_ORDERS,
    "order_deadline_s": 3600,
}
SETTLE_S = 10.0


async def memory_run(options: Options, layout: Layout) -> Figures:
    """Return each process' memory at the start and with the orders open."""
    async with running(layout, **SLOW) as engine:
        idle = memory_by_process(engine.pids)
        began = time.time()
        posts = await place_orders([engine.url], range(OPEN_ORDERS), options.connections)
        placed_s = time.time() - began
        await asyncio.sleep(SETTLE_S)  # not for a condition: memory of a steady state is read, not of a rush
        held = memory_by_process(engine.pids)
        await _check_open(engine, [post.order_id for post in posts])
    figures = {"orders": float(len(posts)), "placed_s": placed_s}
    for name in sorted(held):
        figures[f"idle_mb_{name}"], figures[f"mb_{name}"] = idle[name], held[name]
    return figures


async def _check_open(engine: Subject, ids: list[str]) -> None:
    connection = await asyncpg.connect(engine.dsn, timeout=10)
    try:
        still = await connection.fetchval(
            "select count(*) from orders where id = any($1::uuid[]) and closed_at is null", ids, timeout=60
        )
    finally:
        await connection.close()
    if still != len(ids):
        raise VoidRunError(f"{len(ids)} orders were accepted, {still} are open\n{engine.log_tail()}")
