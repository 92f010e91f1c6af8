"""The engine over a pair of servers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from swaprail_local.servers.valkey import EmbeddedValkey
from tests.faults.standby.chain import read_ledger, write_ledger
from tests.faults.standby.node import DATABASE
from tests.faults.standby.pair import Pair
from tests.faults.standby.told import Told
from tests.invariants.writers import watch_writers
from tests.system.engine import SERVICES, Engine, service_of

LEASE_S = 2.5
SETTINGS = {
    "mock_dex_quote_delay_ms": 50,
    "mock_dex_execution_delay_ms": 400,
    # As in the soak: some orders need a second attempt, some can never be routed, and all end soon.
    "mock_dex_drop_rate": 0.1,
    "paper_blockhash_blocks": 10,
    "order_deadline_s": 15,
    "lease_s": LEASE_S,
    "db_timeout_s": 1,
    "request_timeout_s": 0.8,
    "drain_timeout_s": 3,
}


class World(Engine):
    """One process of each service, whatever a client calls it."""

    def __init__(self, pair: Pair, valkey: EmbeddedValkey, home: Path) -> None:
        super().__init__(pair.dsn, valkey.url, home, **SETTINGS)
        self.pair = pair
        self.told = Told()

    def url_of(self, name: str) -> str:
        return super().url_of(service_of(name))

    def ws_url_of(self, name: str) -> str:
        return super().ws_url_of(service_of(name))

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, timeout=10, limits=httpx.Limits(max_connections=200))

    async def fail_over(self) -> list[str]:
        """Promote the standby of a lost primary, and make that its standby; return what was told and is not so."""
        async with self.pair.primary.alone() as lost:
            ledger = await read_ledger(lost)
        await self.pair.promote(lambda promoted: write_ledger(promoted, ledger))
        differences = await self.differences()
        await self.pair.renew()
        return differences

    async def differences(self) -> list[str]:
        async with self.pair.primary.session() as connection:
            return await self.told.differences(connection)

    def cancels(self) -> int:
        """Return how many statements, or waits for the standby, were ended by a cancel."""
        nodes = (self.pair.primary, self.pair.standby)
        return sum(node.log.read_bytes().count(b"due to user request") for node in nodes)


@contextlib.asynccontextmanager
async def running(home: Path, *, mode: str = "on") -> AsyncIterator[World]:
    pair, valkey = Pair(home, mode=mode), EmbeddedValkey(home / "valkey")
    world = World(pair, valkey, home)
    try:
        await pair.start()
        await asyncio.to_thread(valkey.start)
        await watch_writers(pair.primary.dsn_of(DATABASE))
        await world.start(SERVICES)
        yield world
    finally:
        await asyncio.to_thread(world.close)
        await asyncio.to_thread(valkey.stop)
        await pair.stop()
