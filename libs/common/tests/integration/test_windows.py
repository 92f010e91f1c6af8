"""How long a lease, a message's second and a dead consumer's entry last, with the clock moved instead of waited for."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
import redis.asyncio as redis

from swaprail.broker.keeper import Consumption, StreamKeeper
from swaprail.broker.streams import make_broker
from swaprail.db.connect import Database
from swaprail.db.leases import Leases
from swaprail.db.transitions import Move, write_moves
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import LeasedOrder
from swaprail.messages.topics import Group, HandedOver, OrdersAccepted, OrdersRouted, Topic
from swaprail.runtime.inflight import InFlight
from swaprail.runtime.intake import Intake
from swaprail.runtime.order_writer import OrderWriter
from swaprail.settings import Settings
from swaprail.testing.conditions import until
from swaprail.testing.factories import insert_order, lease_order


@pytest.fixture
async def db(database: str) -> AsyncIterator[Database]:
    opened = Database(database, size=3, timeout_s=5, application="test")
    yield opened
    await opened.close()


async def pass_time(db: Database, seconds: float) -> None:
    """Let the lease be so many seconds older."""
    await db.fetch("update orders set lease_until = lease_until - make_interval(secs => $1)", seconds)


async def test_the_orders_of_a_dead_worker_are_free_after_five_seconds(db: Database) -> None:
    dead = Leases(db, "dead", Settings(_env_file=None).lease_s, [Status.ROUTING])
    living = Leases(db, "living", 5, [Status.ROUTING])
    await insert_order(db)
    (held,) = await dead.scan(10)
    await pass_time(db, 2)
    assert await living.scan(10) == []
    await pass_time(db, 3)
    (taken,) = await living.scan(10)
    assert (taken.id, taken.fence) == (held.id, held.fence + 1)
    assert await dead.renew([(held.id, held.fence)]) == set()


class Messages:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.handed: list[HandedOver] = []

    def publish(self, topic: Topic, message: object) -> None:
        if isinstance(message, OrdersRouted):
            self.handed += message.orders


class Worker:
    """Remembers which orders it began."""

    def __init__(self, db: Database) -> None:
        self.began: list[LeasedOrder] = []
        leases = Leases(db, "worker", 5, [Status.BUILDING])
        inflight = InFlight(self._work, leases, limit=10, stage="test")
        self.intake = Intake(leases, inflight, takes=Status.BUILDING, interval_s=1)

    async def _work(self, order: LeasedOrder) -> None:
        self.began.append(order)


@pytest.mark.parametrize(("after_ms", "by_message", "by_scan"), [(200, 1, 0), (999, 1, None), (1000, 0, 1)])
async def test_an_order_is_its_messages_for_a_second_and_then_a_scans(
    db: Database, monkeypatch: pytest.MonkeyPatch, after_ms: int, by_message: int, by_scan: int | None
) -> None:
    messages, taker, scanner = Messages(), Worker(db), Worker(db)
    publisher: Any = messages
    moves: OrderWriter[Move] = OrderWriter(partial(write_moves, db, "test"), publisher, name="moves")
    order = await lease_order(db, await insert_order(db))
    moved = await moves.write(Move(order, Status.BUILDING, hand_over=True))
    later = (moved.at + after_ms) / 1000
    monkeypatch.setattr("swaprail.runtime.intake.database_time", lambda: later)
    taker.intake.take(messages.handed)
    assert len(taker.began) == by_message
    if by_scan is not None:
        await pass_time(db, after_ms / 1000)
        assert await scanner.intake.scan(10) == len(scanner.began) == by_scan


async def test_an_entry_is_claimed_when_its_consumer_has_been_silent_for_ten_seconds(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swaprail.broker.keeper.CHECK_EVERY_S", 0.02)
    monkeypatch.setattr("swaprail.broker.keeper.CLAIM_EVERY_S", 0.05)
    server: Any = redis.Redis.from_url(redis_url)
    topic, group = str(Topic.ACCEPTED), str(Group.ROUTER)
    await server.xgroup_create(topic, group, id="0", mkstream=True)
    entry_id = await server.xadd(topic, {"__data__": b"no message"})
    await server.xreadgroup(group, "dead", {topic: ">"})
    settings = Settings(redis_url=redis_url, _env_file=None)
    keeper = StreamKeeper(
        settings, make_broker(settings), "living", [Consumption(Topic.ACCEPTED, Group.ROUTER, OrdersAccepted)]
    )

    async def silent_for(ms: int) -> None:
        await server.xclaim(topic, group, "dead", min_idle_time=0, message_ids=[entry_id], idle=ms, justid=True)

    async def owners() -> list[bytes]:
        return [entry["consumer"] for entry in await server.xpending_range(topic, group, "-", "+", 10)]

    claims = 0
    claim = keeper._redis.xautoclaim

    async def counted(*args: Any, **options: Any) -> Any:
        nonlocal claims
        claims += 1
        return await claim(*args, **options)

    keeper._redis.xautoclaim = counted
    await silent_for(5_000)
    await keeper.start()
    await until(lambda: claims >= 3)
    assert await owners() == [b"dead"]
    await silent_for(10_000)

    async def claimed() -> bool:
        return await owners() == []

    await until(claimed)
    await keeper.stop_consuming()
    await keeper.stop()
    await server.aclose()
