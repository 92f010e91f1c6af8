"""The two servers: which of them is the primary, and what is done to them."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

from swaprail.db.migrate import migrate
from swaprail.testing.conditions import until
from swaprail_local.servers.ports import LOOPBACK
from tests.faults.network.proxy import Proxy
from tests.faults.network.toxics import TOXICS
from tests.faults.standby.node import DATABASE, Connection, Node

ATTACHED = """
select count(*) = 1 from pg_stat_replication where state = 'streaming'
    and (sync_state = 'sync') = (current_setting('synchronous_standby_names') <> '')
"""


class Pair:
    """Commits of the primary wait for the standby. Each is reached by the other through a proxy."""

    def __init__(self, home: Path, *, mode: str = "on") -> None:
        """Mode: synchronous_commit."""
        self.primary, self.standby = Node(home / "postgres-a"), Node(home / "postgres-b")
        self._mode = mode
        self._proxies: dict[Node, Proxy] = {}

    @property
    def dsn(self) -> str:
        """Leads to the primary, whichever of them it is."""
        addresses = ",".join(sorted((self.primary.address, self.standby.address)))
        return f"postgresql://postgres@{addresses}/{DATABASE}?target_session_attrs=read-write"

    async def start(self) -> None:
        for node in (self.primary, self.standby):
            self._proxies[node] = Proxy(LOOPBACK, node.port)
            self._proxies[node].start()
        await asyncio.to_thread(self.primary.start)
        async with self.primary.session("postgres") as admin:
            await admin.execute(f"create database {DATABASE}")
        await asyncio.to_thread(migrate, self.primary.dsn_of(DATABASE))
        await self.primary.configure(synchronous_commit=self._mode, synchronous_standby_names="*")
        await self.renew()

    async def stop(self) -> None:
        for node in (self.primary, self.standby):
            await asyncio.to_thread(node.stop)
        for proxy in self._proxies.values():
            await proxy.close()

    async def wait_by(self, mode: str) -> None:
        """Let commits wait for the standby as this synchronous_commit says."""
        await self.primary.configure(synchronous_commit=mode)

    async def wait_no_more(self) -> None:
        """Let the standby be an asynchronous one, until it is promoted."""
        await self.primary.configure(synchronous_standby_names="")
        await self.attached()

    async def renew(self) -> None:
        """Make the standby anew of the primary."""
        self.standby.source = self._proxies[self.primary].port
        await asyncio.to_thread(self.standby.copy, self.primary)
        await self.attach()

    async def attach(self) -> None:
        """Start the standby, and return when it streams."""
        await asyncio.to_thread(self.standby.start)
        await self.attached()

    async def attached(self) -> None:
        async with self.primary.session("postgres") as admin:
            await until(lambda: admin.fetchval(ATTACHED), within_s=20, what="the standby streams", every_s=0.05)

    async def detach(self) -> None:
        """Stop the standby."""
        await self.standby.end(signal.SIGINT)

    async def cut(self) -> None:
        """Let nothing pass between the two."""
        await self._proxies[self.primary].set(TOXICS["blackhole"])

    async def heal(self) -> None:
        await self._proxies[self.primary].heal()

    async def lose_primary(self, how: signal.Signals = signal.SIGQUIT) -> None:
        await self.primary.end(how)

    async def restart_primary(self) -> None:
        await asyncio.to_thread(self.primary.start)

    async def promote(self, prepare: Callable[[Connection], Awaitable[None]]) -> None:
        """Make the standby the primary, and prepare it before anybody finds it; what was the primary is down."""
        assert not self.primary.runs, "two primaries"
        if self.standby.runs:
            await self.detach()
        async with self.standby.alone() as promoted:
            assert await promoted.fetchval("select pg_promote(true, 30)")
            await prepare(promoted)
        await asyncio.to_thread(self.standby.start)
        self.primary, self.standby = self.standby, self.primary
