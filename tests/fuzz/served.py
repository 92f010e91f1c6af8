"""A whole engine for many tests of one module: real processes, a database of its own, keys of several accounts."""

import asyncio
import os
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg

from swaprail.auth import ALL_SCOPES, generate_key
from swaprail_local.servers.postgres import EmbeddedPostgres
from tests.system.engine import Engine

LIMIT_S = 3600 if os.environ.get("RECORD") == "1" else 280  # of one test
FAST = {
    "mock_dex_quote_delay_ms": 5,
    "mock_dex_execution_delay_ms": 40,
    "mock_dex_failure_rate": 0,
    "lease_s": 2,
    "order_deadline_s": 10,  # what no venue can swap is given up
    "rate_limit": 0,  # by default on where keys are required
}
_numbers = count(1)


def _apart(work: Coroutine[Any, Any, None]) -> None:
    """Run in a thread: the test that asks may have a loop that runs."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()


async def _execute(dsn: str, statement: str, *arguments: object) -> None:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        await connection.execute(statement, *arguments)
    finally:
        await connection.close()


@contextmanager
def fresh_database(server: EmbeddedPostgres, template: str) -> Iterator[str]:
    """Yield the DSN of a migrated database, dropped afterwards."""
    name = f"served_{next(_numbers)}"
    _apart(_execute(server.dsn, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"))
    yield server.dsn_of(name)
    _apart(_execute(server.dsn, f"DROP DATABASE {name} WITH (FORCE)"))


@contextmanager
def serving(dsn: str, redis_url: str, home: Path, **settings: object) -> Iterator[Engine]:
    """Yield a running engine; its logs lie in home."""
    engine = Engine(dsn, redis_url, home, **{**FAST, **settings})
    try:
        _apart(engine.start())
        yield engine
    finally:
        engine.close()


def add_key(dsn: str, account: str, scopes: Sequence[str] = tuple(sorted(ALL_SCOPES)), **columns: object) -> str:
    """Return the text of a new key of the account; columns as in api_keys."""
    key = generate_key()
    row: dict[str, object] = {"id": key.id, "account": account, "name": "test", "secret_sha256": key.secret_sha256}
    row |= {"scopes": list(scopes), **columns}
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    _apart(_execute(dsn, f"insert into api_keys ({', '.join(row)}) values ({places})", *row.values()))
    return key.text
