"""One latency run on a fresh engine: the demo's delays, orders at a steady rate, each with a subscriber."""

import time
from collections.abc import Sequence
from itertools import pairwise

from swaprail.domain.lifecycle import Status
from tests.load.counters import Counters, memory_by_process
from tests.load.figures import Figures, costs, distribution_ms, memory, spread_ms
from tests.load.open_loop import Followed, OpenLoop
from tests.load.options import PEERS, Layout, Options
from tests.load.running import running
from tests.load.sampling import sampled, sampler_settings
from tests.load.subject import Subject
from tests.load.verdict import check_run, check_undisturbed
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
    async with running(layout, **DEMO, **sampler_settings(options.profile_dir)) as engine:
        pids = engine.pids
        warm = await _place(engine, range(WARM_UP_S * options.rate), options.rate)
        counters = Counters(engine.dsn, engine.redis_url, pids)
        await counters.open()
        try:
            before, began = await counters.instant(), time.time()
            numbers = range(len(warm), len(warm) + options.rate * options.seconds)
            async with sampled(pids, options.profile_dir):
                followed = await _place(engine, numbers, options.rate)
            after, seconds = await counters.instant(), time.time() - began
        finally:
            await counters.close()
        figures = _figures(followed, layout) | _steps(followed) | costs(before, after, len(followed), seconds)
        figures |= memory(memory_by_process(engine.pids))
        everything = [*warm, *followed]
        await check_run(engine, pids, [f.post.order_id for f in everything], [f.watcher for f in everything])
        check_undisturbed(figures, options.foreign)
        return figures


async def _place(engine: Subject, numbers: range, rate: int) -> list[Followed]:
    return await OpenLoop(engine.url, engine.ws_url).run(numbers, rate)


def _figures(followed: Sequence[Followed], layout: Layout) -> Figures:
    confirmed = [f for f in followed if f.watcher.seen[-1].message.status is Status.CONFIRMED]
    venue_s = sum(VENUE_S.values())
    # From the planned time: what a late answer delays is counted too.
    overheads = [f.watcher.seen[-1].at - f.planned - venue_s for f in confirmed]
    figures = {
        "orders": len(followed),
        "not_confirmed": len(followed) - len(confirmed),
        **spread_ms("overhead", overheads),
        **distribution_ms("overhead", overheads),
        **spread_ms("commit_to_socket", [delay for f in followed for delay in f.watcher.delays()]),
        **spread_ms("post", [f.post.took for f in followed]),
        **spread_ms("generator_late", [f.late for f in followed]),
        "gaps_or_repeats": sum(not is_dense(f.watcher.seqs, whole=layout not in PEERS) for f in followed),
    }
    if layout not in PEERS:
        messages = [seen.message for f in followed for seen in f.watcher.seen]
        figures["messages_not_as_described"] = sum(not is_as_described(message) for message in messages)
    return figures


def is_dense(seqs: Sequence[int], *, whole: bool) -> bool:
    """Tell whether each step came once and in order: from the first one on, or (the peer) from where it began."""
    return list(seqs) == list(range(1 if whole else seqs[0], seqs[-1] + 1))


def _steps(followed: Sequence[Followed]) -> Figures:
    """Return the time from each step's commit to the next one's, without what the venues take."""
    delays: dict[str, list[float]] = {}
    for each in followed:
        messages = [seen.message for seen in each.watcher.seen]
        if messages[0].status is Status.PENDING:
            delays.setdefault("sent_to_pending", []).append(messages[0].timestamp.timestamp() - each.post.sent)
        for message, following in pairwise(messages):
            took = (following.timestamp - message.timestamp).total_seconds() - VENUE_S.get(message.status, 0)
            delays.setdefault(f"after_{message.status.lower()}", []).append(took)
    figures: Figures = {}
    for name, taken in delays.items():
        figures |= spread_ms(name, taken)
    return figures
