"""One broker serves publishers, and requests that await their replies."""

import asyncio
from contextlib import suppress

from pydantic import SecretStr

from swaprail.broker.streams import make_broker
from swaprail.settings import Settings
from swaprail.testing.conditions import until

WAITING = 120


async def test_publishing_finds_a_connection_when_many_requests_wait(redis_url: str) -> None:
    broker = make_broker(Settings(redis_url=SecretStr(redis_url)))
    await broker.start()
    client = broker.config.connection.client

    async def ask() -> None:
        with suppress(TimeoutError):
            await broker.request(b"?", stream="questions", timeout=3)

    asking = [asyncio.create_task(ask()) for _ in range(WAITING)]

    async def all_wait() -> bool:
        return bool(await client.xlen("questions") == WAITING)

    await until(all_wait, within_s=2.5, what="requests await replies")
    await broker.publish(b"!", stream="answers")
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    await broker.stop()
