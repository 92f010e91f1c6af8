"""One engine whose services have failpoints, over a database of its own."""

from pathlib import Path
from typing import Any

import asyncpg
import httpx
import msgspec
import redis.asyncio as redis

from tests.faults.failpoints.fork_server import armed_zygote
from tests.faults.failpoints.provoke import SHORT_LIVES
from tests.faults.failpoints.trigger import CONTROL, Arming, hit_file
from tests.invariants.writers import watch_writers
from tests.system.engine import MODULES, Engine, Process, service_of

LEASE_S = 1
SETTINGS: dict[str, object] = {
    "lease_s": LEASE_S,
    "reconcile_interval_s": 0.5,
    "drain_timeout_s": 2,
    "mock_dex_quote_delay_ms": 20,
    "mock_dex_execution_delay_ms": 250,
    "mock_dex_failure_rate": 0.2,
    **SHORT_LIVES,
    "router_retry_s": 0.2,
    "router_retry_longest_s": 0.5,
    "router_venue_rate_per_s": 5_000,
    "executor_rebroadcast_s": 0.4,
    "executor_reconciling_after_s": 1,
    "executor_route_max_age_s": 2,
    "executor_max_attempts": 2,
    "order_deadline_s": 60,
    "rate_limit": 100_000,
    "ws_ticket_secret": "not a secret: failpoints, failpoints, failpoints",
    "ws_compare_interval_s": 0.5,
    "db_pool_size": 2,
    "read_pool_size": 2,
    "log_level": "WARNING",
}


class World(Engine):
    """Services are forked from where their seams are wrapped; a control file arms each."""

    connection: Any
    redis: Any
    client: httpx.AsyncClient

    def __init__(self, dsn: str, redis_url: str, home: Path) -> None:
        super().__init__(dsn, redis_url, home, **SETTINGS)
        # The router alone gives up early on orders without a route.
        self.extra["router"]["ORDER_DEADLINE_S"] = "1.5"

    def control(self, name: str) -> Path:
        return self.home / f"{name}.arm"

    def environment(self, name: str) -> dict[str, str]:
        return {**super().environment(name), CONTROL: str(self.control(name))}

    def spawn(self, name: str) -> None:
        with self.log(name).open("ab") as log:
            self.processes[name] = armed_zygote().spawn(
                MODULES[service_of(name)], env=self.environment(name), output=log, cwd=self.home
            )

    def process(self, name: str) -> Process:
        return self.processes[name]

    def arm(self, name: str, arming: Arming) -> None:
        """Let the process of this name, or the next one, end at a point."""
        hit_file(self.control(name)).unlink(missing_ok=True)
        new = self.control(name).with_suffix(".new")
        new.write_bytes(msgspec.json.encode(arming))
        new.rename(self.control(name))

    def disarm(self, name: str) -> None:
        self.control(name).unlink(missing_ok=True)

    def was_hit(self, name: str) -> bool:
        return hit_file(self.control(name)).exists()

    async def open(self) -> None:
        await watch_writers(self.dsn)
        self.connection = await asyncpg.connect(self.dsn)
        self.redis = redis.Redis.from_url(self.redis_url)
        self.client = httpx.AsyncClient(timeout=5)
        await self.start()

    async def shut(self) -> None:
        self.close()
        await self.client.aclose()
        await self.redis.aclose()
        await self.connection.close()
