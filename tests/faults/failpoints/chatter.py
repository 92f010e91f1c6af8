"""What clients do beside placing orders, over and over while a point is waited for. Nothing is lost when it fails."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import quote
from uuid import uuid4

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from swaprail_notifier.revocation import LOOK_EVERY_S
from tests.system.engine import Engine

PAUSE_S = 0.05
COMPARED_WITHIN_S = 1.5
FRAME_S = 0.3
WAIT_S = 3
LOOKED_WITHIN_S = LOOK_EVERY_S + 0.5

type Talk = Callable[[Engine, httpx.AsyncClient, list[str]], Awaitable[None]]


async def chat(engine: Engine, client: httpx.AsyncClient, orders: list[str], kind: str) -> None:
    """Do it again and again, until cancelled; orders: ids that have been accepted so far."""
    while True:
        # Its service is dead, or answers with a problem.
        with suppress(httpx.HTTPError, OSError, WebSocketException, TimeoutError, KeyError):
            await CHATTER[kind](engine, client, orders)
        await asyncio.sleep(PAUSE_S)


async def _read(engine: Engine, client: httpx.AsyncClient, orders: list[str]) -> None:
    for order_id in orders[-3:]:
        await client.get(f"{engine.url}/api/orders/{order_id}")


async def _list(engine: Engine, client: httpx.AsyncClient, orders: list[str]) -> None:
    await client.get(f"{engine.url}/api/orders/user/{quote('w#1', safe='')}")


async def _events(engine: Engine, client: httpx.AsyncClient, orders: list[str]) -> None:
    for order_id in orders[-3:]:
        await client.get(f"{engine.url}/api/orders/{order_id}/events")


async def _quotes(engine: Engine, client: httpx.AsyncClient, orders: list[str]) -> None:
    query = {"inputToken": "SOL", "outputToken": "USDC", "inputAmount": "2"}
    await client.get(f"{engine.url}/api/quotes", params=query)


async def _ready(engine: Engine, client: httpx.AsyncClient, orders: list[str]) -> None:
    for name in ("api", "notifier"):
        await client.get(f"http://127.0.0.1:{engine.ops_ports[name]}/health/ready")


async def _new_key(engine: Engine, client: httpx.AsyncClient) -> dict[str, str]:
    body = {"name": "a client", "scopes": ["orders:read", "orders:write", "keys:manage"]}
    made: dict[str, str] = (await client.post(f"{engine.url}/api/keys", json=body)).json()
    return made


async def _keys(engine: Engine, client: httpx.AsyncClient, orders: list[str]) -> None:
    made = await _new_key(engine, client)
    bearer = {"Authorization": f"Bearer {made['key']}"}
    await client.get(f"{engine.url}/api/keys", headers=bearer)
    await client.post(f"{engine.url}/api/orders/{uuid4()}/execute", headers=bearer)  # of no order
    await client.delete(f"{engine.url}/api/keys/{made['id']}")


async def _wait(engine: Engine, client: httpx.AsyncClient, orders: list[str]) -> None:
    """Place an order that waits, and expires soon if nobody takes it back."""
    bearer = {"Authorization": f"Bearer {(await _new_key(engine, client))['key']}"}
    until = (datetime.now(UTC) + timedelta(seconds=WAIT_S)).isoformat()
    order = {"userWallet": "w#w", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1", "expiresAt": until}
    placed = (await client.post(f"{engine.url}/api/orders", json=order, headers=bearer)).json()
    await client.post(f"{engine.url}/api/orders/{placed['orderId']}/cancel", headers=bearer)


async def _watch(url: str, headers: dict[str, str], *, stay_s: float = 0) -> None:
    async with connect(url, open_timeout=3, compression=None, additional_headers=headers) as socket:
        await asyncio.wait_for(socket.recv(), FRAME_S)
        await asyncio.sleep(stay_s)


async def _wallet(engine: Engine, client: httpx.AsyncClient, orders: list[str]) -> None:
    await _watch(f"{engine.ws_url}/ws/wallets/{quote('w#1', safe='')}?after=1", {}, stay_s=COMPARED_WITHIN_S)


async def _key_socket(engine: Engine, client: httpx.AsyncClient, orders: list[str]) -> None:
    made = await _new_key(engine, client)
    await _watch(f"{engine.ws_url}/ws/wallets/k", {"Authorization": f"Bearer {made['key']}"})


async def _long_key_socket(engine: Engine, client: httpx.AsyncClient, orders: list[str]) -> None:
    made = await _new_key(engine, client)
    headers = {"Authorization": f"Bearer {made['key']}"}
    async with connect(f"{engine.ws_url}/ws/wallets/k", open_timeout=3, compression=None, additional_headers=headers):
        await asyncio.sleep(LOOKED_WITHIN_S)


async def _ticket(engine: Engine, client: httpx.AsyncClient, orders: list[str]) -> None:
    made = (await client.post(f"{engine.url}/api/ws-tickets")).json()
    await _watch(f"{engine.ws_url}/ws/wallets/t?ticket={quote(made['ticket'])}", {})


CHATTER: dict[str, Talk] = {
    "ready": _ready,
    "read": _read,
    "list": _list,
    "events": _events,
    "quotes": _quotes,
    "keys": _keys,
    "wait": _wait,
    "wallet": _wallet,
    "key_socket": _key_socket,
    "long_key_socket": _long_key_socket,
    "ticket": _ticket,
}
