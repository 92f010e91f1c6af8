"""Entries over a connection of their own, against a real server."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis.asyncio as redis
from faststream.redis import RedisBroker
from faststream.redis.parser import BinaryMessageFormatV1
from pydantic import SecretStr
from redis.exceptions import ResponseError

from swaprail.broker.appender import Appender
from swaprail.broker.streams import decode_entries, make_broker
from swaprail.messages.topics import OrdersAccepted, Topic
from swaprail.settings import Settings

EMPTY = b'{"orders":[]}'


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Any]:
    async with redis.from_url(redis_url) as found:
        yield found


@pytest.fixture
async def broker(redis_url: str) -> AsyncIterator[RedisBroker]:
    made = make_broker(Settings(redis_url=SecretStr(redis_url)))
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def appender(broker: RedisBroker) -> AsyncIterator[Appender]:
    made = Appender(broker, max_entries=1000)
    yield made
    await made.close()


async def bodies(client: Any, topic: Topic) -> list[bytes]:
    return [BinaryMessageFormatV1.parse(fields[b"__data__"])[0] for _, fields in await client.xrange(str(topic))]


async def _cut(client: Any) -> None:
    """Close every other connection, as a server that starts again does."""
    for each in await client.client_list():
        if each["id"] != str(await client.client_id()):
            await client.client_kill_filter(_id=each["id"])


async def test_entries_are_what_consumers_read_when_appended_together(client: Any, appender: Appender) -> None:
    await appender.append([(Topic.ACCEPTED, EMPTY), (Topic.ROUTED, b"1"), (Topic.ACCEPTED, b"not json")])
    entries = await client.xrange(str(Topic.ACCEPTED))
    received = decode_entries([fields for _, fields in entries], [entry_id for entry_id, _ in entries], OrdersAccepted)
    assert received.messages == [OrdersAccepted([])]
    assert (len(received.undecodable), len(received.entry_ids)) == (1, 2)
    assert await bodies(client, Topic.ROUTED) == [b"1"]


async def test_the_entry_arrives_when_the_connection_was_cut_meanwhile(client: Any, appender: Appender) -> None:
    await appender.append([(Topic.ACCEPTED, b"1")])
    await _cut(client)
    await appender.append([(Topic.ACCEPTED, b"2")])
    assert await bodies(client, Topic.ACCEPTED) == [b"1", b"2"]


async def test_later_entries_have_their_own_answers_when_one_was_refused(client: Any, appender: Appender) -> None:
    await client.set(str(Topic.ROUTED), "no stream")
    with pytest.raises(ResponseError):
        await appender.append([(Topic.ROUTED, b"1"), (Topic.ACCEPTED, b"2")])
    await appender.append([(Topic.ACCEPTED, b"3")])
    assert await bodies(client, Topic.ACCEPTED) == [b"2", b"3"]


async def test_the_topic_keeps_about_so_many_entries_when_more_are_appended(client: Any, broker: RedisBroker) -> None:
    appender = Appender(broker, max_entries=100)
    for _ in range(10):
        await appender.append([(Topic.ACCEPTED, EMPTY)] * 50)
    assert await client.xlen(str(Topic.ACCEPTED)) < 300
    await appender.close()
