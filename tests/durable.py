"""PostgreSQL as it runs in production, for the tests that kill what writes to it: fsync, and commits that wait for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from swaprail_local.servers.postgres import EmbeddedPostgres
from tests.postgres import TEMPLATE, make_template, serve_postgres


@pytest.fixture(scope="session")
def postgres_server(server_home: Path) -> Iterator[EmbeddedPostgres]:
    yield from serve_postgres(server_home / "durable-postgres", durable=True)


@pytest.fixture(scope="session")
def database_template(postgres_server: EmbeddedPostgres) -> str:
    """Name of a database that has all migrations and no rows."""
    make_template(postgres_server)
    return TEMPLATE
