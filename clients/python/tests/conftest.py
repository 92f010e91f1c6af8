"""A small engine of scripted answers behind a relay that can cut and lose: real HTTP, real WebSockets, real sockets."""

import asyncio
import socket
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest
import uvicorn

from swaprail_client import Backoff, SwaprailClient

ORDER_ID = "01920000-0000-7000-8000-000000000001"
STATUSES = ["PENDING", "ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED"]


def step(seq: int, status: str | None = None, order_id: str = ORDER_ID, second: int | None = None) -> dict[str, Any]:
    at = f"2030-01-01T00:00:{seq if second is None else second:02d}Z"
    status = status or STATUSES[seq - 1]
    return {"type": "status", "orderId": order_id, "seq": seq, "status": status, "timestamp": at, "data": {}}


def order(status: str = "PENDING", seq: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "orderId": ORDER_ID, "userWallet": "w", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5",
        "inputAmountBase": "1500000000", "slippageBps": 50, "status": status, "seq": seq, "reconciling": False,
        "createdAt": "2030-01-01T00:00:01Z", "failure": None, **more,
    }  # fmt: skip


@dataclass
class Answer:
    status: int
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


type Script = Callable[["Socket"], Awaitable[None]]


class Socket:
    """One accepted WebSocket connection, as a test's script sees it."""

    def __init__(self, request: Request, send: Callable[[Any], Awaitable[None]], receive: Callable[[], Awaitable[Any]]):
        self.request = request
        self._send, self._receive = send, receive

    async def accept(self) -> None:
        await self._send({"type": "websocket.accept"})

    async def say(self, *messages: Any) -> None:
        for message in messages:
            text = message if isinstance(message, str) else msgspec.json.encode(message).decode()
            await self._send({"type": "websocket.send", "text": text})

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self._send({"type": "websocket.close", "code": code, "reason": reason})

    async def refuse(self, answer: Answer) -> None:
        headers = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
        await self._send({"type": "websocket.http.response.start", "status": answer.status, "headers": headers})
        await self._send({"type": "websocket.http.response.body", "body": msgspec.json.encode(answer.body)})

    async def until_closed(self) -> None:
        while (await self._receive())["type"] != "websocket.disconnect":
            continue


async def tell_all(client: Socket) -> None:
    """The script of an engine in good health: the steps after `after`, and the end."""
    await client.accept()
    after = int(client.request.query.get("after", 0))
    await client.say(*(step(seq) for seq in range(after + 1, len(STATUSES) + 1)))
    await client.until_closed()


class FakeEngine:
    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], list[Answer]] = defaultdict(list)
        self.scripts: list[Script] = []
        self.script: Script = tell_all
        self.requests: list[Request] = []
        self.sockets: list[Request] = []

    def on(self, method: str, path: str, *answers: Answer) -> None:
        """Give these answers one after the other, and the last of them ever after."""
        self.answers[method, path].extend(answers)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = {name.decode(): value.decode() for name, value in scope.get("headers", [])}
        query = {name: values[0] for name, values in parse_qs(scope.get("query_string", b"").decode()).items()}
        request = Request(scope.get("method", "WS"), scope["path"], query, headers, b"")
        await (self._http if scope["type"] == "http" else self._websocket)(request, receive, send)

    async def _http(self, request: Request, receive: Any, send: Any) -> None:
        more = True
        while more:
            part = await receive()
            request.body += part.get("body", b"")
            more = part.get("more_body", False)
        self.requests.append(request)
        scripted = self.answers[request.method, request.path]
        missing = Answer(404, {"code": "order_not_found", "title": "There is no such order", "retryable": False})
        answer = (scripted.pop(0) if len(scripted) > 1 else scripted[0]) if scripted else missing
        await asyncio.sleep(answer.delay)
        body = answer.body if isinstance(answer.body, bytes) else msgspec.json.encode(answer.body)
        named = [(name.lower().encode(), value.encode()) for name, value in answer.headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": named})
        await send({"type": "http.response.body", "body": body})

    async def _websocket(self, request: Request, receive: Any, send: Any) -> None:
        await receive()
        self.sockets.append(request)
        script = self.scripts.pop(0) if self.scripts else self.script
        await script(Socket(request, send, receive))


class Relay:
    """Stands between client and engine."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._open: set[asyncio.StreamWriter] = set()
        self.lose_answers = 0
        self.connections = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Reset every connection, with no goodbye."""
        for writer in self._open:
            writer.transport.abort()

    def stop(self) -> None:
        """Cut, and let nobody in any more."""
        self._server.close()
        self.cut()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        both = {writer, far_writer}
        self._open |= both
        with suppress(OSError):
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer, answers=True))
        self._open -= both
        for end in both:
            end.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool = False) -> None:
        while data := await reader.read(65536):
            if answers and self.lose_answers:
                self.lose_answers -= 1
                self.cut()
                return
            writer.write(data)
            await writer.drain()
        writer.close()


@pytest.fixture
async def engine() -> AsyncIterator[FakeEngine]:
    fake = FakeEngine()
    listener = socket.create_server(("127.0.0.1", 0))
    fake.port = listener.getsockname()[1]  # type: ignore[attr-defined]
    config = uvicorn.Config(
        fake,
        lifespan="off",
        log_level="error",
        ws="websockets-sansio",
        timeout_graceful_shutdown=1,
        date_header=False,  # a test that has a clock of the engine's says what it shows
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    # Without serve(): its main loop and its farewell sleep a tenth of a second each, in every test.
    await server.startup(sockets=[listener])
    yield fake
    for accepting in server.servers:
        accepting.close()
    running = [*server.server_state.tasks]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


@pytest.fixture
async def relay(engine: Any) -> AsyncIterator[Relay]:
    relay = Relay(engine.port)
    await relay.start()
    yield relay
    relay.stop()


@pytest.fixture
def url(relay: Relay) -> str:
    return f"http://127.0.0.1:{relay.port}"


@pytest.fixture
async def client(url: str) -> AsyncIterator[SwaprailClient]:
    quick = Backoff(initial=0.01, longest=0.05, jitter=0.01)
    async with SwaprailClient(url, "swr_key_secret", timeout=5, give_up_after=3, backoff=quick) as client:
        yield client


@pytest.fixture
def fake() -> Any:
    """Makers of what the engine says."""
    return FakeWords


class FakeWords:
    answer = Answer
    step = staticmethod(step)
    order = staticmethod(order)
    order_id = ORDER_ID
