"""Scans look no further back than to the oldest that is there, and never too near."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import asyncpg
import pytest

from swaprail.db.connect import Database
from swaprail.db.horizons import MARGIN_S, Scan, advance
from swaprail.db.leases import Leases
from swaprail.domain.lifecycle import Status
from swaprail.testing.conditions import until
from swaprail.testing.factories import insert_order

FAR_S = 1e9


@pytest.fixture
async def db(database: str) -> AsyncIterator[Database]:
    opened = Database(database, size=3, timeout_s=5, application="test")
    yield opened
    await opened.close()


async def go_on(db: Database, scan: Scan, margin_s: float = MARGIN_S) -> None:
    """Move a horizon on until it has passed all that is there now, as a router does in a while."""
    began = await db.fetchval("select now()")

    async def has_passed() -> bool:
        while await advance(db, scan, FAR_S, margin_s, rest_s=0):
            pass
        return bool(await db.fetchval("select seen_at > $1 from scan_horizons where name = $2", began, scan))

    await until(has_passed, what="a mark is set")
    began = await db.fetchval("select now()")
    await until(has_passed, what="it is used")


async def since(db: Database, scan: Scan = Scan.OPEN) -> datetime:
    found: datetime = await db.fetchval("select since from scan_horizons where name = $1", scan)
    return found


async def test_a_scan_finds_whatever_is_due_when_there_is_no_horizon_yet(db: Database) -> None:
    old = await insert_order(db, due_in_s=-100_000)
    (found,) = await Leases(db, "w", 5, [Status.ROUTING]).scan(9)
    assert found.id == old


async def test_an_order_is_found_when_the_horizon_has_moved_beyond_its_creation(db: Database) -> None:
    for _ in range(2):
        await advance(db, Scan.OPEN, FAR_S, 0, 0)
    began = await insert_order(db, status=Status.PENDING)
    await go_on(db, Scan.OPEN, 0)
    await db.fetch("update orders set status = 'ROUTING', queued_at = now() where id = $1", began)
    await db.fetch("update orders set lease_until = now() where id = $1", began)
    (found,) = await Leases(db, "w", 5, [Status.ROUTING]).scan(9)
    assert found.id == began


async def test_the_horizon_stays_with_the_oldest_when_it_is_due_and_nobody_takes_it(db: Database) -> None:
    await insert_order(db, due_in_s=-4_000)
    await insert_order(db, due_in_s=-200)
    oldest = await db.fetchval("select min(due_at) from orders")
    await db.fetch("update orders set created_at = now() - interval '5000 s'")
    await go_on(db, Scan.OPEN)
    assert await since(db) == oldest


async def test_the_horizon_stays_when_a_transaction_that_began_before_may_still_commit(
    db: Database, database: str
) -> None:
    for _ in range(2):
        await advance(db, Scan.OPEN, FAR_S, 0, 0)
    writer = await asyncpg.connect(database)
    transaction = writer.transaction()
    await transaction.start()
    queued = await insert_order(writer)
    for _ in range(5):
        await advance(db, Scan.OPEN, FAR_S, 0, 0)
    assert await since(db) <= await writer.fetchval("select now()")
    await transaction.commit()
    await writer.close()
    await go_on(db, Scan.OPEN, 0)
    assert await since(db) == await db.fetchval("select due_at from orders where id = $1", queued)


async def test_the_horizon_begins_anew_when_the_clock_was_set_back(db: Database) -> None:
    await insert_order(db, due_in_s=-300)
    await db.fetch("update orders set created_at = now() - interval '1 hour'")
    await go_on(db, Scan.OPEN)
    await db.fetch("update scan_horizons set since = now() + interval '1 hour', seen_at = now() + interval '2 hours'")
    assert len(await Leases(db, "w", 0.01, [Status.ROUTING]).scan(9)) == 0
    await advance(db, Scan.OPEN, FAR_S)
    assert await since(db) == await db.fetchval("select created_at - interval '1 day' from orders")
    assert len(await Leases(db, "w", 5, [Status.ROUTING]).scan(9)) == 1


async def test_the_horizon_begins_anew_when_the_data_is_of_a_server_with_other_transactions(db: Database) -> None:
    await insert_order(db, due_in_s=-300)
    await db.fetch("update orders set created_at = now() - interval '1 hour'")
    await db.fetch(
        "insert into scan_horizons values ('open', now() - interval '1 day', now() - interval '1 day', 1::bigint << 40)"
    )
    await advance(db, Scan.OPEN, FAR_S)
    assert await since(db) == await db.fetchval("select created_at - interval '1 day' from orders")
    await go_on(db, Scan.OPEN)
    assert await since(db) == await db.fetchval("select due_at from orders")


async def test_the_horizon_rests_when_somebody_has_just_moved_it(db: Database) -> None:
    await go_on(db, Scan.OPEN, 0)
    moved = await db.fetchval("select seen_at from scan_horizons")
    await advance(db, Scan.OPEN, FAR_S, 0)
    assert await db.fetchval("select seen_at from scan_horizons") == moved


async def test_what_is_queued_is_found_at_once_when_the_clock_was_set_back(db: Database) -> None:
    await db.fetch(
        "insert into scan_horizons values ('open', now() + interval '1 hour', now() + interval '2 hours', 3)"
    )
    queued = await insert_order(db)
    (found,) = await Leases(db, "w", 5, [Status.ROUTING]).scan(9)
    assert found.id == queued


async def test_the_horizon_is_moved_in_steps_when_there_is_much_behind_it(db: Database) -> None:
    await insert_order(db, due_in_s=-300)
    await db.fetch("update orders set created_at = now() - interval '10000 s'")
    await advance(db, Scan.OPEN, 60)
    (born,) = await db.fetch("select created_at as at, due_at as due from orders")
    day = timedelta(days=1)
    assert await since(db) == born["at"] - day
    more = [await advance(db, Scan.OPEN, 10_000, rest_s=0) for _ in range(9)]
    assert (more, await since(db)) == ([True] * 9, born["at"] - day + timedelta(seconds=90_000))
    await go_on(db, Scan.OPEN)
    assert await since(db) == born["due"]


async def test_the_horizon_passes_an_order_when_its_lease_is_held_for_long(db: Database) -> None:
    await insert_order(db, due_in_s=-4_000)
    await db.fetch("update orders set created_at = now() - interval '5000 s'")
    leases = Leases(db, "w", 30, [Status.ROUTING])
    (held,) = await leases.scan(1)
    assert await leases.renew([(held.id, held.fence)]) == {held.id}
    await go_on(db, Scan.OPEN)
    assert await db.fetchval("select now() - since from scan_horizons") < timedelta(seconds=MARGIN_S + 60)
    await leases.release([(held.id, held.fence)])
    assert [order.id for order in await leases.scan(1)] == [held.id]


@pytest.mark.parametrize("scan", Scan)
async def test_each_horizon_stays_with_the_oldest_that_is_looked_for(db: Database, scan: Scan) -> None:
    status = Status.ROUTING if scan is Scan.OPEN else Status.PENDING
    order_id = await insert_order(db, status=status, due_in_s=-900)
    expires = "now() - interval '900 s'" if scan is Scan.LATE else "null"
    await db.fetch(f"update orders set created_at = now() - interval '950 s', expires_at = {expires}")
    await db.fetch(
        "insert into idempotency_keys (account, key, request_sha256, order_id, created_at) "
        "values ('a', 'k', '', $1, now() - interval '900 s')",
        order_id,
    )
    await go_on(db, scan)
    assert await db.fetchval("select since < now() - interval '890 s' from scan_horizons where name = $1", scan)


async def test_a_mark_is_not_used_when_the_clock_was_set_back_behind_it(db: Database) -> None:
    await insert_order(db, due_in_s=-300)
    await db.fetch("insert into scan_horizons values ('open', now() - interval '400 s', now() + interval '100 s', 3)")
    await advance(db, Scan.OPEN, FAR_S)
    assert await since(db) == await db.fetchval("select created_at - interval '1 day' from orders")
