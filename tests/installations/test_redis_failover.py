"""The address of Redis comes to mean another server, while the one before still answers, as a replica."""

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import redis.asyncio as redis

from swaprail.testing.conditions import until
from swaprail_local.servers.valkey import EmbeddedValkey
from tests.faults.network.proxy import Proxy
from tests.installations.conftest import FAST
from tests.installations.orders import accepted_within, assert_few, confirmed_within, lines_since, written
from tests.invariants import check_invariants
from tests.system.engine import Engine

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]
QUOTES = {"inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


@pytest.fixture
async def redis_address(redis_url: str) -> AsyncIterator[Proxy]:
    proxy = Proxy("127.0.0.1", _port(redis_url))
    proxy.start()
    yield proxy
    await proxy.close()


@pytest.fixture
def other_redis(server_home: Path) -> Iterator[EmbeddedValkey]:
    server = EmbeddedValkey(server_home / "valkey-promoted", durable=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def engine(database: str, redis_address: Proxy, tmp_path: Path) -> AsyncIterator[Engine]:
    engine = Engine(database, f"redis://127.0.0.1:{redis_address.port}/0", tmp_path, **FAST)
    try:
        await engine.start()
        yield engine
    finally:
        engine.close()


async def test_quotes_and_orders_are_as_quick_as_before_when_the_address_of_redis_moves(
    engine: Engine, redis_address: Proxy, redis_url: str, other_redis: EmbeddedValkey
) -> None:
    old = redis.Redis.from_url(redis_url)
    accepted = []
    async with httpx.AsyncClient(base_url=engine.url, timeout=10) as client:
        order_id, _ = await accepted_within(client, 5)
        await confirmed_within(client, order_id, 10)
        accepted.append(order_id)
        before = written(engine)
        try:
            redis_address.point_to(_port(other_redis.url))
            await old.replicaof("127.0.0.1", str(_port(other_redis.url)))

            async def as_quick_as_before() -> bool:
                began = time.monotonic()
                order_id, statuses = await accepted_within(client, 2)
                assert statuses == set()
                accepted.append(order_id)
                await confirmed_within(client, order_id, 10)
                quoted = (await client.get("/api/quotes", params=QUOTES)).status_code == 200
                return quoted and time.monotonic() - began < 2

            await until(as_quick_as_before, within_s=15, what="quotes are answered, and orders are quick")
            clients = await old.client_list()
            assert [each for each in clients if each["cmd"] in ("xreadgroup", "xadd")] == []
        finally:
            await old.replicaof("NO", "ONE")
            await old.aclose()
    told = lines_since(engine, before)
    assert_few(told)
    await check_invariants(engine.dsn, accepted)
