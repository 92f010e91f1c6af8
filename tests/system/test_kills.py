"""kill -9 and FLUSHALL in the middle of running orders: nothing is lost, doubled, or missed by a subscriber."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest
import redis.asyncio as redis

from swaprail.testing.conditions import until
from tests.system.engine import Engine
from tests.system.invariants import check_invariants
from tests.system.subscribers import Subscriber

ORDERS = 500
pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]


@pytest.fixture
async def engine(database: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Engine]:
    engine = Engine(
        database, redis_url, tmp_path, mock_dex_quote_delay_ms=100, mock_dex_execution_delay_ms=800, lease_s=3
    )
    try:
        await engine.start()
        yield engine
    finally:
        engine.close()


class Crowd:
    """Posts orders with retries under one idempotency key each, and follows every order that was accepted."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.accepted: list[str] = []
        self.subscribers: list[Subscriber] = []
        self._followers: list[asyncio.Task[None]] = []
        self._slots = asyncio.Semaphore(32)

    async def post_all(self, count: int) -> None:
        async with httpx.AsyncClient(timeout=10) as client:
            await asyncio.gather(*(self._post(client, n) for n in range(count)))

    async def _post(self, client: httpx.AsyncClient, n: int) -> None:
        key = str(uuid4())
        body = {"userWallet": f"w{n % 7}", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": f"{n + 1}.5"}
        async with self._slots:
            while True:
                try:
                    answer = await client.post(
                        f"{self.engine.url}/api/orders/execute", json=body, headers={"Idempotency-Key": key}
                    )
                except httpx.HTTPError:
                    await asyncio.sleep(0.1)
                    continue
                if answer.status_code == 202:
                    break
                assert answer.status_code in (409, 429, 503), answer.text
                await asyncio.sleep(0.1)
        order_id = answer.json()["orderId"]
        self.accepted.append(order_id)
        subscriber = Subscriber(lambda: self.engine.ws_url, order_id)
        self.subscribers.append(subscriber)
        self._followers.append(asyncio.create_task(subscriber.follow()))

    async def all_ended(self, within_s: float) -> None:
        await asyncio.wait_for(asyncio.gather(*self._followers), within_s)


async def _some_are_open(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)

    async def submitted() -> bool:
        count: int = await connection.fetchval("select count(*) from orders where status = 'SUBMITTED'")
        return count > ORDERS // 25

    await until(submitted, within_s=20, what="orders are on their way")
    await connection.close()


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
            await _some_are_open(engine.dsn)
            await _disturb(engine, victim)
            await asyncio.wait_for(posting, 60)
            await crowd.all_ended(45)
            assert len(crowd.accepted) == ORDERS
            await check_invariants(engine.dsn, crowd.accepted, crowd.subscribers)


async def test_every_order_ends_once_when_services_stop_politely_under_load(engine: Engine) -> None:
    crowd = Crowd(engine)
    posting = asyncio.create_task(crowd.post_all(ORDERS // 2))
    await _some_are_open(engine.dsn)
    for name in ("executor", "router", "notifier", "api"):
        code = await asyncio.to_thread(engine.stop, name)
        assert code == 0, name
        engine.spawn(name)
    await asyncio.wait_for(posting, 60)
    await crowd.all_ended(45)
    await check_invariants(engine.dsn, crowd.accepted, crowd.subscribers)
