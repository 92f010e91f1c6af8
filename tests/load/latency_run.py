"""One latency run on a fresh engine: the demo's delays, orders at a steady rate, each with a subscriber."""

import time
from collections.abc import Sequence
from itertools import pairwise

from swaprail.domain.lifecycle import Status
from tests.load.counters import Counters, memory_by_process
from tests.load.figures import Figures, costs, memory, spread_ms
from tests.load.local_run import LocalRun, local_run
from tests.load.open_loop import Followed, OpenLoop
from tests.load.options import Layout, Options
from tests.load.verdict import check_run
from tests.load.watcher import is_as_described

QUOTE_MS, EXECUTION_MS = 200, 2500
DEMO = {
    "mock_dex_quote_delay_ms": QUOTE_MS,
    "mock_dex_execution_delay_ms": EXECUTION_MS,
    "mock_dex_failure_rate": 0,
}
WARM_UP_S = 3
VENUE_S = {Status.ROUTING: QUOTE_MS / 1000, Status.SUBMITTED: EXECUTION_MS / 1000}


async def latency_run(options: Options, layout: Layout) -> Figures:
    """Return what was measured; VoidRunError when the run proves nothing."""
    async with local_run(layout, **DEMO) as engine:
        pids = engine.pids
        warm = await _place(engine, range(WARM_UP_S * options.rate), options.rate)
        counters = Counters(engine.status.dsn, engine.status.redis_url, pids)
        await counters.open()
        try:
            before, began = await counters.instant(), time.time()
            numbers = range(len(warm), len(warm) + options.rate * options.seconds)
            followed = await _place(engine, numbers, options.rate)
            after, seconds = await counters.instant(), time.time() - began
        finally:
            await counters.close()
        figures = _figures(followed) | _steps(followed) | costs(before, after, len(followed), seconds)
        figures |= memory(memory_by_process(engine.pids))
        everything = [*warm, *followed]
        await check_run(engine, pids, [f.post.order_id for f in everything], [f.watcher for f in everything])
        return figures


async def _place(engine: LocalRun, numbers: range, rate: int) -> list[Followed]:
    status = engine.status
    return await OpenLoop(status.url, status.ws_url).run(numbers, rate)


def _figures(followed: Sequence[Followed]) -> Figures:
    confirmed = [f for f in followed if f.watcher.seen[-1].message.status is Status.CONFIRMED]
    venue_s = sum(VENUE_S.values())
    messages = [seen.message for f in followed for seen in f.watcher.seen]
    wrong = sum(f.watcher.seqs != list(range(1, len(f.watcher.seqs) + 1)) for f in followed)
    return {
        "orders": len(followed),
        "not_confirmed": len(followed) - len(confirmed),
        **spread_ms("overhead", [f.watcher.seen[-1].at - f.post.sent - venue_s for f in confirmed]),
        **spread_ms("commit_to_socket", [delay for f in followed for delay in f.watcher.delays()]),
        **spread_ms("post", [f.post.took for f in followed]),
        **spread_ms("generator_late", [f.late for f in followed]),
        "gaps_or_repeats": wrong,
        "messages_not_as_described": sum(not is_as_described(message) for message in messages),
    }


def _steps(followed: Sequence[Followed]) -> Figures:
    """Return the time from each step's commit to the next one's, without what the venues take."""
    delays: dict[str, list[float]] = {}
    for each in followed:
        for seen, following in pairwise(seen.message for seen in each.watcher.seen):
            took = (following.timestamp - seen.timestamp).total_seconds() - VENUE_S.get(seen.status, 0)
            delays.setdefault(f"after_{seen.status.lower()}", []).append(took)
    figures: Figures = {}
    for name, taken in delays.items():
        figures |= spread_ms(name, taken)
    return figures
