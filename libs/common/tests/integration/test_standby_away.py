"""PostgreSQL with a synchronous standby that is away: what waits for it is neither cancelled, nor told, nor piled up."""

import asyncio
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit

import asyncpg
import pytest

from swaprail.db.acknowledged import ACKNOWLEDGE, ACKNOWLEDGED
from swaprail.db.connect import Database
from swaprail.domain.errors import EngineError
from swaprail.testing.conditions import until
from swaprail.testing.standby import StandbyAway
from swaprail_local.servers.postgres import EmbeddedPostgres

TIMEOUT_S = 0.4
WRITE = "insert into written values ($1)"
WAITING = "select count(*) from pg_stat_activity where wait_event = 'SyncRep' and application_name = 'engine'"


@pytest.fixture
async def admin(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    await connection.execute("create table written (n int)")
    await connection.execute("create role trader login; grant all on written to trader")
    yield connection
    await connection.execute("drop owned by trader; drop role trader")
    await connection.close()


@pytest.fixture
def as_trader(database: str) -> str:
    """The DSN of a user with no more rights than the engine's has."""
    parts = urlsplit(database)
    return parts._replace(netloc=f"trader@{parts.hostname}:{parts.port}").geturl()


@pytest.fixture
async def standby(database: str) -> AsyncIterator[StandbyAway]:
    standby = StandbyAway(database)
    yield standby
    await standby.forget()


@pytest.fixture
async def db(as_trader: str, admin: asyncpg.Connection, standby: StandbyAway) -> AsyncIterator[Database]:
    db = Database(as_trader, size=2, timeout_s=TIMEOUT_S, application="engine")
    await asyncio.gather(*(db.fetch("select pg_sleep(0.05)") for _ in range(2)))
    yield db
    await db.close()


@pytest.fixture
def log(postgres_server: EmbeddedPostgres) -> Callable[[], bytes]:
    before = len(postgres_server.log.read_bytes())
    return lambda: postgres_server.log.read_bytes()[before:]


async def test_a_write_stays_unseen_and_uncancelled_when_it_is_given_up(
    db: Database, admin: asyncpg.Connection, standby: StandbyAway, log: Callable[[], bytes]
) -> None:
    await standby.leave()
    with pytest.raises(EngineError):
        await db.fetch(WRITE, 1)
    await asyncio.sleep(4 * TIMEOUT_S)  # past every timeout, the server's own included
    assert (await db.fetchval("select count(*) from written"), await admin.fetchval(WAITING)) == (0, 1)
    await standby.forget()
    await until(lambda: not len(db._unanswered), within_s=2)
    assert await db.fetchval("select count(*) from written") == 1
    assert b"canceling" not in log()


async def test_no_more_sessions_than_places_are_held_when_the_standby_stays_away(
    as_trader: str, admin: asyncpg.Connection, standby: StandbyAway
) -> None:
    await standby.leave()
    db = Database(as_trader, size=2, timeout_s=TIMEOUT_S, application="engine")
    for _ in range(6):
        with pytest.raises(EngineError):
            await db.fetchval("select 1")
    assert await admin.fetchval(WAITING) <= 2
    await standby.forget()
    assert await db.fetchval("select 1") == 1
    await db.close()


@pytest.mark.parametrize("sql", [ACKNOWLEDGE, f"with {ACKNOWLEDGED} select n from acknowledged, written"])
async def test_an_answer_that_writes_nothing_waits_when_it_shows_what_only_this_server_has(
    db: Database, admin: asyncpg.Connection, standby: StandbyAway, sql: str
) -> None:
    await standby.leave()
    with pytest.raises(EngineError):
        await db.fetch(WRITE, 1)
    await admin.execute("select pg_cancel_backend(pid) from pg_stat_activity where application_name = 'engine'")
    await until(lambda: not len(db._unanswered), within_s=2)
    assert await db.fetchval("select count(*) from written") == 1  # here, and nowhere else
    with pytest.raises(EngineError):
        await db.fetch(sql)
    await standby.forget()
    await until(lambda: not len(db._unanswered), within_s=2)
    assert len(await db.fetch(sql)) == 1


async def test_nothing_is_written_for_an_answer_when_there_is_no_standby(
    db: Database, admin: asyncpg.Connection
) -> None:
    before = await admin.fetchval("select pg_current_xact_id()::text::bigint")
    await db.fetch(ACKNOWLEDGE)
    assert await admin.fetchval("select pg_current_xact_id()::text::bigint") == before + 1


async def test_who_reads_is_served_when_sessions_have_lived_long_enough_while_the_standby_is_away(
    as_trader: str, admin: asyncpg.Connection, standby: StandbyAway
) -> None:
    db = Database(as_trader, size=2, timeout_s=TIMEOUT_S, application="engine", lifetime_s=0.01)
    pid = await db.fetchval("select pg_backend_pid()")
    await standby.leave()
    for _ in range(20):
        assert await db.fetchval("select count(*) from written") == 0
    # One waits in its place, and no more than one.
    await until(lambda: _waiting(admin), within_s=5, what="another session waits for the standby")
    await standby.forget()

    async def replaced() -> bool:
        return bool(await db.fetchval("select pg_backend_pid()") != pid)

    await until(replaced, within_s=5, what="the old session is replaced")
    await db.close()


async def _waiting(admin: asyncpg.Connection) -> bool:
    return bool(await admin.fetchval(WAITING) == 1)
