"""Cuts the connections of API keys that were revoked or have expired, in this replica; each replica does so for its own."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Protocol

from swaprail.telemetry.survival import survive
from swaprail_notifier.connections import Closable, CloseCode

LOOK_EVERY_S = 3.0  # with what a cached key lives on (CachedKeyStore), well within ten seconds


class Keys(Protocol):
    """Knows which keys are no longer good."""

    async def unusable(self, key_ids: Sequence[str]) -> Collection[str]:
        """Return those of the keys that are revoked, expired or gone; EngineError unavailable."""
        ...


class Revocation:
    """Looks every few seconds whether the keys of open connections are still good."""

    def __init__(self, sockets: Collection[Closable], keys: Keys) -> None:
        self._sockets = sockets
        self._keys = keys
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run(), name="revocation")

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self) -> None:
        """Close the connections whose key is no longer good. While nobody knows, they stay."""
        key_ids = sorted({socket.key_id for socket in self._sockets} - {""})
        if not key_ids:
            return
        unusable = await self._keys.unusable(key_ids)
        for socket in [socket for socket in self._sockets if socket.key_id in unusable]:
            socket.close(CloseCode.POLICY, "the API key is no longer valid")

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await survive("look at API keys", self.look())
