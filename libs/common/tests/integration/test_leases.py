import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from swaprail.db.connect import Database
from swaprail.db.leases import Leases
from swaprail.db.transitions import Move, write_moves
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import LONGEST_WAIT_S
from swaprail.messages.topics import HandedOver, OrdersRouted
from swaprail.telemetry.registry import REGISTRY
from swaprail.testing.factories import insert_order, lease_order


@pytest.fixture
async def db(database: str) -> AsyncIterator[Database]:
    opened = Database(database, size=3, timeout_s=5, application="test")
    yield opened
    await opened.close()


def leases(db: Database, owner: str = "a", lease_s: float = 5, statuses: tuple[Status, ...] = ()) -> Leases:
    return Leases(db, owner, lease_s, statuses or (Status.ROUTING,))


async def row(db: Database, order_id: UUID) -> Any:
    return await db.fetchrow("select * from orders where id = $1", order_id)


async def test_a_due_order_is_leased_with_the_next_fence_when_nobody_holds_it(db: Database) -> None:
    order_id = await insert_order(db, trace="00-aa-bb-01")
    (order,) = await leases(db).scan(10)
    assert (order.id, order.status, order.fence, order.seq) == (order_id, Status.ROUTING, 2, 2)
    assert (order.input_amount, order.trace, order.attempts) == (1_500_000_000, "00-aa-bb-01", 0)


async def test_only_one_worker_gets_each_order_when_many_scan_at_once(db: Database) -> None:
    ids = [await insert_order(db) for _ in range(20)]
    taken = await asyncio.gather(*(leases(db, f"w{n}").scan(20) for n in range(10)))
    owned = [order.id for orders in taken for order in orders]
    assert len(owned) == len(set(owned))
    assert {*owned, *(o.id for o in await leases(db).scan(20))} == set(ids)


async def test_the_oldest_orders_are_taken_when_there_are_more_than_the_limit(db: Database) -> None:
    ids = [await insert_order(db) for _ in range(5)]
    await db.fetch("update orders set due_at = due_at - interval '1 second' where id = any($1::uuid[])", ids[3:])
    taken = [{order.id for order in await leases(db).scan(2)} for _ in range(3)]
    assert taken == [set(ids[:2]), set(ids[2:4]), set(ids[4:])]


async def test_a_lease_is_not_renewed_when_another_worker_has_the_same_fence(db: Database) -> None:
    order_id = await insert_order(db)
    (order,) = await leases(db, "holder", lease_s=5).scan(1)
    assert await leases(db, "forged", lease_s=50).renew([(order_id, order.fence)]) == set()
    found = await row(db, order_id)
    assert (found["lease_owner"], found["lease_until"] < found["created_at"] + timedelta(seconds=20)) == (
        "holder",
        True,
    )
    assert await leases(db, "holder").renew([(order_id, order.fence)]) == {order_id}


async def test_a_lease_is_not_given_back_when_another_worker_has_the_same_fence(db: Database) -> None:
    order_id = await insert_order(db)
    (order,) = await leases(db, "holder").scan(1)
    held = dict(await row(db, order_id))
    await leases(db, "forged").release([(order_id, order.fence)])
    assert dict(await row(db, order_id)) == held
    await leases(db, "holder").release([(order_id, order.fence)])
    assert (await row(db, order_id))["lease_owner"] is None


async def test_a_given_back_order_keeps_its_due_time_when_it_is_given_back_again(db: Database) -> None:
    order = await lease_order(db, await insert_order(db))
    await write_moves(db, "test", [Move(order, Status.ROUTING, due_in_s=4)])
    waiting = dict(await row(db, order.id))
    await leases(db, "test").release([(order.id, order.fence)])
    assert dict(await row(db, order.id)) == waiting


async def test_accounts_take_turns_when_one_has_more_due_orders_than_are_taken(db: Database) -> None:
    noisy = [await insert_order(db, account="noisy") for _ in range(9)]
    others = [await insert_order(db, account=name) for name in ("one", "two", "one")]
    taken = [{order.id for order in await leases(db).scan(3)} for _ in range(2)]
    assert taken == [{noisy[0], *others[:2]}, {noisy[1], noisy[2], others[2]}]


async def test_an_order_is_not_leased_when_it_is_held_waiting_or_closed(db: Database) -> None:
    await insert_order(db, status=Status.PENDING)
    await lease_order(db, await insert_order(db))
    closed = await insert_order(db)
    await db.fetch("update orders set closed_at = now() where id = $1", closed)
    assert await leases(db).scan(10) == []


async def test_a_scan_takes_over_with_a_higher_fence_when_a_lease_has_lapsed(db: Database) -> None:
    first = await lease_order(db, await insert_order(db), lease_s=0)
    (second,) = await leases(db, "living").scan(10)
    assert (second.id, second.status, second.fence) == (first.id, Status.ROUTING, first.fence + 1)


async def test_a_scan_leaves_an_order_alone_when_it_is_not_yet_due(db: Database) -> None:
    await insert_order(db, due_in_s=60)
    due = await insert_order(db, due_in_s=-1)
    assert [o.id for o in await leases(db).scan(10)] == [due]


@pytest.mark.parametrize("jump", ["1 hour", "70 seconds"])
@pytest.mark.parametrize("column", ["lease_until", "due_at"])
async def test_an_order_is_free_when_it_is_held_for_longer_than_anything_may_be(
    db: Database, column: str, jump: str
) -> None:
    # As after a backup is restored, or the clock of the database set back.
    before = REGISTRY.get_sample_value("swaprail_leases_beyond_reach_total") or 0
    held = await lease_order(db, await insert_order(db), lease_s=5)
    if column == "due_at":
        await leases(db, "test").release([(held.id, held.fence)])
    await db.fetch(f"update orders set {column} = {column} + interval '{jump}'")
    (order,) = await leases(db, "next", lease_s=5).scan(10)
    assert (order.id, order.fence) == (held.id, held.fence + 1)
    assert REGISTRY.get_sample_value("swaprail_leases_beyond_reach_total") == before + 1
    # The lease is an ordinary one again: nobody else gets the order, and its earlier holder writes nothing.
    assert await leases(db, "other").scan(10) == []
    assert await leases(db, "test").renew([(held.id, held.fence)]) == set()
    assert await write_moves(db, "test", [Move(held, Status.BUILDING)]) == []


async def test_an_order_is_left_alone_when_it_is_held_for_as_long_as_anything_may_be(db: Database) -> None:
    await lease_order(db, await insert_order(db), lease_s=LONGEST_WAIT_S)
    await insert_order(db, due_in_s=LONGEST_WAIT_S)
    assert await leases(db).scan(10) == []


async def test_a_lease_is_not_renewed_when_its_fence_is_stale(db: Database) -> None:
    kept, lost = await lease_order(db, await insert_order(db)), await lease_order(db, await insert_order(db))
    await lease_order(db, lost.id, owner="other")
    assert await leases(db, "test").renew([(kept.id, kept.fence), (lost.id, lost.fence)]) == {kept.id}


async def test_the_lease_of_a_message_becomes_the_takers_own_when_it_is_renewed(db: Database) -> None:
    order = await lease_order(db, await insert_order(db), owner="message", lease_s=1)
    assert await leases(db, "me", lease_s=60).renew([(order.id, order.fence)]) == {order.id}
    found = await row(db, order.id)
    assert (found["lease_owner"], found["fence"]) == ("me", order.fence)
    assert await db.fetchval("select lease_until > now() + interval '50 s' from orders")
    assert await leases(db, "other").scan(10) == []


async def test_another_order_of_the_same_fence_is_left_alone_when_one_is_renewed_and_released(db: Database) -> None:
    one, other = [await lease_order(db, await insert_order(db)) for _ in range(2)]
    before = dict(await row(db, other.id))
    assert one.fence == before["fence"]
    assert await leases(db, "test").renew([(one.id, one.fence)]) == {one.id}
    await leases(db, "test").release([(one.id, one.fence)])
    assert dict(await row(db, other.id)) == before


async def test_another_worker_takes_the_order_at_once_when_the_lease_is_released(db: Database) -> None:
    order = await lease_order(db, await insert_order(db))
    await leases(db, "test").release([(order.id, order.fence)])
    (next_order,) = await leases(db, "next").scan(10)
    assert (next_order.id, next_order.fence) == (order.id, order.fence + 1)


async def test_a_released_order_stays_free_when_its_holder_renews_late(db: Database) -> None:
    order = await lease_order(db, await insert_order(db))
    await write_moves(db, "test", [Move(order, Status.BUILDING, due_in_s=0)])
    # The holder has not heard of its own commit yet: what it does next is not to be cut off.
    assert await leases(db, "test").renew([(order.id, order.fence)]) == {order.id}
    assert (await row(db, order.id))["lease_until"] is None
    (taken,) = await leases(db, "next", statuses=(Status.BUILDING,)).scan(10)
    assert taken.fence == order.fence + 1


async def test_a_closed_order_is_left_as_it_is_when_its_holder_renews_or_releases_it(db: Database) -> None:
    order = await lease_order(db, await insert_order(db))
    await db.fetch("update orders set status = 'FAILED', closed_at = now() where id = $1", order.id)
    before = dict(await row(db, order.id))
    await leases(db, "other").renew([(order.id, order.fence)])
    await leases(db, "test").release([(order.id, order.fence)])
    assert dict(await row(db, order.id)) == before


async def test_a_message_carries_all_a_worker_needs_when_it_is_encoded_and_decoded(db: Database) -> None:
    order = await lease_order(db, await insert_order(db, routing='{"route":null}', min_output_amount=2**64 - 1))
    message = OrdersRouted([HandedOver(order, 1_700_000_000_000)])
    assert msgspec.json.decode(msgspec.json.encode(message), type=OrdersRouted) == message
