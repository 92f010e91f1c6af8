"""Every service, and the migration, on servers that want a password and TLS: one order goes all its way."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import pytest
from redis.asyncio import Redis

from swaprail.testing.tls import make_certificate, tls_before_postgres, tls_before_redis
from swaprail_local.servers.postgres import EmbeddedPostgres
from swaprail_local.servers.valkey import EmbeddedValkey
from tests.system.engine import Engine
from tests.system.subscribers import Subscriber

PASSWORD = "p@ss/w:rd %"
pytestmark = [pytest.mark.system]


async def _secure_postgres(server: EmbeddedPostgres) -> None:
    connection = await asyncpg.connect(server.dsn)
    await connection.execute(f"alter role postgres password '{PASSWORD}'")
    await connection.execute("create database secured")
    (server.data / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
    await connection.execute("select pg_reload_conf()")
    await connection.close()


async def _secure_valkey(server: EmbeddedValkey) -> None:
    async with Redis.from_url(server.url) as client:
        await client.config_set("requirepass", PASSWORD)


@pytest.fixture
async def engine(server_home: Path, tmp_path: Path) -> AsyncIterator[Engine]:
    postgres = EmbeddedPostgres(server_home / "all-secured-postgres", durable=False)
    valkey = EmbeddedValkey(tmp_path / "valkey", durable=False)
    certificate = make_certificate(tmp_path / "certificate")
    postgres.start()
    valkey.start()
    await _secure_postgres(postgres)
    await _secure_valkey(valkey)
    async with (
        tls_before_postgres(postgres.port, certificate) as db_port,
        tls_before_redis(valkey.port, certificate) as redis_port,
    ):
        engine = Engine(
            "",  # not by URL
            "",
            tmp_path,
            db_port=db_port,
            db_name="secured",
            db_password=PASSWORD,
            db_sslmode="verify-full",
            db_sslrootcert=certificate.file,
            redis_port=redis_port,
            redis_db=2,
            redis_password=PASSWORD,
            redis_tls=True,
            redis_ca_file=certificate.file,
            mock_dex_quote_delay_ms=20,
            mock_dex_execution_delay_ms=50,
            mock_dex_failure_rate=0,
        )
        try:
            yield engine
        finally:
            await asyncio.to_thread(engine.close)
            valkey.stop()
            postgres.stop()


async def test_an_order_goes_all_its_way_when_servers_want_a_password_and_tls(engine: Engine) -> None:
    migrated = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "swaprail.db.migrate", env=engine.environment("api"), stderr=subprocess.PIPE
    )
    _, told = await migrated.communicate()
    assert migrated.returncode == 0, told.decode()
    await engine.start()
    async with httpx.AsyncClient(base_url=engine.url, timeout=10) as client:
        answer = await client.post(
            "/api/orders/execute",
            json={"userWallet": "w", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": 1},
        )
        assert answer.status_code == 202, answer.text
        quotes = await client.get("/api/quotes", params={"inputToken": "SOL", "outputToken": "USDC", "inputAmount": 1})
        assert quotes.status_code == 200, quotes.text
    subscriber = Subscriber(lambda: engine.ws_url, answer.json()["orderId"])
    await asyncio.wait_for(subscriber.follow(), 20)
    assert subscriber.messages[-1]["status"] == "CONFIRMED"
    for name in engine.processes:
        log = (engine.home / f"{name}.log").read_text()
        assert PASSWORD not in log
        assert "Redis is away" not in log
