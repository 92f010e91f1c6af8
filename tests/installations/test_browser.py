"""A page of another origin in a real browser: an order, and what becomes of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from tests.fuzz.served import add_key
from tests.installations.chromium import Page, blank_page, open_page
from tests.installations.conftest import FAST
from tests.system.engine import Engine

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

_ORDER = """
const bearer = {Authorization: 'Bearer %(key)s'};
const body = JSON.stringify({userWallet: 'alice', inputToken: 'SOL', outputToken: 'USDC', inputAmount: '1.5'});
const ask = async (path, options, tries = 3) => {
    try {
        return await fetch('%(api)s' + path, {method: 'POST', ...options});
    } catch (error) {
        // A browser gives up its requests when the machine's networks change; the key makes another try safe.
        if (tries === 1) throw error;
        return ask(path, options, tries - 1);
    }
};
const post = () => ask('/api/orders/execute',
    {body, headers: {...bearer, 'Content-Type': 'application/json', 'Idempotency-Key': 'page'}});
const first = await post(), again = await post();
const {orderId} = await first.json();
"""
_FOLLOW = """
const {ticket} = await (await ask('/api/ws-tickets', {headers: bearer})).json();
const socket = new WebSocket('%(ws)s/ws/orders/' + orderId + '?ticket=' + encodeURIComponent(ticket));
const steps = await new Promise((resolve, reject) => {
    const seen = [];
    socket.onmessage = event => {
        const step = JSON.parse(event.data);
        seen.push(step.status);
        if (step.status === 'CONFIRMED') resolve(seen);
    };
    socket.onerror = () => reject(new Error('the socket failed'));
});
return {statuses: [first.status, again.status], same: orderId === (await again.json()).orderId, steps,
    location: first.headers.get('Location')};
"""

type OpenFor = Callable[[bool], AbstractAsyncContextManager[tuple[Page, dict[str, str]]]]


@pytest.fixture
def opened(database: str, redis_url: str, tmp_path: Path) -> OpenFor:
    """Start an engine, and open a page whose origin it allows or does not."""

    @asynccontextmanager
    async def opened(allowed: bool) -> AsyncIterator[tuple[Page, dict[str, str]]]:
        async with blank_page() as origin:
            origins = dict.fromkeys(("api_allowed_origins", "ws_allowed_origins"), origin if allowed else "")
            settings = FAST | origins | {"api_keys_required": True, "ws_ticket_secret": "t" * 32}
            engine = Engine(database, redis_url, tmp_path, **settings)
            try:
                await engine.start()
                where = {"api": engine.url, "ws": engine.ws_url, "key": add_key(database, "desk")}
                async with open_page(origin, tmp_path) as page:
                    yield page, where
            finally:
                await asyncio.to_thread(engine.close)

    return opened


async def test_a_page_places_an_order_and_follows_it_when_its_origin_is_allowed(opened: OpenFor) -> None:
    async with opened(True) as (page, where):
        seen = await page.run((_ORDER + _FOLLOW) % where)
    assert seen["statuses"] == [202, 202]
    assert seen["same"]
    assert seen["steps"] == ["PENDING", "ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED"]
    assert seen["location"].startswith("/api/orders/")


async def test_a_page_reads_and_follows_nothing_when_its_origin_is_not_allowed(opened: OpenFor) -> None:
    async with opened(False) as (page, where):
        with pytest.raises(AssertionError, match="Failed to fetch"):
            await page.run(_ORDER % where)
        ends = f"const socket = new WebSocket('{where['ws']}/ws/wallets/alice');"
        ends += "return await new Promise(resolve => { socket.onopen = () => resolve('open');"
        ends += " socket.onerror = () => resolve('refused'); });"
        assert await page.run(ends) == "refused"
