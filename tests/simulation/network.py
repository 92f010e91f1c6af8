"""Calls from outside into a process: it may be dead, die meanwhile, or its answer may get lost."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from swaprail.domain.errors import EngineError
from tests.simulation.loop import VirtualLoop
from tests.simulation.processes import Service
from tests.simulation.weather import Weather

PATIENCE_S = 3.0


class UnreachableError(Exception):
    """No answer."""


class Network:
    """Finds a living process of a kind and calls it."""

    def __init__(self, loop: VirtualLoop, rng: Random, weather: Weather) -> None:
        self.services: list[Service] = []
        self.broken: list[str] = []
        self._loop = loop
        self._rng = rng
        self._weather = weather

    def pick[S: Service](self, kind: type[S]) -> S | None:
        """Return a living process of the kind, if any."""
        living = [s for s in self.services if isinstance(s, kind) and s.process.alive and not s.stopping]
        return self._rng.choice(living) if living else None

    async def ask[S: Service](self, kind: type[S], call: Callable[[S], Awaitable[Any]]) -> Any:
        """Return the answer of a process of the kind, or raise its EngineError; UnreachableError if none comes."""
        service = self.pick(kind)
        if service is None:
            raise UnreachableError
        return await self.ask_one(service, call)

    async def ask_one[S: Service](self, service: S, call: Callable[[S], Awaitable[Any]]) -> Any:
        """Ask one process."""
        reply = self._loop.create_future()
        self._loop.outside(self._weather.latency(), self._arrive, service, call, reply)
        service.process.on_kill.append(lambda: _fail(reply))
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await reply
        except TimeoutError:
            raise UnreachableError from None

    def _arrive(self, service: Service, call: Callable[[Any], Awaitable[Any]], reply: Any) -> None:
        if not service.process.alive:
            _fail(reply)
            return
        task = service.spawn(_run(service, call))
        task.add_done_callback(lambda done: self._answer(done, reply), context=self._loop.world.context)

    def _answer(self, done: "asyncio.Task[Any]", reply: Any) -> None:
        if done.cancelled() or self._weather.chance(0.03, "answer to a client lost"):
            return
        error = done.exception()
        if error is not None and not isinstance(error, EngineError):
            self.broken.append(f"unforeseen: a client was answered {type(error).__name__}: {error}")
        if error is not None:
            self._loop.outside(self._weather.latency(), _fail, reply, error)
        else:
            self._loop.outside(self._weather.latency(), _succeed, reply, done.result())


async def _run(service: Service, call: Callable[[Any], Awaitable[Any]]) -> Any:
    return await call(service)


def _succeed(reply: Any, answer: Any) -> None:
    if not reply.done():
        reply.set_result(answer)


def _fail(reply: Any, error: BaseException | None = None) -> None:
    if not reply.done():
        reply.set_exception(error or UnreachableError())
