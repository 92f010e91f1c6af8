import asyncpg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from swaprail.db.connect import Database
from swaprail.db.migrate import migrate, newest_revision
from swaprail.db.schema import REQUIRED_REVISION, check_schema
from swaprail.db.tables import metadata


async def test_the_tables_are_what_the_migrations_make_when_both_are_compared(database: str) -> None:
    engine = create_async_engine(database.replace("postgresql://", "postgresql+asyncpg://"))

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"include_schemas": True, "compare_type": True})
        return list(compare_metadata(context, metadata))

    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert [d for d in found if "alembic_version" not in str(d)] == []


async def test_services_require_the_newest_revision_when_they_start(database: str) -> None:
    assert newest_revision() == REQUIRED_REVISION
    db = Database(database, size=1, timeout_s=2, application="test")
    await check_schema(db)
    await db.close()


async def test_migrating_again_changes_nothing_when_the_schema_is_there(database: str) -> None:
    import asyncio

    await asyncio.to_thread(migrate, database)
    connection = await asyncpg.connect(database)
    assert await connection.fetchval("select count(*) from paper.chain") == 1
    await connection.close()
