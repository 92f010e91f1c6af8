"""Careful clients: they repeat with their key until an order is accepted, and follow it until it ends."""

import asyncio
import itertools
import time
from uuid import uuid4

import httpx
import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from tests.faults.network.world import World, client
from tests.invariants import Receipt
from tests.system.subscribers import Subscriber

CLIENT_TIMEOUT_S = 3.0
PAUSE_S = 0.2


class Follower(Subscriber):
    """A subscriber that finds out within seconds that nobody is at the other end."""

    async def follow(self) -> None:
        while not self.ended:
            after = self.seqs[-1] if self.messages else 0
            try:
                async with connect(
                    f"{self._url()}/ws/orders/{self.order_id}?after={after}",
                    open_timeout=CLIENT_TIMEOUT_S,
                    close_timeout=0.2,
                    ping_interval=1,
                    ping_timeout=CLIENT_TIMEOUT_S,
                    compression=None,
                    additional_headers=self._headers,
                ) as socket:
                    self.connections += 1
                    await self._read(socket)
            except (OSError, WebSocketException, TimeoutError):
                await asyncio.sleep(PAUSE_S)


class Flow:
    """Orders at a steady rate, in spite of everything."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._numbers = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self.accepted: list[str] = []
        self.subscribers: list[Subscriber] = []
        self.receipts: list[Receipt] = []

    async def run(self, rate: float, seconds: float) -> None:
        """Begin so many orders a second, for so long."""
        async with client(self._world, direct=False, timeout_s=CLIENT_TIMEOUT_S) as http:
            end = time.monotonic() + seconds
            posting: list[asyncio.Task[None]] = []
            while time.monotonic() < end:
                posting.append(asyncio.create_task(self._post(http, next(self._numbers))))
                await asyncio.sleep(1 / rate)
            await asyncio.gather(*posting)

    def follow(self, order_id: str) -> None:
        """Count the order as accepted, and watch it."""
        self.accepted.append(order_id)
        subscriber = Follower(lambda: self._world.ws_url, order_id, self._world.key.text)
        self.subscribers.append(subscriber)
        self._tasks.add(asyncio.create_task(subscriber.follow()))

    async def ended(self, within_s: float) -> None:
        """Return when the follower of every accepted order has seen its end."""
        _, late = await asyncio.wait(self._tasks, timeout=within_s) if self._tasks else (set(), set())
        for task in late:
            task.cancel()
        open_orders = [s.order_id for s in self.subscribers if not s.ended]
        assert not open_orders, f"{len(open_orders)} followers saw no end within {within_s} s: {open_orders[:5]}"

    async def _post(self, http: httpx.AsyncClient, n: int) -> None:
        body = msgspec.json.encode(
            {"userWallet": f"w{n % 7}", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": f"{n}.5"}
        )
        key = str(uuid4())
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        while True:
            try:
                answer = await http.post("/api/orders/execute", content=body, headers=headers)
            except httpx.HTTPError:
                await asyncio.sleep(PAUSE_S)
                continue
            self.receipts.append(Receipt(key, body, answer.status_code, answer.content))
            if answer.status_code == 202:
                return self.follow(answer.json()["orderId"])
            assert answer.status_code in (409, 429, 503), answer.text
            await asyncio.sleep(PAUSE_S)
