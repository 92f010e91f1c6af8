"""Orders at a steady rate, each followed over a WebSocket until it has ended, and their wallets over others."""

import asyncio
from types import TracebackType
from typing import Self
from uuid import uuid4

import httpx

from tests.e2e.cluster.names import URL, WS_URL
from tests.e2e.conditions import until
from tests.e2e.wallet_follower import WalletFollower
from tests.system.subscribers import Subscriber

ENDED_WITHIN_S = 60
WALLETS = 8


class Traffic:
    """A context: orders flow until it is left, and it is left when each accepted one has ended.

    Strict, it makes each request once and keeps every failure. Patient, it repeats a request under its idempotency key
    until it is accepted, as clients do where failures are to be expected.
    """

    def __init__(self, api_key: str, *, rate: float = 10, patient: bool = False) -> None:
        self._api_key = api_key
        self._rate = rate
        self._patient = patient
        self._tasks: set[asyncio.Task[None]] = set()
        self._generator: asyncio.Task[None] | None = None
        run = uuid4().hex[:8]
        self.wallets = {f"w{n}-{run}": WalletFollower(api_key, f"w{n}-{run}") for n in range(WALLETS)}
        self._wallet_names = list(self.wallets)
        self._of_wallet: dict[str, list[Subscriber]] = {wallet: [] for wallet in self.wallets}
        self.accepted: list[str] = []
        self.failures: list[str] = []
        self.subscribers: list[Subscriber] = []

    async def __aenter__(self) -> Self:
        self._client = httpx.AsyncClient(base_url=URL, timeout=10, headers={"Authorization": f"Bearer {self._api_key}"})
        self._followers = [asyncio.create_task(follower.follow()) for follower in self.wallets.values()]
        await asyncio.wait_for(asyncio.gather(*(f.connected.wait() for f in self.wallets.values())), 30)
        self._generator = asyncio.create_task(self._generate())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._generator is not None
        self._generator.cancel()
        await asyncio.gather(self._generator, return_exceptions=True)
        tasks = list(self._tasks)
        try:
            if error is None:
                await asyncio.wait_for(asyncio.gather(*tasks), ENDED_WITHIN_S)
                await until(lambda: not self.gaps, within_s=10, what="wallets were told the last steps")
        finally:
            for task in (*tasks, *self._followers):
                task.cancel()
            await self._client.aclose()

    @property
    def reconnections(self) -> int:
        """How many WebSockets were opened anew after they had been cut."""
        cut = [follower.connections - 1 for follower in self.wallets.values()]
        return sum(cut) + sum(subscriber.connections - 1 for subscriber in self.subscribers)

    @property
    def gaps(self) -> list[str]:
        """What the wallets' WebSockets were not told, or were told twice in a connection."""
        found = []
        for wallet, follower in self.wallets.items():
            steps = {subscriber.order_id: subscriber.seqs for subscriber in self._of_wallet[wallet]}
            found += follower.missing(steps) + follower.broken
        return found

    async def _generate(self) -> None:
        loop = asyncio.get_running_loop()
        due, n = loop.time(), 0
        while True:
            task = asyncio.create_task(self._order(n))
            self._tasks.add(task)
            due, n = due + 1 / self._rate, n + 1
            await asyncio.sleep(due - loop.time())

    async def _order(self, n: int) -> None:
        key, wallet = str(uuid4()), self._wallet_names[n % WALLETS]
        while (order_id := await self._post(n, key, wallet)) is None:
            if not self._patient:
                return
            await asyncio.sleep(0.2)
        subscriber = Subscriber(lambda: WS_URL, order_id, self._api_key)
        self.subscribers.append(subscriber)
        self._of_wallet[wallet].append(subscriber)
        await subscriber.follow()

    async def _post(self, n: int, key: str, wallet: str) -> str | None:
        body = {"userWallet": wallet, "inputToken": "SOL", "outputToken": "USDC", "inputAmount": f"{n % 9 + 1}.5"}
        try:
            answer = await self._client.post("/api/orders/execute", json=body, headers={"Idempotency-Key": key})
        except httpx.HTTPError as error:
            self.failures.append(f"order {n}: {error!r}")
            return None
        if answer.status_code != 202:
            self.failures.append(f"order {n}: {answer.status_code} {answer.text[:300]}")
            return None
        order_id: str = answer.json()["orderId"]
        self.accepted.append(order_id)
        return order_id
