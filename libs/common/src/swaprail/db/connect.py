"""Statements on PostgreSQL, by a small pool of sessions."""

import asyncio
import time
from collections.abc import Coroutine
from time import perf_counter
from typing import Any

import asyncpg

from swaprail.db.away import FAILURES, is_misplaced, is_passing, is_unsent, takes_no_writes, unavailable
from swaprail.db.pool import Pool
from swaprail.db.session import Opener, Session
from swaprail.db.statements import timer_of
from swaprail.db.transactions import Rows
from swaprail.db.unanswered import Unanswered
from swaprail.deadline import Deadline
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.telemetry import metrics
from swaprail.telemetry.causes import cause_of
from swaprail.telemetry.incidents import Incident
from swaprail.telemetry.logging import get_logger

log = get_logger(__name__)

WRITES_DOUBTED_S = 15.0  # after a refused one: longer than between the engine's own writes


class Database:
    """A small pool whose every wait is bounded, and whose absence is one error: EngineError unavailable.

    A statement is never cancelled, for it may be in its commit: who gives it up, by a timeout or because he is cancelled
    himself, gives up his own side only. It ends as it will, and its session serves nobody else until then.
    """

    def __init__(
        self,
        dsn: str,
        *,
        size: int,
        timeout_s: float,
        application: str,
        pool: str = "main",
        durable: bool = True,
        lifetime_s: float = 300,
    ) -> None:
        """Open at most `size` connections; pool names them in metrics, application in the server's views.

        Each is replaced when it is used after lifetime_s: an address may come to mean another server.

        Not durable: a commit is answered before it is on the disk, and may be gone after a crash of the server. What
        is committed durably after it, here or elsewhere, brings it to the disk as well.
        """
        self._timeout_s = timeout_s
        self._size = size
        self._opener = Opener(dsn, timeout_s=timeout_s, application=application, durable=durable, lifetime_s=lifetime_s)
        self._unanswered = Unanswered(self._opener.open, timeout_s)
        self._pool = self._new_pool()
        self._deadline = Deadline(timeout_s, ErrorCode.UNAVAILABLE, f"the database did not answer in {timeout_s:g} s")
        self._refused_write: tuple[float, str] | None = None
        self._incident = Incident("the database is away", "the database is back")
        self._wait = metrics.CONNECTION_WAIT.labels(pool)
        metrics.CONNECTIONS_MAX.labels(pool).set(size)
        metrics.CONNECTIONS.labels(pool, "idle").set_function(lambda: self._pool.idle)
        metrics.CONNECTIONS.labels(pool, "used").set_function(lambda: self._pool.lent)
        metrics.CONNECTIONS.labels(pool, "unanswered").set_function(lambda: len(self._unanswered))

    async def open(self) -> None:
        """Open all connections, where none is used yet: whoever comes first waits for none, nor opens it in a crowd."""
        await self._bounded(self._pool.fill())

    def check_writes(self) -> None:
        """Raise EngineError unavailable where the disk refused a write lately: whoever merely reads is answered."""
        if self._refused_write is None:
            return
        at, cause = self._refused_write
        if time.monotonic() - at < WRITES_DOUBTED_S:
            raise EngineError(ErrorCode.UNAVAILABLE, f"the database takes no writes: {cause}")

    async def close(self) -> None:
        """Close every connection; what has not answered by now ends by itself."""
        pool, self._pool = self._pool, self._new_pool()
        await self._unanswered.stop()
        await pool.close(self._timeout_s)

    async def fetch(self, sql: str, *args: object) -> Rows:
        """Run one statement in a transaction of its own and return its rows."""
        return await self._bounded(self._ask("", sql, args))

    async def fetchrow(self, sql: str, *args: object) -> asyncpg.Record | None:
        """Run one statement and return its first row, if any."""
        rows = await self.fetch(sql, *args)
        return rows[0] if rows else None

    async def fetchval(self, sql: str, *args: object) -> Any:
        """Run one statement and return the first column of its first row, if any."""
        row = await self.fetchrow(sql, *args)
        return row[0] if row else None

    async def read_after(self, first: str, sql: str, *args: object) -> Rows:
        """Run a statement after another one (a lock, a setting) in one transaction that only reads; return its rows."""
        return await self._bounded(self._ask(first, sql, args))

    async def _bounded[T](self, work: Coroutine[Any, Any, T]) -> T:
        try:
            done = await self._deadline.wait(work)
        except EngineError as error:
            self._incident.failed(error)
            raise
        except FAILURES as error:
            if not is_passing(error):
                raise
            self._incident.failed(error)
            if takes_no_writes(error):
                self._refused_write = time.monotonic(), cause_of(error)
            raise unavailable(error) from error
        if self._incident.open:
            self._incident.succeeded()
        return done

    def _new_pool(self) -> Pool:
        unanswered = self._unanswered
        return Pool(lambda: self._opener.open_believed(unanswered.keep, unanswered.forget), self._size)

    async def _ask(self, first: str, sql: str, args: tuple[object, ...]) -> Rows:
        try:
            return await self._ask_once(first, sql, args)
        except FAILURES as error:
            if not is_unsent(error):
                raise
        return await self._ask_once(first, sql, args)

    async def _ask_once(self, first: str, sql: str, args: tuple[object, ...]) -> Rows:
        asked = perf_counter()
        session = self._pool.take() or await self._pool.wait()
        began = perf_counter()
        self._wait.observe(began - asked)
        # Cheaper than a shield around the task: every order comes here several times.
        answer: asyncio.Future[Rows] = asyncio.get_running_loop().create_future()
        work = self._run(session, answer, first, sql, args)
        statement = asyncio.Task(work, loop=answer.get_loop(), eager_start=True)
        try:
            return await answer
        finally:
            if answer.cancelled() and not statement.done():
                self._unanswered.keep(session)
            timer_of(sql).observe(perf_counter() - began)

    async def _run(
        self, session: Session, answer: asyncio.Future[Rows], first: str, sql: str, args: tuple[object, ...]
    ) -> None:
        pool = self._pool
        try:
            rows = await session.ask(first, sql, args)
            if session.read_only:
                raise asyncpg.ReadOnlySQLTransactionError("the server has turned read-only")
        except asyncio.CancelledError:
            # The loop is being closed under us. asyncpg means to cancel now, at its next turn; a closed session cannot.
            session.terminate()
            raise
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for the rows
            # Where one session was idle for too long, those below it in the pool were so for longer.
            if is_misplaced(error) or is_unsent(error):
                self._opener.doubt()
                pool.leave_server(session)
            if answer.done():
                log.debug("a statement that was given up has failed", error=type(error).__name__)
            else:
                answer.set_exception(error)
        else:
            if not answer.done():
                answer.set_result(rows)
        finally:
            self._unanswered.forget(session)
            pool.give_back(session)
