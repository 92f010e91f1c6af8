"""Long work in short turns: the event loop gets back to its sockets in between."""

import asyncio
import time

TURN_S = 0.005


class Turns:
    """Measures one piece of work that is done in steps."""

    __slots__ = ("_until",)

    def __init__(self) -> None:
        self._until = time.monotonic() + TURN_S

    async def share(self) -> None:
        """Let others run, if this turn has been long enough."""
        if time.monotonic() >= self._until:
            await asyncio.sleep(0)
            self._until = time.monotonic() + TURN_S
