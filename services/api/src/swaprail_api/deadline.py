"""The time that a request has: for the database, and for its own body to arrive."""

import asyncio
from collections.abc import Awaitable

from swaprail import deadline
from swaprail.domain.errors import ErrorCode

_NOTICED_S = 0.05  # a shorter wait is not worth its line in the books


class Deadline(deadline.Deadline):
    """The waits of one task share its time: a request that has waited for its key already waits less for its statement."""

    def __init__(self, seconds: float, code: ErrorCode, detail: str) -> None:
        """Raise an EngineError of this code and detail when the time is over."""
        super().__init__(seconds, code, detail)
        self._spent: dict[asyncio.Task[object], float] = {}

    async def wait[T](self, work: Awaitable[T]) -> T:
        """Return the result of the work, which is cancelled when the task's waits have taken too long."""
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            return await self.wait_for(work, self.seconds - self._spent.get(task, 0))
        finally:
            took = loop.time() - began
            if took > _NOTICED_S:
                self._note(task, took)

    def _note(self, task: "asyncio.Task[object]", took: float) -> None:
        if task not in self._spent:
            task.add_done_callback(self._forget)
        self._spent[task] = self._spent.get(task, 0) + took

    def _forget(self, task: "asyncio.Task[object]") -> None:
        del self._spent[task]


def database_deadline(seconds: float) -> Deadline:
    """Return the deadline of statements. What is given up may still be written: repeating with the same key tells."""
    return Deadline(seconds, ErrorCode.UNAVAILABLE, f"the database did not answer in {seconds:g} s")


def quotes_deadline(seconds: float) -> Deadline:
    """Return the deadline of quotes, and of the wait for one's turn to ask for them."""
    return Deadline(seconds, ErrorCode.QUOTES_UNAVAILABLE, f"no quotes in {seconds:g} s")


def body_deadline(seconds: float) -> Deadline:
    """Return the deadline of request bodies."""
    return Deadline(seconds, ErrorCode.BODY_INVALID, f"the body did not arrive in {seconds:g} s")
