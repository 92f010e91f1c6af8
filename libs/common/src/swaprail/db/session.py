"""One connection to PostgreSQL, as the engine opens it."""

import asyncio
import socket
from collections.abc import Callable
from datetime import datetime

import asyncpg

from swaprail.db.acknowledged import ACKNOWLEDGE
from swaprail.domain.errors import EngineError, ErrorCode

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

# A peer that is gone without a word is noticed within 15 s, whether or not something is on the way to it.
_KEEPALIVE = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 2, "TCP_USER_TIMEOUT": 15_000}
_WHO = """
select backend_start, pg_is_in_recovery() as standby, current_setting('synchronous_commit') in ('off', 'local') as alone
from pg_stat_activity where pid = pg_backend_pid()
"""
_WAIT_FOR_STANDBY = "set synchronous_commit = on"


class Session(asyncpg.Connection):
    """A connection, and since when the server has it: together with its process a name that nobody has again."""

    __slots__ = ("began",)
    began: datetime

    @property
    def name(self) -> tuple[int, datetime]:
        """What the server's own list calls it."""
        return self.get_server_pid(), self.began


class Opener:
    """Opens sessions with one server. Nothing is asked with asyncpg's timeouts: they cancel, and a cancel may commit."""

    def __init__(self, dsn: str, *, timeout_s: float, application: str, durable: bool) -> None:
        self._dsn = dsn
        self._timeout_s = timeout_s
        self._durable = durable
        # A batch statement is planned once and reused; the JIT never pays for statements of a millisecond.
        self._settings = {
            "application_name": application,
            "jit": "off",
            # Every statement takes arrays or keys, and has one good plan: do not plan it at each call.
            "plan_cache_mode": "force_generic_plan",
            "timezone": "UTC",
            # Ends what waits for a lock. It is over before a commit begins, so it never ends the wait for a standby.
            "statement_timeout": str(int(timeout_s * 1000)),
            "idle_in_transaction_session_timeout": "10000",
            **({} if durable else {"synchronous_commit": "off"}),
        }

    async def open(self) -> Session:
        """Connect, in bounded time. EngineError unavailable when the server is a standby."""
        async with asyncio.timeout(self._timeout_s):
            session: Session = await asyncpg.connect(
                self._dsn, timeout=self._timeout_s, server_settings=self._settings, connection_class=Session
            )
            try:
                await self._greet(session)
            except BaseException:
                session.terminate()
                raise
        return session

    async def open_believed(self, waits: Callable[[Session], None], answered: Callable[[Session], None]) -> Session:
        """Connect, and return when a synchronous standby has all that the server holds, however long that takes.

        A server that crashed while a commit waited for its standby shows that commit after its restart.
        """
        session = await self.open()
        if not self._durable:
            return session
        waits(session)
        try:
            await session.fetch(ACKNOWLEDGE)
        except BaseException:
            session.terminate()
            raise
        finally:
            answered(session)
        return session

    async def _greet(self, session: Session) -> None:
        _notice_dead_links(session)
        who = await session.fetchrow(_WHO)
        assert who is not None
        if who["standby"]:
            raise EngineError(ErrorCode.UNAVAILABLE, "the database is a standby")
        session.began = who["backend_start"]
        if self._durable and who["alone"]:
            await session.execute(_WAIT_FOR_STANDBY)


def _notice_dead_links(session: Session) -> None:
    # asyncpg shows its socket nowhere else.
    end = session._transport.get_extra_info("socket")  # type: ignore[attr-defined]  # noqa: SLF001
    if end is None or end.family not in (socket.AF_INET, socket.AF_INET6):
        return
    end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if hasattr(socket, name):  # not every system has each of them
            end.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
