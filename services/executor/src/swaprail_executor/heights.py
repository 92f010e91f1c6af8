"""The last height at which a blockhash lets a transaction land, by every node that knows it, asked once for each."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

MOST_KNOWN = 1_000
ROUNDS = 3  # a node that is a slot behind does not know the newest blockhash yet


class Heights:
    """Asks all nodes about a blockhash, once for all orders that are signed with it."""

    def __init__(
        self,
        ask: Callable[[str], Awaitable[Sequence[int | None] | None]],
        *,
        valid_for: int,
        slot_s: float,
    ) -> None:
        """Take what returns each node's height if it knows the blockhash, or None when not all of them answer."""
        self._ask = ask
        self._valid_for = valid_for
        self._slot_s = slot_s
        self._known: dict[str, asyncio.Task[int | None]] = {}

    async def last_valid(self, blockhash: str) -> int | None:
        """Return the height, or None unless every node knows the blockhash."""
        asked = self._known.get(blockhash)
        if asked is None:
            asked = self._known[blockhash] = asyncio.create_task(self._agree(blockhash))
            if len(self._known) > MOST_KNOWN:
                del self._known[next(iter(self._known))]
        # Whoever gives up waits for others as well.
        return await asyncio.shield(asked)

    async def _agree(self, blockhash: str) -> int | None:
        for asked_before in range(ROUNDS):
            if asked_before:
                await asyncio.sleep(self._slot_s)
            heights = await self._ask(blockhash)
            if heights is None:
                return None
            knowing = [height for height in heights if height is not None]
            if len(knowing) == len(heights):
                return max(knowing) + self._valid_for
        return None
