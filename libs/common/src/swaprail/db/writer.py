"""The batching writer: whatever waits while the previous commit is in flight becomes the next statement."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.telemetry import metrics


class _Group[Row, Result]:
    """Rows that must be written by one statement, and who waits for them."""

    __slots__ = ("done", "rows")

    def __init__(self, rows: Sequence[Row], done: asyncio.Future[Sequence[Result]]) -> None:
        self.rows = rows
        self.done = done


class BatchWriter[Row, Result]:
    """Gathers rows of concurrent callers into one call of `write`.

    Idle, a row is written at once; under load a batch takes what has gathered, so load adds rows, not commits.
    A row that makes `write` fail fails alone: its batch is written again group by group.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Row]], Awaitable[Sequence[Result]]],
        *,
        name: str,
        max_rows: int = 512,
        max_waiting: int = 20_000,
    ) -> None:
        """Write batches of at most max_rows rows; refuse rows while max_waiting wait."""
        self.name = name
        self._batches = metrics.BATCH_ROWS.labels(name)
        metrics.BATCH_WAITING.labels(name).set_function(lambda: self._rows_waiting)
        self._write = write
        self._max_rows = max_rows
        self._max_waiting = max_waiting
        self._waiting: deque[_Group[Row, Result]] = deque()
        self._rows_waiting = 0
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def submit(self, row: Row) -> Result:
        """Write the row and return its result, once committed."""
        return (await self._queue((row,)))[0]

    async def submit_group(self, rows: Sequence[Row]) -> Sequence[Result]:
        """Write rows in one statement, so in one commit, and return their results in order.

        Raises EngineError overloaded when too many rows wait, unavailable when the writer is stopped.
        """
        return await self._queue(rows)

    async def start(self) -> None:
        """Take rows (again)."""
        self._closed = False

    async def stop(self) -> None:
        """Take no more rows and return when the waiting ones are written."""
        self._closed = True
        while self._task is not None:
            await asyncio.wait([self._task])

    def _queue(self, rows: Sequence[Row]) -> asyncio.Future[Sequence[Result]]:
        if self._closed:
            raise EngineError(ErrorCode.UNAVAILABLE, f"the {self.name} writer is stopped")
        if self._rows_waiting + len(rows) > self._max_waiting:
            raise EngineError(ErrorCode.OVERLOADED, f"the {self.name} writer has {self._rows_waiting} rows waiting")
        loop = asyncio.get_running_loop()
        group: _Group[Row, Result] = _Group(rows, loop.create_future())
        self._waiting.append(group)
        self._rows_waiting += len(rows)
        if self._task is None:
            self._task = asyncio.Task(self._run(), loop=loop, name=f"writer {self.name}", eager_start=True)
        return group.done

    async def _run(self) -> None:
        # One turn of the loop lets everybody who is ready now join the first statement.
        await asyncio.sleep(0)
        try:
            while self._waiting:
                await self._write_groups(self._take())
        finally:
            self._task = None

    def _take(self) -> list[_Group[Row, Result]]:
        groups = [self._waiting.popleft()]
        count = len(groups[0].rows)
        while self._waiting and count + len(self._waiting[0].rows) <= self._max_rows:
            groups.append(self._waiting.popleft())
            count += len(groups[-1].rows)
        self._rows_waiting -= count
        return groups

    async def _write_groups(self, groups: list[_Group[Row, Result]]) -> None:
        rows = groups[0].rows if len(groups) == 1 else [row for group in groups for row in group.rows]
        self._batches.observe(len(rows))
        try:
            results = await self._write(rows)
        except asyncio.CancelledError:
            for group in groups:
                group.done.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for the rows
            await self._fail_or_split(groups, error)
            return
        at = 0
        for group in groups:
            if not group.done.done():
                group.done.set_result(results[at : at + len(group.rows)])
            at += len(group.rows)

    async def _fail_or_split(self, groups: list[_Group[Row, Result]], error: Exception) -> None:
        if len(groups) > 1 and not isinstance(error, OSError | TimeoutError | EngineError):
            for group in groups:
                await self._write_groups([group])
            return
        for group in groups:
            if not group.done.done():
                group.done.set_exception(error)
