"""kill -9 and FLUSHALL in the middle of running orders: nothing is lost, doubled, or missed by a subscriber."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis.asyncio as redis

from tests.invariants import check_invariants
from tests.invariants.writers import watch_writers
from tests.system.crowd import Crowd, orders_are_submitted
from tests.system.engine import Engine

ORDERS = 500
pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]


@pytest.fixture
async def engine(database: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Engine]:
    engine = Engine(
        database, redis_url, tmp_path, mock_dex_quote_delay_ms=100, mock_dex_execution_delay_ms=800, lease_s=3
    )
    try:
        await watch_writers(engine.dsn)
        await engine.start()
        yield engine
    finally:
        engine.close()


async def _flush(engine: Engine) -> None:
    client = redis.Redis.from_url(engine.redis_url)
    await client.flushall()
    await client.aclose()


async def _disturb(engine: Engine, victim: str) -> None:
    if victim == "redis":
        await _flush(engine)
        return
    engine.kill(victim)
    engine.spawn(victim)


async def test_every_order_ends_once_when_each_part_is_killed_in_the_middle(
    engine: Engine, subtests: pytest.Subtests
) -> None:
    for victim in ("router", "executor", "api", "notifier", "redis"):
        with subtests.test(victim=victim):
            crowd = Crowd(engine)
            posting = asyncio.create_task(crowd.post_all(ORDERS))
            await orders_are_submitted(engine.dsn, ORDERS // 25)
            await _disturb(engine, victim)
            await asyncio.wait_for(posting, 60)
            await crowd.all_ended(45)
            assert len(crowd.accepted) == ORDERS
            await check_invariants(engine.dsn, crowd.accepted, crowd.subscribers)


async def test_every_order_ends_once_when_services_stop_politely_under_load(engine: Engine) -> None:
    crowd = Crowd(engine)
    posting = asyncio.create_task(crowd.post_all(ORDERS // 2))
    await orders_are_submitted(engine.dsn, ORDERS // 25)
    for name in ("executor", "router", "notifier", "api"):
        code = await asyncio.to_thread(engine.stop, name)
        assert code == 0, name
        engine.spawn(name)
    await asyncio.wait_for(posting, 60)
    await crowd.all_ended(45)
    await check_invariants(engine.dsn, crowd.accepted, crowd.subscribers)
