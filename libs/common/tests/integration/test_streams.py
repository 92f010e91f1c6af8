import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec
import pytest
import redis.asyncio as redis

from swaprail.broker.appender import Appender
from swaprail.broker.keeper import CHECK_EVERY_S, Consumption, StreamKeeper
from swaprail.broker.publisher import TopicPublisher
from swaprail.broker.streams import Received, decode_entries, make_broker, subscribe
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import LeasedOrder
from swaprail.messages.topics import Group, HandedOver, OrdersAccepted, Topic
from swaprail.settings import Settings
from swaprail.testing.conditions import until
from swaprail.testing.factories import SOL, USDC


def handed_over() -> HandedOver:
    order = LeasedOrder(
        id=uuid4(),
        account="local",
        wallet="w",
        status=Status.ROUTING,
        seq=2,
        fence=1,
        input_mint=SOL,
        output_mint=USDC,
        input_amount=1,
        slippage_bps=50,
        min_output_amount=None,
        queued_at=datetime.now(UTC),
    )
    return HandedOver(order, 0)


class Reader:
    """One consumer of orders.accepted, as a service would have it."""

    def __init__(self, url: str, name: str) -> None:
        settings = Settings(redis_url=url, drain_timeout_s=2)
        self.seen: list[HandedOver] = []
        self.acks = True
        self.broker = make_broker(settings)
        self.consumption = Consumption(Topic.ACCEPTED, Group.ROUTER, OrdersAccepted)
        self.consumption.handle = self.take
        self.keeper = StreamKeeper(settings, self.broker, name, [self.consumption])
        self.publisher = TopicPublisher(Appender(self.broker, max_entries=1000))
        subscribe(self.broker, Topic.ACCEPTED, OrdersAccepted, self.handle, group=Group.ROUTER, consumer=name)

    async def take(self, messages: list[OrdersAccepted]) -> None:
        self.seen += [ref for message in messages for ref in message.orders]

    async def handle(self, received: Received[OrdersAccepted]) -> None:
        await self.keeper.set_aside(Topic.ACCEPTED, received)
        await self.take(received.messages)
        if self.acks:
            self.keeper.acknowledge(self.consumption, received.entry_ids)

    async def stop(self) -> None:
        await self.keeper.stop_consuming()
        await self.publisher.stop()
        await self.keeper.stop()


@pytest.fixture
async def readers(redis_url: str) -> AsyncIterator[Any]:
    made: list[Reader] = []

    def make(name: str) -> Reader:
        made.append(Reader(redis_url, name))
        return made[-1]

    yield make
    for reader in made:
        await reader.stop()


@pytest.fixture
async def server(redis_url: str) -> AsyncIterator[Any]:
    client: Any = redis.Redis.from_url(redis_url)
    yield client
    await client.aclose()


async def pending(server: Any) -> int:
    return int((await server.xpending(str(Topic.ACCEPTED), str(Group.ROUTER)))["pending"])


async def test_a_message_is_read_once_and_acknowledged_when_two_replicas_consume(readers: Any, server: Any) -> None:
    one, two = readers("one"), readers("two")
    await one.keeper.start()
    await two.keeper.start()
    refs = [handed_over() for _ in range(600)]
    for ref in refs:
        one.publisher.publish(Topic.ACCEPTED, OrdersAccepted([ref]))
    await until(lambda: len(one.seen) + len(two.seen) == len(refs))
    assert {item.order.id for item in one.seen + two.seen} == {item.order.id for item in refs}
    # Merged: 600 orders in entries of at most 64.
    assert await server.xlen(str(Topic.ACCEPTED)) <= 12

    async def none_pending() -> bool:
        return await pending(server) == 0

    await until(none_pending)
    await one.keeper.check_redis()
    await one.keeper.check_subscribers()


async def test_messages_published_before_the_first_consumer_are_read_when_it_starts(readers: Any, server: Any) -> None:
    early = readers("early")
    await early.broker.connect()
    early.publisher.publish(Topic.ACCEPTED, OrdersAccepted([handed_over()]))
    await early.publisher.stop()
    late = readers("late")
    await late.keeper.start()
    await until(lambda: len(late.seen) == 1)


async def test_consuming_goes_on_when_everything_in_redis_is_flushed(readers: Any, server: Any) -> None:
    reader = readers("one")
    await reader.keeper.start()
    await server.flushall()
    began = time.monotonic()

    async def consumed_again() -> bool:
        reader.publisher.publish(Topic.ACCEPTED, OrdersAccepted([handed_over()]))
        await asyncio.sleep(0.1)
        return bool(reader.seen)

    await until(consumed_again)
    assert time.monotonic() - began < CHECK_EVERY_S + 2


async def test_a_poisonous_entry_is_set_aside_when_it_cannot_be_decoded(readers: Any, server: Any) -> None:
    reader = readers("one")
    await server.xadd(str(Topic.ACCEPTED), {"__data__": b'{"orders": "no"}'})
    await server.xadd(str(Topic.ACCEPTED), {"foreign": b"entry"})
    await reader.keeper.start()
    reader.publisher.publish(Topic.ACCEPTED, OrdersAccepted([handed_over()]))
    await until(lambda: len(reader.seen) == 1)

    async def set_aside() -> bool:
        return await server.xlen(f"{Topic.ACCEPTED}.dead") == 2 and await pending(server) == 0

    await until(set_aside)


@pytest.mark.parametrize(
    "body", [b'{"orders":[],"version":2}', b'{"orders":[{"id":7}],"version":2}', b'{"batch":"gzip","version":0}']
)
async def test_an_entry_is_set_aside_as_unknown_when_it_is_of_another_version(
    readers: Any, server: Any, body: bytes
) -> None:
    reader = readers("one")
    await reader.broker.connect()
    await reader.publisher._appender.append([(Topic.ACCEPTED, body)])
    await reader.keeper.start()

    async def set_aside() -> bool:
        return await server.xlen(f"{Topic.ACCEPTED}.dead") == 1 and await pending(server) == 0

    await until(set_aside)
    ((_, kept),) = await server.xrange(f"{Topic.ACCEPTED}.dead")
    assert kept[b"reason"] == b"version"
    assert kept[b"entry"].endswith(body)
    assert reader.seen == []


def altered(**fields: Any) -> bytes:
    """Return the body of a message of an order that was changed on its way."""
    message = msgspec.to_builtins(OrdersAccepted([handed_over()]))
    message["orders"][0]["order"] |= fields
    return msgspec.json.encode(message)


@pytest.mark.parametrize(
    "body",
    [
        msgspec.json.encode(OrdersAccepted([handed_over()] * 65)),
        altered(fence=2**63),
        altered(fence=-1),
        altered(attempts=2**15),
        altered(seq=2**31),
        altered(queuedAt="2026-01-01T00:00:00"),
    ],
    ids=["too many", "fence too high", "fence too low", "attempts too many", "seq too high", "no time zone"],
)
def test_an_entry_is_no_message_when_it_holds_what_the_tables_cannot(body: bytes) -> None:
    received = decode_entries([{b"__data__": body}], [b"1-0"], OrdersAccepted)
    assert (received.messages, received.undecodable) == ([], [body])


async def test_entries_of_a_dead_consumer_are_claimed_when_they_were_idle(
    readers: Any, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swaprail.broker.keeper.CLAIM_IDLE_MS", 50)
    monkeypatch.setattr("swaprail.broker.keeper.CLAIM_EVERY_S", 0.1)
    dead = readers("dead")
    dead.acks = False
    await dead.keeper.start()
    dead.publisher.publish(Topic.ACCEPTED, OrdersAccepted([handed_over()]))
    await until(lambda: len(dead.seen) == 1)
    await dead.keeper.stop_consuming()
    living = readers("living")
    await living.keeper.start()
    await until(lambda: len(living.seen) == 1)
    assert living.seen == dead.seen

    async def none_pending() -> bool:
        return await pending(server) == 0

    await until(none_pending)


async def test_the_keeper_is_unhealthy_and_the_publisher_drops_when_redis_is_away() -> None:
    reader = Reader("redis://127.0.0.1:1/0", "lonely")
    await reader.keeper.start()
    with pytest.raises(Exception, match="Redis is away"):
        await reader.keeper.check_redis()
    reader.publisher.publish(Topic.ACCEPTED, OrdersAccepted([handed_over()]))
    await asyncio.wait_for(reader.publisher.stop(), 5)
    await reader.stop()
