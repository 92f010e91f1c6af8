"""A whole engine whose servers have addresses of IPv6, UNIX sockets or several hosts, and which listens at ::."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.installations.conftest import FAST
from tests.installations.orders import accepted_within, confirmed_within
from tests.system.engine import Engine

type Reader = asyncio.StreamReader
type Writer = asyncio.StreamWriter


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(120),
    pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6"),
]


@asynccontextmanager
async def _relayed(to: str, *, path: Path | None = None) -> AsyncIterator[int]:
    """Have a server's port at ::1 as well, or at a path; yields the port."""
    port = urlsplit(to).port
    tasks: set[asyncio.Task[Any]] = set()

    async def pump(reader: Reader, writer: Writer) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
        finally:
            writer.close()

    async def serve(reader: Reader, writer: Writer) -> None:
        theirs, ours = await asyncio.open_connection("127.0.0.1", port)
        for pair in ((reader, ours), (theirs, writer)):
            task = asyncio.create_task(pump(*pair))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    server = await (asyncio.start_unix_server(serve, path) if path else asyncio.start_server(serve, "::1", 0))
    try:
        yield 0 if path else server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.mark.parametrize("way", ["literal", "parts", "several", "socket"])
async def test_an_order_is_confirmed_and_followed_when_addresses_are_not_of_ipv4(
    database: str, redis_url: str, tmp_path: Path, stack: AsyncExitStack, way: str
) -> None:
    name = urlsplit(database).path
    db_port = await stack.enter_async_context(_relayed(database))
    redis_port = await stack.enter_async_context(_relayed(redis_url))
    settings: dict[str, Any] = FAST | {"host": "::"}
    dsn = f"postgresql://postgres@[::1]:{db_port}{name}"
    if way == "parts":
        dsn = ""
        settings |= {"db_host": "::1", "db_port": db_port, "db_name": name[1:], "db_user": "postgres"}
    elif way == "several":
        dsn = f"postgresql://postgres@[::1]:1,[::1]:{db_port}{name}"
    elif way == "socket":
        await stack.enter_async_context(_relayed(database, path=tmp_path / ".s.PGSQL.5432"))
        dsn = f"postgresql://postgres@{name}?host={tmp_path}"
    engine = Engine(dsn, f"redis://[::1]:{redis_port}{urlsplit(redis_url).path}", tmp_path, **settings)
    stack.push_async_callback(asyncio.to_thread, engine.close)
    await engine.start()
    async with httpx.AsyncClient(base_url=f"http://[::1]:{engine.ports['api']}", timeout=10) as client:
        order_id, _ = await accepted_within(client, 5)
        await confirmed_within(client, order_id, 10)
    for host in ("[::1]", "127.0.0.1"):
        url = f"ws://{host}:{engine.ports['notifier']}/ws/orders/{order_id}"
        async with connect(url, open_timeout=5, proxy=None) as socket_of_order:
            assert '"PENDING"' in str(await asyncio.wait_for(socket_of_order.recv(), 5))
