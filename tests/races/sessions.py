"""Sessions of PostgreSQL that can be stopped between the snapshot of a statement and the lock that it takes.

Two places to stop: at the row, which an open transaction of another session holds; and at the clock, since a schema that
comes before pg_catalog has a now() that waits for the gate. The statements are the engine's own, to the letter.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg

from swaprail.testing.conditions import until
from swaprail_local.servers.postgres import EmbeddedPostgres

GATE = 1
WITHIN_S = 10
# As the engine's own connections are, so that a statement has the plan that it has there.
_SETTINGS = {"jit": "off", "plan_cache_mode": "force_generic_plan", "timezone": "UTC"}
_TABLES = ("orders", "order_events", "tx_attempts", "idempotency_keys")
_STOPS = """
create schema stops;
create function stops.now() returns timestamptz language plpgsql volatile as $$
begin
    perform pg_advisory_xact_lock_shared(1);
    return pg_catalog.now();
end $$;
create schema kept;
create table kept.moment (at timestamptz not null);
""" + "; ".join(f"create table kept.{table} (like {table})" for table in _TABLES)
_FORGET = "; ".join(f"truncate {table}, kept.{table}" for table in _TABLES) + "; truncate kept.moment"
_KEEP = "; ".join(f"insert into kept.{table} select * from {table}" for table in _TABLES)
_KEEP += "; insert into kept.moment values (now())"
_RESTORE = "; ".join(f"delete from {table}; insert into {table} select * from kept.{table}" for table in _TABLES)
# A lease is as long as it was then, whatever has passed since.
_RESTORE += """;
update orders set lease_until = lease_until + passed, due_at = due_at + passed
from (select now() - at as passed from kept.moment)
"""
_AGE = """
update orders set lease_until = lease_until - $1::interval, due_at = due_at - $1::interval,
    expires_at = expires_at - $1::interval
"""


class Session:
    """Stands in for db.connect.Database on one connection, so also within a transaction that is open there."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.pid: int = connection.get_server_pid()

    async def fetch(self, sql: str, *args: object) -> Sequence[Any]:
        rows: Sequence[Any] = await self.connection.fetch(sql, *args)
        return rows

    async def fetchrow(self, sql: str, *args: object) -> Any:
        return await self.connection.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: object) -> Any:
        return await self.connection.fetchval(sql, *args)

    async def age(self, seconds: float) -> None:
        """Let so many seconds pass, for whatever the tables say of time to come."""
        await self.fetch(_AGE, timedelta(seconds=seconds))
        await self.fetch(
            "update idempotency_keys set created_at = created_at - $1::interval", timedelta(seconds=seconds)
        )

    async def keep(self) -> None:
        """Remember what the tables hold."""
        await self.connection.execute(_KEEP)

    async def restore(self) -> None:
        """Make the tables hold it again."""
        await self.connection.execute(_RESTORE)


class Ring:
    """Two sessions that race, a third one that waits at the gate instead of the second, and one that looks on."""

    def __init__(self, first: Session, second: Session, stopped: Session, looking: Session) -> None:
        self.first = first
        self.second = second
        self.stopped = stopped
        self.looking = looking

    async def done_or_blocked(self, task: "asyncio.Task[Any]", session: Session, *, by: Session) -> bool:
        """Return once the task is done, or its session waits for the other one; tell whether it waits."""

        async def is_so() -> bool:
            return task.done() or by.pid in await self.looking.fetchval("select pg_blocking_pids($1)", session.pid)

        await until(is_so, within_s=WITHIN_S, what="the statement has ended or waits", every_s=0.001)
        return not task.done()

    async def has_written(self, session: Session) -> bool:
        """Tell whether the session's open transaction has locked or written a row."""
        asked = "select backend_xid is not null from pg_stat_activity where pid = $1"
        return bool(await self.looking.fetchval(asked, session.pid))

    @asynccontextmanager
    async def closed_gate(self) -> AsyncIterator[None]:
        """Let nobody who asks stops.now() for the time pass meanwhile."""
        await self.looking.fetch("select pg_advisory_lock($1)", GATE)
        try:
            yield
        finally:
            await self.looking.fetch("select pg_advisory_unlock($1)", GATE)


def make_arena(server: EmbeddedPostgres, template: str) -> str:
    """Copy a migrated database, give it a clock that stops and room for what its tables held; return its DSN."""

    async def make() -> None:
        connection = await asyncpg.connect(server.dsn)
        await connection.execute(f"create database races template {template} strategy file_copy")
        await connection.close()
        connection = await asyncpg.connect(server.dsn_of("races"))
        await connection.execute(_STOPS)
        await connection.close()

    # In a thread, so that the test's own event loop is left alone.
    with ThreadPoolExecutor(1) as apart:
        apart.submit(lambda: asyncio.run(make())).result()
    return server.dsn_of("races")


@asynccontextmanager
async def open_ring(dsn: str, kind: type[Session] = Session) -> AsyncIterator[Ring]:
    """Connect to such a database, and empty it."""
    paths = ("public", "public", "stops, public, pg_catalog", "public")
    connections = [
        await asyncpg.connect(dsn, timeout=WITHIN_S, server_settings=_SETTINGS | {"search_path": path})
        for path in paths
    ]
    try:
        ring = Ring(*(kind(connection) for connection in connections))
        await ring.looking.connection.execute(_FORGET)
        yield ring
    finally:
        for connection in connections:
            connection.terminate()
