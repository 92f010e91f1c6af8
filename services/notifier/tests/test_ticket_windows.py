"""How long a ticket lives, and for how long a used one is remembered."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis.asyncio as redis

from swaprail.auth import Principal, burn_name, issue_ticket

SECRET = "s" * 32
CALLER = Principal("acme", "", frozenset({"orders:read"}))


def ticket(*, age_s: float) -> str:
    return issue_ticket(CALLER, SECRET.encode(), now=time.time() - age_s)


@pytest.fixture
async def server(redis_url: str) -> AsyncIterator[Any]:
    client: Any = redis.Redis.from_url(redis_url)
    yield client
    await client.aclose()


async def test_a_ticket_opens_a_socket_until_its_thirty_seconds_are_over(serve: Any) -> None:
    running = await serve(api_keys_required=True, ws_ticket_secret=SECRET)
    await running.connect(f"/ws/wallets/w?ticket={ticket(age_s=25)}")
    assert (await running.refused(f"/ws/wallets/w?ticket={ticket(age_s=31)}")).status_code == 401


async def test_a_used_ticket_is_remembered_for_as_long_as_it_lives_when_the_api_s_clock_is_ahead(
    serve: Any, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = [await serve(api_keys_required=True, ws_ticket_secret=SECRET) for _ in range(2)]
    began = time.time()
    used, unused = ticket(age_s=-29), ticket(age_s=-29)
    await one.connect(f"/ws/wallets/w?ticket={used}")
    remembered_until = time.time() + await server.pttl(burn_name(used)) / 1000
    last = int(began + 29) + 30
    assert remembered_until > last
    monkeypatch.setattr("swaprail.auth.tickets.database_time", lambda: last)
    assert (await other.refused(f"/ws/wallets/w?ticket={used}")).status_code == 401
    await other.connect(f"/ws/wallets/w?ticket={unused}")
