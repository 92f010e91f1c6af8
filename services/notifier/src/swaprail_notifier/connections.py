"""What the connections of a process share, and why they end."""

import asyncio
from collections.abc import Callable
from enum import IntEnum
from typing import Protocol

from swaprail.telemetry.registry import start_at_zero
from swaprail_notifier import metrics
from swaprail_notifier.handshake import Handshake
from swaprail_notifier.heartbeat import Heartbeat
from swaprail_notifier.outlet import Outlet
from swaprail_notifier.settings import NotifierSettings
from swaprail_notifier.turn_end import TurnEnd


class CloseCode(IntEnum):
    """Why a connection was closed. Clients connect again after all but BROKEN, UNSUPPORTED, GARBLED and POLICY."""

    BROKEN = 1002
    UNSUPPORTED = 1003
    LOST = 1006
    GARBLED = 1007
    POLICY = 1008
    INTERNAL = 1011
    RESTART = 1012
    TRY_LATER = 1013
    SLOW = 4008


_COUNTED = {1000, 1001, *CloseCode}
start_at_zero(metrics.CLOSED, [*(str(int(code)) for code in _COUNTED), "other"])


def count_closed(code: int) -> None:
    """Count a closed connection by its code, or as other: clients may close with whatever code they like."""
    metrics.CLOSED.labels(str(int(code)) if code in _COUNTED else "other").inc()


class Closable(Protocol):
    """A connection, as far as others end it."""

    @property
    def key_id(self) -> str:
        """The API key it was opened with; empty without one, and until that is known."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Close with a code and a reason."""
        ...


class Shared:
    """What all connections of a process share."""

    def __init__(
        self, settings: NotifierSettings, handshake: Handshake, heartbeat: Heartbeat, turn_end: TurnEnd
    ) -> None:
        self.handshake = handshake
        self.heartbeat = heartbeat
        self._turn_end = turn_end
        self._max_bytes = settings.ws_max_waiting_bytes
        self._max_messages = settings.ws_max_waiting_messages
        self.sockets: set[Closable] = set()
        self._emptied = asyncio.Event()

    def outlet(
        self, transport: asyncio.Transport, on_slow: Callable[[], None], on_restart: Callable[[], None]
    ) -> Outlet:
        """Return the way out of a connection; on_slow is called when its client does not keep up."""
        return Outlet(transport, self._turn_end, self._max_bytes, self._max_messages, on_slow, on_restart)

    def forget(self, socket: Closable) -> None:
        """Drop a socket whose connection is gone."""
        self.sockets.discard(socket)
        if not self.sockets:
            self._emptied.set()

    async def wait_empty(self) -> None:
        """Return when no socket is left."""
        while self.sockets:
            self._emptied.clear()
            await self._emptied.wait()
