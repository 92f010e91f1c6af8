"""Everything that a client may do, right and wrong, and what may fail meanwhile, with keys and secrets all over."""

import asyncio
import json
from functools import partial
from typing import Any
from urllib.parse import quote

import asyncpg
import httpx
import pytest
import redis.asyncio as redis
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from swaprail.testing.conditions import until
from swaprail_local.servers.postgres import EmbeddedPostgres
from swaprail_local.servers.valkey import EmbeddedValkey
from tests.fuzz.served import add_key
from tests.security.canary import Canaries
from tests.system.collector import Collector
from tests.system.engine import Engine
from tests.system.subscribers import Subscriber

SEED = 11
ORDER = {"userWallet": "alice", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}
ROUNDS_AWAY = 1


class Guarded:
    """The engine, its servers, and what was sent and answered."""

    def __init__(
        self, engine: Engine, postgres: EmbeddedPostgres, valkey: EmbeddedValkey, collector: Collector
    ) -> None:
        self.engine, self.postgres, self.valkey, self.collector = engine, postgres, valkey, collector
        self.canaries = Canaries(SEED)
        self.answers: list[str] = []
        self.orders: list[str] = []
        self.keys: list[str] = []

    def secrets(self) -> list[str]:
        return [*self.canaries.forms(), *self.keys, *(key.split("_", 2)[2] for key in self.keys)]

    async def ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.engine.url, timeout=10) as client:
            answer = await client.request(method, path, **given)
        if "key" not in (answer.json() if answer.headers["content-type"].endswith("json") else {}):
            self.answers.append(f"{answer.headers} {answer.text}")
        return answer


async def work(guarded: Guarded) -> None:
    """Everything that is right: keys, orders to their end, tickets, sockets, quotes, lists."""
    first = add_key(guarded.engine.dsn, "one")
    guarded.keys.append(first)
    headers = {"authorization": f"Bearer {first}"}
    made = await guarded.ask("POST", "/api/keys", headers=headers, json={"name": "n", "scopes": ["orders:read"]})
    guarded.keys.append(made.json()["key"])
    for _ in range(8):
        answer = await guarded.ask("POST", "/api/orders/execute", headers=headers, json=ORDER)
        guarded.orders.append(answer.json()["orderId"])
    for order_id in guarded.orders:
        follower = Subscriber(lambda: guarded.engine.ws_url, order_id, first)
        await asyncio.wait_for(follower.follow(), 30)
        assert follower.messages[-1]["status"] == "CONFIRMED"
        guarded.answers.append(json.dumps(follower.messages))
        await guarded.ask("GET", f"/api/orders/{order_id}", headers=headers)
    await guarded.ask("GET", "/api/orders/user/alice?limit=1", headers=headers)
    await guarded.ask("GET", "/api/keys", headers=headers)
    await guarded.ask("GET", "/api/quotes?inputToken=SOL&outputToken=USDC&inputAmount=1", headers=headers)
    ticket = (await guarded.ask("POST", "/api/ws-tickets", headers=headers)).json()["ticket"]
    async with connect(f"{guarded.engine.ws_url}/ws/wallets/alice?ticket={ticket}", proxy=None):
        guarded.keys.append(f"swr_x_{ticket}")


async def misplace(guarded: Guarded) -> None:
    """Send keys where no key belongs."""
    key = guarded.keys[0]
    good = {"authorization": f"Bearer {key}"}
    for headers in (
        good,
        {},
        {"authorization": key},
        {"authorization": f"Basic {key}"},
        {"authorization": f"{key} {key}"},
    ):
        for path in (f"/api/keys?api_key={key}", f"/api/orders/{key}", f"/api/orders/user/{key}x", f"/{key}"):
            await guarded.ask("GET", path, headers=headers)
        more = {
            "x-api-key": key,
            "cookie": f"key={key}",
            "user-agent": key,
            "traceparent": key,
            "referer": f"http://x/?{key}",
        }
        await guarded.ask("GET", "/api/quotes", headers=headers | more)
    for body in (
        f'"{key}"',
        f'{{"{key}": 1}}',
        json.dumps(ORDER | {"apiKey": key}),
        json.dumps(ORDER | {"inputToken": key}),
    ):
        await guarded.ask("POST", "/api/orders", headers=good | {"content-type": "application/json"}, content=body)
    await guarded.ask("POST", "/api/orders", headers=good | {"content-type": key}, content=key)
    await guarded.ask("DELETE", f"/api/keys/{quote(key)}", headers=good)
    for path in (
        f"/ws/orders/{key}",
        f"/ws/wallets/{key}{key}",
        f"/ws/wallets/a?ticket={key}",
        f"/ws/wallets/a?after={key}",
    ):
        with pytest.raises(InvalidStatus) as caught:
            async with connect(guarded.engine.ws_url + path, additional_headers=good, proxy=None):
                pass
        guarded.answers.append(repr(caught.value.response))


async def fail(guarded: Guarded) -> None:
    """Take both servers away while there is work, and give a second of each service wrong passwords."""
    headers = {"authorization": f"Bearer {guarded.keys[0]}"}
    wrong = guarded.canaries.wrong
    for name in ("api-2", "notifier-2", "router-2", "executor-2"):
        guarded.engine.extra[name] = {
            "DATABASE_URL": guarded.engine.dsn.replace(guarded.canaries.database, wrong),
            "REDIS_URL": guarded.engine.redis_url.replace(guarded.canaries.redis, wrong),
        }
        guarded.engine.spawn(name)
        await until(partial(_has_spoken, guarded.engine, name), within_s=30, what=f"{name} tries its wrong password")
    await until(partial(_listens, guarded.engine, "api-2"), within_s=30, what="api-2 listens")
    async with httpx.AsyncClient(base_url=guarded.engine.url_of("api-2"), timeout=10) as client:
        answer = await client.post("/api/orders/execute", headers=headers, json=ORDER)
        assert answer.status_code == 503
        guarded.answers.append(answer.text)
    for server in (guarded.valkey, guarded.postgres):
        await asyncio.to_thread(server.stop)
        async with asyncio.timeout(60):
            for _ in range(ROUNDS_AWAY):
                for path in ("/api/orders/execute", "/api/keys", "/api/ws-tickets"):
                    await guarded.ask("POST", path, headers=headers, json=ORDER)
                await guarded.ask("GET", "/api/quotes?inputToken=SOL&outputToken=USDC&inputAmount=1", headers=headers)
        await asyncio.to_thread(server.start)
        if server is guarded.valkey:
            # Its password was in its memory.
            await _lock_valkey(guarded)
    for name in ("api", "notifier", "router", "executor"):
        await guarded.engine.ready(name)


def _has_spoken(engine: Engine, name: str) -> bool:
    return engine.log(name).stat().st_size > 0


def _listens(engine: Engine, name: str) -> bool:
    return "listening" in engine.log(name).read_text()


async def _lock_valkey(guarded: Guarded) -> None:
    async with redis.Redis.from_url(guarded.valkey.url) as client:
        await client.config_set("requirepass", guarded.canaries.redis)


async def all_ended(guarded: Guarded) -> None:
    connection = await asyncpg.connect(guarded.engine.dsn)
    left = "select count(*) from orders where queued_at is not null and closed_at is null"

    async def ended() -> bool:
        return bool(await connection.fetchval(left) == 0)

    await until(ended, within_s=60, what="all orders have ended")
    await connection.close()
