"""Connections that stay open between requests, as proxies keep them."""

import asyncio
import json
import select
import socket
from typing import Any

import asyncpg
import pytest

from swaprail_api.__main__ import ApiService
from swaprail_api.settings import ApiSettings

REQUEST = b"GET /health/live HTTP/1.1\r\nHost: api\r\n\r\n"
LARGE = 1024 * 1024
ORDER = b'{"userWallet":"alice","inputToken":"SOL","outputToken":"USDC","inputAmount":"1.5"}'
CHUNKED = (
    b"POST /api/orders HTTP/1.1\r\nHost: api\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
)
CLOSES = {"HTTP/1.0": "", "HTTP/1.1": "Connection: close\r\n"}
PROXY_KEEPS_S = 90  # Traefik; others keep idle connections for less


async def _answer_then_wait(port: int) -> asyncio.StreamReader:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST)
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    await reader.readuntil(b'{"live":true}')
    return reader


async def test_an_idle_connection_is_closed_when_keep_alive_has_passed(database: str, redis_url: str) -> None:
    settings = ApiSettings(_env_file=None, port=0, database_url=database, redis_url=redis_url, keep_alive_s=1)
    service = ApiService(settings)
    await service.start()
    try:
        reader = await _answer_then_wait(service.port)
        assert await asyncio.wait_for(reader.read(), 5) == b""
    finally:
        await service.drain()


def test_an_idle_connection_outlives_a_proxy_s_when_nothing_is_set() -> None:
    assert ApiSettings(_env_file=None).keep_alive_s > PROXY_KEEPS_S


def _post_reading_last(port: int, version: str, framing: str, path: str, body: bytes) -> bytes:
    """Send all of a body though the answer is already there, as proxies do; return what was answered."""
    head = f"POST {path} {version}\r\nHost: api\r\nContent-Type: application/json\r\n{CLOSES[version]}{framing}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(head.encode() + body[: len(body) // 2])
        assert select.select([client], [], [], 5)[0]
        client.sendall(body[len(body) // 2 :])
        return b"".join(iter(lambda: client.recv(65536), b""))


def _post_twice(port: int) -> bytes:
    """Send a second request in one piece with the end of a first one whose answer ends the connection."""
    head = "POST /api/orders HTTP/1.1\r\nHost: api\r\nContent-Type: application/json\r\n"
    first = f"{head}Connection: close\r\nContent-Length: {LARGE}\r\n\r\n".encode()
    second = f"{head}Content-Length: {len(ORDER)}\r\n\r\n".encode() + ORDER
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(first + b" " * (LARGE - 10))
        assert select.select([client], [], [], 5)[0]
        client.sendall(b" " * 10 + second)
        return b"".join(iter(lambda: client.recv(65536), b""))


async def test_nothing_is_begun_when_the_connection_has_been_ended(api: Any, db: asyncpg.Connection) -> None:
    said = await asyncio.to_thread(_post_twice, api.server.port)
    assert said.startswith(b"HTTP/1.1 413 ")
    assert said.count(b"HTTP/1.1") == 1
    assert await db.fetchval("select count(*) from orders") == 0


@pytest.mark.parametrize("version", CLOSES)
@pytest.mark.parametrize(
    ("path", "status"), [("/api/orders/batch", 413), ("/api/orders/x/y/z", 404), ("/health/live", 405)]
)
async def test_a_refusal_is_read_when_its_request_is_still_sent(api: Any, version: str, path: str, status: int) -> None:
    framing, body = f"Content-Length: {LARGE}", b" " * LARGE
    said = await asyncio.to_thread(_post_reading_last, api.server.port, version, framing, path, body)
    assert said.startswith(b"HTTP/1.1 %d " % status)
    assert json.loads(said.partition(b"\r\n\r\n")[2])["status"] == status, "one answer, and nothing after it"


async def test_a_refusal_is_read_when_its_chunks_are_still_sent(api: Any) -> None:
    body = b"10000\r\n" + b" " * 65536 + b"\r\n"
    said = await asyncio.to_thread(
        _post_reading_last,
        api.server.port,
        "HTTP/1.1",
        "Transfer-Encoding: chunked",
        "/api/orders",
        body * 8 + b"0\r\n\r\n",
    )
    assert said.startswith(b"HTTP/1.1 413 ")


def _head_reading_last(port: int, first: bytes) -> bytes:
    """Send more of a request that was refused already; return what was answered."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(first)
        assert select.select([client], [], [], 5)[0]
        for _ in range(8):
            client.sendall(b"x" * 65536)
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65536), b""))


@pytest.mark.parametrize(
    ("first", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: api\r\nX-Much: " + b"x" * 40_000, 431),
        (b"no HTTP\r\n\r\n", 400),
        (CHUNKED + b"no size\r\n", 400),
    ],
)
async def test_a_refusal_is_read_when_the_head_is_still_sent(api: Any, first: bytes, status: int) -> None:
    said = await asyncio.to_thread(_head_reading_last, api.server.port, first)
    assert said.startswith(b"HTTP/1.1 %d " % status)
    assert json.loads(said.partition(b"\r\n\r\n")[2])["status"] == status, "one answer, and nothing after it"
