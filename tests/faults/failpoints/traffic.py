"""Careful clients with every kind of order: they repeat with their keys until they are answered, and follow to the end."""

import asyncio
import itertools
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import msgspec

from tests.faults.failpoints import provoke
from tests.invariants import Receipt
from tests.system.engine import Engine
from tests.system.subscribers import Subscriber

ORDERS = 20
SPECIAL = 6  # of them as the point needs
PAUSE_S = 0.05
AGAIN = (409, 429, 503)
_numbers = itertools.count(1)

type Kind = Callable[["Traffic"], Coroutine[object, object, None]]


class Traffic:
    """The orders of one trial."""

    def __init__(self, engine: Engine, client: httpx.AsyncClient) -> None:
        self.engine = engine
        self.accepted: list[str] = []
        self.subscribers: list[Subscriber] = []
        self.receipts: list[Receipt] = []
        self._client = client
        self._followers: list[asyncio.Task[None]] = []
        self._posting: list[asyncio.Task[None]] = []

    def begin(self, kinds: tuple[str, ...]) -> None:
        """Begin to place the orders: some of each kind, the rest plain."""
        special = [kind for kind in kinds for _ in range(SPECIAL // len(kinds))]
        for kind in [*special, *["plain"] * (ORDERS - len(special))]:
            self._posting.append(asyncio.create_task(KINDS[kind](self)))

    def more(self, kinds: tuple[str, ...]) -> None:
        """Place one more order of each kind, or a plain one."""
        for kind in kinds or ("plain",):
            self._posting.append(asyncio.create_task(KINDS[kind](self)))

    async def ended(self, until: float) -> None:
        """Return when every order has ended before its follower's eyes; AssertionError names those that have not."""
        _, late = await asyncio.wait(self._posting, timeout=until - time.monotonic())
        assert not late, f"{len(late)} clients were never answered"
        for task in self._posting:
            task.result()
        if self._followers:
            _, late = await asyncio.wait(self._followers, timeout=max(0, until - time.monotonic()))
        unended = [s.order_id for s in self.subscribers if not s.ended]
        assert not late, f"{len(unended)} followers saw no end: {unended[:5]}"

    async def stop(self) -> None:
        tasks = [*self._posting, *self._followers]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def follow(self, order_id: str) -> None:
        self.accepted.append(order_id)
        subscriber = Subscriber(lambda: self.engine.ws_url, order_id)
        self.subscribers.append(subscriber)
        self._followers.append(asyncio.create_task(subscriber.follow()))

    async def post(self, path: str, body: Any = None, *, key: str = "", enough: tuple[int, ...] = ()) -> httpx.Response:
        """Repeat until it is answered well, or with one of the statuses in enough."""
        content = b"" if body is None else msgspec.json.encode(body)
        headers = {"Content-Type": "application/json"} if content else {}
        key = key or str(uuid4())
        while True:
            try:
                answer = await self._client.post(
                    self.engine.url + path, content=content, headers={**headers, "Idempotency-Key": key}
                )
            except httpx.HTTPError:
                await asyncio.sleep(PAUSE_S)
                continue
            if answer.status_code in (201, 202, 207, *enough):
                # A batch's keys are its orders', and are looked at there.
                if answer.status_code in (201, 202) and not path.endswith("/cancel"):
                    self.receipts.append(Receipt(key, path.encode() + content, answer.status_code, answer.content))
                return answer
            assert answer.status_code in AGAIN, f"{path} was answered {answer.status_code} {answer.text}"
            await asyncio.sleep(PAUSE_S)

    async def place(self, path: str, wallet: str = "w", seconds: float | None = None, least: str = "0") -> str:
        """Place an order, follow it, and return its id; seconds: until it expires, from the first time it is asked for."""
        return await self.place_keyed(path, str(uuid4()), new_order(wallet, seconds, least))

    async def place_keyed(self, path: str, key: str, body: dict[str, object]) -> str:
        answer = await self.post(path, body, key=key, enough=(400,) if "expiresAt" in body else ())
        if answer.status_code == 400:
            return ""  # its time passed before the API was there again: it was never accepted
        order_id: str = answer.json()["orderId"]
        if order_id not in self.accepted:
            self.follow(order_id)
        return order_id


def new_order(wallet: str = "w", seconds: float | None = None, least: str = "0") -> dict[str, object]:
    n = next(_numbers)
    body: dict[str, object] = {"inputToken": "SOL", "outputToken": "USDC", "inputAmount": f"{n % 50 + 1}.5"}
    if least != "0":
        body["minOutputAmount"] = least
    if seconds is not None:
        body["expiresAt"] = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
    return {"userWallet": f"{wallet}#{n % 7}", **body}


EXECUTE, PLACE = "/api/orders/execute", "/api/orders"
UNROUTABLE = "999999999"


async def _waiting(traffic: Traffic) -> None:
    order_id = await traffic.place(PLACE)
    await traffic.post(f"/api/orders/{order_id}/execute")


async def _started_twice(traffic: Traffic) -> None:
    order_id = await traffic.place(PLACE)
    await traffic.post(f"/api/orders/{order_id}/execute")
    await traffic.post(f"/api/orders/{order_id}/execute", enough=(409,))


async def _cancelled(traffic: Traffic) -> None:
    order_id = await traffic.place(PLACE)
    await traffic.post(f"/api/orders/{order_id}/cancel", enough=(409,))


async def _cancelled_twice(traffic: Traffic) -> None:
    order_id = await traffic.place(EXECUTE, provoke.SLOW_ROUTE)
    await traffic.post(f"/api/orders/{order_id}/cancel", enough=(409,))
    await traffic.post(f"/api/orders/{order_id}/cancel", enough=(409,))


async def _replay(traffic: Traffic) -> None:
    key, body = str(uuid4()), new_order()
    await traffic.place_keyed(EXECUTE, key, body)
    await traffic.place_keyed(EXECUTE, key, body)


async def _batch(traffic: Traffic) -> None:
    body = {"orders": [new_order() for _ in range(3)], "execute": True}
    answer = await traffic.post("/api/orders/batch", body)
    for result in answer.json()["results"]:
        assert result["status"] == 202, result
        traffic.follow(result["order"]["orderId"])


def _placed(path: str, wallet: str = "w", seconds: float | None = None, least: str = "0") -> Kind:
    async def place(traffic: Traffic) -> None:
        await traffic.place(path, wallet, seconds, least)

    return place


KINDS: dict[str, Kind] = {
    "plain": _placed(EXECUTE),
    "waiting": _waiting,
    "started_twice": _started_twice,
    "cancelled": _cancelled,
    "cancelled_twice": _cancelled_twice,
    "replay": _replay,
    "batch": _batch,
    "expiring": _placed(PLACE, seconds=0.8),
    "unroutable": _placed(EXECUTE, least=UNROUTABLE),
    "unroutable_expiring": _placed(EXECUTE, seconds=0.8, least=UNROUTABLE),
    "slow_route": _placed(EXECUTE, provoke.SLOW_ROUTE),
    "stuck_route": _placed(EXECUTE, provoke.STUCK_ROUTE),
    "slow_build": _placed(EXECUTE, provoke.SLOW_BUILD),
    "slow_build_expiring": _placed(EXECUTE, provoke.SLOW_BUILD, seconds=1.5),
    "drop": _placed(EXECUTE, provoke.DROP),
    "drop_expiring": _placed(EXECUTE, provoke.DROP, seconds=2.0),
    "never": _placed(EXECUTE, provoke.NEVER),
    "forged": _placed(EXECUTE, provoke.FORGED),
}
