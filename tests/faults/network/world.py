"""The engine with a proxy on every link, two routers and two executors."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx

from swaprail.auth import ALL_SCOPES, NewKey, generate_key
from tests.faults.network.proxy import Proxy
from tests.faults.network.toxics import Toxic
from tests.invariants.writers import watch_writers
from tests.system.engine import Engine

REPLICAS = ("router-2", "executor-2")
SERVICES = ("api", "notifier", "router", "executor", *REPLICAS)
CLIENT_LINKS = ("client-api", "client-notifier")
LINKS = (*CLIENT_LINKS, *(f"{name}-{server}" for name in SERVICES for server in ("database", "redis")))
LEASE_S = 2
# Keys and rate limits are on at the API, so that both stores are in the way of its requests.
SETTINGS = {
    "lease_s": LEASE_S,
    "mock_dex_quote_delay_ms": 50,
    "mock_dex_execution_delay_ms": 500,
    "rate_limit": 100_000,
    "drain_timeout_s": 3,
}


class World(Engine):
    """Every process reaches its servers, and clients reach the processes, through proxies of their own."""

    def __init__(self, dsn: str, redis_url: str, home: Path, seed: int) -> None:
        super().__init__(dsn, redis_url, home, **SETTINGS)
        self.seed = seed
        self.key: NewKey = generate_key()
        self.links = {link: self._proxy(link, seed + n) for n, link in enumerate(LINKS)}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.links['client-api'].port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.links['client-notifier'].port}"

    @property
    def direct_url(self) -> str:
        """Where the API itself listens."""
        return super().url

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key.text}"}

    def environment(self, name: str) -> dict[str, str]:
        own = {
            "DATABASE_URL": _moved(self.dsn, self.links[f"{name}-database"].port),
            "REDIS_URL": _moved(self.redis_url, self.links[f"{name}-redis"].port),
            "WORKER_NAME": name,
            "API_KEYS_REQUIRED": "true",
        }
        return super().environment(name) | own

    async def start(self, names: Sequence[str] = SERVICES) -> None:
        await self._store_key()
        await watch_writers(self.dsn)
        for proxy in self.links.values():
            proxy.start()
        for name in names:
            await asyncio.to_thread(self.spawn, name)
        await asyncio.gather(*(self.ready(name) for name in names))

    async def afflict(self, links: Iterable[str], toxic: Toxic) -> None:
        for link in links:
            await self.links[link].set(toxic)

    async def heal(self) -> None:
        for proxy in self.links.values():
            await proxy.heal()

    async def end(self) -> None:
        await self.heal()
        await asyncio.to_thread(self.close)
        for proxy in self.links.values():
            await proxy.close()

    def died(self) -> list[str]:
        """Return the services that ended by themselves."""
        return [name for name, process in self.processes.items() if process.poll() is not None]

    def _proxy(self, link: str, seed: int) -> Proxy:
        server = link.rpartition("-")[2]
        if link in CLIENT_LINKS:
            return Proxy("127.0.0.1", self.ports[server], seed=seed)
        address = urlsplit(self.dsn if server == "database" else self.redis_url)
        return Proxy(str(address.hostname), int(address.port or 0), seed=seed)

    async def _store_key(self) -> None:
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute(
                "insert into api_keys (id, account, name, secret_sha256, scopes) values ($1, 'local', 'faults', $2, $3)",
                self.key.id,
                self.key.secret_sha256,
                sorted(ALL_SCOPES),
            )
        finally:
            await connection.close()


@contextlib.asynccontextmanager
async def running(dsn: str, redis_url: str, home: Path, seed: int) -> AsyncIterator[World]:
    world = World(dsn, redis_url, home, seed)
    try:
        await world.start()
        yield world
    finally:
        await world.end()


def client(world: World, *, direct: bool, timeout_s: float) -> httpx.AsyncClient:
    """Return a client with the world's key."""
    return httpx.AsyncClient(
        base_url=world.direct_url if direct else world.url,
        headers=world.headers,
        timeout=timeout_s,
        verify=False,  # nothing here speaks TLS, and reading the authorities takes longer than a probe
        limits=httpx.Limits(max_connections=200),
    )


def _moved(url: str, port: int) -> str:
    parts = urlsplit(url)
    login = f"{parts.username}@" if parts.username else ""
    return parts._replace(netloc=f"{login}127.0.0.1:{port}").geturl()
