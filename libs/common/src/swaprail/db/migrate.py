"""`swaprail-migrate`: bring the database to the schema of this version, one caller at a time."""

import asyncio
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.resources import files

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from pydantic import Field, SecretStr
from sqlalchemy import Connection, pool, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from swaprail.db.pooler import hands_out_transactions
from swaprail.settings import Settings, read_settings
from swaprail.telemetry.logging import configure_logging, get_logger

log = get_logger(__name__)

LOCK = 0x5A9_0001  # one migration at a time, whatever starts it
RETRY_S = 1.0
TURN_EVERY_S = 0.2
CONNECT_TIMEOUT_S = 5.0
LOCK_NOT_AVAILABLE = "55P03"

# What passes by itself: a server that is not there yet, starts, stops, or has no place for us.
_PASSING = (
    OSError,
    TimeoutError,
    asyncpg.CannotConnectNowError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.TooManyConnectionsError,
)


class MigrationSettings(Settings):
    """What the migration reads beyond the shared settings."""

    migrate_database_url: SecretStr | None = Field(
        None,
        description="migration: PostgreSQL itself, where DATABASE_URL is that of a pooler that hands out transactions",
    )
    migrate_wait_s: float = Field(60.0, ge=0, description="migration: longest wait for PostgreSQL to answer")
    migrate_turn_s: float = Field(300.0, gt=0, description="migration: longest wait for another migration to end")
    migrate_lock_timeout_s: float = Field(
        4.0,
        gt=0,
        le=2_000_000,
        description="migration: longest wait of a statement for a lock; the engine queues up behind it",
    )
    migrate_statement_timeout_s: float = Field(
        600.0, gt=0, le=2_000_000, description="migration: longest run of a statement"
    )

    @property
    def database_setting(self) -> tuple[str, SecretStr | None]:
        """The setting that holds the URL, and what it holds."""
        if self.migrate_database_url is not None:
            return "MIGRATE_DATABASE_URL", self.migrate_database_url
        return super().database_setting


class MigrationError(Exception):
    """The database was not brought to the schema; the message says why in one line."""


def migrate(dsn: str, settings: MigrationSettings | None = None) -> None:
    """Upgrade to the newest revision; concurrent callers wait for one another. dsn: postgresql://…

    Raises:
        MigrationError: the database stayed away, refused, or stayed locked for too long.
    """
    asyncio.run(_Migration(dsn, settings or MigrationSettings(_env_file=None)).run())


def newest_revision() -> str:
    """Return the revision that this version migrates to."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def needed_revisions() -> dict[str, bool]:
    """Return each revision, and whether the services of its version do not work without it."""
    return {each.revision: each.module.needed for each in ScriptDirectory.from_config(_config()).walk_revisions()}


class _Migration:
    """One run against one database."""

    def __init__(self, dsn: str, settings: MigrationSettings) -> None:
        self._dsn = dsn
        self._settings = settings

    async def run(self) -> None:
        began = time.monotonic()
        await self._wait_for_database()
        await self._refuse_pooler()
        # Not by SQLAlchemy's own reading of the URL: it does not know asyncpg's options of TLS.
        engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=partial(asyncpg.connect, self._dsn, timeout=CONNECT_TIMEOUT_S),
            poolclass=pool.NullPool,
        )
        try:
            async with engine.connect() as connection:
                await self._take_turn(connection)
                await self._upgrade(connection, began)
        except (DBAPIError, asyncpg.PostgresError, OSError) as error:
            raise MigrationError(_one_line(error)) from error
        finally:
            await engine.dispose()

    async def _wait_for_database(self) -> None:
        until, told = time.monotonic() + self._settings.migrate_wait_s, ""
        while True:
            try:
                connection = await asyncpg.connect(self._dsn, timeout=CONNECT_TIMEOUT_S)
            except _PASSING as error:
                if time.monotonic() >= until or "CERTIFICATE_VERIFY_FAILED" in str(error):
                    raise MigrationError(f"PostgreSQL cannot be reached: {_one_line(error)}") from error
                if told != type(error).__name__:
                    log.warning("waiting for PostgreSQL", error=_one_line(error))
                told = type(error).__name__
                await asyncio.sleep(min(RETRY_S, max(0.0, until - time.monotonic())))
            except (asyncpg.PostgresError, asyncpg.ClientConfigurationError) as error:
                raise MigrationError(f"PostgreSQL refuses: {_one_line(error)}") from error
            else:
                await connection.close()
                return

    async def _refuse_pooler(self) -> None:
        try:
            pooled = await hands_out_transactions(self._dsn, timeout_s=CONNECT_TIMEOUT_S)
        except (*_PASSING, asyncpg.PostgresError) as error:
            raise MigrationError(f"PostgreSQL cannot be reached: {_one_line(error)}") from error
        if pooled:
            raise MigrationError(
                "a pooler that hands out transactions stands before PostgreSQL, and its locks would be anybody's: give "
                "PostgreSQL's own address in MIGRATE_DATABASE_URL, or use a pooler of sessions"
            )

    async def _take_turn(self, connection: AsyncConnection) -> None:
        """Take the lock of all migrations of this database; it is given back with the connection."""
        until, told = time.monotonic() + self._settings.migrate_turn_s, False
        # Asked again and again: a statement that waits for the lock has a snapshot, for whose end an index that is
        # built concurrently waits.
        while not await self._try_lock(connection):
            if time.monotonic() >= until:
                raise MigrationError(f"another migration did not end within {self._settings.migrate_turn_s:g} s")
            if not told:
                log.info("another migration runs; waiting for it")
            told = True
            await asyncio.sleep(TURN_EVERY_S)

    async def _try_lock(self, connection: AsyncConnection) -> bool:
        taken = await connection.scalar(text("select pg_try_advisory_lock(:key)"), {"key": LOCK})
        await connection.commit()
        return bool(taken)

    async def _upgrade(self, connection: AsyncConnection, began: float) -> None:
        known = newest_revision()
        found = await connection.run_sync(_revision)
        if found is not None and found >= known:
            # A newer schema serves an older version too: what is rolled back has nothing to do here.
            log.info("nothing to migrate", revision=found, needed=known)
            return
        await _set(
            connection,
            lock_timeout=self._settings.migrate_lock_timeout_s,
            statement_timeout=self._settings.migrate_statement_timeout_s,
        )
        await self._retry_locked(connection, lambda sync: command.upgrade(_config(sync), "head"))
        log.info("migrated", before=found, revision=known, seconds=round(time.monotonic() - began, 3))

    async def _retry_locked(self, connection: AsyncConnection, step: Callable[[Connection], None]) -> None:
        """Try until no lock of the engine's is in the way: each migration is a transaction and starts anew."""
        until = time.monotonic() + self._settings.migrate_wait_s
        while True:
            try:
                await connection.run_sync(step)
            except DBAPIError as error:
                if not _is_lock_timeout(error) or time.monotonic() >= until:
                    raise
                log.warning("a lock is in the way; trying again", error=_one_line(error))
                await connection.rollback()
                await asyncio.sleep(RETRY_S)
            else:
                await connection.commit()
                return


async def _set(connection: AsyncConnection, **seconds: float) -> None:
    for name, value in seconds.items():
        await connection.execute(text(f"set {name} = {int(value * 1000)}"))
    await connection.commit()


def _revision(connection: Connection) -> str | None:
    found = MigrationContext.configure(connection).get_current_revision()
    connection.commit()
    return found


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("swaprail.db").joinpath("migrations")))
    config.attributes["connection"] = connection
    return config


def _is_lock_timeout(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE


def _one_line(error: BaseException) -> str:
    told = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {told}" if told else type(error).__name__


def main() -> None:
    """Migrate the database that the settings name; exit with 1 and one line when it cannot be done."""
    settings = read_settings(MigrationSettings)
    configure_logging("migrate", settings.log_level, settings.log_format)
    try:
        migrate(settings.dsn, settings)
    except MigrationError as error:
        log.error("not migrated", reason=str(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
