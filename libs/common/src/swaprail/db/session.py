"""One connection to PostgreSQL, as the engine opens it."""

import asyncio
import random
import socket
import time
from collections.abc import Callable
from datetime import datetime

import asyncpg

from swaprail.clock import CLOCK
from swaprail.db.acknowledged import ACKNOWLEDGE
from swaprail.db.away import is_misplaced
from swaprail.db.transactions import Rows, Transactions
from swaprail.domain.errors import EngineError, ErrorCode

# A peer that is gone without a word is noticed within 15 s, whether or not something is on the way to it.
_KEEPALIVE = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 2, "TCP_USER_TIMEOUT": 15_000}
_WHO = """
select pid, backend_start, extract(epoch from clock_timestamp())::float8 as now, pg_is_in_recovery() as standby,
    current_setting('transaction_read_only') = 'on' as read_only,
    current_setting('synchronous_commit') in ('off', 'local') as alone
from pg_stat_activity where pid = pg_backend_pid()
"""
# Not as parameters of the connection's start: poolers refuse those. What this server does not have is left out.
_SET = """
select set_config(s.name, t.wanted, false)
from unnest($1::text[], $2::text[]) as t(name, wanted) join pg_settings s on lower(s.name) = t.name
"""
_STATEMENTS_KEPT = 100  # prepared ones; there are fewer
_WAIT_FOR_STANDBY = {"synchronous_commit": "on"}
# Addresses with a server or a pooler behind them, as last seen; all pools of a process know it from the first session.
_POOLED: dict[str, bool] = {}


class Session(asyncpg.Connection):
    """A connection, and since when the server has it: together with its process a name that nobody has again.

    opened and ends are times of this process (`time.monotonic`): a connection is not kept for ever, for an address may
    come to mean another server.
    """

    __slots__ = ("began", "ends", "in_transactions", "opened")
    began: datetime
    opened: float
    ends: float
    in_transactions: Transactions | None

    @property
    def name(self) -> tuple[int, datetime]:
        """What the server's own list calls it."""
        return self.get_server_pid(), self.began

    @property
    def read_only(self) -> bool:
        """Tell whether the server has turned read-only since: from version 14 on it says so beside any answer.

        A pooler repeats what a server said once; behind one, a write is refused by the server itself.
        """
        if self.in_transactions is not None:
            return False
        said = self.get_settings()
        return "on" in (getattr(said, "default_transaction_read_only", ""), getattr(said, "in_hot_standby", ""))

    async def ask(self, first: str, sql: str, args: tuple[object, ...]) -> Rows:
        """Run a statement in a transaction of its own and return its rows; in one that only reads, after `first`."""
        if self.in_transactions is not None:
            return await self.in_transactions.ask(self, first, sql, args)
        if not first:
            rows: Rows = await self.fetch(sql, *args)
            return rows
        async with self.transaction(readonly=True):
            await self.execute(first)
            read: Rows = await self.fetch(sql, *args)
        return read


class Opener:
    """Opens sessions with one server. Nothing is asked with asyncpg's timeouts: they cancel, and a cancel may commit."""

    def __init__(self, dsn: str, *, timeout_s: float, application: str, durable: bool, lifetime_s: float) -> None:
        self._dsn = dsn
        self._timeout_s = timeout_s
        self._lifetime_s = lifetime_s
        self._durable = durable
        self._application = application
        self._finding_out = asyncio.Lock()
        self._settings = {
            # A batch statement is planned once and reused; the JIT never pays for statements of a millisecond.
            "jit": "off",
            # Every statement takes arrays or keys, and has one good plan: do not plan it at each call.
            "plan_cache_mode": "force_generic_plan",
            "timezone": "UTC",
            # Statements are written for it: of two that meet, the second sees what the first has committed.
            "default_transaction_isolation": "read committed",
            # Ends what waits for a lock. It is over before a commit begins, so it never ends the wait for a standby.
            "statement_timeout": str(int(timeout_s * 1000)),
            "lock_timeout": "0",
            "idle_in_transaction_session_timeout": "10000",
            # A farewell to an idle session crosses what is sent to it, and may be lost. PostgreSQL 13 does not have it.
            "idle_session_timeout": "0",
            **({} if durable else {"synchronous_commit": "off"}),
        }

    async def open(self) -> Session:
        """Connect, in bounded time. EngineError unavailable when the server is a standby, or read-only."""
        async with asyncio.timeout(self._timeout_s):
            await self._find_out()
            return await self._connect()

    def doubt(self) -> None:
        """Find out anew whether there is a pooler between: the server said something that only a pooler explains."""
        _POOLED.pop(self._dsn, None)

    async def open_believed(self, waits: Callable[[Session], None], answered: Callable[[Session], None]) -> Session:
        """Connect, and return when a synchronous standby has all that the server holds, however long that takes.

        A server that crashed while a commit waited for its standby shows that commit after its restart.
        """
        session = await self.open()
        if not self._durable:
            return session
        waits(session)
        try:
            await session.ask("", ACKNOWLEDGE, ())
        except BaseException:
            session.terminate()
            raise
        finally:
            answered(session)
        return session

    async def _find_out(self) -> None:
        """Learn by one session for all that follow whether a pooler is between: each of a crowd would be opened twice."""
        async with self._finding_out:
            if self._dsn not in _POOLED:
                session = await self._connect()
                await session.close()

    def _is_pooled(self) -> bool:
        """Tell whether a pooler may be between. Until a session has told: yes, for that is right everywhere, if slow."""
        return _POOLED.get(self._dsn, True)

    async def _connect(self) -> Session:
        pooled = self._is_pooled()
        session: Session = await asyncpg.connect(
            self._dsn,
            timeout=self._timeout_s,
            server_settings={"application_name": self._application},
            connection_class=Session,
            statement_cache_size=0 if pooled else _STATEMENTS_KEPT,
        )
        session.in_transactions = Transactions(self._settings) if pooled else None
        try:
            await self._greet(session)
        except BaseException as error:
            if is_misplaced(error):
                self.doubt()
            session.terminate()
            raise
        return session

    async def _greet(self, session: Session) -> None:
        _notice_dead_links(session)
        asked = time.monotonic()
        (who,) = await session.ask("", _WHO, ())
        answered = time.monotonic()
        pooled = _POOLED[self._dsn] = who["pid"] != session.get_server_pid()
        if who["standby"]:
            raise EngineError(ErrorCode.UNAVAILABLE, "the database is a standby")
        if who["read_only"]:
            raise EngineError(ErrorCode.UNAVAILABLE, "the database is read-only")
        CLOCK.set(who["now"], asked, answered)
        session.began = who["backend_start"]
        session.opened = answered
        # Not all at once: each new one costs the server a process.
        session.ends = session.opened + self._lifetime_s * random.uniform(0.8, 1)  # noqa: S311 - no secret
        settings = self._settings | (_WAIT_FOR_STANDBY if self._durable and who["alone"] else {})
        if session.in_transactions is not None:
            session.in_transactions = Transactions(settings)
        elif pooled:
            raise asyncpg.InvalidSQLStatementNameError("a pooler stands before the server now")
        else:
            await session.fetch(_SET, list(settings), list(settings.values()))


def _notice_dead_links(session: Session) -> None:
    # asyncpg shows its socket nowhere else.
    end = session._transport.get_extra_info("socket")  # type: ignore[attr-defined]  # noqa: SLF001
    if end is None or end.family not in (socket.AF_INET, socket.AF_INET6):
        return
    end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if hasattr(socket, name):  # not every system has each of them
            end.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
