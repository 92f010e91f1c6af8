import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from swaprail.db.connect import Database
from swaprail.db.leases import Leases
from swaprail.db.transitions import Move, write_moves
from swaprail.domain.lifecycle import Status
from swaprail.testing.factories import insert_order


@pytest.fixture
async def db(database: str) -> AsyncIterator[Database]:
    opened = Database(database, size=3, timeout_s=5, application="test")
    yield opened
    await opened.close()


def leases(db: Database, owner: str = "a", lease_s: float = 5, statuses: tuple[Status, ...] = ()) -> Leases:
    return Leases(db, owner, lease_s, statuses or (Status.PENDING, Status.ROUTING))


async def row(db: Database, order_id: UUID) -> Any:
    return await db.fetchrow("select * from orders where id = $1", order_id)


async def test_a_pending_order_becomes_routing_with_its_event_when_it_is_leased(db: Database) -> None:
    order_id = await insert_order(db, trace="00-aa-bb-01")
    orders, events = await leases(db).take([order_id])
    assert [(o.id, o.status, o.fence, o.seq) for o in orders] == [(order_id, Status.ROUTING, 1, 2)]
    assert orders[0].input_amount == 1_500_000_000
    assert [(e.order_id, e.seq, e.status, e.trace) for e in events] == [(order_id, 2, "ROUTING", "00-aa-bb-01")]
    rows = await db.fetch("select seq, status from order_events where order_id = $1 order by seq", order_id)
    assert [tuple(r) for r in rows] == [(1, "PENDING"), (2, "ROUTING")]


async def test_only_one_worker_gets_the_lease_when_many_ask_at_once(db: Database) -> None:
    ids = [await insert_order(db) for _ in range(20)]
    taken = await asyncio.gather(*(leases(db, f"w{n}").take(ids) for n in range(10)))
    owners = [order.id for orders, _ in taken for order in orders]
    assert sorted(owners) == sorted(ids)


async def test_an_order_is_not_leased_when_it_is_held_waiting_or_closed(db: Database) -> None:
    waiting = await insert_order(db, queued=False)
    held = await insert_order(db)
    await leases(db, "other").take([held])
    closed = await insert_order(db)
    await db.fetch("update orders set closed_at = now() where id = $1", closed)
    assert await leases(db).take([waiting, held, closed]) == ([], [])
    assert await leases(db).scan(10) == ([], [])


async def test_a_scan_takes_over_with_a_higher_fence_when_a_lease_has_lapsed(db: Database) -> None:
    order_id = await insert_order(db)
    (first,), _ = await leases(db, "dead", lease_s=0.01).take([order_id])
    await db.fetch("update orders set lease_until = now() where id = $1", order_id)
    (second,), events = await leases(db, "living").scan(10)
    assert (second.id, second.status, second.fence) == (order_id, Status.ROUTING, first.fence + 1)
    assert events == []  # the status did not change


async def test_a_scan_leaves_an_order_alone_when_it_is_not_yet_due(db: Database) -> None:
    await insert_order(db, due_in_s=60)
    due = await insert_order(db, due_in_s=-1)
    orders, _ = await leases(db).scan(10)
    assert [o.id for o in orders] == [due]


async def test_scans_share_the_work_when_they_run_at_once(db: Database) -> None:
    ids = {await insert_order(db, due_in_s=-1) for _ in range(30)}
    found = await asyncio.gather(*(leases(db, f"w{n}").scan(20) for n in range(3)))
    taken = [o.id for orders, _ in found for o in orders]
    assert len(taken) == len(set(taken))
    rest, _ = await leases(db).scan(30)
    assert {*taken, *(o.id for o in rest)} == ids


async def test_a_lease_is_not_renewed_when_its_fence_is_stale(db: Database) -> None:
    kept, lost = await insert_order(db), await insert_order(db)
    mine = leases(db)
    orders, _ = await mine.take([kept, lost])
    await db.fetch("update orders set fence = fence + 1 where id = $1", lost)
    assert await mine.renew([(o.id, o.fence) for o in orders]) == {kept}


async def test_another_worker_takes_the_order_at_once_when_the_lease_is_released(db: Database) -> None:
    order_id = await insert_order(db)
    mine = leases(db)
    (order,), _ = await mine.take([order_id])
    await mine.release([(order.id, order.fence)])
    (next_order,), _ = await leases(db, "next").scan(10)
    assert (next_order.id, next_order.fence) == (order_id, order.fence + 1)


async def test_a_released_order_stays_free_when_its_holder_renews_late(db: Database) -> None:
    order_id = await insert_order(db)
    mine = leases(db)
    (order,), _ = await mine.take([order_id])
    await write_moves(db, [Move(order, Status.BUILDING, due_in_s=0)])
    # The holder has not heard of its own commit yet: what it does next is not to be cut off.
    assert await mine.renew([(order.id, order.fence)]) == {order_id}
    assert (await row(db, order_id))["lease_until"] is None
    (taken,), _ = await leases(db, "next", statuses=(Status.BUILDING,)).take([order_id])
    assert taken.fence == order.fence + 1
