"""Orders under which the servers suffer: traders, and somebody who reads."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from random import Random

import httpx

from swaprail.testing.conditions import until
from tests.faults.soak.traders import Traders
from tests.faults.standby.history import Client
from tests.faults.standby.world import World
from tests.invariants import check_invariants

ENDED_WITHIN_S = 60.0
READ_EVERY_S = 0.02


class Load:
    """Traders at work, and what they were told."""

    def __init__(self, world: World, http: httpx.AsyncClient, seed: int) -> None:
        self.traders = Traders(world, http, seed)
        self._world = world
        self._client = Client(world, http)
        self._random = Random(f"{seed} reads")
        self.reads = 0

    async def flows(self, orders: int) -> None:
        """Return when so many more orders were accepted."""
        wanted = len(self.traders.accepted) + orders
        await until(lambda: len(self.traders.accepted) >= wanted, within_s=60, what="orders are accepted", every_s=0.05)

    def hear(self) -> None:
        """Add to what was told what the traders were told."""
        told = self._world.told
        told.stored |= set(self.traders.accepted)
        for subscriber in self.traders.subscribers:
            for message in subscriber.messages:
                told.status(subscriber.order_id, message["seq"], message["status"])

    async def read(self) -> None:
        """Read and cancel orders of others, again and again."""
        while True:
            await asyncio.sleep(READ_EVERY_S)
            if not self.traders.accepted:
                continue
            with contextlib.suppress(httpx.HTTPError, ValueError):
                await self._client.get(self._random.choice(self.traders.accepted[-200:]))
                self.reads += 1

    async def judge(self) -> list[str]:
        """Return what is broken once every order has ended."""
        broken = list(self.traders.broken)
        try:
            await check_invariants(
                self._world.dsn, self.traders.accepted, self.traders.subscribers, receipts=self.traders.receipts
            )
        except AssertionError as error:
            broken.append(str(error))
        self.hear()
        return broken + await self._world.differences()


@contextlib.asynccontextmanager
async def trading(world: World, seed: int, at_once: int) -> AsyncIterator[Load]:
    """Trade while the block runs, and until every order has ended."""
    limits = httpx.Limits(max_connections=4 * at_once)
    async with httpx.AsyncClient(base_url=world.url, timeout=10, limits=limits) as http:
        load = Load(world, http, seed)
        reading = asyncio.create_task(load.read())
        work = asyncio.create_task(load.traders.trade(at_once))
        try:
            yield load
            load.traders.stopping = True
            await asyncio.wait_for(work, ENDED_WITHIN_S)
        finally:
            for task in (reading, work):
                task.cancel()
            await asyncio.gather(reading, work, return_exceptions=True)
