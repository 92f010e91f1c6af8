"""Whether the database has the schema that this version needs."""

import asyncio

import asyncpg

from swaprail.db.connect import Database
from swaprail.db.statements import named
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.telemetry import metrics
from swaprail.telemetry.logging import get_logger

log = get_logger(__name__)

# Revisions are numbered upwards; a newer schema serves an older version too (expand, then contract).
REQUIRED_REVISION = "0007"
RETRY_S = 1.0
_REVISION = named("schema_revision", "select version_num from alembic_version")


async def check_schema(database: Database) -> None:
    """Raise EngineError unavailable unless the database is there and migrated far enough."""
    revision = await _revision(database)
    metrics.SCHEMA_REVISION.clear()
    metrics.SCHEMA_REVISION.labels(revision or "none").set(1)
    if revision is None or revision < REQUIRED_REVISION:
        message = f"the database is at revision {revision}, {REQUIRED_REVISION} is needed: run swaprail-migrate"
        raise EngineError(ErrorCode.UNAVAILABLE, message)


async def _revision(database: Database) -> str | None:
    try:
        revision: str | None = await database.fetchval(_REVISION)
    except asyncpg.UndefinedTableError:
        return None
    return revision


async def wait_for_schema(database: Database) -> None:
    """Return when the schema is there; a starting service waits for the migration job."""
    told = ""
    while True:
        try:
            await check_schema(database)
        except EngineError as error:
            if error.detail != told:
                log.warning("waiting for the database", detail=error.detail)
            told = error.detail
            await asyncio.sleep(RETRY_S)
        else:
            return
