"""The way out of a connection: one write for all frames of a turn while its client keeps up, counted while it does not."""

import asyncio
import socket
from collections.abc import Callable

from swaprail_notifier import metrics
from swaprail_notifier.turn_end import TurnEnd

# The kernel would take megabytes for a client that reads nothing: memory that nobody counts, and nobody is found slow.
# This bounds what it holds unsent; what is under way to a distant client is not limited.
MAX_UNSENT_IN_KERNEL = 65_536
MAX_HELD = 16_384  # bytes of one turn


class Outlet:
    """Whole frames go in; it is shut before the connection is open, and after it was told to close."""

    __slots__ = (
        "_held",
        "_held_bytes",
        "_max_bytes",
        "_max_messages",
        "_on_restart",
        "_on_slow",
        "_since_bytes",
        "_since_messages",
        "_transport",
        "_turn_end",
        "_waiter",
        "paused",
        "write",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        turn_end: TurnEnd,
        max_bytes: int,
        max_messages: int,
        on_slow: Callable[[], None],
        on_restart: Callable[[], None],
    ) -> None:
        """Call on_slow, a moment later, when more bytes or messages wait than may; on_restart after `restart`."""
        self._transport = transport
        self._turn_end = turn_end
        self._max_bytes = max_bytes
        self._max_messages = max_messages
        self._on_slow = on_slow
        self._on_restart = on_restart
        self._waiter: asyncio.Future[None] | None = None
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._since_bytes = self._since_messages = 0
        self.paused = False
        self.write: Callable[[bytes], None] = drop

    def open(self) -> None:
        """Take frames from now on."""
        if not self._transport.is_closing():
            self.write = self._write_paused if self.paused else self._hold

    def shut(self) -> None:
        """Take no more frames; those taken go out before whatever ends the connection."""
        self.write = drop
        self.flush()
        self._on_slow = self._on_restart = _nothing
        self._wake()

    def restart(self) -> None:
        """Take no more frames, and have the connection closed a moment later."""
        self.write = drop
        asyncio.get_running_loop().call_soon(self._on_restart)

    def pause(self) -> None:
        """Count from now on what waits."""
        self.paused = True
        # A ping may have filled the buffer: what was held back comes before what is written from now on.
        self.flush()
        self._since_bytes = self._since_messages = 0
        if self.write is not drop:
            self.write = self._write_paused

    def resume(self) -> None:
        """Write freely again."""
        self.paused = False
        if self.write is not drop:
            self.write = self._hold
        self._wake()

    async def writable(self) -> None:
        """Return when the transport takes more, or is gone."""
        while self.paused and self.write is not drop:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    def flush(self) -> None:
        """Write what was held back in this turn; never raises: whoever calls has other followers to write to."""
        held, self._held, self._held_bytes = self._held, [], 0
        if not held or self._transport.is_closing():
            return
        try:
            self._transport.write(b"".join(held))
        except Exception as error:  # noqa: BLE001  reported, and the connection is cut: no frame may be missing
            self._transport.abort()
            context = {"message": "frames could not be written", "exception": error, "transport": self._transport}
            asyncio.get_running_loop().call_exception_handler(context)

    def _hold(self, data: bytes) -> None:
        if not self._held:
            self._turn_end.add(self)
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes >= MAX_HELD:
            self.flush()

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
