"""Bounded waits that cost a request next to nothing: one timer for all who wait equally long."""

import asyncio
from collections import deque
from collections.abc import Awaitable

from swaprail.domain.errors import EngineError, ErrorCode

_LEAST_PAUSE_S = 0.05
_NOTICED_S = 0.05  # a shorter wait is not worth its line in the books


class _Wait:
    """One task that waits. task is None once it is done."""

    __slots__ = ("expired", "task", "until")

    def __init__(self, task: "asyncio.Task[object]", until: float) -> None:
        self.task: asyncio.Task[object] | None = task
        self.until = until
        self.expired = False


class Deadline:
    """Bounds waits to so many seconds (up to 50 ms more).

    A timer for each wait, as asyncio.timeout sets, is the dearest step of a short request; here waits queue up in the
    order of their ends, and one timer looks after the first of them. The waits of one task share its time: a request
    that has waited for its key already waits less for its statement.
    """

    def __init__(self, seconds: float, code: ErrorCode, detail: str) -> None:
        """Raise an EngineError of this code and detail when the time is over."""
        self._seconds = seconds
        self._code = code
        self._detail = detail
        self._waits: deque[_Wait] = deque()
        self._spent: dict[asyncio.Task[object], float] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def wait[T](self, work: Awaitable[T]) -> T:
        """Return the result of the work, which is cancelled when it takes too long."""
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        began = loop.time()
        wait = _Wait(task, began + self._seconds - self._spent.get(task, 0))
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
            took = loop.time() - began
            if took > _NOTICED_S:
                self._note(task, took)

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

    def _note(self, task: "asyncio.Task[object]", took: float) -> None:
        if task not in self._spent:
            task.add_done_callback(self._forget)
        self._spent[task] = self._spent.get(task, 0) + took

    def _forget(self, task: "asyncio.Task[object]") -> None:
        del self._spent[task]

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        waits = self._waits
        while waits and (waits[0].task is None or waits[0].until <= now):
            wait = waits.popleft()
            if wait.task is not None:
                wait.expired = True
                wait.task.cancel()
        self._timer = loop.call_at(max(waits[0].until, now + _LEAST_PAUSE_S), self._sweep, loop) if waits else None


def database_deadline(seconds: float) -> Deadline:
    """Return the deadline of statements. What is given up may still be written: repeating with the same key tells."""
    return Deadline(seconds, ErrorCode.UNAVAILABLE, f"the database did not answer in {seconds:g} s")


def body_deadline(seconds: float) -> Deadline:
    """Return the deadline of request bodies."""
    return Deadline(seconds, ErrorCode.BODY_INVALID, f"the body did not arrive in {seconds:g} s")
