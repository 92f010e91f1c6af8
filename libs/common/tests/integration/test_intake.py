import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import asyncpg
import msgspec
import pytest

from swaprail.db.connect import Database
from swaprail.db.leases import Leases
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import LeasedOrder
from swaprail.messages.topics import HandedOver
from swaprail.runtime.inflight import InFlight
from swaprail.runtime.intake import Intake
from swaprail.testing.conditions import until
from swaprail.testing.factories import insert_order, lease_order


class Worker:
    """Closes each order after a moment, and remembers how many it had at once."""

    def __init__(self, db: Database, *, limit: int, lease_s: float = 5) -> None:
        self.db = db
        self.gate = asyncio.Event()
        self.gate.set()
        self.seen: list[LeasedOrder] = []
        self.most_at_once = 0
        leases = Leases(db, "me", lease_s, [Status.ROUTING])
        self.inflight = InFlight(self._work, leases, limit=limit, stage="test")
        self.intake = Intake(leases, self.inflight, takes=Status.ROUTING, interval_s=0.2)

    async def _work(self, order: LeasedOrder) -> None:
        self.seen.append(order)
        await asyncio.sleep(0.01)
        self.most_at_once = max(self.most_at_once, len(self.inflight))
        await self.gate.wait()
        await self.db.fetch("update orders set closed_at = now() where id = $1", order.id)


@pytest.fixture
async def db(database: str) -> AsyncIterator[Database]:
    opened = Database(database, size=3, timeout_s=5, application="test")
    yield opened
    await opened.close()


async def open_orders(db: Database) -> int:
    count: int = await db.fetchval("select count(*) from orders where closed_at is null")
    return count


async def test_all_due_orders_are_worked_on_within_the_places_when_there_are_more_than_places(db: Database) -> None:
    for _ in range(40):
        await insert_order(db)
    worker = Worker(db, limit=5)
    worker.intake.start()

    async def done() -> bool:
        return await open_orders(db) == 0

    # Eight times all places: at one round a second it would not be done in time.
    await until(done, within_s=4)
    assert worker.most_at_once <= 5
    assert len({order.id for order in worker.seen}) == len(worker.seen) == 40
    await worker.intake.stop()


async def test_a_handed_over_order_is_left_alone_when_its_second_has_passed(db: Database) -> None:
    worker = Worker(db, limit=5)
    fresh, late = [await lease_order(db, await insert_order(db), owner="message", lease_s=1) for _ in range(2)]
    now = time.time() * 1000
    worker.intake.take([HandedOver(fresh, int(now) + 1000), HandedOver(late, int(now) - 1)])
    await worker.inflight.drain()
    assert [order.id for order in worker.seen] == [fresh.id]


async def test_an_order_is_worked_on_once_when_its_message_comes_twice(db: Database) -> None:
    worker = Worker(db, limit=5)
    order = await lease_order(db, await insert_order(db), owner="message", lease_s=1)
    item = HandedOver(order, int(time.time() * 1000) + 1000)
    worker.intake.take([item])
    worker.intake.take([item])
    await worker.inflight.drain()
    assert len(worker.seen) == 1


async def test_a_message_is_left_alone_when_its_order_is_in_no_status_to_be_handed_over(db: Database) -> None:
    worker = Worker(db, limit=5)
    order = await lease_order(db, await insert_order(db, status=Status.BUILDING))
    worker.intake.take([HandedOver(order, int(time.time() * 1000) + 1000)])
    assert worker.seen == []


async def test_work_goes_on_when_a_message_says_that_another_has_the_next_fence(db: Database) -> None:
    worker = Worker(db, limit=5)
    worker.gate.clear()
    await insert_order(db)
    await worker.intake.scan(1)
    (held,) = worker.seen
    forged = msgspec.structs.replace(held, fence=held.fence + 1, wallet="wallet of mallory")
    worker.intake.take([HandedOver(forged, int(time.time() * 1000) + 1000)])
    worker.gate.set()
    await worker.inflight.drain()
    assert worker.seen == [held]
    assert await open_orders(db) == 0


@pytest.mark.parametrize("ahead", [1, 1_000])
async def test_a_scanned_order_is_worked_on_when_a_message_had_guessed_its_fence(db: Database, ahead: int) -> None:
    worker = Worker(db, limit=5)
    worker.gate.clear()
    order = await lease_order(db, await insert_order(db), lease_s=0)
    forged = msgspec.structs.replace(order, fence=order.fence + ahead, wallet="wallet of mallory")
    worker.intake.take([HandedOver(forged, int(time.time() * 1000) + 1000)])
    await worker.intake.scan(1)
    assert [seen.wallet for seen in worker.seen] == ["wallet of mallory", order.wallet]
    assert len(worker.inflight) == 1
    worker.gate.set()
    await worker.inflight.drain()
    assert len(worker.inflight) == 0
    assert await open_orders(db) == 0


async def test_the_lease_is_kept_when_work_takes_longer_than_it(db: Database) -> None:
    worker = Worker(db, limit=5, lease_s=1)
    worker.gate.clear()
    worker.inflight.start()
    order = await lease_order(db, await insert_order(db), owner="message", lease_s=1)
    worker.intake.take([HandedOver(order, int(time.time() * 1000) + 1000)])

    async def renewed_twice() -> bool:
        left: float = await db.fetchval("select extract(epoch from now() - created_at)::float8 from orders")
        return left > 2

    await until(renewed_twice)
    assert await Leases(db, "other", 5, [Status.ROUTING]).scan(10) == []
    worker.gate.set()
    await worker.inflight.drain()
    await worker.inflight.stop()


async def test_work_is_dropped_when_another_worker_has_taken_the_lease(db: Database) -> None:
    worker = Worker(db, limit=5, lease_s=1)
    worker.gate.clear()
    worker.inflight.start()
    order = await lease_order(db, await insert_order(db), owner="message", lease_s=1)
    worker.intake.take([HandedOver(order, int(time.time() * 1000) + 1000)])
    await lease_order(db, order.id, owner="other")
    await until(lambda: len(worker.inflight) == 0)
    assert await open_orders(db) == 1
    await worker.inflight.stop()


async def test_unfinished_orders_are_free_at_once_when_a_worker_stops(db: Database) -> None:
    worker = Worker(db, limit=5)
    worker.gate.clear()
    order_id = await insert_order(db)
    assert await worker.intake.scan(5) == 1
    await worker.inflight.stop()
    (order,) = await Leases(db, "next", 5, [Status.ROUTING]).scan(10)
    assert order.id == order_id


async def test_a_drain_hands_over_what_merely_waits_and_finishes_the_rest(db: Database) -> None:
    worker = Worker(db, limit=5, lease_s=60)
    worker.gate.clear()
    orders = {await insert_order(db) for _ in range(3)}
    assert await worker.intake.scan(5) == 3
    await until(lambda: len(worker.seen) == 3)
    waiting = worker.seen[0]
    worker.inflight.idles(waiting, idle=True)
    await worker.intake.stop()
    drain = asyncio.create_task(worker.inflight.drain())
    others = Leases(db, "next", 60, [Status.ROUTING])

    async def handed_over() -> bool:
        return [order.id for order in await others.scan(10)] == [waiting.id]

    await until(handed_over)
    assert not drain.done()
    worker.gate.set()
    await asyncio.wait_for(drain, 5)
    assert await open_orders(db) == 1
    assert {order.id for order in worker.seen} == orders


async def test_an_order_is_not_handed_over_when_it_has_stopped_waiting(db: Database) -> None:
    worker = Worker(db, limit=5, lease_s=60)
    worker.gate.clear()
    await insert_order(db)
    await worker.intake.scan(5)
    worker.inflight.idles(worker.seen[0], idle=True)
    worker.inflight.idles(worker.seen[0], idle=False)
    drain = asyncio.create_task(worker.inflight.drain())
    worker.gate.set()
    await asyncio.wait_for(drain, 5)
    assert await open_orders(db) == 0


async def test_orders_are_given_back_when_a_scan_ends_after_the_intake_was_stopped(db: Database, database: str) -> None:
    worker = Worker(db, limit=5, lease_s=60)
    order_id = await insert_order(db)
    blocker = await asyncpg.connect(database)
    transaction = blocker.transaction()
    await transaction.start()
    await blocker.execute("lock table orders")
    worker.intake.start()
    stopping = asyncio.create_task(worker.intake.stop())
    await until(lambda: worker.inflight.closed)
    await transaction.rollback()
    await asyncio.wait_for(stopping, 5)
    await blocker.close()
    assert worker.seen == []
    assert [order.id for order in await Leases(db, "next", 60, [Status.ROUTING]).scan(10)] == [order_id]


async def test_nobody_waits_for_a_place_when_the_intake_is_stopped(db: Database) -> None:
    worker = Worker(db, limit=1)
    worker.gate.clear()
    await insert_order(db)
    await worker.intake.scan(1)
    waiting = asyncio.create_task(worker.intake.wait_free())
    await worker.intake.stop()
    await asyncio.wait_for(waiting, 5)
    assert worker.inflight.free == 0
    worker.gate.set()
    await worker.inflight.drain()


class FlakyLeases(Leases):
    """Fails once, as no one foresaw, in each of its statements."""

    failed: frozenset[str] = frozenset()

    def _fail_once(self, name: str) -> None:
        if name not in self.failed:
            self.failed |= {name}
            raise asyncpg.DeadlockDetectedError(name)

    async def scan(self, limit: int) -> list[LeasedOrder]:
        self._fail_once("scan")
        return await super().scan(limit)

    async def renew(self, held: Sequence[tuple[UUID, int]]) -> set[UUID]:
        self._fail_once("renew")
        return await super().renew(held)


async def test_orders_are_found_and_kept_when_a_statement_fails_as_nobody_foresaw(db: Database) -> None:
    worker = Worker(db, limit=5)
    worker.gate.clear()
    leases = FlakyLeases(db, "me", 0.5, [Status.ROUTING])
    worker.inflight = InFlight(worker._work, leases, limit=5, stage="test")
    worker.intake = Intake(leases, worker.inflight, takes=Status.ROUTING, interval_s=0.05)
    order_id = await insert_order(db)
    worker.inflight.start()
    worker.intake.start()

    async def renewed() -> bool:
        left = await db.fetchval("select lease_until > now() and now() - created_at > '2 s' from orders")
        return bool(left)

    await until(lambda: leases.failed == {"scan", "renew"})
    await until(renewed)
    assert {order.id for order in worker.seen} == {order_id}
    worker.gate.set()
    await worker.inflight.drain()
    assert await open_orders(db) == 0
    await worker.intake.stop()
    await worker.inflight.stop()
