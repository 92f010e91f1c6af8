"""`python -m tests.faults.websockets`: 0 gaps, 0 repeats, 0 reorders over cuts and kills; and who stalls harms nobody."""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from typing import cast

import uvloop

from tests.evidence import record
from tests.faults.websockets.engine import ReplicatedEngine
from tests.faults.websockets.stalled import stalled_run
from tests.faults.websockets.storm import KILL_EVERY_S, ORDER_S, Plan, Storm
from tests.invariants import check_invariants
from tests.load.fanout_notifier import Servers, notifier, servers
from tests.load.figures import Figures
from tests.load.plan import first_of

SHORT = Plan(orders=600, rate=40)
LONG = Plan(orders=10_000, rate=50)
ROUNDS, ROUNDS_SHORT = 15, 5  # pairs of p99s, each of which varies by a tenth from one to the next


async def storm_run(at: Servers, plan: Plan, seed: int) -> Figures:
    """Return what happened; AssertionError when a client saw anything but 1..n."""
    dsn, redis_url, home = at
    engine = ReplicatedEngine(
        dsn,
        redis_url,
        home,
        mock_dex_quote_delay_ms=300,
        mock_dex_execution_delay_ms=ORDER_S * 1000,
        log_level="WARNING",
    )
    try:
        await engine.start_both()
        storm = Storm(engine, plan, seed)
        began = time.monotonic()
        await storm.run()
        took = time.monotonic() - began
        assert not storm.broken, f"{len(storm.broken)} broken streams: {storm.broken[:10]}"
        await check_invariants(dsn, storm.orders.placed, storm.told)
    finally:
        engine.close()
    return figures_of(storm, plan, took)


def figures_of(storm: Storm, plan: Plan, took: float) -> Figures:
    """Return the counts, once they show that there was a storm at all."""
    counts = storm.counts
    cuts = counts["abort"] + counts["reset"] + counts["close"]
    assert storm.kills >= plan.seconds / KILL_EVERY_S - 1, f"only {storm.kills} kills"
    assert cuts > plan.orders, f"only {cuts} cuts"
    return {
        "orders": len(storm.orders.placed),
        "clients": len(storm.clients) + len(storm.wallet_clients),
        "seconds": took,
        "orders_followed": len(storm.follows) - len(storm.wallet_clients),
        "streams_checked": len(storm.told),
        "steps_seen": sum(len(told.messages) for told in storm.told),
        "notifier_kills": storm.kills,
        "connections": counts["opened"],
        "cuts_abort": counts["abort"],
        "cuts_reset": counts["reset"],
        "cuts_close": counts["close"],
        "lost_to_kills": counts["lost 1006"],
        "not_opened": counts["not opened"],
        "moved_between_notifiers": counts["moved"],
        "wallet_repeats_after_reconnect": storm.repeats,
        **irregular([[cast("int", m["seq"]) for m in told.messages] for told in storm.told]),
    }


def irregular(streams: Iterable[list[int]]) -> Figures:
    """Return how many steps were missing, came again, or came before an earlier one."""
    found = Counter(gaps=0, duplicates=0, reorders=0)
    for seqs in streams:
        once = set(seqs)
        found["gaps"] += max(once, default=0) - len(once)
        found["duplicates"] += len(seqs) - len(once)
        found["reorders"] += sum(later < earlier for earlier, later in pairwise(seqs))
    return dict(found)


def main() -> int:
    """Run, print and, of the long form when RECORD is set, keep; return the exit code."""
    given = _options()
    print(f"websockets: seed {given.seed}", flush=True)
    figures: Figures = {"seed": given.seed}
    failed = False
    try:
        with servers() as at:
            for part in _parts(given, at):
                figures |= part()
    except* AssertionError as errors:
        failed = True
        print(f"FAILED (again: --seed {given.seed}{' --short' * given.short}): {first_of(errors)}")
    for name, value in figures.items():
        shown = f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"
        print(f"{name:<34}{shown:>12}")
    if os.environ.get("RECORD") and not (failed or given.short or given.only):
        kept = {name.replace("_", " "): round(value, 3) for name, value in figures.items()}
        record("websockets", title="WebSockets under fire", command="make websockets", figures=kept)
    return int(failed)


def _parts(given: argparse.Namespace, at: Servers) -> list[Callable[[], Figures]]:
    plan, rounds = (SHORT, ROUNDS_SHORT) if given.short else (LONG, ROUNDS)
    storm = partial(_storm, at, plan, given.seed)
    stalled = partial(_stalled, at, rounds)
    return [part for name, part in (("storm", storm), ("stalled", stalled)) if given.only in (None, name)]


def _storm(at: Servers, plan: Plan, seed: int) -> Figures:
    return uvloop.run(storm_run(at, plan, seed))


def _stalled(at: Servers, rounds: int) -> Figures:
    with notifier(at.dsn, at.redis_url) as running:
        return uvloop.run(stalled_run(running, rounds))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.faults.websockets")
    parser.add_argument("--short", action="store_true", help="600 orders instead of 10,000, for CI")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, help="of cuts, kills and orders")
    parser.add_argument("--only", choices=("storm", "stalled"), help="leave the other part out")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
