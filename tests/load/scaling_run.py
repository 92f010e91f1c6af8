"""More processes on the same two processors: what they gain or cost; and a burst that all of them hold at once."""

import time

import asyncpg

from tests.load.counters import Counters, memory_by_process
from tests.load.figures import Figures, costs, memory
from tests.load.latency_run import DEMO, EXECUTION_MS, QUOTE_MS
from tests.load.ledger import Watch, read_ended
from tests.load.options import Options
from tests.load.replicas_run import Replicas, ReplicasRun, replicas_run
from tests.load.throughput import place_orders
from tests.load.throughput_run import END_S, NO_DELAYS
from tests.load.verdict import check_run, check_undisturbed

LADDER = (Replicas(), Replicas(executors=2), Replicas(routers=2), Replicas(apis=2), Replicas(2, 2, 2))
BURST = 10_000
PLACES = 5_000  # of an executor, by default
_HELD = """
select (select min(at) from order_events where order_id = id and status = 'SUBMITTED') as began,
    (select min(at) from order_events where order_id = id and status = 'CONFIRMED') as ended
from orders where id = any($1::uuid[])
"""


async def scaling_run(options: Options, replicas: Replicas) -> Figures:
    """Return the throughput of so many processes, venues without delay."""
    async with replicas_run(replicas, **NO_DELAYS) as engine:
        warm = await place_orders(engine.urls, range(options.warm_up), options.connections)
        await Watch(engine).until_none_open(END_S)
        numbers = range(options.warm_up, options.warm_up + options.orders)
        return await _measured(engine, options, numbers, [post.order_id for post in warm], replicas)


async def burst_run(options: Options, replicas: Replicas) -> Figures:
    """Return how long a burst takes with the demo's venue delays, which cost nothing but time."""
    async with replicas_run(replicas, **DEMO) as engine:
        figures = await _measured(engine, options, range(BURST), [], replicas)
        ideal_s = ideal_end_s(figures["accepted_s"], BURST, replicas.executors * PLACES)
        return figures | {"longer_than_ideal_percent": (figures["ended_s"] / ideal_s - 1) * 100}


def ideal_end_s(accepted_s: float, orders: int, places: int) -> float:
    """Return when the last of the orders ends if nothing but venues and places takes time, and they come evenly."""
    quote_s, execution_s = QUOTE_MS / 1000, EXECUTION_MS / 1000
    waves = -(-orders // places)
    last_of_first_wave_s = accepted_s * (orders - (waves - 1) * places) / orders
    return max(accepted_s + quote_s + execution_s, last_of_first_wave_s + quote_s + waves * execution_s)


async def _measured(
    engine: ReplicasRun, options: Options, numbers: range, before: list[str], replicas: Replicas
) -> Figures:
    pids, counters = engine.pids, Counters(engine.dsn, engine.redis_url, engine.pids)
    await counters.open()
    try:
        instant, began = await counters.instant(), time.time()
        posts = await place_orders(engine.urls, numbers, options.connections)
        accepted = time.time()
        await Watch(engine).until_none_open(END_S)
        after, seconds = await counters.instant(), time.time() - began
    finally:
        await counters.close()
    ids = [post.order_id for post in posts]
    ended = await read_ended(engine, ids)
    figures = memory(memory_by_process(engine.pids)) | costs(instant, after, len(ids), seconds)
    await check_run(engine, pids, [*before, *ids])
    check_undisturbed(figures, options.foreign)
    return figures | {
        **{name: float(count) for name, count in replicas._asdict().items()},
        "orders": len(ids),
        "accepted_s": accepted - began,
        "ended_s": ended.last - began,
        "confirmed_per_s": ended.confirmed / (ended.last - began),
        "not_confirmed": len(ids) - ended.confirmed,
        "most_in_flight": await _most_in_flight(engine.dsn, ids),
    }


async def _most_in_flight(dsn: str, ids: list[str]) -> float:
    """Return how many orders were with the chain at once."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        rows = await connection.fetch(_HELD, ids, timeout=60)
    finally:
        await connection.close()
    changes = sorted([(row["began"], 1) for row in rows] + [(row["ended"], -1) for row in rows if row["ended"]])
    held = most = 0
    for _, change in changes:
        held += change
        most = max(most, held)
    return float(most)
