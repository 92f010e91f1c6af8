"""Bounded waits that cost next to nothing: one timer for all who wait."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Coroutine

from swaprail.domain.errors import EngineError, ErrorCode

_LEAST_PAUSE_S = 0.05


class _Wait:
    """One task that waits. task is None once it is done."""

    __slots__ = ("expired", "task", "until")

    def __init__(self, task: "asyncio.Task[object]", until: float) -> None:
        self.task: asyncio.Task[object] | None = task
        self.until = until
        self.expired = False


class Deadline:
    """Bounds waits to so many seconds (up to 50 ms more).

    A timer for each wait, as asyncio.timeout sets, is the dearest step of a short one; here waits queue up in the
    order of their ends, and one timer looks after the first of them.
    """

    def __init__(self, seconds: float, code: ErrorCode, detail: str) -> None:
        """Raise an EngineError of this code and detail when the time is over."""
        self.seconds = seconds
        self._code = code
        self._detail = detail
        self._waits: deque[_Wait] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def wait[T](self, work: Awaitable[T]) -> Coroutine[object, object, T]:
        """Return the result of the work, which is cancelled when it takes too long."""
        return self.wait_for(work, self.seconds)

    async def wait_for[T](self, work: Awaitable[T], seconds: float) -> T:
        """Return the result of the work, which has so many seconds."""
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        wait = _Wait(task, loop.time() + seconds)
        self._queue(wait, loop)
        try:
            return await work
        except asyncio.CancelledError:
            # Somebody else's cancellation goes on; ours ends here.
            if not wait.expired or task.uncancel() > 0:
                raise
            raise EngineError(self._code, self._detail) from None
        finally:
            wait.task = None

    def _queue(self, wait: _Wait, loop: asyncio.AbstractEventLoop) -> None:
        waits = self._waits
        at = len(waits)
        while at and waits[at - 1].until > wait.until:
            at -= 1
        waits.insert(at, wait)
        if at == 0 and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = loop.call_at(wait.until, self._sweep, loop)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        waits = self._waits
        while waits and (waits[0].task is None or waits[0].until <= now):
            wait = waits.popleft()
            if wait.task is not None:
                wait.expired = True
                wait.task.cancel()
        self._timer = loop.call_at(max(waits[0].until, now + _LEAST_PAUSE_S), self._sweep, loop) if waits else None
