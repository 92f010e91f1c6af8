import asyncpg
import pytest
from redis.asyncio import Redis


@pytest.mark.parametrize("turn", [1, 2])
async def test_a_database_is_migrated_and_empty_when_a_test_starts(database: str, turn: int) -> None:
    connection = await asyncpg.connect(database)
    try:
        assert await connection.fetchval("select count(*) from api_keys") == 0
        await connection.execute(
            "insert into api_keys (id, account, name, secret_sha256, scopes) values ('k', 'a', 'n', '', '{}')"
        )
        assert await connection.fetchval("select count(*) from paper.chain") is not None
    finally:
        await connection.close()


@pytest.mark.parametrize("turn", [1, 2])
async def test_valkey_is_empty_when_a_test_starts(redis_url: str, turn: int) -> None:
    async with Redis.from_url(redis_url) as redis:
        assert await redis.dbsize() == 0
        await redis.set("left", "over")
