"""What passes by itself, and connections that answer and are not the right ones."""

import asyncio
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
import pytest
from structlog.testing import capture_logs

from swaprail.db.away import is_unsent
from swaprail.db.connect import Database
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.testing.conditions import until

MY_PID = "select pg_backend_pid()"


def _database(dsn: str, *, size: int = 1, lifetime_s: float = 300) -> Database:
    return Database(dsn, size=size, timeout_s=2, application="test", lifetime_s=lifetime_s)


@pytest.mark.parametrize(
    "state",
    # 53ZZZ, 57ZZZ: of a release to come.
    "08006 25006 25P04 40001 40P01 53000 53100 53200 53ZZZ 55P03 55006 57014 57P04 57ZZZ 58030".split(),  # noqa: SIM905
)
async def test_the_database_is_away_when_the_state_is_one_that_passes(database: str, state: str) -> None:
    db = _database(database)
    for _ in range(2):
        with pytest.raises(EngineError) as refused:
            await db.fetch(f"do $$ begin raise sqlstate '{state}'; end $$")
        assert refused.value.code is ErrorCode.UNAVAILABLE
    assert await db.fetchval("select 1") == 1
    await db.close()


@pytest.mark.parametrize("state", ["22012", "23505", "23514", "42501", "42601", "42P01", "58P01", "XX000", "P0001"])
async def test_an_error_is_the_statements_own_when_waiting_would_not_help(database: str, state: str) -> None:
    db = _database(database)
    pid = await db.fetchval(MY_PID)
    with pytest.raises(asyncpg.PostgresError) as raised:
        await db.fetch(f"do $$ begin raise sqlstate '{state}'; end $$")
    assert raised.value.sqlstate == state
    assert await db.fetchval(MY_PID) == pid
    await db.close()


async def test_an_error_is_ours_when_the_address_cannot_be_read() -> None:
    db = _database("postgresql://db/x?sslmode=bogus")
    with pytest.raises(asyncpg.ClientConfigurationError):
        await db.fetch("select 1")
    await db.close()


@pytest.fixture
async def turned(database: str, admin: asyncpg.Connection) -> Database:
    """Two open connections with a server that turns read-only then."""
    db = _database(database, size=2)
    await asyncio.gather(*(db.fetchval("select 1 from pg_sleep(0.05)") for _ in range(2)))
    await admin.execute("alter system set default_transaction_read_only = on")
    await admin.execute("select pg_reload_conf()")
    return db


@pytest.fixture
async def admin(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    yield connection
    await _heal(connection)
    await connection.close()


async def _heal(admin: asyncpg.Connection) -> None:
    await admin.execute("set default_transaction_read_only = off")
    await admin.execute("alter system reset default_transaction_read_only")
    await admin.execute("select pg_reload_conf()")


async def _sessions(admin: asyncpg.Connection) -> int:
    count: int = await admin.fetchval("select count(*) from pg_stat_activity where application_name = 'test'")
    return count


@pytest.mark.parametrize("statement", ["create table t (n int)", "select 1"], ids=["write", "read"])
async def test_every_connection_is_left_when_the_server_turns_read_only(
    turned: Database, admin: asyncpg.Connection, statement: str
) -> None:
    async def refused() -> bool:
        try:
            await turned.fetch(statement)
        except EngineError as error:
            return error.code is ErrorCode.UNAVAILABLE
        return False

    with capture_logs() as lines:
        await until(refused, within_s=5, what="the server says that it is read-only")
        for _ in range(50):
            assert await refused()
    assert len([line for line in lines if line["event"] == "the database is away"]) <= 3
    assert "read-only" in str(lines)
    await until(lambda: _none(admin), within_s=5, what="no connection is left")
    await _heal(admin)
    await until(lambda: _works(turned), within_s=5, what="it is used again")
    await turned.close()


async def _none(admin: asyncpg.Connection) -> bool:
    return await _sessions(admin) == 0


async def _works(db: Database) -> bool:
    try:
        return bool(await db.fetchval("select 1"))
    except EngineError:
        return False


async def test_a_connection_ends_when_it_has_lived_long_enough(database: str) -> None:
    db = _database(database, lifetime_s=0.2)
    pid = await db.fetchval(MY_PID)
    began = time.monotonic()
    while await db.fetchval(MY_PID) == pid:
        assert time.monotonic() - began < 5
    assert time.monotonic() - began >= 0.15
    await db.close()


async def test_a_session_is_not_ended_for_being_idle_when_the_server_ends_such(database: str) -> None:
    name = urlsplit(database).path.strip("/")
    connection = await asyncpg.connect(database)
    await connection.execute(f"alter database {name} set idle_session_timeout = 50")
    await connection.close()
    db = _database(database)
    pid = await db.fetchval(MY_PID)
    await asyncio.sleep(0.3)  # six times as long
    assert await db.fetchval(MY_PID) == pid
    await db.close()


@pytest.mark.parametrize(
    ("error", "unsent"),
    [
        (asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"), True),
        (asyncpg.InternalClientError("got result for unknown protocol state 3"), False),
        (asyncpg.IdleSessionTimeoutError("terminating connection due to idle-session timeout"), True),
        (asyncpg.AdminShutdownError("terminating connection due to administrator command"), False),
        (asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"), False),
        (ConnectionResetError(), False),
        (TimeoutError(), False),
    ],
)
def test_a_statement_is_repeated_only_when_the_server_cannot_have_seen_it(error: Exception, unsent: bool) -> None:
    assert is_unsent(error) is unsent
