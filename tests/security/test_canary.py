"""No secret leaves the engine by logs, traces, metrics, answers, tables or topics, whatever goes wrong."""

import asyncio
import base64
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import httpx
import pytest
import yaml
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from swaprail.testing.conditions import until
from swaprail_local.servers.postgres import EmbeddedPostgres
from swaprail_local.servers.valkey import EmbeddedValkey
from tests.fuzz.served import FAST, add_key
from tests.invariants import check_invariants
from tests.invariants.secrets import find_secrets
from tests.security.canary import (
    Canaries,
    database_texts,
    lock_servers,
    log_texts,
    redis_texts,
    served_texts,
    trace_text,
)
from tests.system.collector import Collector
from tests.system.engine import Engine
from tests.system.subscribers import Subscriber

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]
SEED = 11
ROOT = Path(__file__).parents[2]
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


@pytest.fixture
async def guarded(server_home: Path, tmp_path: Path) -> AsyncIterator[Guarded]:
    postgres = EmbeddedPostgres(server_home / "canary-postgres", durable=False)
    valkey = EmbeddedValkey(tmp_path / "valkey", durable=False)
    collector, canaries = Collector(), Canaries(SEED)
    postgres.start()
    valkey.start()
    dsn, url = await lock_servers(postgres, valkey, canaries)
    secrets = {"cursor_secret": canaries.cursor, "ws_ticket_secret": canaries.ticket}
    traced = {"otel_exporter_otlp_endpoint": collector.endpoint, "trace_sample_ratio": 1}
    engine = Engine(
        dsn, url, tmp_path, log_level="DEBUG", paper_signer_seed=canaries.signer, api_keys_required=True, **FAST,
        **secrets, **traced,
    )  # fmt: skip
    try:
        await _migrate(engine)
        await engine.start()
        yield Guarded(engine, postgres, valkey, collector)
    finally:
        await asyncio.to_thread(engine.close)
        collector.close()
        valkey.stop()
        postgres.stop()


async def _migrate(engine: Engine) -> None:
    with engine.log("migrate").open("wb") as log:
        done = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "swaprail.db.migrate", env=engine.environment("api"), stdout=log, stderr=log
        )
        assert await done.wait() == 0


async def _work(guarded: Guarded) -> None:
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


async def _misplace(guarded: Guarded) -> None:
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


async def _fail(guarded: Guarded) -> None:
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
            await lock_valkey(guarded)
    for name in ("api", "notifier", "router", "executor"):
        await guarded.engine.ready(name)


def _has_spoken(engine: Engine, name: str) -> bool:
    return engine.log(name).stat().st_size > 0


def _listens(engine: Engine, name: str) -> bool:
    return "listening" in engine.log(name).read_text()


async def lock_valkey(guarded: Guarded) -> None:
    import redis.asyncio as redis

    async with redis.Redis.from_url(guarded.valkey.url) as client:
        await client.config_set("requirepass", guarded.canaries.redis)


async def _all_ended(guarded: Guarded) -> None:
    connection = await asyncpg.connect(guarded.engine.dsn)
    left = "select count(*) from orders where queued_at is not null and closed_at is null"

    async def ended() -> bool:
        return bool(await connection.fetchval(left) == 0)

    await until(ended, within_s=60, what="all orders have ended")
    await connection.close()


def _check_looked_at(guarded: Guarded, texts: dict[str, str]) -> None:
    """Raise AssertionError if some text is not the one that secrets would be in."""
    assert "InvalidPasswordError" in texts["executor-2.log"], "nobody had a wrong password"
    assert "ConnectionError" in texts["api.log"], "nothing was away"
    assert '"debug"' in texts["api.log"]
    assert "POST /api/orders/execute" in texts["traces"]
    assert guarded.orders[0] in texts["table public.orders"]
    assert guarded.keys[0].split("_")[1] in texts["table public.api_keys"]
    assert "orders.events" in " ".join(texts)
    assert "swaprail_websocket_connections" in texts["notifier /metrics"]
    planted = [f"x{secret}x" for secret in guarded.secrets()]
    assert all(find_secrets([text], guarded.secrets()) for text in planted)


async def test_no_secret_leaves_the_engine_whatever_goes_wrong(guarded: Guarded) -> None:
    await _work(guarded)
    await _misplace(guarded)
    await _fail(guarded)
    await _all_ended(guarded)
    engine = guarded.engine
    await until(lambda: len(guarded.collector.spans) > 20, within_s=20, what="traces have arrived")
    texts = {**await served_texts(engine), **await database_texts(engine.dsn), **await redis_texts(engine.redis_url)}
    engine.close()
    texts |= {**log_texts(engine.home), "traces": trace_text(guarded.collector)}
    secrets = guarded.secrets()
    told = {name: find_secrets([text], secrets) for name, text in texts.items()}
    leaks = {name: found for name, found in told.items() if found}
    assert not leaks, leaks
    # A problem may name to its sender what the sender wrote; what he did not write is in none.
    settings = guarded.canaries.forms()
    assert not find_secrets(guarded.answers, settings)
    _check_looked_at(guarded, texts)
    await check_invariants(engine.dsn, guarded.orders, texts=list(texts.values()), secrets=secrets)


def _by_value(values: dict[str, Any], canaries: Canaries) -> dict[str, Any]:
    """Return the values with every secret given as such, not by the name of a Secret."""
    values["secrets"] = {"cursorSecret": canaries.cursor, "wsTicketSecret": canaries.ticket}
    values["secrets"]["paperSignerSeed"] = canaries.signer
    if values.get("bundled", {}).get("enabled"):
        values["bundled"]["postgresql"] = {"password": canaries.database}
        values["bundled"]["redis"] = {"password": canaries.redis}
        return values
    # A hook runs before the release's own Secret is there, so the chart takes no values for it.
    values.get("migration", {}).pop("mode", None)
    for name in ("database", "redis"):
        kept = {key: value for key, value in values[name].items() if key not in ("existingSecret", "secretKeys", "url")}
        values[name] = kept | {"host": name, "password": getattr(canaries, name)}
    return values


@pytest.mark.skipif(shutil.which("helm") is None, reason="helm is not installed: run ../shared/kind/up")
@pytest.mark.parametrize(
    "values", sorted((ROOT / "deploy/helm/swaprail/ci").glob("*-values.yaml")), ids=lambda p: p.stem
)
def test_manifests_hold_secrets_in_secrets_only(values: Path, tmp_path: Path) -> None:
    canaries = Canaries(SEED)
    given = tmp_path / "values.yaml"
    given.write_text(yaml.safe_dump(_by_value(yaml.safe_load(values.read_text()), canaries)))
    command = ["helm", "template", "swaprail", str(ROOT / "deploy/helm/swaprail"), "--values", str(given)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert not find_secrets([done.stderr], canaries.forms())
    assert done.returncode == 0, done.stderr
    objects = [one for one in yaml.safe_load_all(done.stdout) if one]
    open_ones = [json.dumps(one) for one in objects if one["kind"] != "Secret"]
    assert not find_secrets(open_ones, canaries.forms())
    kept = yaml.safe_dump_all(one for one in objects if one["kind"] == "Secret")
    for name in ("database", "redis", "cursor", "ticket", "signer"):
        value = str(getattr(canaries, name))
        assert value in kept or base64.b64encode(value.encode()).decode() in kept, f"{name} was not in use"
