"""Horizons are moved on, and what was left below them is found."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from swaprail.db.connect import Database
from swaprail.db.horizons import Scan
from swaprail.db.leases import Leases
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import LeasedOrder
from swaprail.testing.conditions import until
from swaprail.testing.factories import insert_order
from swaprail_router.keep_horizons import LAP_EVERY, Horizons

PASSED = "insert into scan_horizons values ('open', now() - interval '70 s', now() - interval '10 s', 3)"


@pytest.fixture
async def engine(database: str) -> AsyncIterator[Database]:
    opened = Database(database, size=2, timeout_s=5, application="test")
    yield opened
    await opened.close()


@pytest.mark.parametrize("below_s", [71, 4_000, 90_000, 1e8])
async def test_an_order_is_found_when_it_was_left_below_the_horizon(engine: Database, below_s: float) -> None:
    """The clock was set back and put right again: the order's times are of a time long gone."""
    await engine.fetch(PASSED)
    order_id = await insert_order(engine, due_in_s=-below_s)
    horizons, leases = Horizons(engine), Leases(engine, "w", 5, [Status.ROUTING])
    assert await leases.scan(9) == []
    found: list[LeasedOrder] = []

    async def is_found() -> bool:
        await horizons.look_below(Scan.OPEN)
        found.extend(await leases.scan(9))
        return bool(found)

    await until(is_found, what="the order is found")
    assert found[0].id == order_id


async def test_the_horizon_stays_when_nothing_was_left_below_it(engine: Database) -> None:
    await engine.fetch(PASSED)
    await insert_order(engine)
    (before,) = await engine.fetch("select * from scan_horizons")
    horizons = Horizons(engine)
    for _ in range(3):
        await horizons.look_below(Scan.OPEN)
    (after,) = await engine.fetch("select * from scan_horizons")
    assert tuple(after) == tuple(before)


async def test_both_are_done_again_and_again_when_it_runs(engine: Database) -> None:
    horizons = Horizons(engine, every_s=0.05, rest_s=0)
    horizons.start()
    moved = "select count(*) = 4 from scan_horizons where seen_at > $1"
    for what in ("all have begun", "all have moved on"):
        now = await engine.fetchval("select now()")
        await until(partial(engine.fetchval, moved, now), what=what)
    await horizons.stop()


class Asked:
    """Stands where the database stands: keeps what is asked, and finds nothing."""

    def __init__(self) -> None:
        self.moves = self.laps = 0

    async def fetch(self, sql: str, *args: Any) -> list[Any]:
        self.laps += sql.startswith("/* horizon_below */")
        self.moves += sql.startswith("/* horizon */")
        return []


async def test_what_is_below_is_looked_through_seldom_when_nothing_was_left_there() -> None:
    asked: Any = Asked()
    horizons = Horizons(asked, every_s=0)
    horizons.start()
    await until(lambda: asked.moves >= 60 * len(Scan), what="many passes are over")
    await horizons.stop()
    assert 0 < asked.laps <= asked.moves / LAP_EVERY + len(Scan)
