"""A whole engine that reaches its servers by addresses which can be made to mean other servers."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults.network.proxy import Proxy
from tests.faults.standby.node import DATABASE
from tests.faults.standby.pair import Pair
from tests.invariants.writers import watch_writers
from tests.system.engine import Engine

FAST = {"mock_dex_quote_delay_ms": 20, "mock_dex_execution_delay_ms": 100, "mock_dex_failure_rate": 0, "lease_s": 2}


@pytest.fixture
async def pair(server_home: Path, tmp_path: Path) -> AsyncIterator[Pair]:
    """A primary, and a standby for which it does not wait."""
    pair = Pair(server_home / tmp_path.name)
    try:
        await pair.start()
        await pair.wait_no_more()
        yield pair
    finally:
        await pair.stop()


@pytest.fixture
async def address(pair: Pair) -> AsyncIterator[Proxy]:
    """What the engine is told to be PostgreSQL: the primary, to begin with."""
    proxy = Proxy("127.0.0.1", pair.primary.port)
    proxy.start()
    yield proxy
    await proxy.close()


@pytest.fixture
async def engine(address: Proxy, pair: Pair, redis_url: str, tmp_path: Path) -> AsyncIterator[Engine]:
    dsn = f"postgresql://postgres@127.0.0.1:{address.port}/{DATABASE}"
    await watch_writers(pair.primary.dsn_of(DATABASE))
    engine = Engine(dsn, redis_url, tmp_path, **FAST)
    try:
        await engine.start()
        yield engine
    finally:
        await asyncio.to_thread(engine.close)
