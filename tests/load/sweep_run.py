"""Open loop at growing rates, with the demo's venue delays, up to the knee."""

import time
from collections.abc import Sequence

import asyncpg

from tests.load.counters import foreign_s
from tests.load.figures import Figures, quantile, spread_ms
from tests.load.latency_run import DEMO, VENUE_S
from tests.load.ledger import Watch
from tests.load.open_loop import Followed, OpenLoop
from tests.load.options import Layout, Options
from tests.load.running import running
from tests.load.subject import Subject
from tests.load.verdict import check_run, check_undisturbed

RATES = (50, 100, 200, 400, 600, 800, 1000, 1200, 1400, 1600, 2000)
KNEE_P99_MS = 250.0
GROWTH = 0.05  # of the rate, by which the backlog may grow
SECONDS = 8
WARM_UP = 300
END_S = 60.0


async def sweep_run(options: Options, layout: Layout) -> list[Figures]:
    """Return the figures of each rate, the first one past the knee being the last."""
    async with running(layout, **DEMO) as engine:
        pids, placed, points = engine.pids, await _place(engine, 0, WARM_UP, options.rate), list[Figures]()
        busy_s, began = foreign_s(pids), time.monotonic()
        for rate in RATES:
            followed = await _place(engine, len(placed), rate * SECONDS, rate)
            placed += followed
            points.append(await _point(engine, followed, rate))
            if points[-1]["past_knee"]:
                break
        foreign = 100 * (foreign_s(pids) - busy_s) / (time.monotonic() - began)
        await check_run(engine, pids, [f.post.order_id for f in placed])
        check_undisturbed({"foreign_cpu_percent": foreign}, options.foreign)
        return points


async def _place(engine: Subject, first: int, orders: int, rate: int) -> list[Followed]:
    return await OpenLoop(engine.url, engine.ws_url, follow=False).run(range(first, first + orders), rate)


async def _point(engine: Subject, followed: Sequence[Followed], rate: int) -> Figures:
    began = followed[0].planned
    await Watch(engine).until_none_open(END_S)
    ended = await ended_at(engine, [f.post.order_id for f in followed])
    venue_s = sum(VENUE_S.values())
    overheads = [ended[f.post.order_id] - f.planned - venue_s for f in followed]
    # What the last quarter waits longer than the first is a backlog that grows.
    quarter = len(followed) // 4
    growth = quantile(overheads[-quarter:], 0.5) - quantile(overheads[:quarter], 0.5)
    figures = {
        "rate": rate,
        "orders": len(followed),
        "confirmed_per_s": len(followed) / (max(ended.values()) - began - venue_s),
        **spread_ms("overhead", overheads),
        **spread_ms("post", [f.post.took for f in followed]),
        **spread_ms("generator_late", [f.late for f in followed]),
        "growth_ms_per_s": growth * 1000 / (SECONDS * 3 / 4),
    }
    past = figures["overhead_p99_ms"] > KNEE_P99_MS or growth > GROWTH * SECONDS
    return figures | {"past_knee": float(past)}


async def ended_at(engine: Subject, order_ids: Sequence[str]) -> dict[str, float]:
    """Return when each order ended (seconds since 1970)."""
    connection = await asyncpg.connect(engine.dsn, timeout=10)
    try:
        rows = await connection.fetch(engine.questions.each_ended, order_ids, timeout=30)
    finally:
        await connection.close()
    return {str(row["id"]): row["at"] for row in rows}
