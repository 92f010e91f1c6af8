"""One host's clock is minutes off: nothing changes but a metric that says so."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from swaprail.testing.conditions import until
from tests.installations.conftest import FAST
from tests.installations.debian import library
from tests.installations.orders import BODY, confirmed_within
from tests.invariants import check_invariants
from tests.invariants.writers import watch_writers
from tests.system.engine import FORKS, SERVICES, Engine

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]
ORDERS = 5
OFF = [("api", -300), ("api", 300), ("router", 300), ("router", -300), ("executor", -300), ("executor", 300)]
OFF += [("notifier", 300), ("notifier", -300)]


@pytest.fixture(params=OFF, ids=lambda off: f"{off[0]}{off[1]:+d}")
async def off(request: pytest.FixtureRequest) -> tuple[str, int]:
    """Which service's host is off, and by how many seconds."""
    service, seconds = request.param
    return str(service), int(seconds)


@pytest.fixture
async def running(database: str, redis_url: str, tmp_path: Path, off: tuple[str, int]) -> AsyncIterator[Engine]:
    """An engine of which one process has another time than the others."""
    service, seconds = off
    await watch_writers(database)
    engine = Engine(database, redis_url, tmp_path, **FAST)
    engine.extra[service] = {
        "LD_PRELOAD": str(library("libfaketime.so.1", "libfaketime")),
        "FAKETIME": f"{seconds:+d}s",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_RESET": "1",
    }
    try:
        for name in SERVICES:
            engine.fork = FORKS and name != service
            await engine.start([name])
        yield engine
    finally:
        await asyncio.to_thread(engine.close)


async def _confirmed(socket: ClientConnection, wanted: set[str]) -> None:
    seen: set[str] = set()
    while seen < wanted:
        message = json.loads(await socket.recv())
        if message.get("status") == "CONFIRMED":
            seen.add(message["orderId"])


async def test_orders_and_sockets_go_on_when_one_hosts_clock_is_off(
    running: Engine, database: str, off: tuple[str, int]
) -> None:
    in_a_minute = (datetime.now(UTC) + timedelta(seconds=60)).isoformat()
    async with (
        httpx.AsyncClient(base_url=running.url, timeout=10) as client,
        connect(f"{running.ws_url}/ws/wallets/alice", open_timeout=5) as socket,
    ):
        answers = [
            await client.post("/api/orders/execute", json=BODY | {"expiresAt": in_a_minute}) for _ in range(ORDERS)
        ]
        assert {answer.status_code for answer in answers} == {202}, answers[0].text
        ids = {str(answer.json()["orderId"]) for answer in answers}
        await asyncio.gather(*(confirmed_within(client, order_id, 10) for order_id in ids))
        await asyncio.wait_for(_confirmed(socket, ids), 10)
        soon = (datetime.now(UTC) + timedelta(seconds=3)).isoformat()
        waiting = await client.post("/api/orders", json=BODY | {"expiresAt": soon})
        assert waiting.status_code == 201, waiting.text
        past = await client.post("/api/orders", json=BODY | {"expiresAt": "2020-01-01T00:00:00Z"})
        quotes = {"inputToken": "SOL", "outputToken": "USDC", "inputAmount": "2"}
        assert (await client.get("/api/quotes", params=quotes)).status_code == 200
        assert past.json()["code"] == "expiry_in_past"
        await _expires(client, str(waiting.json()["orderId"]), datetime.fromisoformat(soon))
    service, seconds = off
    skew = re.search(r"^swaprail_clock_skew_seconds (\S+)$", await _metrics(running, service), re.MULTILINE)
    assert skew is not None
    assert abs(float(skew[1]) - seconds) < 5
    await check_invariants(database, ids)


async def _expires(client: httpx.AsyncClient, order_id: str, at: datetime) -> None:
    async def expired() -> bool:
        status = (await client.get(f"/api/orders/{order_id}")).json()["status"]
        assert status == "PENDING" or datetime.now(UTC) >= at, f"it is {status} before its time"
        return bool(status == "EXPIRED")

    await until(expired, within_s=10, what="the order expires", every_s=0.1)


async def _metrics(engine: Engine, service: str) -> str:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"http://127.0.0.1:{engine.ops_ports[service]}/metrics")).text
