"""A real API on a socket, on real PostgreSQL and Valkey."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest
import uvicorn

from swaprail.runtime.bounded_http import BoundedHttp
from swaprail.runtime.http_server import HttpServer
from swaprail_api.app import Api, build
from swaprail_api.settings import ApiSettings

ORDER = {"userWallet": "alice", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}


class Running:
    """An API that serves, and a client of it."""

    def __init__(self, api: Api, server: HttpServer, http: httpx.AsyncClient) -> None:
        self.api = api
        self.server = server
        self.http = http

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post(path, json=body, headers=named)

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.http.get(path, params=params)

    async def place(self, **changes: Any) -> str:
        answer = await self.post("/api/orders", ORDER | changes)
        assert answer.status_code == 201, answer.text
        order_id: str = answer.json()["orderId"]
        return order_id


@asynccontextmanager
async def running(**given: Any) -> AsyncIterator[Running]:
    """Serve an API with these settings on a free port."""
    settings = ApiSettings(_env_file=None, port=0, **given)
    api = build(settings)
    config = uvicorn.Config(api.asgi, log_config=None, access_log=False, ws="none", lifespan="on", http=BoundedHttp)
    server = HttpServer(config)
    await server.open("127.0.0.1", 0)
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
    base = f"http://127.0.0.1:{server.port}"
    try:
        async with httpx.AsyncClient(base_url=base, timeout=10, limits=limits) as http:
            yield Running(api, server, http)
    finally:
        await server.close()


type Serve = Callable[..., Awaitable[Running]]


@pytest.fixture
async def serve(database: str, redis_url: str) -> AsyncIterator[Serve]:
    """Start an API with settings of the test's choice."""
    async with AsyncExitStack() as stack:

        async def start(**changes: Any) -> Running:
            given = {"database_url": database, "redis_url": redis_url} | changes
            return await stack.enter_async_context(running(**given))

        yield start


@pytest.fixture
def post_all() -> Callable[..., Awaitable[list[Any]]]:
    """Post many requests over raw sockets: httpx would take longer than the engine."""
    return _post_all


@pytest.fixture
async def api(serve: Serve) -> Running:
    return await serve()


@pytest.fixture
async def db(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 5.0) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - what is waited for is in the database
            await asyncio.sleep(0.01)


type Answer = tuple[int, bytes, bytes]  # status, head, body


async def _post_all(port: int, requests: Sequence[tuple[str, bytes, str]], connections: int = 50) -> list[Answer]:
    """Post (path, body, idempotency key) over so many connections at once; answers in order."""
    answers: list[Answer] = [(0, b"", b"")] * len(requests)
    waiting = iter(enumerate(requests))

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number, request in waiting:
            writer.write(_encode(*request))
            answers[number] = await _read(reader)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(work() for _ in range(connections)))
    return answers


def _encode(path: str, body: bytes, key: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "host: test", "content-type: application/json", f"content-length: {len(body)}"]
    if key:
        lines.append(f"idempotency-key: {key}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


async def _read(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return int(head[9:12]), head, await reader.readexactly(length)
