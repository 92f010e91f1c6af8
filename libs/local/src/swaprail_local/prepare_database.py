"""Create the database if there is none, and migrate it."""

import asyncio
import os
import signal
import sys
import time
from urllib.parse import unquote, urlsplit, urlunsplit

import asyncpg

from swaprail_local.servers.process import dies_with_parent

CONNECT_TIMEOUT_S = 30.0
RETRY_S = 0.2


class DatabaseUnavailableError(RuntimeError):
    """The database cannot be reached, created or migrated."""


async def prepare_database(dsn: str) -> None:
    """Bring the database to the newest schema, waiting up to 30 s for its server.

    Raises:
        DatabaseUnavailableError: it cannot be reached, created or migrated.
    """
    deadline = time.monotonic() + CONNECT_TIMEOUT_S
    while not await _exists(dsn, deadline):
        await _create(dsn)
    await _migrate(dsn)


async def _exists(dsn: str, deadline: float) -> bool:
    while True:
        try:
            connection = await asyncpg.connect(dsn, timeout=5)
        except asyncpg.InvalidCatalogNameError:
            return False
        except (OSError, TimeoutError, asyncpg.CannotConnectNowError) as error:
            if time.monotonic() > deadline:
                raise DatabaseUnavailableError(f"PostgreSQL cannot be reached: {error}") from error
            await asyncio.sleep(RETRY_S)
        except (asyncpg.PostgresError, asyncpg.ClientConfigurationError) as error:
            raise DatabaseUnavailableError(f"PostgreSQL refuses: {error}") from error
        else:
            await connection.close()
            return True


async def _create(dsn: str) -> None:
    parts = urlsplit(dsn)
    name = unquote(parts.path.lstrip("/")).replace('"', '""')
    connection = await asyncpg.connect(urlunsplit(parts._replace(path="/postgres")), timeout=5)
    try:
        await connection.execute(f'CREATE DATABASE "{name}"')
    except asyncpg.DuplicateDatabaseError:
        return
    except asyncpg.PostgresError as error:
        raise DatabaseUnavailableError(f"the database {name} does not exist and cannot be created: {error}") from error
    finally:
        await connection.close()


async def _migrate(dsn: str) -> None:
    # A process of its own: the supervisor stays small, and reloading sees changed migrations.
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "swaprail.db.migrate",
        env={**os.environ, "DATABASE_URL": dsn},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=dies_with_parent(signal.SIGKILL),
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise DatabaseUnavailableError(f"the migration failed:\n{output.decode(errors='replace')}")
