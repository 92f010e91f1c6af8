"""What is answered while dependencies are away, and what is told of it."""

import asyncio
import socket
import time
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
import redis.asyncio as redis

from swaprail.messages.topics import Topic

ORDER = {"userWallet": "alice", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}


@pytest.fixture
def silent_server() -> Iterator[int]:
    """A port that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("silent", [False, True])
async def test_503_soon_when_the_database_is_away(serve: Any, silent_server: int, silent: bool) -> None:
    port = silent_server if silent else 1
    api = await serve(database_url=f"postgresql://postgres@127.0.0.1:{port}/none")
    began = time.perf_counter()
    answers = await asyncio.gather(
        api.post("/api/orders/execute", ORDER),
        api.post("/api/orders", ORDER),
        api.get("/api/orders/user/alice"),
        api.get("/health/ready"),
    )
    assert time.perf_counter() - began < 2.5
    assert {answer.status_code for answer in answers} == {503}
    for answer in answers[:3]:
        assert (answer.json()["code"], answer.json()["retryable"]) == ("unavailable", True)
        assert answer.headers["retry-after"]
    report = (await api.get("/health")).json()
    assert report["ready"] is False
    assert report["checks"]["database"]["ok"] is False
    assert (await api.get("/health/live")).status_code == 200


async def test_503_soon_when_the_database_is_stuck(api: Any, db: asyncpg.Connection) -> None:
    async with db.transaction():
        await db.execute("lock table orders")
        began = time.perf_counter()
        answer = await api.post("/api/orders/execute", ORDER)
        assert (answer.status_code, time.perf_counter() - began < 2.5) == (503, True)
    assert (await api.post("/api/orders/execute", ORDER)).status_code == 202


async def test_order_is_taken_when_redis_is_away(serve: Any, db: asyncpg.Connection) -> None:
    api = await serve(redis_url="redis://127.0.0.1:1/0")
    began = time.perf_counter()
    assert (await api.post("/api/orders/execute", ORDER)).status_code == 202
    assert time.perf_counter() - began < 1
    assert await db.fetchval("select lease_until is not null from orders")
    report = (await api.get("/health")).json()
    assert (report["ready"], report["checks"]["redis"]["ok"]) == (True, False)
    answer = await api.get("/api/quotes", inputToken="SOL", outputToken="USDC", inputAmount="1")
    assert (answer.status_code, answer.json()["code"]) == (503, "quotes_unavailable")


async def test_connections_are_made_anew_when_the_database_cut_them(api: Any, db: asyncpg.Connection) -> None:
    await api.place()
    await db.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'swaprail-api%'"
    )
    answers = [(await api.post("/api/orders", ORDER)).status_code for _ in range(3)]
    assert set(answers) <= {201, 503}
    assert answers[-1] == 201


async def test_503_when_too_many_orders_are_open(serve: Any, db: asyncpg.Connection) -> None:
    api = await serve(max_open_orders=1)
    for _ in range(2):
        assert (await api.post("/api/orders/execute", ORDER)).status_code == 202
    await api.api.backlog.count()
    waiting = await api.place()
    for path, body in (("/api/orders/execute", ORDER), (f"/api/orders/{waiting}/execute", None)):
        answer = await api.post(path, body)
        assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
        assert answer.headers["retry-after"] == "1"
    await db.execute("update orders set closed_at = now()")
    await api.api.backlog.count()
    assert (await api.post("/api/orders/execute", ORDER)).status_code == 202


async def test_not_ready_when_the_schema_is_missing(serve: Any, db: asyncpg.Connection) -> None:
    await db.execute("drop table alembic_version")
    api = await serve()
    ready = await api.get("/health/ready")
    assert (ready.status_code, ready.json()["checks"]["database"]["ok"]) == (503, False)


async def test_still_ready_and_503_when_the_database_goes_away_later(
    serve: Any, db: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All replicas share it: were none of them ready, a proxy would answer for them, and say 404 of orders that exist."""
    monkeypatch.setattr("swaprail.telemetry.health.CACHE_S", 0)
    api = await serve()
    assert (await api.get("/health/ready")).status_code == 200
    await db.execute("alter table alembic_version rename to elsewhere")
    ready = await api.get("/health/ready")
    assert (ready.status_code, ready.json()["checks"]["database"]["ok"]) == (200, False)


async def test_topics_tell_of_orders_after_they_are_stored(api: Any, redis_url: str) -> None:
    waiting = await api.place()
    queued = (await api.post("/api/orders/execute", ORDER)).json()["orderId"]
    await api.post(f"/api/orders/{waiting}/execute")
    await api.post(f"/api/orders/{queued}/cancel")
    await api.api.publisher.stop()
    client = redis.Redis.from_url(redis_url)
    accepted, events = await entries(client, Topic.ACCEPTED), await entries(client, Topic.EVENTS)
    await client.aclose()
    assert [accepted.index(order_id.encode()) for order_id in (queued, waiting)]
    assert accepted.count(b'"id"') == 2
    assert events.count(b'"PENDING"') == 2
    assert events.count(b'"CANCELLED"') == 1
    assert b'"account":"local","wallet":"alice"' in events


async def entries(client: Any, topic: Topic) -> bytes:
    return b"".join([entry[b"__data__"] for _, entry in await client.xrange(str(topic))])
