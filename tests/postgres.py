"""PostgreSQL for tests: a server, durable or not, the template of its databases, and statements from outside any loop."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg

from swaprail.db.migrate import migrate
from swaprail_local.servers.postgres import EmbeddedPostgres

TEMPLATE = "swaprail_template"


def _apart[T](work: Callable[[], T]) -> T:
    """Run in a thread, so that the test's own event loop is left alone."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def execute(dsn: str, *statements: str) -> None:
    """Execute them one after the other, each in a transaction of its own."""

    async def run() -> None:
        connection = await asyncpg.connect(dsn, timeout=10)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    coroutine: Coroutine[Any, Any, None] = run()
    _apart(lambda: asyncio.run(coroutine))


def serve_postgres(home: Path, *, durable: bool) -> Iterator[EmbeddedPostgres]:
    """Start a server, and stop it when the tests are over."""
    server = EmbeddedPostgres(home, durable=durable)
    server.start()
    yield server
    server.stop()


def make_template(server: EmbeddedPostgres) -> None:
    """Make the database that tests get copies of."""
    execute(server.dsn, f"CREATE DATABASE {TEMPLATE}")
    _apart(lambda: migrate(server.dsn_of(TEMPLATE)))
