"""The way out of a connection: straight to the transport while it takes everything, counted while it does not."""

import asyncio
import socket
from collections.abc import Callable

from swaprail_notifier import metrics

# The kernel would take megabytes for a client that reads nothing: memory that nobody counts, and nobody is found slow.
# This bounds what it holds unsent; what is under way to a distant client is not limited.
MAX_UNSENT_IN_KERNEL = 65_536


class Outlet:
    """Whole frames go in; it is shut before the connection is open, and after it was told to close."""

    __slots__ = (
        "_max_bytes",
        "_max_messages",
        "_on_slow",
        "_since_bytes",
        "_since_messages",
        "_transport",
        "_waiter",
        "paused",
        "write",
    )

    def __init__(
        self, transport: asyncio.Transport, max_bytes: int, max_messages: int, on_slow: Callable[[], None]
    ) -> None:
        """Call on_slow, a moment later, when more bytes or messages wait than may."""
        self._transport = transport
        self._max_bytes = max_bytes
        self._max_messages = max_messages
        self._on_slow = on_slow
        self._waiter: asyncio.Future[None] | None = None
        self._since_bytes = self._since_messages = 0
        self.paused = False
        self.write: Callable[[bytes], None] = drop

    def open(self) -> None:
        """Take frames from now on."""
        if not self._transport.is_closing():
            self.write = self._write_paused if self.paused else self._transport.write

    def shut(self) -> None:
        """Take no more frames."""
        self.write = drop
        self._on_slow = _nothing
        self._wake()

    def pause(self) -> None:
        """Count from now on what waits."""
        self.paused = True
        self._since_bytes = self._since_messages = 0
        if self.write is not drop:
            self.write = self._write_paused

    def resume(self) -> None:
        """Write freely again."""
        self.paused = False
        if self.write is not drop:
            self.write = self._transport.write
        self._wake()

    async def writable(self) -> None:
        """Return when the transport takes more, or is gone."""
        while self.paused and self.write is not drop:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    def _write_paused(self, data: bytes) -> None:
        self._since_messages += 1
        self._since_bytes += len(data)
        if self._too_much_waits():
            metrics.SLOW.inc()
            # Not at once: whoever writes is in the middle of its list of followers.
            self.write = drop
            asyncio.get_running_loop().call_soon(self._on_slow)
            return
        self._transport.write(data)

    def _too_much_waits(self) -> bool:
        waiting = self._transport.get_write_buffer_size()
        # Messages of the size of those since the pause: a client that reads on may stay paused over any number of them.
        return waiting > self._max_bytes or waiting * self._since_messages > self._max_messages * self._since_bytes

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def bound_kernel_buffer(transport: asyncio.Transport) -> None:
    """Let the kernel hold little of what it cannot send, where it can be told so."""
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.family != socket.AF_UNIX and hasattr(socket, "TCP_NOTSENT_LOWAT"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, MAX_UNSENT_IN_KERNEL)


def drop(data: bytes) -> None:
    """Write nothing: the connection is not open."""


def _nothing() -> None:
    """Nobody is to be told any more."""
