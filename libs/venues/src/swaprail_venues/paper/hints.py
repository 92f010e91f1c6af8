"""When it is worth asking the chain for the landing of what this process sent."""

import asyncio
import math
from collections import OrderedDict
from time import monotonic

FIRST_RETRY_S = 0.002
LONGEST_RETRY_S = 0.4
MAX_KNOWN = 100_000  # signatures; the oldest is forgotten first, and then simply asked for later


class LandingHints:
    """Remembers by when each signature should have landed; past that, asks at growing intervals."""

    def __init__(self) -> None:
        self._due: OrderedDict[str, tuple[float, float]] = OrderedDict()  # when, and the wait after that

    def expect(self, signature: str, in_s: float) -> None:
        """Note that the signature lands in so many seconds."""
        self._due[signature] = (monotonic() + in_s, FIRST_RETRY_S)
        if len(self._due) > MAX_KNOWN:
            self._due.popitem(last=False)

    def forget(self, signature: str) -> None:
        """Note that the landing was seen."""
        self._due.pop(signature, None)

    async def wait(self, signature: str, longest: float) -> None:
        """Return when the signature should have landed, at most after so many seconds; unknown ones wait all of it."""
        known = self._due.get(signature)
        if known is None:
            await asyncio.sleep(longest)
            return
        due, retry = known
        now = monotonic()
        if due - now > longest:
            await asyncio.sleep(longest)
            return
        await _sleep_until(due)
        if signature in self._due:
            self._due[signature] = (max(due, now) + retry, min(retry * 2, LONGEST_RETRY_S))


async def _sleep_until(due: float) -> None:
    """Return not a moment before it: asked too early, the chain has nothing yet, and is asked again much later."""
    # The loop's timers are of whole milliseconds, of a clock that it reads once a turn.
    while (wait := due - monotonic()) > 0:  # noqa: ASYNC110  the event is a time
        await asyncio.sleep(math.ceil(wait * 1000) / 1000)
