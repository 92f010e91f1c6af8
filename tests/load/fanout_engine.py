"""From the commit of a step to the client that follows the order, in the whole engine at a steady rate."""

from collections.abc import Sequence

import asyncpg

from tests.load.figures import Figures, spread_ms
from tests.load.latency_run import DEMO
from tests.load.local_run import LocalRun, local_run
from tests.load.open_loop import Followed, OpenLoop

RATE = 100
WARM_UP_S = 3
# In microseconds, and of the transaction's begin: what is measured includes the commit itself.
_COMMITTED = """
select order_id::text, seq, extract(epoch from at)::float8 as at from order_events where order_id = any($1::uuid[])
"""


async def commit_to_client(seconds: int) -> Figures:
    """Return the delays of all steps that were committed after their client was there."""
    async with local_run("separate", **DEMO) as engine:
        loop = OpenLoop(engine.url, engine.ws_url)
        warm = await loop.run(range(WARM_UP_S * RATE), RATE)
        followed = await OpenLoop(engine.url, engine.ws_url).run(range(len(warm), len(warm) + RATE * seconds), RATE)
        everything = [*warm, *followed]
        await engine.check([f.post.order_id for f in everything], [f.watcher for f in everything])
        delays = await _delays(engine, followed)
    late = spread_ms("generator_late", [f.late for f in followed])
    return {"commit_to_client_steps": len(delays), **spread_ms("commit_to_client", delays), **late}


async def _delays(engine: LocalRun, followed: Sequence[Followed]) -> list[float]:
    connection = await asyncpg.connect(engine.dsn, timeout=10)
    try:
        rows = await connection.fetch(_COMMITTED, [f.post.order_id for f in followed], timeout=30)
    finally:
        await connection.close()
    committed = {(row["order_id"], row["seq"]): row["at"] for row in rows}
    came = [(f.watcher.opened, f.post.order_id, seen) for f in followed for seen in f.watcher.seen]
    waits = [(opened, seen.at, committed[order_id, seen.message.seq]) for opened, order_id, seen in came]
    return [at - commit for opened, at, commit in waits if commit > opened]
