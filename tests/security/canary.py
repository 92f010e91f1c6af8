"""An engine all of whose secrets are canaries, and everything that it lets out."""

import base64
import random
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import redis.asyncio as redis

from swaprail_local.servers.postgres import EmbeddedPostgres
from swaprail_local.servers.valkey import EmbeddedValkey
from tests.system.collector import Collector
from tests.system.engine import Engine

# What must be kept, and where: the bytes that are sent, and hashes.
KEPT = {"tx_attempts": "raw"}


def canary(rng: random.Random, name: str) -> str:
    """Return a secret that is found wherever it appears."""
    return f"canary{name}{rng.randbytes(12).hex()}"


class Canaries:
    """Every secret that a setting may hold."""

    def __init__(self, seed: int) -> None:
        rng = random.Random(seed)
        self.database, self.redis = canary(rng, "database"), canary(rng, "redis")
        self.cursor, self.ticket = canary(rng, "cursor"), canary(rng, "ticket")
        self.signer = rng.randbytes(32).hex()
        self.wrong = canary(rng, "wrong")

    def forms(self) -> list[str]:
        """Return every secret as it is, and as it looks in base64 and hexadecimal."""
        plain = list(vars(self).values())
        raw = [text.encode() for text in plain] + [bytes.fromhex(self.signer)]
        return [*plain, *(b.hex() for b in raw), *(base64.b64encode(b).decode().rstrip("=")[:-1] for b in raw)]


async def lock_servers(postgres: EmbeddedPostgres, valkey: EmbeddedValkey, canaries: Canaries) -> tuple[str, str]:
    """Let both servers ask for a password; return DSN and URL with it."""
    connection = await asyncpg.connect(postgres.dsn)
    await connection.execute(f"alter role postgres password '{canaries.database}'")
    (postgres.data / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
    await connection.execute("select pg_reload_conf()")
    await connection.close()
    async with redis.Redis.from_url(valkey.url) as client:
        await client.config_set("requirepass", canaries.redis)
    dsn = f"postgresql://postgres:{canaries.database}@127.0.0.1:{postgres.port}/postgres"
    return dsn, f"redis://:{canaries.redis}@127.0.0.1:{valkey.port}/0"


async def database_texts(dsn: str) -> dict[str, str]:
    """Return each table as text, without what it is there to keep."""
    connection = await asyncpg.connect(dsn)
    try:
        names = await connection.fetch(
            "select format('%I.%I', schemaname, tablename) as name, tablename from pg_tables "
            "where schemaname not in ('pg_catalog', 'information_schema')"
        )
        found = {}
        for row in names:
            rows = await connection.fetch(
                f"select to_jsonb(t) - $1::text as row from {row['name']} t", KEPT.get(row["tablename"], "")
            )
            found[f"table {row['name']}"] = "\n".join(str(one["row"]) for one in rows)
        return found
    finally:
        await connection.close()


async def redis_texts(url: str) -> dict[str, str]:
    """Return whatever is in Redis, by key."""
    found = {}
    async with redis.Redis.from_url(url) as client:
        readers: dict[Any, Any] = {b"stream": client.xrange, b"string": client.get, b"hash": client.hgetall}
        async for key in client.scan_iter(count=1000):
            kind = await client.type(key)
            found[f"redis {key!r}"] = repr(await readers[kind](key))
    return found


def trace_text(collector: Collector) -> str:
    return "\n".join(f"{service} {span}" for service, span in collector.spans)


async def served_texts(engine: Engine) -> dict[str, str]:
    """Return what every service tells everybody."""
    found = {}
    async with httpx.AsyncClient(timeout=5) as client:
        for name in (name for name, process in engine.processes.items() if process.poll() is None):
            for path in ("/metrics", "/health"):
                answer = await client.get(f"http://127.0.0.1:{engine.ops_ports[name]}{path}")
                found[f"{name} {path}"] = answer.text
        for path in ("/docs", "/docs/openapi.json", "/metrics", "/health"):
            found[f"api {path} of its port"] = (await client.get(engine.url + path)).text
    return found


def log_texts(home: Path) -> dict[str, str]:
    return {file.name: file.read_text(errors="replace") for file in sorted(home.glob("*.log"))}
