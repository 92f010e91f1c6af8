"""As many WebSockets as may be, and no more; each costs little, and one that ends makes room."""

import asyncio
from contextlib import AsyncExitStack

import psutil
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from swaprail.testing.conditions import until
from tests.security.accounts import MOST_WEBSOCKETS, Two

pytestmark = [pytest.mark.system]
MOST_EACH = 64 * 1024  # bytes of memory a connection


def open_one(two: Two) -> connect:
    url = f"{two.engine.ws_url}/ws/wallets/crowd"
    return connect(url, additional_headers=two.one, compression=None, proxy=None, ping_interval=None)


async def answer_to_one_more(two: Two) -> tuple[int, str | None]:
    """Return the status of a handshake and its Retry-After."""
    try:
        async with open_one(two):
            return 101, None
    except InvalidStatus as error:
        return error.response.status_code, error.response.headers.get("Retry-After")


async def test_503_until_one_ends_when_there_are_as_many_websockets_as_may_be(two: Two) -> None:
    process = psutil.Process(two.engine.processes["notifier"].pid)
    before = process.memory_info().rss
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(open_one(two)) for _ in range(MOST_WEBSOCKETS)]
        assert await asyncio.gather(*(answer_to_one_more(two) for _ in range(20))) == [(503, "1")] * 20
        assert process.memory_info().rss - before < MOST_WEBSOCKETS * MOST_EACH
        await sockets[0].close()

        async def admitted() -> bool:
            return (await answer_to_one_more(two))[0] == 101

        await until(admitted, within_s=5, what="there is room again")


async def test_a_message_larger_than_any_command_closes_its_connection_only(two: Two) -> None:
    async with open_one(two) as large, open_one(two) as other:
        await large.send("x" * 4097)
        await asyncio.wait_for(large.wait_closed(), 5)
        assert large.close_code == 1009
        await asyncio.wait_for(await other.ping(), 5)
