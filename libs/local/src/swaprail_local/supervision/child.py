"""One process that is kept running."""

import asyncio
import contextlib
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from swaprail_local.supervision.backoff import Backoff

POLL_S = 0.05
TRIES_BEFORE_FIRST_READY = 5

type Say = Callable[[str], None]


class ChildFailedError(RuntimeError):
    """A process did not get ready, and it makes no sense to go on trying."""


def _nothing() -> None:
    return


@dataclass(frozen=True, kw_only=True)
class ProcessSpec:
    """How a process is started, asked and stopped."""

    name: str
    spawn: Callable[[], subprocess.Popen[bytes]]
    ready: Callable[[], Awaitable[bool]]
    prepare: Callable[[], None] = _nothing
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout_s: float = 20.0
    forced_stop_timeout_s: float = 0.0


class Child:
    """Keeps one process running until it is stopped."""

    def __init__(self, spec: ProcessSpec, say: Say, changed: Callable[[], None] = _nothing) -> None:
        self.spec = spec
        self._say = say
        self._changed = changed
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self._replacing = False
        self._was_ready = False
        self.task: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def pid(self) -> int | None:
        """Number of the running process."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        self.task = asyncio.create_task(self._keep_running(), name=self.name)

    async def wait_ready(self, timeout_s: float) -> None:
        """Return when the process is ready.

        Raises:
            ChildFailedError: it died again and again, or the time is up.
        """
        deadline = time.monotonic() + timeout_s
        while self.pid is None or not await self.spec.ready():
            if self.task is not None and self.task.done():
                self.task.result()
            if time.monotonic() > deadline:
                raise ChildFailedError(f"{self.name} was not ready within {timeout_s:.0f} s")
            await asyncio.sleep(POLL_S)
        self._was_ready = True

    async def replace(self, timeout_s: float) -> None:
        """End the process, so that a new one starts at once."""
        self._replacing = self.pid is not None
        self._hurry.set()
        await self._end(timeout_s)

    async def stop(self, forced: asyncio.Event) -> None:
        """End the process for good; at once when forced."""
        self._stopping.set()
        self._hurry.set()
        await self._end(self.spec.stop_timeout_s, forced)
        if self.task is not None:
            await asyncio.wait({self.task})

    async def _keep_running(self) -> None:
        backoff = Backoff()
        while not self._stopping.is_set():
            await asyncio.to_thread(self.spec.prepare)
            if self._stopping.is_set():
                return
            began = time.monotonic()
            code = await self._run_once()
            if self._stopping.is_set():
                return
            if self._replacing:
                self._replacing = False
                continue
            await self._pause(code, backoff.after(time.monotonic() - began), backoff.early_deaths)

    async def _run_once(self) -> int:
        # In the main thread on purpose: Linux sends the death signal when the thread that forked ends.
        self._process = self.spec.spawn()
        self._changed()
        while (code := self._process.poll()) is None:  # noqa: ASYNC110 - no event tells of an exit everywhere
            await asyncio.sleep(POLL_S)
        self._changed()
        return code

    async def _pause(self, code: int, wait_s: float, deaths: int) -> None:
        if not self._was_ready and deaths >= TRIES_BEFORE_FIRST_READY:
            raise ChildFailedError(f"{self.name} ended {deaths} times before it was ready ({describe(code)})")
        self._say(f"{self.name} ended ({describe(code)}) and starts again in {wait_s:.1f} s")
        self._hurry.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), wait_s)

    async def _end(self, timeout_s: float, forced: asyncio.Event | None = None) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(self.spec.stop_signal)
        deadline = time.monotonic() + timeout_s
        while process.poll() is None:
            if forced is not None and forced.is_set():
                deadline = min(deadline, time.monotonic() + self.spec.forced_stop_timeout_s)
                forced = None
            if time.monotonic() >= deadline:
                self._say(f"{self.name} did not stop in time and is killed")
                process.kill()
                deadline += timeout_s + 1
            await asyncio.sleep(POLL_S / 5)


def describe(code: int) -> str:
    """Say how a process ended."""
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"
