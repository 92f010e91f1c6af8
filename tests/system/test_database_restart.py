"""PostgreSQL dies and comes back in the middle of running orders: what was accepted ends, once."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from swaprail.db.migrate import migrate
from swaprail_local.servers.postgres import EmbeddedPostgres
from tests.invariants import check_invariants
from tests.invariants.writers import watch_writers
from tests.system.crowd import Crowd, orders_are_submitted
from tests.system.engine import Engine

ORDERS = 200
pytestmark = [pytest.mark.system, pytest.mark.timeout(150)]


@pytest.fixture
def own_postgres(server_home: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(server_home / "postgres-to-kill", durable=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def engine(own_postgres: EmbeddedPostgres, redis_url: str, tmp_path: Path) -> AsyncIterator[Engine]:
    await asyncio.to_thread(migrate, own_postgres.dsn)
    engine = Engine(
        own_postgres.dsn, redis_url, tmp_path, mock_dex_quote_delay_ms=100, mock_dex_execution_delay_ms=800, lease_s=3
    )
    try:
        await watch_writers(engine.dsn)
        await engine.start()
        yield engine
    finally:
        engine.close()


def _crash(server: EmbeddedPostgres) -> None:
    """Stop at once, as after a power failure: what was not in the log is gone, connections are cut."""
    assert server.process is not None
    server.process.send_signal(signal.SIGQUIT)
    server.process.wait(10)


async def test_every_order_ends_once_when_the_database_dies_and_comes_back(
    engine: Engine, own_postgres: EmbeddedPostgres
) -> None:
    crowd = Crowd(engine)
    posting = asyncio.create_task(crowd.post_all(ORDERS))
    await orders_are_submitted(engine.dsn, ORDERS // 25)
    await asyncio.to_thread(_crash, own_postgres)
    await asyncio.to_thread(own_postgres.start)
    await asyncio.wait_for(posting, 60)
    await crowd.all_ended(60)
    assert len(crowd.accepted) == ORDERS
    await check_invariants(engine.dsn, crowd.accepted, crowd.subscribers)
