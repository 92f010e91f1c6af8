"""Reads of one account at a time: a few run, the others wait their turn, so that none has all connections and all the time."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from swaprail.auth import Principal
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail_api.deadline import Deadline
from swaprail_api.metrics import ACCOUNT_LIMITED

MAX_WAITING = 64
MAX_ACCOUNTS = 10_000  # remembered, of those that read nothing now
# A server or a machine that is slow makes every read long: nobody is served by a rest that is as long.
LONGEST_REST_S = 0.1


class _Account:
    """The reads of an account: those that run and those that wait for one of them to end.

    After a read its turn rests for as long as it took: so long others are served. Who reads one thing after the other waits
    for no rest, for there are more turns than one.
    """

    __slots__ = ("_of", "answered", "reads", "turns")

    def __init__(self, at_once: int, of: str) -> None:
        self._of = of
        self.turns = asyncio.Semaphore(at_once)
        self.reads = 0
        self.answered = 0

    async def read[T](self, deadline: Deadline, read: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return what is read, when it is its turn. The turn lasts as long as the read, though nobody waits any more."""
        await self._turn(deadline)
        began = asyncio.get_running_loop().time()
        reading = asyncio.create_task(read())
        reading.add_done_callback(partial(self._done, began))
        return await deadline.wait(asyncio.shield(reading))

    async def _turn(self, deadline: Deadline) -> None:
        answered = self.answered
        try:
            await deadline.wait(self.turns.acquire())
        except EngineError as error:
            if self.answered == answered:
                raise  # no read of the account was answered meanwhile: that is the database
            raise _limited(
                self._of, f"no turn in {deadline.seconds:g} s: other {self._of} of the account had them all"
            ) from error

    def _done(self, began: float, reading: "asyncio.Task[Any]") -> None:
        loop = reading.get_loop()
        loop.call_later(min(loop.time() - began, LONGEST_REST_S), self.turns.release)
        if not reading.cancelled() and reading.exception() is None:  # one is told to whoever waits, if anybody does
            self.answered += 1


class Turns:
    """Lets at most so many reads of an account run at once; a read and the wait for its turn share one deadline."""

    def __init__(self, at_once: int, deadline: Deadline, *, of: str = "reads", times: int = 1) -> None:
        """Let so many times the reads at once run of what the words call `of`."""
        self._at_once = at_once
        self._deadline = deadline
        self._of = of
        self._times = times
        self._accounts: dict[tuple[str, int], _Account] = {}

    async def take[T](self, caller: Principal, read: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return what is read, when it is its turn; EngineError account_limit when too many wait already, or for too long."""
        if not caller.key_id:
            return await self._deadline.wait(read())
        at_once = (caller.limits.concurrent_reads or self._at_once) * self._times
        account = self._account(caller.account, at_once)
        if account.reads >= at_once + MAX_WAITING:
            raise _limited(self._of, f"{MAX_WAITING} {self._of} of the account wait already")
        account.reads += 1
        try:
            return await account.read(self._deadline, read)
        finally:
            account.reads -= 1

    def _account(self, name: str, at_once: int) -> _Account:
        account = self._accounts.get((name, at_once))
        if account is None:
            self._forget_idle()
            account = self._accounts[name, at_once] = _Account(at_once, self._of)
        return account

    def _forget_idle(self) -> None:
        if len(self._accounts) >= MAX_ACCOUNTS:
            idle = [
                name for name, account in self._accounts.items() if not account.reads and not account.turns.locked()
            ]
            for name in idle:
                del self._accounts[name]


def _limited(of: str, detail: str) -> EngineError:
    ACCOUNT_LIMITED.labels(of).inc()
    return EngineError(ErrorCode.ACCOUNT_LIMIT, detail)
