"""Connections to PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any

import asyncpg

from swaprail.db.statements import timer_of
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.telemetry import metrics
from swaprail.telemetry.logging import get_logger

log = get_logger(__name__)

# What asyncpg raises while PostgreSQL is away, starting, stopping or cutting us off.
AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that was cut while asyncpg was not looking
    asyncpg.exceptions.CannotConnectNowError,
    asyncpg.exceptions.AdminShutdownError,
    asyncpg.exceptions.CrashShutdownError,
    asyncpg.exceptions.TooManyConnectionsError,
    asyncpg.exceptions.IdleInTransactionSessionTimeoutError,
    asyncpg.exceptions.QueryCanceledError,
    # A login or a database that is not there yet, or whose password is being changed.
    asyncpg.exceptions.InvalidAuthorizationSpecificationError,
    asyncpg.exceptions.InvalidCatalogNameError,
)


async def _keep(_: object) -> None:
    """Reset nothing between statements: none of ours leaves anything in its session, and a reset is a round trip."""


def _away(error: BaseException) -> EngineError:
    return EngineError(ErrorCode.UNAVAILABLE, f"the database is away ({type(error).__name__})")


class Database:
    """A small pool whose every wait is bounded, and whose absence is one error: EngineError unavailable."""

    def __init__(
        self, dsn: str, *, size: int, timeout_s: float, application: str, pool: str = "main", durable: bool = True
    ) -> None:
        """Open at most `size` connections; pool names them in metrics, application in the server's views.

        Not durable: a commit is answered before it is on the disk, and may be gone after a crash of the server. What
        is committed durably after it, here or elsewhere, brings it to the disk as well.
        """
        self._dsn = dsn
        self._size = size
        self._timeout_s = timeout_s
        self._application = application
        self._durable = durable
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._opening = asyncio.Lock()
        self._releasing: set[asyncio.Task[None]] = set()
        self._wait = metrics.CONNECTION_WAIT.labels(pool)
        metrics.CONNECTIONS_MAX.labels(pool).set(size)
        metrics.CONNECTIONS.labels(pool, "idle").set_function(lambda: self._pool.get_idle_size() if self._pool else 0)
        metrics.CONNECTIONS.labels(pool, "used").set_function(self._used)

    async def open(self) -> None:
        """Connect, if not yet connected."""
        async with self._opening:
            if self._pool is not None:
                return
            self._pool = await asyncpg.create_pool(
                self._dsn,
                min_size=1,
                max_size=self._size,
                timeout=self._timeout_s,
                command_timeout=self._timeout_s,
                # A batch statement is planned once and reused; the JIT never pays for statements of a millisecond.
                server_settings={
                    "application_name": self._application,
                    "jit": "off",
                    # Every statement takes arrays or keys, and has one good plan: do not plan it at each call.
                    "plan_cache_mode": "force_generic_plan",
                    "timezone": "UTC",
                    "statement_timeout": str(int(self._timeout_s * 1000)),
                    "idle_in_transaction_session_timeout": "10000",
                    **({} if self._durable else {"synchronous_commit": "off"}),
                },
                max_inactive_connection_lifetime=0,
                reset=_keep,
            )

    def _used(self) -> int:
        return self._pool.get_size() - self._pool.get_idle_size() if self._pool else 0

    async def _opened(self) -> "asyncpg.Pool[asyncpg.Record]":
        await self.open()
        assert self._pool is not None
        return self._pool

    async def close(self) -> None:
        """Close every connection."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            await asyncio.wait_for(pool.close(), self._timeout_s)
        except TimeoutError:
            pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """Lend a connection; EngineError unavailable when there is none in time or it breaks."""
        try:
            pool = self._pool or await self._opened()
            async with pool.acquire(timeout=self._timeout_s) as connection:
                yield connection
        except AWAY as error:
            raise _away(error) from error

    async def fetch(self, sql: str, *args: object) -> Sequence[asyncpg.Record]:
        """Run one statement in a transaction of its own and return its rows."""
        # Not by `connection`: every order comes here several times, and a context manager is a good part of the cost.
        try:
            pool = self._pool or await self._opened()
            asked = perf_counter()
            connection = await pool.acquire(timeout=self._timeout_s)
            began = perf_counter()
            self._wait.observe(began - asked)
            try:
                rows: Sequence[asyncpg.Record] = await connection.fetch(sql, *args)
            except BaseException:
                self._release_behind(pool, connection)
                raise
            finally:
                timer_of(sql).observe(perf_counter() - began)
            await pool.release(connection)
        except AWAY as error:
            raise _away(error) from error
        return rows

    def _release_behind(self, pool: "asyncpg.Pool[asyncpg.Record]", connection: Any) -> None:
        """Release a connection whose statement failed.

        The server is asked to cancel what was given up, and may be beyond reach: nobody waits for that as well.
        """
        task = asyncio.create_task(pool.release(connection), name="release of a connection")
        self._releasing.add(task)
        task.add_done_callback(self._released)

    def _released(self, task: "asyncio.Task[None]") -> None:
        self._releasing.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # The pool has closed the connection, and opens another when one is needed.
            log.debug("connection given up", error=type(error).__name__)

    async def fetchrow(self, sql: str, *args: object) -> asyncpg.Record | None:
        """Run one statement and return its first row, if any."""
        rows = await self.fetch(sql, *args)
        return rows[0] if rows else None

    async def fetchval(self, sql: str, *args: object) -> Any:
        """Run one statement and return the first column of its first row, if any."""
        row = await self.fetchrow(sql, *args)
        return row[0] if row else None
