"""Batches of several processes lock orders and take keys in one order, so that none waits for another in a circle."""

import asyncio
from typing import Any
from unittest.mock import Mock
from uuid import UUID, uuid4

import asyncpg
import pytest
from services.api.tests.integration.rows import row_with

from swaprail.db.connect import Database
from swaprail.testing.conditions import until
from swaprail_api.store.announce import Announcer
from swaprail_api.store.cancels import CancelRow, CancelStore
from swaprail_api.store.intake import IntakeStore
from swaprail_api.store.intake_row import BatchKey
from swaprail_api.store.starts import StartRow, StartStore

BATCHES: dict[str, tuple[Any, Any]] = {
    "start": (StartStore, lambda order_id: StartRow(order_id, "local", None, None)),
    "cancel": (CancelStore, lambda order_id: CancelRow(order_id, "local")),
}
_USE_KEY = "insert into idempotency_keys (account, key, request_sha256, order_id) values ('local', $1, '', $2)"


async def one_waits(db: asyncpg.Connection) -> None:
    """Return when another session waits for a lock."""

    async def waiting() -> bool:
        return bool(await db.fetchval("select exists (select from pg_locks where not granted)"))

    await until(waiting)


async def stored_backwards(api: Any, db: asyncpg.Connection) -> list[UUID]:
    """Return the ids of three orders, the lowest first, whose rows lie in the table the other way round."""
    ids = sorted([UUID(await api.place()) for _ in range(3)])
    for order_id in reversed(ids):
        await db.execute("update orders set attempts = attempts where id = $1", order_id)
    assert [row["id"] for row in await db.fetch("select id from orders order by ctid")] == ids[::-1]
    return ids


async def leave_only(db: asyncpg.Connection, join: str) -> None:
    """Let sessions that begin from now on join in one way, and read tables as their rows lie."""
    others = {"hashjoin", "mergejoin", "nestloop"} - {join}
    name = await db.fetchval("select current_database()")
    for way in (*others, "indexscan", "indexonlyscan", "bitmapscan"):
        await db.execute(f"alter database {name} set enable_{way} = off")


@pytest.mark.parametrize("join", ["hashjoin", "mergejoin", "nestloop"])
@pytest.mark.parametrize("deed", BATCHES)
async def test_later_orders_are_not_locked_when_a_batch_waits_for_its_first(
    api: Any, db: asyncpg.Connection, database: str, deed: str, join: str
) -> None:
    ids = await stored_backwards(api, db)
    await leave_only(db, join)
    made, row_of = BATCHES[deed]
    writes = Database(database, size=1, timeout_s=5, application="test")

    async with db.transaction():
        await db.execute("select from orders where id = $1 for update", ids[0])
        writing = asyncio.create_task(made(writes, Mock(spec=Announcer)).write([row_of(each) for each in ids[::-1]]))
        await one_waits(db)
        free = await db.fetch("select id from orders order by id for update skip locked")
    assert [row["id"] for row in free] == ids
    assert len(await writing) == 3
    await writes.close()


async def test_later_keys_are_not_taken_when_a_batch_waits_for_its_first(
    api: Any, db: asyncpg.Connection, database: str
) -> None:
    order_id = UUID(await api.place())
    writes = Database(database, size=1, timeout_s=5, application="test")
    transaction = db.transaction()
    await transaction.start()
    await db.execute(_USE_KEY, "a", order_id)
    store = IntakeStore(writes, Mock(spec=Announcer))
    writing = asyncio.create_task(store.write([row_with(key) for key in "cbab"]))
    await one_waits(db)
    await db.execute("set local lock_timeout = '100ms'")
    for key in "bc":
        await db.execute(_USE_KEY, key, order_id)
    await transaction.rollback()
    assert [getattr(outcome, "replayed", None) for outcome in await writing] == [False, False, False, True]
    await writes.close()


async def test_no_order_has_its_key_when_the_first_batch_of_several_is_waited_for(
    api: Any, db: asyncpg.Connection, database: str
) -> None:
    order_id = UUID(await api.place())
    writes = Database(database, size=1, timeout_s=5, application="test")
    batches = {key: BatchKey(uuid4(), f"{key} batch", b"") for key in "cb"}
    rows = [row_with(f"{key}#{number}", batch=batch) for key, batch in batches.items() for number in (1, 0)]
    transaction = db.transaction()
    await transaction.start()
    await db.execute(_USE_KEY, "b batch", order_id)
    writing = asyncio.create_task(IntakeStore(writes, Mock(spec=Announcer)).write([row_with("a"), *rows]))
    await one_waits(db)
    await db.execute("set local lock_timeout = '100ms'")
    for key in ("a", "b#0", "b#1", "c#0", "c#1", "c batch"):
        await db.execute(_USE_KEY, key, order_id)
    await transaction.rollback()
    assert [getattr(outcome, "replayed", None) for outcome in await writing] == [False] * 5
    await writes.close()
