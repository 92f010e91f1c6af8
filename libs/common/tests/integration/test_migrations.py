from uuid import uuid4

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from swaprail.db.connect import Database
from swaprail.db.migrate import migrate, needed_revisions, newest_revision
from swaprail.db.schema import KNOWN_REVISION, REQUIRED_REVISION, check_schema
from swaprail.db.tables import metadata

_ATTEMPT = """
insert into tx_attempts (order_id, attempt, signature, raw, message_sha256, blockhash, last_valid_block_height, fence,
    venue, state, evidence) values ($1::uuid, $2, $1 || '/' || $2::int2, '', '', 'h', 1, 1, 'raydium', $3, $4)
"""


async def test_the_tables_are_what_the_migrations_make_when_both_are_compared(database: str) -> None:
    engine = create_async_engine(database.replace("postgresql://", "postgresql+asyncpg://"))

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"include_schemas": True, "compare_type": True})
        return list(compare_metadata(context, metadata))

    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert [d for d in found if "alembic_version" not in str(d)] == []


def test_services_wait_for_the_newest_revision_that_they_need() -> None:
    needed = needed_revisions()
    assert max(needed) == newest_revision() == KNOWN_REVISION
    assert max(revision for revision, is_needed in needed.items() if is_needed) == REQUIRED_REVISION


async def test_services_start_on_the_schema_when_it_is_migrated(database: str) -> None:
    db = Database(database, size=1, timeout_s=2, application="test")
    await check_schema(db)
    await db.close()


async def test_migrating_again_changes_nothing_when_the_schema_is_there(database: str) -> None:
    import asyncio

    await asyncio.to_thread(migrate, database)
    connection = await asyncpg.connect(database)
    assert await connection.fetchval("select count(*) from paper.chain") == 1
    await connection.close()


async def test_settling_an_attempt_touches_no_index_when_a_batch_lands(database: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute(
        """
        insert into tx_attempts (order_id, attempt, signature, raw, message_sha256, blockhash, last_valid_block_height,
            fence, venue)
        select uuidv7(), 1, n || repeat('s', 84), convert_to(repeat('r', 300), 'UTF8'), '', repeat('b', 44), 1, 1, 'v'
        from generate_series(1000, 1199) n
        """
    )
    async with connection.transaction():
        await connection.execute(
            "update tx_attempts set state = 'LANDED', slot = 7, output_amount = 9, settled_at = now()"
        )
        settled = await connection.fetch(
            "select n_tup_upd, n_tup_hot_upd from pg_stat_xact_user_tables where relname = 'tx_attempts'"
        )
    await connection.close()
    assert settled[0]["n_tup_upd"] == 200
    assert settled[0]["n_tup_hot_upd"] >= 190


@pytest.mark.parametrize(
    ("state", "evidence", "refused"),
    [
        ("LIVE", None, asyncpg.UniqueViolationError),
        ("LANDED", None, asyncpg.UniqueViolationError),
        ("REVERTED", None, asyncpg.UniqueViolationError),
        ("EXPIRED", None, asyncpg.CheckViolationError),
        ("LIVE", "{}", asyncpg.CheckViolationError),
        ("LANDED", "{}", asyncpg.CheckViolationError),
        ("REVERTED", "{}", asyncpg.CheckViolationError),
    ],
)
async def test_another_attempt_is_refused_when_the_first_is_not_proven_to_have_expired(
    database: str, state: str, evidence: str | None, refused: type[asyncpg.PostgresError]
) -> None:
    connection = await asyncpg.connect(database)
    order_id = uuid4()
    with pytest.raises(refused):
        await connection.executemany(_ATTEMPT, [(order_id, 1, state, evidence), (order_id, 2, "LIVE", None)])
    await connection.close()


async def test_another_attempt_is_stored_when_the_first_is_proven_to_have_expired(database: str) -> None:
    connection = await asyncpg.connect(database)
    order_id = uuid4()
    await connection.executemany(_ATTEMPT, [(order_id, 1, "EXPIRED", "{}"), (order_id, 2, "LIVE", None)])
    await connection.close()


async def test_open_orders_of_a_wallet_are_found_by_their_index_when_most_have_ended(database: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute(
        """
        insert into orders (id, account, wallet, input_mint, output_mint, input_symbol, output_symbol, input_decimals,
            output_decimals, input_amount, slippage_bps, status, seq, closed_at)
        select uuidv7(), 'a', 'w', 'i', 'o', 'I', 'O', 9, 6, 1, 50, case when n % 1000 = 0 then 'ROUTING' else
            'CONFIRMED' end, 1, case when n % 1000 = 0 then null else now() end
        from generate_series(1, 20000) n
        """
    )
    await connection.execute("analyze orders")
    plan = await connection.fetch(
        "explain select id from orders where account = 'a' and wallet = 'w' and closed_at is null"
    )
    await connection.close()
    assert any("orders_wallet_open_idx" in row[0] for row in plan), plan
