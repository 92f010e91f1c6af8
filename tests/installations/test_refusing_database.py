"""Real processes whose database refuses them for good: one line with its words, at once, and no traceback."""

import asyncpg
import pytest

from tests.installations.processes import start
from tests.system.engine import MODULES

SERVICES = [*MODULES.values(), "swaprail_local.front"]
NO_REDIS = {"REDIS_URL": "redis://127.0.0.1:1"}


@pytest.mark.parametrize("module", SERVICES)
def test_a_service_ends_with_the_servers_words_when_it_refuses_its_options(module: str, database: str) -> None:
    code, told = start(module, {"DATABASE_URL": f"{database}?options=-c%20nosuch%3D1", **NO_REDIS}, within_s=60)
    assert code != 0
    assert "PostgreSQL refuses: " in told.splitlines()[-1]
    assert "nosuch" in told.splitlines()[-1]
    assert "Traceback" not in told


@pytest.mark.parametrize("module", SERVICES)
async def test_a_service_ends_with_the_servers_words_when_it_may_not_read_its_schema(
    module: str, database: str, stranger: str
) -> None:
    code, told = start(module, {"DATABASE_URL": stranger, **NO_REDIS}, within_s=60)
    assert code != 0
    assert told.splitlines()[-1] == "PostgreSQL refuses: permission denied for table alembic_version"
    assert "Traceback" not in told


def test_the_migration_ends_with_the_servers_words_when_it_refuses_its_options(database: str) -> None:
    code, told = start("swaprail.db.migrate", {"DATABASE_URL": f"{database}?options=-c%20nosuch%3D1"}, within_s=60)
    assert code != 0
    (line,) = told.splitlines()
    assert "PostgreSQL refuses: " in line
    assert "Traceback" not in line


@pytest.fixture
async def stranger(database: str) -> str:
    """The database's URL for a role that may connect, and nothing else."""
    connection = await asyncpg.connect(database)
    await connection.execute("drop role if exists stranger")
    await connection.execute("create role stranger login")
    await connection.close()
    return database.replace("postgres@", "stranger@")
