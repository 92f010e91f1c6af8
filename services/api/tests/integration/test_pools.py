"""Connections with the database, as an API has them before it is asked for anything."""

from typing import Any

import asyncpg

OPEN = """
select application_name, count(*) from pg_stat_activity
where application_name like 'swaprail-api%' and datname = current_database() group by 1
"""


async def test_all_are_open_when_the_api_has_started(serve: Any, db: asyncpg.Connection) -> None:
    await serve(db_pool_size=4, read_pool_size=5)
    assert {row[0]: row[1] for row in await db.fetch(OPEN)} == {
        "swaprail-api": 4,
        "swaprail-api-reads": 5,
        "swaprail-api-lookups": 2,
    }
