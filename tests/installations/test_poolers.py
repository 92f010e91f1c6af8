"""The engine behind a pooler, and with a role that has settings of its own."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from swaprail.db.connect import Database
from swaprail.domain.errors import EngineError
from swaprail.testing.conditions import until
from swaprail.testing.standby import StandbyAway
from tests.faults.network.proxy import Proxy
from tests.installations.conftest import FAST
from tests.installations.orders import accepted_within, assert_few, confirmed_within, lines_since, written
from tests.installations.pgbouncer import pgbouncer
from tests.invariants import check_invariants
from tests.invariants.writers import watch_writers
from tests.system.engine import SERVICES, Engine

pytestmark = [pytest.mark.system, pytest.mark.timeout(150)]
ORDERS = 40
TIMEOUT_S = 0.4
# What an administrator may have thought right for everybody else's statements.
OF_A_ROLE = {
    "default_transaction_isolation": "serializable",
    "timezone": "Asia/Kathmandu",
    "lock_timeout": "20ms",
    "statement_timeout": "60ms",
    "idle_in_transaction_session_timeout": "50ms",
    "plan_cache_mode": "force_custom_plan",
}


@pytest.fixture(params=["transaction", "session"])
async def pooled(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a PgBouncer that hands out transactions, or sessions."""
    # A session is held as long as its client lives: each of the services' needs its own.
    sessions = 4 if request.param == "transaction" else 60
    async with pgbouncer(database, tmp_path, mode=request.param, sessions=sessions) as dsn:
        yield dsn


async def _trade(engine: Engine) -> list[str]:
    async with httpx.AsyncClient(base_url=engine.url, timeout=10) as client:
        accepted = await asyncio.gather(*(accepted_within(client, 5) for _ in range(ORDERS)))
        await asyncio.gather(*(confirmed_within(client, order_id, 20) for order_id, _ in accepted))
        assert {status for _, statuses in accepted for status in statuses} == set()
    return [order_id for order_id, _ in accepted]


async def test_orders_are_confirmed_when_a_pooler_stands_before_the_database(
    pooled: str, database: str, redis_url: str, tmp_path: Path
) -> None:
    await watch_writers(database)
    engine = Engine(pooled, redis_url, tmp_path, **FAST)
    try:
        await engine.start()
        before = written(engine)
        accepted = await _trade(engine)
        assert all([await asyncio.to_thread(engine.is_ready, name) for name in SERVICES])
        assert_few(lines_since(engine, before))
    finally:
        await asyncio.to_thread(engine.close)
    await check_invariants(database, accepted)


async def test_statements_go_on_when_an_address_comes_to_be_that_of_a_pooler(database: str, tmp_path: Path) -> None:
    server = urlsplit(database)
    address = Proxy("127.0.0.1", server.port or 0)
    address.start()
    db = Database(
        server._replace(netloc=f"{server.username}@127.0.0.1:{address.port}").geturl(),
        size=2,
        timeout_s=2,
        application="engine",
    )
    assert await db.fetchval("select 1") == 1
    async with pgbouncer(database, tmp_path, mode="transaction", name=server.path.strip("/")) as url:
        address.point_to(urlsplit(url).port or 0)
        address.reset()

        async def served() -> bool:
            try:
                return len(await asyncio.gather(*(db.fetchval("select pg_backend_pid()") for _ in range(6)))) == 6
            except EngineError:
                return False

        await until(served, within_s=10, what="statements are run behind the pooler")
        await db.close()
    await address.close()


@pytest.mark.parametrize("mode", ["", "transaction"])
async def test_orders_are_confirmed_when_the_role_has_settings_of_its_own(
    database: str, redis_url: str, tmp_path: Path, mode: str
) -> None:
    name = database.rpartition("/")[2]
    connection = await asyncpg.connect(database)
    await watch_writers(database)
    for setting, value in OF_A_ROLE.items():
        await connection.execute(f"alter database {name} set {setting} = '{value}'")
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(pgbouncer(database, tmp_path, mode=mode)) if mode else database
        engine = Engine(url, redis_url, tmp_path, **FAST)
        stack.push_async_callback(asyncio.to_thread, engine.close)
        await engine.start()
        accepted = await _trade(engine)
    await connection.close()
    await check_invariants(database, accepted)


async def test_a_write_stays_unseen_when_its_time_ends_while_the_standby_is_away(database: str, tmp_path: Path) -> None:
    admin, standby = await asyncpg.connect(database), StandbyAway(database)
    await admin.execute("create table written (n int)")
    async with pgbouncer(database, tmp_path, mode="transaction") as url:
        db = Database(url, size=2, timeout_s=TIMEOUT_S, application="engine")
        await db.open()
        await standby.leave()
        try:
            with pytest.raises(EngineError):
                await db.fetch("insert into written values (1)")
            await asyncio.sleep(5 * TIMEOUT_S)  # past every timeout, the server's own included
            assert await admin.fetchval("select count(*) from written") == 0
        finally:
            await standby.forget()
        stored = "select count(*) = 1 from written"
        await until(lambda: admin.fetchval(stored), within_s=5, what="the commit that waited is done")
        await db.close()
    await admin.close()


async def _migrate(**variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "swaprail.db.migrate"]
    return await asyncio.to_thread(
        subprocess.run, command, env=variables, capture_output=True, text=True, timeout=30, check=False
    )


async def test_a_migration_is_refused_in_one_line_when_a_pooler_hands_out_transactions(
    database: str, tmp_path: Path
) -> None:
    async with pgbouncer(database, tmp_path, mode="transaction") as url:
        refused = await _migrate(DATABASE_URL=url)
        told = refused.stdout + refused.stderr
        assert (refused.returncode, len(told.splitlines())) == (1, 1), told
        assert "MIGRATE_DATABASE_URL" in told
        done = await _migrate(DATABASE_URL=url, MIGRATE_DATABASE_URL=database)
        assert done.returncode == 0, done.stderr


async def test_a_migration_runs_again_and_again_when_a_pooler_hands_out_sessions(database: str, tmp_path: Path) -> None:
    async with pgbouncer(database, tmp_path, mode="session") as url:
        for _ in range(3):
            done = await _migrate(DATABASE_URL=url)
            assert done.returncode == 0, done.stderr
