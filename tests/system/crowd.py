"""Many clients at once, each as careful as a client should be."""

import asyncio
from uuid import uuid4

import asyncpg
import httpx

from swaprail.testing.conditions import until
from tests.system.engine import Engine
from tests.system.subscribers import Subscriber


class Crowd:
    """Posts orders with retries under one idempotency key each, and follows every order that was accepted."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.accepted: list[str] = []
        self.subscribers: list[Subscriber] = []
        self._followers: list[asyncio.Task[None]] = []
        self._slots = asyncio.Semaphore(32)

    async def post_all(self, count: int) -> None:
        async with httpx.AsyncClient(timeout=10) as client:
            await asyncio.gather(*(self._post(client, n) for n in range(count)))

    async def _post(self, client: httpx.AsyncClient, n: int) -> None:
        key = str(uuid4())
        body = {"userWallet": f"w{n % 7}", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": f"{n + 1}.5"}
        async with self._slots:
            while True:
                try:
                    answer = await client.post(
                        f"{self.engine.url}/api/orders/execute", json=body, headers={"Idempotency-Key": key}
                    )
                except httpx.HTTPError:
                    await asyncio.sleep(0.1)
                    continue
                if answer.status_code == 202:
                    break
                assert answer.status_code in (409, 429, 503), answer.text
                await asyncio.sleep(0.1)
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
