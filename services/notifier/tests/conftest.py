"""A notifier on a free port, and a small engine that moves orders in the database and tells the topic, or does not."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest
import redis.asyncio as redis
import uuid_utils
from faststream.redis.message import bDATA_KEY
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.http11 import Response

from swaprail.messages.topics import OrderEvent, OrderEvents, Topic
from swaprail.runtime.service import new_event_loop
from swaprail_local.servers.valkey import EmbeddedValkey
from swaprail_notifier.service import NotifierService
from swaprail_notifier.settings import NotifierSettings

PATH = ["PENDING", "ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED"]
WAIT_S = 10.0

_NEW = """
with o as (
    insert into orders (id, account, wallet, input_mint, output_mint, input_symbol, output_symbol, input_decimals,
        output_decimals, input_amount, slippage_bps, status, seq, queued_at)
    values ($1, $2, $3, 'm1', 'm2', 'SOL', 'USDC', 9, 6, 1, 50, 'PENDING', 1, now()) returning id
)
insert into order_events (order_id, seq, status, data) select id, 1, 'PENDING', $4::text::json from o
returning floor(extract(epoch from at) * 1000)::bigint
"""
_MOVE = """
with o as (
    update orders set status = $2, seq = seq + 1, closed_at = case when $2 = 'CONFIRMED' then now() end
    where id = $1 returning id, seq
)
insert into order_events (order_id, seq, status, data) select id, seq, $2, $3::text::json from o
returning floor(extract(epoch from at) * 1000)::bigint
"""
_UNDO = """
with lost as (delete from order_events where (order_id, seq) in (select id, seq from orders where id = $1))
update orders o set seq = seq - 1, closed_at = null,
    status = (select status from order_events e where e.order_id = o.id and e.seq = o.seq - 1)
where id = $1
"""


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"production": new_event_loop}


class Engine:
    """Writes what the other services would write."""

    def __init__(self, dsn: str, redis_url: str) -> None:
        self._dsn = dsn
        self._redis: Any = redis.Redis.from_url(redis_url)
        self._connection: Any = None

    async def __aenter__(self) -> "Engine":
        self._connection = await asyncpg.connect(self._dsn)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()
        await self._redis.aclose()

    async def execute(self, sql: str, *args: object) -> None:
        await self._connection.execute(sql, *args)

    async def fetch(self, sql: str, *args: object) -> list[Any]:
        return list(await self._connection.fetch(sql, *args))

    async def post(
        self, *, wallet: str = "w1", account: str = "local", tell: bool = True, data: str = "{}"
    ) -> OrderEvent:
        order_id = UUID(bytes=uuid_utils.uuid7().bytes)
        at = await self._connection.fetchval(_NEW, order_id, account, wallet, data)
        event = OrderEvent(order_id, 1, "PENDING", at, account, wallet)
        if tell:
            await self.tell(event)
        return event

    async def move(self, last: OrderEvent, *, tell: bool = True) -> OrderEvent:
        status = PATH[last.seq]
        data = msgspec.json.encode({"step": last.seq + 1})
        at = await self._connection.fetchval(_MOVE, last.order_id, status, data.decode())
        event = OrderEvent(last.order_id, last.seq + 1, status, at, last.account, last.wallet, msgspec.Raw(data), None)
        if tell:
            await self.tell(event)
        return event

    async def undo(self, last: OrderEvent) -> None:
        """Lose the latest step, as a failover to a standby that lagged does."""
        await self._connection.execute(_UNDO, last.order_id)

    async def run(self, last: OrderEvent, *, tell: bool = True, until: int = 5) -> list[OrderEvent]:
        events = [last]
        while events[-1].seq < until:
            events.append(await self.move(events[-1], tell=tell))
        return events

    async def tell(self, *events: OrderEvent) -> None:
        await self.tell_raw(msgspec.json.encode(OrderEvents(list(events))))

    async def tell_raw(self, body: bytes) -> None:
        await self._redis.xadd(str(Topic.EVENTS), {bDATA_KEY: body})

    async def tell_until_cancelled(self, redis_url: str, event: OrderEvent) -> None:
        body = msgspec.json.encode(OrderEvents([event]))
        async with redis.Redis.from_url(redis_url) as other:
            while True:
                await other.xadd(str(Topic.EVENTS), {bDATA_KEY: body})
                await asyncio.sleep(0.1)

    async def flush(self) -> None:
        await self._redis.flushall()


class Client:
    """A WebSocket that keeps what it was sent."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.seen: list[dict[str, Any]] = []

    async def read(self, count: int, within_s: float = WAIT_S) -> list[dict[str, Any]]:
        async with asyncio.timeout(within_s):
            while len(self.seen) < count:
                self.seen.append(msgspec.json.decode(await self.socket.recv()))
        return self.seen[:count]

    async def seqs(self, count: int, within_s: float = WAIT_S) -> list[int]:
        return [message["seq"] for message in await self.read(count, within_s)]

    def is_dense(self) -> bool:
        """Tell whether each order's messages were 1..n in order, once each."""
        by_order: dict[str, list[int]] = {}
        for message in self.seen:
            by_order.setdefault(message["orderId"], []).append(message["seq"])
        return all(
            seqs[0] == 1 and all(after == before + 1 for before, after in pairwise(seqs)) for seqs in by_order.values()
        )

    async def is_quiet(self, for_s: float = 0.3) -> bool:
        """Tell whether nothing more comes within a time."""
        try:
            async with asyncio.timeout(for_s):
                self.seen.append(msgspec.json.decode(await self.socket.recv()))
        except TimeoutError:
            return True
        return False

    async def close_code(self) -> int:
        async with asyncio.timeout(WAIT_S):
            await self.socket.wait_closed()
        assert self.socket.close_code is not None
        return self.socket.close_code


class Running:
    """A notifier that serves, and how to reach it."""

    def __init__(self, service: NotifierService, stack: AsyncExitStack) -> None:
        self.service = service
        self.notifier = service.notifier
        self._stack = stack

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.service.port}"

    async def until(self, condition: Callable[[], bool], within_s: float = WAIT_S) -> None:
        """Return when the condition has come true."""
        end = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < end, "the condition did not come true"
            await asyncio.sleep(0.01)

    async def refused(self, path: str, **options: Any) -> Response:
        """Return the answer by which a handshake was refused."""
        with pytest.raises(InvalidStatus) as caught:
            await self.connect(path, **options)
        return caught.value.response

    async def connect(self, path: str, **options: Any) -> Client:
        socket = await self._stack.enter_async_context(
            connect(f"ws://{self.address}{path}", compression=None, open_timeout=WAIT_S, proxy=None, **options)
        )
        return Client(socket)


type Serve = Callable[..., Awaitable[Running]]


@pytest.fixture
async def serve(database: str, redis_url: str) -> AsyncIterator[Serve]:
    failures: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    async with AsyncExitStack() as stack:

        async def start(**settings: Any) -> Running:
            values = {
                "database_url": database,
                "redis_url": redis_url,
                "notifier_port": 0,
                "drain_timeout_s": 3.0,
                "_env_file": None,
                **settings,
            }
            service = NotifierService(NotifierSettings(**values))
            await service.start()
            service.health.started = True
            stack.push_async_callback(service.stop)
            clients = await stack.enter_async_context(AsyncExitStack())
            return Running(service, clients)

        yield start
    assert not failures


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A Valkey of this test alone, to be killed."""
    server = EmbeddedValkey(tmp_path, durable=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def engine(database: str, redis_url: str) -> AsyncIterator[Engine]:
    async with Engine(database, redis_url) as engine:
        yield engine
