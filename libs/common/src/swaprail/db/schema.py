"""Whether the database has the schema that this version needs."""

import asyncio
import time

import asyncpg

from swaprail.clock import CLOCK
from swaprail.db.away import FAILURES
from swaprail.db.connect import Database
from swaprail.db.statements import named
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.telemetry import metrics
from swaprail.telemetry.causes import cause_of
from swaprail.telemetry.logging import get_logger

log = get_logger(__name__)

# Revisions are numbered upwards; a newer schema serves an older version too (expand, then contract). The newest that there is,
# and the newest that services do not work without.
KNOWN_REVISION = "0007"
REQUIRED_REVISION = "0007"
RETRY_S = 1.0
_STATE = named(
    "schema_revision",
    """
    select version_num as revision, extract(epoch from clock_timestamp())::float8 as now,
        pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as read_only
    from alembic_version
    """,
)


class DatabaseRefusesError(SystemExit):
    """The server refuses what we need, and waiting does not help; the message has its words, in one line."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(f"PostgreSQL refuses: {cause_of(error)}")


async def check_schema(database: Database) -> None:
    """Raise EngineError unavailable unless the database is there, takes writes, and is migrated far enough.

    Its time is taken on the way: a host may have slept, or somebody set the server's clock, since a session was opened.
    """
    asked = time.monotonic()
    state = await _state(database)
    revision = state["revision"] if state else None
    if state:
        CLOCK.set(state["now"], asked, time.monotonic())
    metrics.SCHEMA_REVISION.clear()
    metrics.SCHEMA_REVISION.labels(revision or "none").set(1)
    metrics.SCHEMA_NUMBER.set(int(revision or 0))
    metrics.SCHEMA_KNOWN.set(int(KNOWN_REVISION))
    if revision is None or revision < REQUIRED_REVISION:
        message = f"the database is at revision {revision}, {REQUIRED_REVISION} is needed: run swaprail-migrate"
        raise EngineError(ErrorCode.UNAVAILABLE, message)
    if state and state["read_only"]:  # a session says so itself, but none behind a pooler
        raise EngineError(ErrorCode.UNAVAILABLE, "the database is read-only")


async def check_database(database: Database, *others: Database) -> None:
    """Raise EngineError unavailable unless the schema is there, and writes are taken as far as we know of any."""
    await check_schema(database)
    for each in (database, *others):
        each.check_writes()


async def _state(database: Database) -> asyncpg.Record | None:
    try:
        return await database.fetchrow(_STATE)
    except asyncpg.UndefinedTableError:
        return None


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
        except FAILURES as error:
            raise DatabaseRefusesError(error) from None
        else:
            return


async def end_if_refused(database: Database) -> None:
    """Return whether or not the database is there and migrated; exit when it refuses us for good."""
    try:
        await check_schema(database)
    except EngineError as error:
        log.warning("the database does not serve yet", detail=error.detail)
    except FAILURES as error:
        raise DatabaseRefusesError(error) from None
