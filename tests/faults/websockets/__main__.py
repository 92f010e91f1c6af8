"""`python -m tests.faults.websockets`: 0 gaps, 0 repeats, 0 reorders over cuts and kills; and who stalls harms nobody."""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import uvloop

from swaprail.db.migrate import migrate
from swaprail_local.servers.postgres import EmbeddedPostgres
from swaprail_local.servers.valkey import EmbeddedValkey
from tests.faults.websockets.engine import ReplicatedEngine
from tests.faults.websockets.storm import KILL_EVERY_S, ORDER_S, Plan, Storm
from tests.invariants import check_invariants
from tests.load.homes import home_of_a_run
from tests.load.plan import first_of

SHORT = Plan(orders=1_000, rate=40)
LONG = Plan(orders=10_000, rate=40)
type Figures = dict[str, float]


class Servers(NamedTuple):
    dsn: str
    redis_url: str
    home: Path


@contextmanager
def servers() -> Iterator[Servers]:
    """Start PostgreSQL and Valkey with data of their own; yield DSN, URL and a directory for logs."""
    with home_of_a_run() as home:
        postgres, valkey = (
            EmbeddedPostgres(home / "postgres", durable=False),
            EmbeddedValkey(home / "valkey", durable=False),
        )
        try:
            postgres.start()
            valkey.start()
            migrate(postgres.dsn)
            yield Servers(postgres.dsn, valkey.url, home)
        finally:
            valkey.stop()
            postgres.stop()


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
        "gaps": 0,
        "duplicates": 0,
        "reorders": 0,
    }


def main() -> int:
    """Run and print; return the exit code."""
    parser = argparse.ArgumentParser(prog="tests.faults.websockets")
    parser.add_argument("--short", action="store_true", help="1,000 orders instead of 10,000, for CI")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given = parser.parse_args()
    print(f"websockets: seed {given.seed}", flush=True)
    figures: Figures = {}
    try:
        with servers() as at:
            figures = uvloop.run(storm_run(at, SHORT if given.short else LONG, given.seed))
    except* AssertionError as errors:
        again = f"--seed {given.seed}{' --short' * given.short}"
        print(f"FAILED (again: {again}): {first_of(errors)}")
    for name, value in figures.items():
        print(f"{name:<34}{value:>12,.0f}")
    return 0 if figures else 1


if __name__ == "__main__":
    sys.exit(main())
