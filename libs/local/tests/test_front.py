import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import websockets

from swaprail_api.settings import ApiSettings
from swaprail_client import SwaprailClient
from swaprail_local.front import Front
from swaprail_notifier.settings import NotifierSettings

ORDER = {"userWallet": "alice", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}


@pytest.fixture
async def front(database: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Front]:
    monkeypatch.chdir(tmp_path)
    for name, value in {"DATABASE_URL": database, "REDIS_URL": redis_url, "PORT": "0"}.items():
        monkeypatch.setenv(name, value)
    front = Front(ApiSettings(), NotifierSettings())
    await front.start()
    yield front
    async with asyncio.timeout(15):
        await front.drain()
        await front.stop()


async def test_requests_and_subscriptions_are_served_when_they_come_to_one_port(front: Front) -> None:
    address = f"127.0.0.1:{front.port}"
    async with httpx.AsyncClient(base_url=f"http://{address}") as http:
        ready = await http.get("/health/ready")
        assert ready.status_code == 200
        assert ready.json()["checks"]["notifier"]["ok"]
        posted = await http.post("/api/orders/execute", json=ORDER)
        assert posted.status_code == 202
        order_id = posted.json()["orderId"]
    async with asyncio.timeout(10), websockets.connect(f"ws://{address}/ws/orders/{order_id}?after=0") as socket:
        first = json.loads(await socket.recv())
    assert (first["orderId"], first["seq"], first["status"]) == (order_id, 1, "PENDING")


async def test_answers_tell_the_time_by_which_clients_reckon(front: Front) -> None:
    async with SwaprailClient(f"http://127.0.0.1:{front.port}") as client:
        assert abs((await client.clock_offset()).total_seconds()) < 2
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{front.port}") as http:
        assert (await http.get("/health/live")).headers["date"].endswith(" GMT")


async def test_426_when_a_proxy_has_left_out_the_upgrade(front: Front) -> None:
    asked = {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{front.port}") as http:
        assert (await http.get("/ws/wallets/alice", headers=asked)).status_code == 426
        assert (await http.get("/ws/wallets/alice")).status_code == 404


async def test_subscribers_are_sent_away_when_the_front_drains(front: Front) -> None:
    async with websockets.connect(f"ws://127.0.0.1:{front.port}/ws/wallets/alice") as socket:
        await front.drain()
        with pytest.raises(websockets.ConnectionClosed) as caught:
            await asyncio.wait_for(socket.recv(), 10)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1012
