"""Connections that stay open between requests, as proxies keep them."""

import asyncio

from swaprail_api.__main__ import ApiService
from swaprail_api.settings import ApiSettings

REQUEST = b"GET /health/live HTTP/1.1\r\nHost: api\r\n\r\n"
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
