"""A connection to which anything can be said, at any pace."""

import asyncio
from collections.abc import Mapping
from typing import Self

type Answer = tuple[int, dict[bytes, bytes], bytes]


def head_of(method: str, path: str, headers: Mapping[str, str], *, length: int = 0, chunked: bool = False) -> bytes:
    """Return the head of a request with a JSON body."""
    framing = "transfer-encoding: chunked" if chunked else f"content-length: {length}"
    lines = [f"{method} {path} HTTP/1.1", "host: test", "content-type: application/json", framing]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Raw:
    """One connection to a port of this machine."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def send_until_cut(self, piece: bytes, *, most: int) -> int:
        """Send the piece so often, or until the other end has enough; return how many bytes were sent."""
        for number in range(most):
            try:
                await self.send(piece)
            except ConnectionError:
                return number * len(piece)
        return most * len(piece)

    async def drip(self, data: bytes, *, every_s: float) -> None:
        for byte in data:
            await self.send(bytes([byte]))
            await asyncio.sleep(every_s)

    async def answer(self, within_s: float = 30) -> Answer:
        """Return status, headers (lower case) and body."""
        async with asyncio.timeout(within_s):
            head = await self._reader.readuntil(b"\r\n\r\n")
            first, *lines = head.split(b"\r\n")
            pairs = (line.partition(b":") for line in lines if line)
            headers = {name.lower(): value.strip() for name, _, value in pairs}
            return int(first[9:12]), headers, await self._reader.readexactly(int(headers[b"content-length"]))

    async def status(self, within_s: float = 30) -> int:
        """Return the status of an answer; its body, if any, is left alone."""
        async with asyncio.timeout(within_s):
            return int((await self._reader.readuntil(b"\r\n\r\n"))[9:12])

    async def ended(self, within_s: float = 30) -> None:
        """Return when the other end has closed."""
        async with asyncio.timeout(within_s):
            try:
                while await self._reader.read(65536):
                    pass
            except ConnectionError:
                return

    async def close(self) -> None:
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            return
