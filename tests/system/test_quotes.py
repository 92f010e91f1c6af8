from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import redis.asyncio as redis
from faststream.redis import RedisBroker

from swaprail.messages.topics import QuotesAsked, Topic
from swaprail.testing.conditions import until
from tests.system.engine import Engine

pytestmark = [pytest.mark.system]


@pytest.fixture
async def engine(database: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Engine]:
    engine = Engine(database, redis_url, tmp_path, mock_dex_quote_delay_ms=20)
    try:
        for name in ("api", "router"):
            engine.spawn(name)
        for name in ("api", "router"):
            await engine.ready(name)
        yield engine
    finally:
        engine.close()


async def test_quotes_come_ranked_and_the_deeper_venue_wins_when_the_amount_is_large(engine: Engine) -> None:
    async with httpx.AsyncClient(base_url=engine.url, timeout=10) as client:
        answer = await client.get(
            "/api/quotes", params={"inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1000"}
        )
    assert answer.status_code == 200, answer.text
    quotes = answer.json()["quotes"]
    # A hundred thousand dollars: the difference in depth outweighs fee and drift by far.
    assert [quote["venue"] for quote in quotes] == ["raydium", "meteora"]
    assert Decimal(quotes[0]["outputAmount"]) > Decimal(quotes[1]["outputAmount"])
    assert quotes[0]["priceImpactBps"] < quotes[1]["priceImpactBps"]


async def test_a_request_for_quotes_is_set_aside_when_it_is_of_another_version(engine: Engine) -> None:
    asked = QuotesAsked("SOL", "USDC", 1, 1_000, version=2)
    async with RedisBroker(engine.redis_url) as broker:
        await broker.publish(msgspec.json.encode(asked), stream=str(Topic.QUOTES))
    client: Any = redis.Redis.from_url(engine.redis_url)

    async def is_set_aside() -> bool:
        return [kept[b"reason"] for _, kept in await client.xrange(f"{Topic.QUOTES}.dead")] == [b"version"]

    await until(is_set_aside)
    await client.aclose()


async def test_quotes_are_unavailable_not_hanging_when_no_router_runs(engine: Engine) -> None:
    engine.kill("router")
    async with httpx.AsyncClient(base_url=engine.url, timeout=10) as client:
        answer = await client.get(
            "/api/quotes", params={"inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1"}
        )
    assert (answer.status_code, answer.json()["code"], answer.json()["retryable"]) == (503, "quotes_unavailable", True)
