"""Many clients at once, each as careful as a client should be."""

import asyncio
from uuid import uuid4

import asyncpg
import httpx
import msgspec

from swaprail.testing.conditions import until
from tests.invariants import Receipt
from tests.system.careful import Careful
from tests.system.engine import Engine
from tests.system.subscribers import Subscriber


class Crowd:
    """Posts orders with retries under one idempotency key each, and follows every order that was accepted."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.accepted: list[str] = []
        self.subscribers: list[Subscriber] = []
        self.receipts: list[Receipt] = []
        self._followers: list[asyncio.Task[None]] = []
        self._slots = asyncio.Semaphore(32)

    async def post_all(self, count: int) -> None:
        async with httpx.AsyncClient(timeout=10) as http:
            client = Careful(http, lambda: self.engine.url)
            client.receipts = self.receipts
            await asyncio.gather(*(self._post(client, n) for n in range(count)))

    async def _post(self, client: Careful, n: int) -> None:
        body = {"userWallet": f"w{n % 7}", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": f"{n + 1}.5"}
        async with self._slots:
            answer = await client.post("/api/orders/execute", msgspec.json.encode(body), key=str(uuid4()))
        assert answer.status_code == 202, answer.text
        order_id = answer.json()["orderId"]
        self.accepted.append(order_id)
        subscriber = Subscriber(lambda: self.engine.ws_url, order_id)
        self.subscribers.append(subscriber)
        self._followers.append(asyncio.create_task(subscriber.follow()))

    async def all_ended(self, within_s: float) -> None:
        await asyncio.wait_for(asyncio.gather(*self._followers), within_s)


async def orders_are_submitted(dsn: str, count: int) -> None:
    """Return when more than so many orders wait for the chain."""
    connection = await asyncpg.connect(dsn)

    async def submitted() -> bool:
        found: int = await connection.fetchval("select count(*) from orders where status = 'SUBMITTED'")
        return found > count

    await until(submitted, within_s=20, what="orders are on their way")
    await connection.close()
