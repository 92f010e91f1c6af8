"""What is killed in these tests writes to a PostgreSQL that would keep it: else they would prove less than they say."""

import asyncpg
import pytest


@pytest.mark.parametrize("setting", ["fsync", "synchronous_commit", "full_page_writes"])
async def test_a_commit_is_on_disk_when_a_test_kills_what_wrote_it(setting: str, database: str) -> None:
    connection = await asyncpg.connect(database, timeout=10)
    try:
        assert await connection.fetchval("select current_setting($1)", setting) == "on"
    finally:
        await connection.close()
