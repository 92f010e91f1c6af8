"""One throughput run on a fresh engine: venues without delay or failure."""

import time

from tests.load.counters import Counters, Settled, memory_by_process
from tests.load.figures import Figures, costs, memory, spread_ms
from tests.load.ledger import Watch, read_ended
from tests.load.options import Layout, Options
from tests.load.placing import Post
from tests.load.running import running
from tests.load.sampling import sampled, sampler_settings
from tests.load.subject import Subject
from tests.load.throughput import place_orders
from tests.load.verdict import check_run, check_undisturbed

NO_DELAYS = {"mock_dex_quote_delay_ms": 0, "mock_dex_execution_delay_ms": 0, "mock_dex_failure_rate": 0}
END_S = 120.0


async def throughput_run(options: Options, layout: Layout) -> Figures:
    """Return what was measured; VoidRunError when the run proves nothing."""
    async with running(layout, **NO_DELAYS, **sampler_settings(options.profile_dir)) as engine:
        pids = engine.pids
        warm = await place_orders([engine.url], range(options.warm_up), options.connections, keys=options.keys)
        await Watch(engine).until_none_open(END_S)
        counters = Counters(engine.dsn, engine.redis_url, pids)
        await counters.open()
        try:
            figures, posts = await _measure(engine, counters, options)
        finally:
            await counters.close()
        await check_run(engine, pids, [post.order_id for post in [*warm, *posts]])
        check_undisturbed(figures, options.foreign)
        return figures


async def _measure(engine: Subject, counters: Counters, options: Options) -> tuple[Figures, list[Post]]:
    watch = Watch(engine)
    settled, instant, began = await counters.settled(), await counters.instant(), time.time()
    numbers = range(options.warm_up, options.warm_up + options.orders)
    async with sampled(engine.pids, options.profile_dir):
        posts = await place_orders([engine.url], numbers, options.connections, keys=options.keys)
        accepted = time.time()
        await watch.until_none_open(END_S)
    after, seconds = await counters.instant(), time.time() - began
    figures = memory(memory_by_process(engine.pids)) | costs(instant, after, len(posts), seconds)
    figures |= _settled_per_order(settled, await counters.settled(), len(posts), watch.asked)
    ended = await read_ended(engine, [post.order_id for post in posts])
    figures |= {
        "orders": len(posts),
        "accepted_per_s": len(posts) / (accepted - began),
        "confirmed_per_s": ended.confirmed / (ended.last - began),
        "not_confirmed": len(posts) - ended.confirmed,
        **spread_ms("post", [post.took for post in posts]),
    }
    return figures, posts


def _settled_per_order(before: Settled, after: Settled, orders: int, asked: int) -> Figures:
    return {
        "commits_per_order": (after.commits - before.commits - asked) / orders,
        "rollbacks_per_order": (after.rollbacks - before.rollbacks) / orders,
        "wal_syncs_per_order": (after.wal_syncs - before.wal_syncs) / orders,
    }
