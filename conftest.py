"""Servers for tests: one PostgreSQL and one Valkey for each pytest worker, a fresh database for each test."""

import asyncio
import shutil
import socket
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from swaprail.db.migrate import migrate
from swaprail_local.servers.postgres import EmbeddedPostgres
from swaprail_local.servers.valkey import EmbeddedValkey

TEMPLATE = "swaprail_template"
_numbers = count(1)


def _apart[T](work: Callable[[], T]) -> T:
    """Run in a thread, so that the test's own event loop is left alone."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def _execute(dsn: str, *statements: str) -> None:
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
    _execute(server.dsn, f"CREATE DATABASE {TEMPLATE}")
    _apart(lambda: migrate(server.dsn_of(TEMPLATE)))


@pytest.fixture(scope="session")
def server_home() -> Iterator[Path]:
    # Not tmp_path_factory: below it nobody but root may pass, and PostgreSQL does not run as root.
    home = Path(tempfile.mkdtemp(prefix="swaprail-test-"))
    home.chmod(0o755)
    yield home
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server(server_home: Path) -> Iterator[EmbeddedPostgres]:
    yield from serve_postgres(server_home / "postgres", durable=False)


@pytest.fixture(scope="session")
def valkey_server(server_home: Path) -> Iterator[EmbeddedValkey]:
    server = EmbeddedValkey(server_home / "valkey", durable=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def database_template(postgres_server: EmbeddedPostgres) -> str:
    """Name of a database that has all migrations and no rows."""
    make_template(postgres_server)
    return TEMPLATE


@pytest.fixture
def database(postgres_server: EmbeddedPostgres, database_template: str) -> Iterator[str]:
    """DSN of a fresh, migrated database of this test alone."""
    name = f"test_{next(_numbers)}"
    _execute(postgres_server.dsn, f"CREATE DATABASE {name} TEMPLATE {database_template} STRATEGY FILE_COPY")
    yield postgres_server.dsn_of(name)
    _execute(postgres_server.dsn, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def redis_url(valkey_server: EmbeddedValkey) -> str:
    """URL of a Valkey that holds nothing."""
    address = urlsplit(valkey_server.url)
    with socket.create_connection((address.hostname, address.port), 5) as connection:
        connection.sendall(b"FLUSHALL\r\n")
        assert connection.recv(16).startswith(b"+OK")
    return valkey_server.url
