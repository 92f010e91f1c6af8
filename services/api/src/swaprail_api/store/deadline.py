"""The longest a request waits for the database."""

import asyncio
from collections.abc import Awaitable

from swaprail.domain.errors import EngineError, ErrorCode


class Deadline:
    """Bounds waits. What is given up may still be written: repeating with the same key tells."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def wait[T](self, work: Awaitable[T]) -> T:
        """Return the result; EngineError unavailable when it takes too long."""
        try:
            async with asyncio.timeout(self._seconds):
                return await work
        except TimeoutError:
            raise EngineError(ErrorCode.UNAVAILABLE, f"the database did not answer in {self._seconds:g} s") from None
