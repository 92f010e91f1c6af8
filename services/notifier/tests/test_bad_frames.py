"""What is told to a client whose frames are bad, although more of them is on its way."""

import asyncio
from typing import Any

import pytest

HANDSHAKE = (
    b"GET /ws/wallets/w HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
LARGE = b"\x81\xff" + (4_000_000).to_bytes(8) + b"mask" + b"x" * 4_000_000
TIMES = 20


async def ending_of(port: int, data: bytes) -> bytes:
    """Return all that the notifier says after the handshake, to a client that reads once it has sent everything."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HANDSHAKE)
    await reader.readuntil(b"\r\n\r\n")
    writer.write(data)
    await writer.drain()
    told = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return told


@pytest.mark.parametrize(("data", "code"), [(LARGE, 1009), (b"\xff" * 2_000_000, 1002)])
async def test_the_code_arrives_when_the_rest_of_a_bad_frame_is_still_on_its_way(
    serve: Any, data: bytes, code: int
) -> None:
    running = await serve()
    for _ in range(TIMES):
        told = await ending_of(running.service.port, data)
        assert told[0] == 0x88
        assert int.from_bytes(told[2:4]) == code
    await running.until(lambda: running.notifier.connections == 0)
