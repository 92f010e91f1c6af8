"""One keep-alive HTTP/1.1 connection that carries one request at a time, at little cost to the machine measured."""

import asyncio
from typing import NamedTuple, cast
from urllib.parse import urlsplit

HEAD_END = b"\r\n\r\n"
LENGTH = b"\r\ncontent-length:"


class Answer(NamedTuple):
    status: int
    body: bytes


class LaneBrokenError(ConnectionError):
    """The connection ended, or what came is no answer that is understood here."""


class Lane(asyncio.Protocol):
    """Requests go out as given; answers need a Content-Length."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._awaited: asyncio.Future[Answer] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received = self._received + data if self._received else data
        try:
            answer, self._received = parse_answer(self._received)
        except LaneBrokenError as error:
            self._fail(error)
            return
        if answer is not None and self._awaited is not None and not self._awaited.done():
            self._awaited.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(LaneBrokenError(f"the engine closed a connection: {exc}"))

    def exchange(self, request: bytes) -> asyncio.Future[Answer]:
        """Send a request; the caller sees to a deadline."""
        if self._transport is None or self._transport.is_closing():
            raise LaneBrokenError("the engine closed a connection")
        self._awaited = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._awaited

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _fail(self, error: LaneBrokenError) -> None:
        if self._awaited is not None and not self._awaited.done():
            self._awaited.set_exception(error)


def parse_answer(received: bytes) -> tuple[Answer | None, bytes]:
    """Return the first answer, or None while it is not complete, and what follows it."""
    end = received.find(HEAD_END)
    if end < 0:
        return None, received
    head = received[:end].lower()
    at = head.find(LENGTH)
    if not head.startswith(b"http/1.1 ") or at < 0:
        raise LaneBrokenError(f"not an answer with a Content-Length: {received[:200]!r}")
    begin = end + len(HEAD_END)
    whole = begin + int(head[at + len(LENGTH) :].partition(b"\r\n")[0])
    if len(received) < whole:
        return None, received
    return Answer(int(head[9:12]), received[begin:whole]), received[whole:]


async def open_lane(url: str) -> Lane:
    """Connect to the host of a URL within 5 s."""
    address = urlsplit(url)
    async with asyncio.timeout(5):
        _, lane = await asyncio.get_running_loop().create_connection(
            Lane, address.hostname or "127.0.0.1", address.port or 80
        )
    return lane
