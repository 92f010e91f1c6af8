"""What `helm test` runs, against real services that demand API keys."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from tests.system.engine import Engine

SCRIPT = Path(__file__).parents[2] / "deploy/helm/swaprail/files/confirm_order.py"
pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]


@asynccontextmanager
async def running(database: str, redis_url: str, home: Path, failure_rate: float) -> AsyncIterator[Engine]:
    paper = {"mock_dex_quote_delay_ms": 20, "mock_dex_execution_delay_ms": 50, "mock_dex_failure_rate": failure_rate}
    engine = Engine(database, redis_url, home, api_keys_required=True, **paper)
    try:
        await engine.start()
        yield engine
    finally:
        engine.close()


async def run_script(engine: Engine) -> tuple[int, str]:
    env = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "DATABASE_URL": engine.dsn,
        "API_ADDRESS": f"127.0.0.1:{engine.ports['api']}",
        "NOTIFIER_ADDRESS": f"127.0.0.1:{engine.ports['notifier']}",
        "ORDER_TRIES": "3",
        "TIMEOUT_S": "60",
    }
    pipe = asyncio.subprocess.PIPE
    script = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), env=env, stdout=pipe, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await script.communicate()
    return script.returncode or 0, output.decode()


async def usable_keys(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval("select count(*) from api_keys where revoked_at is null"))
    finally:
        await connection.close()


async def test_order_is_confirmed_and_its_key_revoked_when_keys_are_required(
    database: str, redis_url: str, tmp_path: Path
) -> None:
    async with running(database, redis_url, tmp_path, failure_rate=0) as engine:
        code, output = await run_script(engine)
        assert code == 0, output
        steps = [line.split()[-1] for line in output.splitlines() if line.startswith("  ")]
        assert steps == ["PENDING", "ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED"]
        assert await usable_keys(engine.dsn) == 0


async def test_script_gives_up_and_revokes_its_key_when_every_swap_reverts(
    database: str, redis_url: str, tmp_path: Path
) -> None:
    async with running(database, redis_url, tmp_path, failure_rate=1) as engine:
        code, output = await run_script(engine)
        assert code == 1
        assert output.count("reverted by the paper chain") == 3
        assert "3 orders in a row were reverted" in output
        assert await usable_keys(engine.dsn) == 0
