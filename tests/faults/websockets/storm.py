"""The storm: clients that are cut while their notifiers are killed, over orders of the whole engine."""

import asyncio
import random
import time
from collections import Counter
from typing import NamedTuple

from swaprail.testing.conditions import until
from tests.faults.websockets.client import Client
from tests.faults.websockets.engine import ReplicatedEngine
from tests.faults.websockets.follows import Follow, OrderFollow, Told, WalletFollow
from tests.faults.websockets.orders import Orders

KILL_EVERY_S = 5.0
ALONE_SHARE = 0.3  # of the time, at the end: one notifier instead of two
END_S = 60.0
ORDER_S = 8.0  # what an order takes: long enough to be cut in the middle


class Plan(NamedTuple):
    """Sizes of a storm."""

    orders: int
    rate: float
    clients: int = 400
    wallet_clients: int = 100
    wallets: int = 20

    @property
    def seconds(self) -> float:
        return self.orders / self.rate


class Storm:
    """Runs once; `told` and `counts` are what came of it."""

    def __init__(self, engine: ReplicatedEngine, plan: Plan, seed: int) -> None:
        self._engine = engine
        self._plan = plan
        self._rng = random.Random(seed)
        self._ports = engine.notifier_ports
        self.orders = Orders(random.Random(seed + 1), plan.wallets, recent=round(plan.rate * ORDER_S))
        self.follows: list[Follow] = []
        self.clients = [Client(self._ports, random.Random(seed * 1000 + n)) for n in range(plan.clients)]
        self.wallet_clients = [
            Client(self._ports, random.Random(~(seed * 1000 + n))) for n in range(plan.wallet_clients)
        ]
        self.kills = 0

    @property
    def told(self) -> list[Told]:
        return [told for follow in self.follows for told in follow.told()]

    @property
    def counts(self) -> Counter[str]:
        return sum((client.counts for client in (*self.clients, *self.wallet_clients)), Counter[str]())

    @property
    def broken(self) -> list[str]:
        return [line for follow in self.follows if isinstance(follow, WalletFollow) for line in follow.broken]

    @property
    def repeats(self) -> int:
        return sum(follow.repeats for follow in self.follows if isinstance(follow, WalletFollow))

    async def run(self) -> None:
        """Return when every client has seen all it followed; AssertionError when that takes too long."""
        since_ms = int(time.time() * 1000)
        wallets = [WalletFollow(self.orders.wallet(n), since_ms) for n in range(self._plan.wallet_clients)]
        self.follows += wallets
        async with asyncio.TaskGroup() as group:
            living = [group.create_task(self._follow_orders(client)) for client in self.clients]
            living += [
                group.create_task(client.follow(follow))
                for client, follow in zip(self.wallet_clients, wallets, strict=True)
            ]
            killing = group.create_task(self._kill_notifiers())
            await self.orders.place(self._engine.url, self._plan.orders, self._plan.rate)
            killing.cancel()
            for follow in wallets:
                follow.wanted = self.orders.by_wallet[follow.wallet]
            await self._until_ended(living)

    async def _until_ended(self, living: list[asyncio.Task[None]]) -> None:
        try:
            await until(lambda: all(task.done() for task in living), within_s=END_S, every_s=0.1, what="all was seen")
        except AssertionError as error:
            raise AssertionError(f"{error}; waiting: {self._waiting()[:10]}") from error

    def _waiting(self) -> list[str]:
        return [f"{follow.path} {len(follow.told())}" for follow in self.follows if not follow.ended]

    async def _follow_orders(self, client: Client) -> None:
        while (order_id := await self.orders.next()) is not None:
            follow = OrderFollow(order_id)
            self.follows.append(follow)
            await client.follow(follow)

    async def _kill_notifiers(self) -> None:
        began = time.monotonic()
        while True:
            await asyncio.sleep(KILL_EVERY_S)
            if time.monotonic() - began > (1 - ALONE_SHARE) * self._plan.seconds:
                self._engine.leave_one()
            self._engine.kill_and_spawn(self._rng.choice(self._engine.notifiers))
            self.kills += 1
