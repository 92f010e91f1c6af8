"""Waiting for conditions instead of sleeping."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable


async def until(
    condition: Callable[[], bool | Awaitable[bool]], *, within_s: float = 10, what: str = "", every_s: float = 0.01
) -> None:
    """Return when the condition holds; AssertionError when it does not in time. Asks it every `every_s`."""
    end = time.monotonic() + within_s
    while True:
        held = condition()
        if await held if inspect.isawaitable(held) else held:
            return
        assert time.monotonic() < end, f"not in {within_s} s: {what or inspect.getsource(condition).strip()}"
        await asyncio.sleep(every_s)
