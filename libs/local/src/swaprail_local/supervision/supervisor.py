"""Several processes, started in groups and stopped in the opposite order."""

import asyncio
from collections.abc import Callable, Iterable

from swaprail_local.supervision.child import Child, ProcessSpec, Say


class Supervisor:
    """Owns the processes of one run."""

    def __init__(self, say: Say, changed: Callable[[], None]) -> None:
        self._say = say
        self._changed = changed
        self.children: list[Child] = []

    @property
    def pids(self) -> dict[str, int]:
        """Numbers of the processes that run now."""
        return {child.name: child.pid for child in self.children if child.pid is not None}

    async def start(self, specs: Iterable[ProcessSpec], timeout_s: float) -> None:
        """Start processes and return when all are ready.

        Raises:
            ChildFailedError: one of them did not get ready.
        """
        fresh = [Child(spec, self._say, self._changed) for spec in specs]
        self.children += fresh
        for child in fresh:
            child.start()
        async with asyncio.TaskGroup() as waiting:
            for child in fresh:
                waiting.create_task(child.wait_ready(timeout_s))

    async def replace(self, names: Iterable[str], timeout_s: float) -> None:
        """Start the named processes anew."""
        wanted = set(names)
        chosen = [child for child in self.children if child.name in wanted]
        await asyncio.gather(*(child.replace(timeout_s) for child in chosen))

    async def failed(self) -> None:
        """Return never; raise what stopped a process from being kept running."""
        tasks = [child.task for child in self.children if child.task is not None]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def stop(self, forced: asyncio.Event) -> None:
        """Stop all, the last started first."""
        for child in reversed(self.children):
            await child.stop(forced)
