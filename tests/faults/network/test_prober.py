"""The prober itself: it accuses an API that is slow, and not one that it kept waiting itself."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import cast

import pytest

from tests.faults.network.prober import PROBES, Prober
from tests.faults.network.world import SERVICES, World

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}"


class _Api:
    """Answers every request after a while."""

    def __init__(self) -> None:
        self.after_s = 0.0
        self.asked = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self.asked.set()
                await asyncio.sleep(self.after_s)
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


class _Place:
    """As much of a world as the prober reads."""

    def __init__(self, port: int) -> None:
        self.direct_url = f"http://127.0.0.1:{port}"
        self.headers: dict[str, str] = {}
        self.ops_ports = dict.fromkeys(SERVICES, port)


@pytest.fixture
async def api() -> _Api:
    return _Api()


@pytest.fixture
async def prober(api: _Api) -> AsyncIterator[Prober]:
    async with await asyncio.start_server(api.serve, "127.0.0.1", 0) as server:
        yield Prober(cast("World", _Place(server.sockets[0].getsockname()[1])))


async def test_an_api_is_accused_when_its_answers_are_later_than_their_bounds(prober: Prober, api: _Api) -> None:
    api.after_s = 2.4
    await prober.run(0.1)
    late = {line.partition(":")[0] for line in prober.broken}
    bound_by_more = {probe.name for probe in PROBES if probe.bound_s > api.after_s}
    assert late == {probe.name for probe in PROBES} - bound_by_more | {f"{name} /health/live" for name in SERVICES}


async def test_nobody_is_accused_when_the_prober_itself_stood_still(prober: Prober, api: _Api) -> None:
    asking = asyncio.create_task(prober.run(0.1))
    await api.asked.wait()
    time.sleep(2.5)  # noqa: ASYNC251  what holds up this process holds up its proxies and its clock of answers
    await asking
    assert prober.broken == []
