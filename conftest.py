"""Servers for tests: one PostgreSQL and one Valkey for each pytest worker, a fresh database for each test."""

import shutil
import socket
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.postgres import TEMPLATE, execute, make_template, serve_postgres

from swaprail_local.servers.postgres import EmbeddedPostgres
from swaprail_local.servers.valkey import EmbeddedValkey

_numbers = count(1)


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
    execute(postgres_server.dsn, f"CREATE DATABASE {name} TEMPLATE {database_template} STRATEGY FILE_COPY")
    yield postgres_server.dsn_of(name)
    execute(postgres_server.dsn, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def redis_url(valkey_server: EmbeddedValkey) -> str:
    """URL of a Valkey that holds nothing."""
    address = urlsplit(valkey_server.url)
    with socket.create_connection((address.hostname, address.port), 5) as connection:
        connection.sendall(b"FLUSHALL\r\n")
        assert connection.recv(16).startswith(b"+OK")
    return valkey_server.url
