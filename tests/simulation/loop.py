"""An event loop on virtual time: it jumps to the next timer when nobody is ready, and the seed picks whose turn it is.

Inside a process callbacks run in their order, as asyncio promises; between processes any order is possible. Whatever
needs a socket, a thread or a child process is not implemented here, so it fails the seed.
"""

import asyncio
import zlib
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from heapq import heappop, heappush
from random import Random
from typing import Any


class Process:
    """One process of the engine: what is ready to run in it, and whether it is dead or stopped."""

    def __init__(self, name: str, skew_s: float = 0.0) -> None:
        self.name = name
        self.number = zlib.crc32(name.encode())
        self.skew_s = skew_s  # of its clock
        self.ready: deque[Handle] = deque()
        self.alive = True
        self.frozen = False
        self.on_kill: list[Callable[[], None]] = []
        self.context = copy_context()
        self.context.run(PROCESS.set, self)


_Unable: Any = asyncio.AbstractEventLoop  # what is not implemented raises NotImplementedError, and is meant to

PROCESS: ContextVar[Process] = ContextVar("process")


class Handle:
    """A callback that waits for its turn."""

    __slots__ = ("args", "callback", "context", "process", "void")

    def __init__(
        self, callback: Callable[..., Any], args: tuple[Any, ...], context: Context | None, process: Process
    ) -> None:
        self.callback = callback
        self.args = args
        self.context = context
        self.process = process
        self.void = False

    def cancel(self) -> None:
        """Never run."""
        self.void = True

    def cancelled(self) -> bool:
        """Tell whether it will never run."""
        return self.void


class VirtualLoop(_Unable):  # type: ignore[misc]
    """Everything that happens in one seed."""

    def __init__(self, rng: Random, trace: Callable[[str], None] | None = None) -> None:
        self.now = 0.0
        self.steps = 0
        self.checksum = 0  # of whose turn it was, and when
        self.failures: list[str] = []
        self.world = Process("world")
        self.current = self.world
        self.trace = trace
        self._random = rng.random
        self._timers: list[tuple[float, int, Handle]] = []
        self._count = 0
        self._runnable: list[Process] = []
        self._stopping = False

    # What asyncio asks of a loop.

    def time(self) -> float:
        return self.now

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> Any:
        process = self.current if context is None else context.get(PROCESS, self.world)
        handle = Handle(callback, args, context, process)
        self._make_ready(handle)
        return handle

    def call_later(self, delay: float, callback: Any, *args: Any, context: Context | None = None) -> Any:
        return self.call_at(self.now + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Any, *args: Any, context: Context | None = None) -> Any:
        process = self.current if context is None else context.get(PROCESS, self.world)
        return self._at(when, Handle(callback, args, context, process))

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self)

    def create_task(
        self, coro: Any, *, name: str | None = None, context: Context | None = None, **_: Any
    ) -> "asyncio.Task[Any]":
        return asyncio.Task(coro, loop=self, name=name or "task", context=context)

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, AssertionError):
            self.failures.append(f"unforeseen: {error}")

    # What the simulation asks of it.

    def outside(self, delay: float, callback: Callable[..., Any], *args: Any) -> Handle:
        """Call back after so long, in no process: what is under way in the network arrives whoever died."""
        return self._at(self.now + delay, Handle(callback, args, None, self.world))

    def run(self, main: Coroutine[Any, Any, None], *, most_steps: int) -> None:
        """Run until main is done."""
        asyncio._set_running_loop(self)
        try:
            task = self.create_task(main, context=self.world.context)
            while not task.done():
                if self.steps >= most_steps:
                    raise RuntimeError(f"not over after {most_steps} steps, {self.now:.1f} s")
                self._step()
            task.result()
        finally:
            asyncio._set_running_loop(None)

    def kill(self, process: Process) -> None:
        """End a process between two of its steps: nothing of it ever runs again."""
        if not process.alive:
            return
        process.alive = False
        self._withdraw(process)
        self._say(process, "KILLED")
        for told in process.on_kill:
            told()

    def freeze(self, process: Process, seconds: float) -> None:
        """Stop a process for so long, as SIGSTOP does; then it goes on with what it knew."""
        if process.frozen or not process.alive:
            return
        process.frozen = True
        self._withdraw(process)
        self._say(process, f"STOPPED for {seconds:.2f} s")
        self.outside(seconds, self._thaw, process)

    def note(self, text: str) -> None:
        """Add a line to the trace."""
        if self.trace is not None:
            self._say(self.current, text)

    def _thaw(self, process: Process) -> None:
        process.frozen = False
        self._say(process, "CONTINUES")
        if process.alive and process.ready:
            self._runnable.append(process)

    def _withdraw(self, process: Process) -> None:
        if process in self._runnable:
            self._runnable.remove(process)

    def _at(self, when: float, handle: Handle) -> Handle:
        self._count += 1
        heappush(self._timers, (when, self._count, handle))
        return handle

    def _make_ready(self, handle: Handle) -> None:
        process = handle.process
        if not process.ready and process.alive and not process.frozen:
            self._runnable.append(process)
        process.ready.append(handle)

    def _step(self) -> None:
        runnable, timers = self._runnable, self._timers
        if not runnable:
            if not timers:
                raise RuntimeError(f"nothing will ever happen again at {self.now:.3f} s")
            if timers[0][0] > self.now:
                self.now = timers[0][0]
        while timers and timers[0][0] <= self.now:
            handle = heappop(timers)[2]
            if not handle.void:
                self._make_ready(handle)
        if runnable:
            self._turn(runnable[int(self._random() * len(runnable))])

    def _turn(self, process: Process) -> None:
        handle = process.ready.popleft()
        if not process.ready:
            self._runnable.remove(process)
        if handle.void:
            return
        self.steps += 1
        self.checksum = hash((self.checksum, self.now, process.number))
        self.current = process
        if self.trace is not None:
            self._say(process, _label(handle))
        if handle.context is None:
            handle.callback(*handle.args)
        else:
            handle.context.run(handle.callback, *handle.args)

    def _say(self, process: Process, text: str) -> None:
        if self.trace is not None:
            self.trace(f"{self.now:10.6f} {process.name:<14} {text}")


def _label(handle: Handle) -> str:
    owner = getattr(handle.callback, "__self__", None)
    if not isinstance(owner, asyncio.Task):
        return str(getattr(handle.callback, "__qualname__", type(handle.callback).__name__))
    coroutine: Any = owner.get_coro()
    places = [coroutine.__qualname__]
    while (inner := getattr(coroutine, "cr_await", None)) is not None and hasattr(inner, "cr_frame"):
        coroutine = inner
    if coroutine.cr_frame is not None:
        places.append(f"{coroutine.__qualname__}:{coroutine.cr_frame.f_lineno}")
    return " > ".join(places)
