"""SIGTERM under load, as a rollout sends it: what is in flight goes on elsewhere at once."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from swaprail.testing.conditions import until
from tests.invariants import check_invariants
from tests.invariants.writers import watch_writers
from tests.system.crowd import Crowd, orders_are_submitted
from tests.system.engine import Engine

ORDERS = 200
DRAIN_S = 5
CLOSE_S = 5
pytestmark = [pytest.mark.system, pytest.mark.timeout(150)]


@pytest.fixture
async def engine(database: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Engine]:
    # Neither the chain nor a lease ends within the drain: only a handing over can explain what the test sees.
    engine = Engine(
        database,
        redis_url,
        tmp_path,
        mock_dex_quote_delay_ms=20,
        mock_dex_execution_delay_ms=10_000,
        lease_s=60,
        drain_timeout_s=DRAIN_S,
    )
    try:
        await watch_writers(engine.dsn)
        await engine.start()
        yield engine
    finally:
        engine.close()


async def _holders(connection: asyncpg.Connection) -> dict[str | None, int]:
    rows = await connection.fetch(
        "select case when lease_until > now() then lease_owner end as owner, count(*) from orders "
        "where closed_at is null group by 1"
    )
    return {row["owner"]: row["count"] for row in rows}


async def test_another_executor_goes_on_at_once_when_one_is_told_to_stop_under_load(engine: Engine) -> None:
    crowd = Crowd(engine)
    await crowd.post_all(ORDERS)
    await orders_are_submitted(engine.dsn, ORDERS - 1)
    connection = await asyncpg.connect(engine.dsn)
    (first,) = await _holders(connection)
    engine.spawn("executor-2")
    await engine.ready("executor-2")
    began = time.monotonic()
    assert await asyncio.to_thread(engine.stop, "executor") == 0
    assert time.monotonic() - began < DRAIN_S + CLOSE_S

    async def taken_over() -> bool:
        holders = await _holders(connection)
        return first not in holders and None not in holders

    await until(taken_over, within_s=10, what="all orders are held by the other executor")
    assert time.monotonic() - began < DRAIN_S + CLOSE_S + 10
    await crowd.all_ended(40)
    await connection.close()
    log = (engine.home / "executor.log").read_text()
    assert "orders handed over" in log
    assert "drain timed out" not in log
    await check_invariants(engine.dsn, crowd.accepted, crowd.subscribers)
