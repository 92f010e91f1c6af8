"""Statements that are given up: never cancelled, for they may be in their commit."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urlsplit

import asyncpg
import pytest

from swaprail.db.connect import Database
from swaprail.domain.errors import EngineError
from swaprail.testing.conditions import until
from swaprail_local.servers.postgres import EmbeddedPostgres

MY_PID = "select pg_backend_pid()"
SLOW = "select pg_backend_pid(), pg_sleep(0.4)"


class Relay:
    """Passes bytes on to PostgreSQL until it is told to swallow them; then connections stay, and nothing answers."""

    def __init__(self, dsn: str) -> None:
        self._server = urlsplit(dsn)
        self._tasks: set[asyncio.Task[None]] = set()
        self.swallows = False
        self.taken = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.taken += 1
        theirs, ours = await asyncio.open_connection(self._server.hostname, self._server.port)
        for source, target in ((reader, ours), (theirs, writer)):
            task = asyncio.create_task(self._pump(source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65_536):
            if not self.swallows:
                target.write(data)
        target.close()


@pytest.fixture
async def relay(database: str) -> AsyncIterator[tuple[Relay, str]]:
    relay = Relay(database)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0, family=socket.AF_INET)
    port = server.sockets[0].getsockname()[1]
    yield relay, urlsplit(database)._replace(netloc=f"postgres@127.0.0.1:{port}").geturl()
    server.close()


async def _seconds(work: Callable[[], Awaitable[object]]) -> float:
    began = time.monotonic()
    with pytest.raises((TimeoutError, EngineError)):
        await work()
    return time.monotonic() - began


@pytest.fixture
def cancels(postgres_server: EmbeddedPostgres) -> Callable[[], int]:
    """How many statements the server was asked to cancel since the test began."""
    before = len(postgres_server.log.read_bytes())
    return lambda: postgres_server.log.read_bytes()[before:].count(b"due to user request")


@pytest.fixture
async def locked(database: str) -> AsyncIterator[asyncpg.Connection]:
    """Whoever asks LOCKED waits until this connection's transaction has ended."""
    connection = await asyncpg.connect(database)
    await connection.execute("create table held (n int)")
    await connection.execute("begin")
    await connection.execute("lock table held")
    yield connection
    await connection.close()


async def _by_time(db: Database, sql: str) -> None:
    async with asyncio.timeout(0.1):
        await db.fetch(sql)


async def _by_cancellation(db: Database, sql: str) -> None:
    task = asyncio.create_task(db.fetch(sql))
    await asyncio.sleep(0.1)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        raise TimeoutError from None


@pytest.mark.parametrize("give_up", [_by_time, _by_cancellation])
async def test_no_cancel_is_sent_when_a_statement_is_given_up(
    database: str, cancels: Callable[[], int], give_up: Callable[[Database, str], Awaitable[None]]
) -> None:
    db = Database(database, size=1, timeout_s=2, application="test")
    pid = await db.fetchval(MY_PID)
    with pytest.raises(TimeoutError):
        await give_up(db, SLOW)
    assert await db.fetchval(MY_PID) == pid  # once it had answered
    await db.close()
    assert cancels() == 0


async def test_no_cancel_is_sent_when_a_statement_takes_too_long(
    database: str, cancels: Callable[[], int], locked: asyncpg.Connection
) -> None:
    db = Database(database, size=1, timeout_s=0.3, application="test")
    with pytest.raises(EngineError):
        await db.fetch("insert into held values (1)")
    await until(lambda: not len(db._unanswered), within_s=2, what="the server has ended what waited for a lock")
    await locked.execute("commit")
    assert (await db.fetchval("select count(*) from held"), cancels()) == (0, 0)
    await db.close()


async def test_no_cancel_is_sent_when_the_pool_is_closed_under_a_statement(
    database: str, cancels: Callable[[], int]
) -> None:
    db = Database(database, size=1, timeout_s=2, application="test")
    work = asyncio.create_task(db.fetch(SLOW))
    await asyncio.sleep(0.1)
    await db.close()
    with pytest.raises(EngineError):
        await work
    assert await db.fetchval("select 1") == 1
    await db.close()
    assert cancels() == 0


def test_no_cancel_is_sent_when_the_loop_is_closed_under_a_statement(database: str, cancels: Callable[[], int]) -> None:
    async def leaves_it() -> None:
        db = Database(database, size=1, timeout_s=2, application="test")
        with pytest.raises(TimeoutError):
            await _by_time(db, "select pg_sleep(1)")

    asyncio.run(leaves_it())
    assert cancels() == 0


async def test_a_given_up_statement_keeps_its_place_when_it_waits_on(database: str, locked: asyncpg.Connection) -> None:
    db = Database(database, size=1, timeout_s=3, application="test")
    pid = await db.fetchval(MY_PID)
    with pytest.raises(TimeoutError):
        await _by_time(db, "insert into held values (1)")
    waiting = asyncio.create_task(db.fetchval(MY_PID))
    await asyncio.sleep(1.5)  # longer than until the server is first asked about it
    assert not waiting.done()
    await locked.execute("commit")
    assert await waiting == pid
    assert await db.fetchval("select count(*) from held") == 1
    await db.close()


async def test_a_place_is_free_again_when_the_answer_was_lost(relay: tuple[Relay, str], database: str) -> None:
    db = Database(relay[1], size=1, timeout_s=5, application="test")
    await db.fetch("create table told (n int)")
    await db.fetch("insert into told values (0)")
    relay[0].swallows = True
    with pytest.raises(TimeoutError):
        await _by_time(db, "insert into told values (0)")
    relay[0].swallows = False
    began = time.monotonic()
    assert await db.fetchval("select 1") == 1
    assert time.monotonic() - began < 2.5
    await db.close()


@pytest.mark.parametrize(
    ("configured", "effective"), [("off", "on"), ("local", "on"), ("remote_apply", "remote_apply")]
)
async def test_a_commit_waits_for_the_standby_when_the_server_would_not(
    database: str, configured: str, effective: str
) -> None:
    name = urlsplit(database).path.strip("/")
    connection = await asyncpg.connect(database)
    await connection.execute(f"alter database {name} set synchronous_commit = {configured}")
    await connection.close()
    durable, ledger = (Database(database, size=1, timeout_s=2, application="test", durable=d) for d in (True, False))
    assert await durable.fetchval("show synchronous_commit") == effective
    assert await ledger.fetchval("show synchronous_commit") == "off"
    await durable.close()
    await ledger.close()


async def test_a_peer_that_is_gone_is_noticed_when_a_session_is_open(database: str) -> None:
    db = Database(database, size=1, timeout_s=2, application="test")
    await db.fetchval("select 1")
    session = db._pool.take()
    assert session is not None
    end = session._transport.get_extra_info("socket")  # type: ignore[attr-defined]
    assert end.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert end.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 5
    db._pool.give_back(session)
    await db.close()


async def test_who_gives_up_does_not_wait_on_when_the_network_swallows_the_statement(relay: tuple[Relay, str]) -> None:
    db = Database(relay[1], size=2, timeout_s=1, application="test")
    assert await db.fetchval("select 1") == 1
    relay[0].swallows = True

    async def asks() -> object:
        async with asyncio.timeout(0.2):
            return await db.fetchval("select 1")

    assert await _seconds(asks) < 0.5
    relay[0].swallows = False
    await db.close()


async def test_a_statement_takes_its_time_out_once_when_the_network_swallows_it(relay: tuple[Relay, str]) -> None:
    db = Database(relay[1], size=1, timeout_s=0.5, application="test")
    assert await db.fetchval("select 1") == 1
    relay[0].swallows = True
    assert await _seconds(lambda: db.fetchval("select 1")) < 0.9
    relay[0].swallows = False

    async def works() -> bool:
        try:
            return bool(await db.fetchval("select 1"))
        except EngineError:
            return False

    await until(works, within_s=5, what="the pool of one connection works again")
    await db.close()


async def test_one_session_of_a_process_finds_out_what_is_behind_the_address_when_pools_are_many(
    relay: tuple[Relay, str],
) -> None:
    relayed, dsn = relay
    for taken in (4, 7, 10):
        db = Database(dsn, size=3, timeout_s=5, application="test")
        await db.open()
        await db.close()
        assert relayed.taken == taken


async def test_a_session_states_its_settings_when_the_role_has_others(database: str) -> None:
    other = {
        "timezone": "Pacific/Apia",
        "default_transaction_isolation": "serializable",
        "statement_timeout": "61ms",
        "lock_timeout": "62ms",
        "idle_in_transaction_session_timeout": "63ms",
        "jit": "on",
    }
    admin = await asyncpg.connect(database)
    db = Database(database, size=1, timeout_s=5, application="test")
    try:
        for name, value in other.items():
            await admin.execute(
                f"alter role postgres in database \"{urlsplit(database).path[1:]}\" set {name} = '{value}'"
            )
        rows = await db.fetch(
            "select name, current_setting(name) as value from unnest($1::text[]) as name", list(other)
        )
        assert dict(map(tuple, rows)) == {
            "timezone": "UTC",
            "default_transaction_isolation": "read committed",
            "statement_timeout": "5s",
            "lock_timeout": "0",
            "idle_in_transaction_session_timeout": "10s",
            "jit": "off",
        }
    finally:
        await admin.close()
        await db.close()
