"""Who trades while everything breaks: as many at once as are in flight, each with one order after the other."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import httpx
import msgspec

from tests.invariants import Receipt, compact
from tests.system.careful import Careful
from tests.system.engine import Engine
from tests.system.subscribers import Subscriber

APIS, NOTIFIERS = ("api", "api-2"), ("notifier", "notifier-2")
PAIRS = (("SOL", "USDC"), ("USDC", "SOL"), ("RAY", "USDT"), ("JUP", "SOL"), ("WIF", "USDC"))
WALLETS = 50
MINIMUMS = (*("0.000001", "1") * 3, "100000000")  # met by any price, by most, by none
EXPIRES_IN_S = (1.0, 12.0)
# Shares of the orders.
PLACED_FIRST, CANCELLED, REPEATED, OTHER_BODY, WITH_MINIMUM, EXPIRING = 0.15, 0.1, 0.1, 0.05, 0.2, 0.2


class Traders:
    """Posts orders until told to stop, follows each to its end, and keeps all that was answered and seen."""

    def __init__(self, engine: Engine, http: httpx.AsyncClient, seed: int) -> None:
        self._seed = seed
        self._paths = Random(f"{seed} paths")
        self._client = Careful(http, lambda: engine.url_of(self._paths.choice(APIS)))
        self._ws_url: Callable[[], str] = lambda: engine.ws_url_of(self._paths.choice(NOTIFIERS))
        self.posted = 0
        self.in_flight = 0
        self.accepted: list[str] = []
        self.subscribers: list[Subscriber] = []
        self.broken: list[str] = []
        self.kinds = {"placed first": 0, "cancelled": 0, "cancel refused": 0, "repeated": 0, "other body": 0}
        self.stopping = False

    @property
    def receipts(self) -> list[Receipt]:
        return self._client.receipts

    @property
    def answers(self) -> dict[str, int]:
        return dict(sorted(self._client.answers.items()))

    @property
    def connections(self) -> int:
        return sum(subscriber.connections for subscriber in self.subscribers)

    async def trade(self, at_once: int) -> None:
        """Return when told to stop and every order has ended."""
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(self._trade())

    async def _trade(self) -> None:
        while not self.stopping:
            self.posted += 1
            self.in_flight += 1
            await self._one(self.posted)
            self.in_flight -= 1

    async def _one(self, number: int) -> None:
        random = Random(f"{self._seed} order {number}")
        key, body = f"{self._seed}-{number}", _order(random, number)
        order_id = await self._begin(random, key, body)
        if order_id is None:
            return
        subscriber = Subscriber(self._ws_url, order_id)
        self.subscribers.append(subscriber)
        following = asyncio.create_task(subscriber.follow())
        cancelled = await self._cancel(random, order_id) if random.random() < CANCELLED else False
        if random.random() < OTHER_BODY:
            await self._other_body(key, body)
        await following
        self._check_end(subscriber, cancelled=cancelled)
        subscriber.messages = [compact(message) for message in subscriber.messages]

    async def _begin(self, random: Random, key: str, body: bytes) -> str | None:
        """Return the id of an order that is queued."""
        place_first, repeat = random.random() < PLACED_FIRST, random.random() < REPEATED
        path, status = ("/api/orders", 201) if place_first else ("/api/orders/execute", 202)
        times = 2 if repeat else 1
        # Repetitions race with the first: which of them is first is nobody's business.
        answers = await asyncio.gather(*(self._client.post(path, body, key=key) for _ in range(times)))
        self.kinds["repeated"] += repeat
        if all(_came_too_late(body, answer) for answer in answers):
            return None
        order_id = self._order_of(answers[0], status)
        if len({(answer.status_code, answer.content) for answer in answers}) > 1:
            self.broken.append(f"I8 order {order_id}: a repetition was answered otherwise: {[a.text for a in answers]}")
        if order_id is None:
            return None
        self.accepted.append(order_id)
        if not place_first:
            return order_id
        self.kinds["placed first"] += 1
        started = await self._client.post(f"/api/orders/{order_id}/execute", key=f"{key}-start")
        return None if _came_too_late(body, started) else self._order_of(started, 202)

    def _order_of(self, answer: httpx.Response, status: int) -> str | None:
        if answer.status_code == status:
            return str(answer.json()["orderId"])
        self._unexpected(answer, status)
        return None

    async def _cancel(self, random: Random, order_id: str) -> bool:
        """Return whether the engine has said that the order is cancelled."""
        await asyncio.sleep(random.uniform(0, 0.4))
        answer = await self._client.post(f"/api/orders/{order_id}/cancel")
        if answer.status_code not in (202, 409):
            self._unexpected(answer, 202)
        cancelled = answer.status_code == 202
        self.kinds["cancelled" if cancelled else "cancel refused"] += 1
        return cancelled

    async def _other_body(self, key: str, body: bytes) -> None:
        other = msgspec.json.decode(body) | {"inputAmount": "77.25"}
        answer = await self._client.post("/api/orders/execute", msgspec.json.encode(other), key=key)
        self.kinds["other body"] += 1
        if answer.status_code != 422:
            self._unexpected(answer, 422)

    def _unexpected(self, answer: httpx.Response, status: int) -> None:
        path = answer.request.url.path
        self.broken.append(f"{path} was answered {answer.status_code}, not {status}: {answer.text[:300]}")

    def _check_end(self, subscriber: Subscriber, *, cancelled: bool) -> None:
        status = subscriber.messages[-1]["status"]
        if cancelled and status != "CANCELLED":
            self.broken.append(f"I6 {subscriber.order_id} was told to be cancelled and is {status}")


def _came_too_late(body: bytes, answer: httpx.Response) -> bool:
    """Tell whether the order's time was over before it could be taken or started."""
    return b"expiresAt" in body and answer.status_code in (400, 409)


def _order(random: Random, number: int) -> bytes:
    given, wanted = random.choice(PAIRS)
    order: dict[str, Any] = {
        "userWallet": f"wallet-{number % WALLETS}",
        "inputToken": given,
        "outputToken": wanted,
        "inputAmount": f"{random.randint(1, 40)}.{random.randint(0, 99):02}",
    }
    if random.random() < WITH_MINIMUM:
        order["minOutputAmount"] = random.choice(MINIMUMS)
    if random.random() < EXPIRING:
        order["expiresAt"] = (datetime.now(UTC) + timedelta(seconds=random.uniform(*EXPIRES_IN_S))).isoformat()
    return msgspec.json.encode(order)
