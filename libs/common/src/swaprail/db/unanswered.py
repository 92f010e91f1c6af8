"""Sessions whose statement nobody waits for any more."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from swaprail.db.away import FAILURES
from swaprail.db.session import Session
from swaprail.domain.errors import EngineError
from swaprail.telemetry.logging import get_logger
from swaprail.telemetry.survival import survive

log = get_logger(__name__)

LOOK_EVERY_S = 1.0
# At work, or waiting for a lock or the standby. Who waits for our end of the line has answered what never arrived.
_BUSY = """
select pid, backend_start from pg_stat_activity
where pid = any($1::int[]) and state <> 'idle' and wait_event_type is distinct from 'Client'
"""


class Unanswered:
    """Keeps them until they answer, or until the server says that they never will; then they are closed.

    They are not cancelled: PostgreSQL answers a cancel during the wait for a standby by committing without it. Nor are they
    closed as long as the server works on them: it would not notice, and each next try would cost it another process.
    """

    def __init__(self, open_session: Callable[[], Awaitable[Session]], timeout_s: float) -> None:
        """Ask the server by sessions of its own, in so many seconds."""
        self._open_session = open_session
        self._timeout_s = timeout_s
        self._kept: set[Session] = set()
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """How many there are."""
        return len(self._kept)

    def keep(self, session: Session) -> None:
        """Look after a session that has yet to answer."""
        self._kept.add(session)
        if self._task is None:
            self._task = asyncio.create_task(self._watch(), name="unanswered statements")

    def forget(self, session: Session) -> None:
        """Look no more after one that has answered, or is closed."""
        self._kept.discard(session)

    async def stop(self) -> None:
        """Look after nothing any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        try:
            while self._kept:
                await asyncio.sleep(LOOK_EVERY_S)
                await survive("unanswered statements", self._look())
        finally:
            self._task = None

    async def _look(self) -> None:
        asked = {session.name: session for session in self._kept if not session.is_closed()}
        try:
            busy = await self._busy([pid for pid, _ in asked]) if asked else set()
        except (EngineError, *FAILURES) as error:
            # Nothing is known; a dead link ends by itself.
            log.debug("unanswered statements stay", count=len(asked), error=type(error).__name__)
            return
        for name, session in asked.items():
            if name not in busy and session in self._kept:
                session.terminate()

    async def _busy(self, pids: Sequence[int]) -> set[tuple[int, datetime]]:
        session = await self._open_session()
        try:
            async with asyncio.timeout(self._timeout_s):
                return {(row["pid"], row["backend_start"]) for row in await session.ask("", _BUSY, (pids,))}
        finally:
            session.terminate()
