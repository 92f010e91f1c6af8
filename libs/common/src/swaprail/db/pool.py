"""The connections of one process: so many at most, each with a place that it keeps until its statement has answered."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

from asyncpg import InterfaceError

from swaprail.db.session import Session
from swaprail.telemetry.logging import get_logger

log = get_logger(__name__)

RENEW_AGAIN_S = 10.0


class Pool:
    """Lends sessions, first the one that was used last, and opens them as they are asked for.

    Whoever stops waiting does not stop the opening of a session: it keeps its place and serves whoever asks next. So a
    server that is slow to take a session in is not asked to take in more and more of them.
    A session that is with a server that was left is closed when it is free. One that has lived long enough serves until
    another is open in its place: a server may take none in for as long as its standby is away.
    """

    def __init__(self, open_session: Callable[[], Awaitable[Session]], size: int) -> None:
        self._open_session = open_session
        self._size = size
        self._idle: list[Session] = []
        self._lent: set[Session] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._waiting: deque[asyncio.Future[Session]] = deque()
        self._left = 0.0
        self._renewing: asyncio.Task[None] | None = None
        self._replaced: set[Session] = set()

    @property
    def idle(self) -> int:
        """How many sessions are open and free."""
        return sum(not session.is_closed() for session in self._idle)

    @property
    def lent(self) -> int:
        """How many sessions are lent."""
        return len(self._lent)

    def take(self) -> Session | None:
        """Lend a session that is open and free, if there is one."""
        while self._idle:
            session = self._idle.pop()
            if self._is_good(session):
                self._lent.add(session)
                return session
        return None

    async def wait(self) -> Session:
        """Lend the next session that is free or opened; raise what went wrong when one could not be opened."""
        waiter: asyncio.Future[Session] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        self._open_more()
        try:
            return await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled() and waiter.exception() is None:
                self.give_back(waiter.result())
            raise

    async def fill(self) -> None:
        """Open as many sessions as there are places; raise what went wrong when one could not be opened."""
        opened: list[Session] = []

        async def take() -> None:
            opened.append(self.take() or await self.wait())

        try:
            ends = await asyncio.gather(*(take() for _ in range(self._size)), return_exceptions=True)
        finally:
            for session in opened:
                self.give_back(session)
        for error in filter(None, ends):
            raise error

    def give_back(self, session: Session) -> None:
        """Take back a session that was lent."""
        self._lent.discard(session)
        if not self._is_good(session):
            self._open_more()
            return
        if self._renewing is None and time.monotonic() >= session.ends:
            self._renewing = asyncio.create_task(self._renew(session), name="renewal of a session")
        self._lend(session)

    def leave_server(self, session: Session) -> None:
        """Close every session that is open by now, when it is free; the next ones find out which server is right."""
        if session.opened <= self._left:
            return  # one of those
        self._left = time.monotonic()
        idle, self._idle = self._idle, []
        for each in idle:
            each.terminate()

    async def close(self, within_s: float) -> None:
        """Close all: politely what is free, and without a word what is at work; a cancel might commit it unseen."""
        opening = [*self._opening, *filter(None, [self._renewing])]
        for task in opening:
            task.cancel()
        for session in list(self._lent):
            session.terminate()
        while (waiter := self._next_waiter()) is not None:
            waiter.set_exception(InterfaceError("the pool is closed"))
        idle, self._idle = self._idle, []
        await asyncio.gather(*opening, *(session.close(timeout=within_s) for session in idle), return_exceptions=True)

    def _is_good(self, session: Session) -> bool:
        replaced = session in self._replaced
        self._replaced.discard(session)
        if session.is_closed():
            return False
        if self._left < session.opened and not replaced:
            return True
        session.terminate()
        return False

    def _lend(self, session: Session) -> None:
        waiter = self._next_waiter()
        if waiter is None:
            self._idle.append(session)
            return
        self._lent.add(session)
        waiter.set_result(session)

    def _next_waiter(self) -> asyncio.Future[Session] | None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                return waiter
        return None

    def _open_more(self) -> None:
        while len(self._opening) < min(len(self._waiting), self._size - len(self._lent)):
            task = asyncio.create_task(self._open(), name="opening of a session")
            self._opening.add(task)

    async def _open(self) -> None:
        try:
            session = await self._open_session()
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            self._fail(error)
        else:
            self._lend(session)
        finally:
            self._opening.discard(asyncio.current_task())
        self._open_more()

    async def _renew(self, old: Session) -> None:
        try:
            new = await self._open_session()
        except Exception as error:  # noqa: BLE001 - the old one serves on
            log.debug("no session in place of an old one", error=type(error).__name__)
            old.ends = time.monotonic() + RENEW_AGAIN_S
            return
        finally:
            self._renewing = None
        if old in self._idle:
            self._idle.remove(old)
            old.terminate()
        elif old in self._lent:
            self._replaced.add(old)
        else:
            new.terminate()  # its place was taken meanwhile
            return
        self._lend(new)

    def _fail(self, error: Exception) -> None:
        waiter = self._next_waiter()
        if waiter is None:
            log.debug("no session", error=type(error).__name__)
            return
        waiter.set_exception(error)
