"""Requests that are too large or too slow cost little, and others are served meanwhile."""

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import psutil
import pytest

from swaprail.runtime.bounded_http import HEAD_TIMEOUT_S, MAX_HEAD_BYTES
from swaprail.testing.conditions import until
from tests.security.accounts import ORDER, Two
from tests.security.raw import Raw, head_of

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

IDLE = 300
LATE_S = HEAD_TIMEOUT_S + 5
MOST_GROWTH = 48 * 1024 * 1024


class Neighbour:
    """A client that behaves, all the time; its slowest answer is what the others cost it."""

    def __init__(self, two: Two) -> None:
        self._two = two
        self.answers = 0
        self.slowest_s = 0.0

    async def ask(self) -> None:
        async with httpx.AsyncClient(base_url=self._two.url, timeout=5) as client:
            while True:
                began = time.perf_counter()
                answer = await client.get("/api/orders/user/alice", headers=self._two.one)
                assert answer.status_code == 200, answer.text
                self.slowest_s = max(self.slowest_s, time.perf_counter() - began)
                self.answers += 1
                await asyncio.sleep(0.02)


@pytest.fixture
async def neighbour(two: Two) -> AsyncIterator[Neighbour]:
    found = Neighbour(two)
    asking = asyncio.create_task(found.ask())
    await until(lambda: found.answers > 0, what="the neighbour is served")
    yield found
    assert not asking.done(), asking.exception()
    asking.cancel()
    assert found.slowest_s < 2


def memory_of(two: Two, name: str) -> int:
    return int(psutil.Process(two.engine.processes[name].pid).memory_info().rss)


@pytest.mark.parametrize("service", ["api", "notifier"])
async def test_a_head_is_refused_when_it_never_ends(two: Two, neighbour: Neighbour, service: str) -> None:
    before = memory_of(two, service)
    for line in (b"x: y\r\n", b"x", b"x: " + b"y" * 1000):
        async with Raw(two.engine.ports[service]) as raw:
            await raw.send(b"GET /api/orders/user/alice HTTP/1.1\r\n")
            sent = await raw.send_until_cut(line * (64 * 1024 // len(line)), most=64)
        # What is between is in the buffers of the two sockets.
        assert sent < 32 * 1024 * 1024, f"{line[:8]!r}: took {sent} bytes of a head of {MAX_HEAD_BYTES}"
    assert memory_of(two, service) - before < MOST_GROWTH


@pytest.mark.parametrize("service", ["api", "notifier"])
async def test_431_when_a_head_is_larger_than_any(two: Two, service: str) -> None:
    async with Raw(two.engine.ports[service]) as raw:
        await raw.send(b"GET /health HTTP/1.1\r\nhost: x\r\nx: " + b"y" * (MAX_HEAD_BYTES + 1))
        assert (await raw.answer())[0] == 431


async def late(port: int, sent_at_once: bytes, dripped: bytes) -> tuple[int, bytes]:
    """Return status and body of the answer to a request that comes byte by byte."""
    async with Raw(port) as raw:
        await raw.send(sent_at_once)
        dripping = asyncio.create_task(raw.drip(dripped, every_s=0.3))
        status, _, body = await raw.answer(LATE_S)
        dripping.cancel()
        return status, body


async def stuck(port: int, partial: bytes, *, answered: bool) -> None:
    """Send a part of a request and no more; return when the connection is ended."""
    async with Raw(port) as raw:
        await raw.send(partial)
        await (raw.answer(2 * LATE_S) if answered else raw.ended(2 * LATE_S))


async def test_slow_idle_and_stuck_connections_end_and_others_are_served_meanwhile(
    two: Two, neighbour: Neighbour
) -> None:
    before = memory_of(two, "api")
    api, notifier = two.engine.ports["api"], two.engine.ports["notifier"]
    begun = head_of("POST", "/api/orders", two.one, length=1000)
    partial = (b"", b"GET /health HTTP/1.1\r\n", b"\r\n", begun + b"{")
    slow_head = b"GET /health HTTP/1.1\r\nx: " + b"y" * 1000
    heads = [late(port, b"", slow_head) for port in (api, notifier)]
    many = asyncio.gather(*(stuck(api, partial[n % 4], answered=n % 4 == 3) for n in range(IDLE)))
    told = await asyncio.gather(*heads, late(api, begun, b" " * 900))
    assert [status for status, _ in told] == [408, 408, 400]
    await many
    assert b"did not arrive" in told[2][1]
    assert memory_of(two, "api") - before < MOST_GROWTH


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", ["/api/orders", "/api/orders/execute", "/api/orders/batch", "/api/keys"])
async def test_413_when_a_body_is_larger_than_any(two: Two, path: str, chunked: bool) -> None:
    size = 200_000
    async with Raw(two.engine.ports["api"]) as raw:
        if chunked:
            await raw.send(head_of("POST", path, two.one, chunked=True))
            await raw.send(b"".join(b"2000\r\n" + b" " * 8192 + b"\r\n" for _ in range(size // 8192)))
        else:
            await raw.send(head_of("POST", path, two.one, length=size))
        status, headers, body = await raw.answer()
    assert (status, b"body_too_large" in body) == (413, True)
    assert headers[b"content-type"] == b"application/problem+json"


async def test_memory_is_bounded_when_a_refused_body_goes_on(two: Two, neighbour: Neighbour) -> None:
    before = memory_of(two, "api")
    for frame in (b"10000\r\n" + b"x" * 65536 + b"\r\n", b"0\r\n" + b"x: y\r\n" * 10_000):
        async with Raw(two.engine.ports["api"]) as raw:
            await raw.send(head_of("POST", "/api/orders", two.one, chunked=True))
            sent = await raw.send_until_cut(frame, most=1024)
        assert sent < 32 * 1024 * 1024
    assert memory_of(two, "api") - before < MOST_GROWTH


async def test_orders_are_taken_after_all_of_this(two: Two) -> None:
    assert (await two.call("POST", "/api/orders", two.one, ORDER)).status_code == 201
