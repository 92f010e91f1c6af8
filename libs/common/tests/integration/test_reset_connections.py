"""A connection to Redis that was reset a moment ago: uvloop calls writing to it a RuntimeError."""

import asyncio

import pytest
import uvloop
from pydantic import SecretStr

from swaprail.broker.connect import AWAY, connect_redis
from swaprail.settings import Settings


def test_a_command_says_that_redis_is_away_when_its_connection_was_just_reset(redis_url: str) -> None:
    async def run() -> None:
        client = connect_redis(Settings(redis_url=SecretStr(redis_url)))
        await client.ping()
        pool = client.connection_pool
        connection = await pool.get_connection()  # type: ignore[no-untyped-call]
        connection._writer.transport.abort()  # as a reset does, before anybody has heard of it
        await asyncio.sleep(0)
        with pytest.raises(AWAY):
            await connection.send_command("PING")
        await pool.release(connection)
        assert await client.ping()
        await client.aclose()

    uvloop.run(run())
