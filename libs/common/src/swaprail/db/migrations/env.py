"""Alembic's entry: one connection, one advisory lock, short lock waits."""

import asyncio
from functools import partial

import asyncpg
from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from swaprail.db.tables import metadata

LOCK = 0x5A9_0001  # one migration at a time, whatever starts it


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection, target_metadata=metadata, include_schemas=True, transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()


async def _migrate(dsn: str) -> None:
    # Not by SQLAlchemy's own reading of the URL: it does not know asyncpg's options of TLS.
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=partial(asyncpg.connect, dsn), poolclass=pool.NullPool
    )
    try:
        async with engine.connect() as connection:
            await connection.execute(text("set lock_timeout = '4s'"))
            await connection.execute(text("select pg_advisory_lock(:key)"), {"key": LOCK})
            await connection.commit()
            await connection.run_sync(_run)
            await connection.commit()
            await connection.execute(text("select pg_advisory_unlock(:key)"), {"key": LOCK})
            await connection.commit()
    finally:
        await engine.dispose()


asyncio.run(_migrate(context.config.attributes["dsn"]))
