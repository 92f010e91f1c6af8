"""Statements that are given up, over a network that swallows them."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urlsplit

import pytest

from swaprail.db.connect import Database
from swaprail.domain.errors import EngineError
from swaprail.testing.conditions import until


class Relay:
    """Passes bytes on to PostgreSQL until it is told to swallow them; then connections stay, and nothing answers."""

    def __init__(self, dsn: str) -> None:
        self._server = urlsplit(dsn)
        self._tasks: set[asyncio.Task[None]] = set()
        self.swallows = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection(self._server.hostname, self._server.port)
        for source, target in ((reader, ours), (theirs, writer)):
            task = asyncio.create_task(self._pump(source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65_536):
            if not self.swallows:
                target.write(data)
        target.close()


@pytest.fixture
async def relay(database: str) -> AsyncIterator[tuple[Relay, str]]:
    relay = Relay(database)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0, family=socket.AF_INET)
    port = server.sockets[0].getsockname()[1]
    yield relay, urlsplit(database)._replace(netloc=f"postgres@127.0.0.1:{port}").geturl()
    server.close()


async def _seconds(work: Callable[[], Awaitable[object]]) -> float:
    began = time.monotonic()
    with pytest.raises((TimeoutError, EngineError)):
        await work()
    return time.monotonic() - began


async def test_who_gives_up_does_not_wait_on_when_the_network_swallows_the_statement(relay: tuple[Relay, str]) -> None:
    db = Database(relay[1], size=2, timeout_s=1, application="test")
    assert await db.fetchval("select 1") == 1
    relay[0].swallows = True

    async def asks() -> object:
        async with asyncio.timeout(0.2):
            return await db.fetchval("select 1")

    assert await _seconds(asks) < 0.5
    relay[0].swallows = False
    await db.close()


async def test_a_statement_takes_its_time_out_once_when_the_network_swallows_it(relay: tuple[Relay, str]) -> None:
    db = Database(relay[1], size=1, timeout_s=0.5, application="test")
    assert await db.fetchval("select 1") == 1
    relay[0].swallows = True
    assert await _seconds(lambda: db.fetchval("select 1")) < 0.9
    relay[0].swallows = False

    async def works() -> bool:
        try:
            return bool(await db.fetchval("select 1"))
        except EngineError:
            return False

    await until(works, within_s=5, what="the pool of one connection works again")
    await db.close()
