"""One WebSocket connection of a client that costs little: frames in, pongs out, and three ways to be cut."""

import asyncio
import socket
import struct
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import cast

UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: engine\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
HEAD_END = b"\r\n\r\n"
LOOPBACK = "127.0.0.1"
NO_CODE = 1006
# Masked with zeros, as a client's frames must be masked with something.
PONG = b"\x8a\x80\0\0\0\0"
GOODBYE = b"\x88\x82\0\0\0\0" + (1000).to_bytes(2)
AT_ONCE = struct.pack("ii", 1, 0)


class Op(IntEnum):
    """Opcodes of RFC 6455 that a server sends."""

    TEXT = 1
    CLOSE = 8
    PING = 9


class RefusedError(ConnectionError):
    """The handshake was answered, but not with 101."""


class Wire(asyncio.Protocol):
    """Opened or not, then closed: both are futures. Frames that come after a cut are not looked at."""

    def __init__(self, path: str, take: Callable[[bytes], None]) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[int] = loop.create_future()
        self._path = path
        self._take = take
        self._received = b""
        self._code = NO_CODE
        self._cut = False
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(UPGRADE.format(path=self._path).encode())

    def data_received(self, data: bytes) -> None:
        if self._cut:
            return
        self._received = self._received + data if self._received else data
        if not self.opened.done() and not self._read_answer():
            return
        frames, self._received = split(self._received)
        for op, payload in frames:
            self._take_frame(op, payload)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(ConnectionError(f"lost before an answer: {exc}"))
        if not self.closed.done():
            self.closed.set_result(self._code)

    def pause(self) -> None:
        """Read no more."""
        self._transport.pause_reading()

    def cut(self, how: str) -> None:
        """End the connection: "abort" at once, "reset" with RST, "close" with a closing handshake."""
        self._cut = True
        if how == "close":
            self._transport.write(GOODBYE)
            return
        if how == "reset":
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        self._transport.abort()

    def drop(self) -> None:
        """Leave nothing behind."""
        self._cut = True
        if self._transport is not None:  # else it never opened
            self._transport.abort()

    def _read_answer(self) -> bool:
        head, end, rest = self._received.partition(HEAD_END)
        if not end:
            return False
        self._received = rest
        if b" 101 " in head.partition(b"\r\n")[0]:
            self.opened.set_result(None)
            return True
        self.opened.set_exception(RefusedError(head.partition(b"\r\n")[0].decode()))
        self.drop()
        return False

    def _take_frame(self, op: int, payload: bytes) -> None:
        if op == Op.TEXT:
            self._take(payload)
        elif op == Op.PING:
            self._transport.write(PONG)
        elif op == Op.CLOSE:
            self._code = int.from_bytes(payload[:2]) if len(payload) > 1 else NO_CODE
            self.cut("close")


def split(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Return the whole unmasked frames as (opcode, payload), and what follows them."""
    frames, at = [], 0
    for op, begin, end in _bounds(data):
        frames.append((op, data[begin:end]))
        at = end
    return frames, data[at:]


def _bounds(data: bytes) -> Iterator[tuple[int, int, int]]:
    at = 0
    while len(data) - at >= 2:
        length, begin = data[at + 1], at + 2
        if length >= 126:
            wide = 2 if length == 126 else 8
            length, begin = int.from_bytes(data[begin : begin + wide]), begin + wide
        end = begin + length
        if len(data) < end or len(data) < begin:
            return
        yield data[at] & 0x0F, begin, end
        at = end


async def open_wire(
    port: int, path: str, take: Callable[[bytes], None], within_s: float = 5, receive_buffer: int | None = None
) -> Wire:
    """Return an open connection; ConnectionError, OSError or TimeoutError when there is none."""
    loop = asyncio.get_running_loop()
    wire = Wire(path, take)
    try:
        async with asyncio.timeout(within_s):
            if receive_buffer is None:
                # Not by a socket of ours: lost in the moment in which uvloop takes it over, it is closed twice, the
                # second time when its number is another connection's.
                await loop.create_connection(lambda: wire, LOOPBACK, port)
            else:
                await loop.create_connection(lambda: wire, sock=await _narrow_socket(port, receive_buffer))
            await wire.opened
    except BaseException:
        wire.drop()
        raise
    return wire


async def _narrow_socket(port: int, receive_buffer: int) -> socket.socket:
    raw = socket.socket()
    raw.setblocking(False)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    try:
        await asyncio.get_running_loop().sock_connect(raw, (LOOPBACK, port))
    except BaseException:
        raw.close()
        raise
    return raw
