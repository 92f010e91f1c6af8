"""What is answered while commits wait for a synchronous standby that is away."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from swaprail.testing.conditions import until
from swaprail.testing.standby import StandbyAway

ORDER = {"userWallet": "alice", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}
SOON = {"db_timeout_s": 0.5, "request_timeout_s": 0.4}
# As an administrator might: PostgreSQL then commits here, whatever the standby has.
_CANCEL_WAITS = "select pg_cancel_backend(pid) from pg_stat_activity where application_name = 'swaprail-api'"
_WAITS = "select count(*) from pg_stat_activity where application_name = 'swaprail-api' and wait_event = 'SyncRep'"


@pytest.fixture
async def standby(database: str) -> AsyncIterator[StandbyAway]:
    standby = StandbyAway(database)
    yield standby
    await standby.forget()


@pytest.fixture
async def api(serve: Any) -> Any:
    api = await serve(**SOON)
    await asyncio.gather(*(api.api.writes.fetch("select pg_sleep(0.05)") for _ in range(3)))
    await api.get("/health/ready")
    return api


async def _shown_here(db: asyncpg.Connection) -> None:
    """Return when all that waited for the standby is committed without it."""

    async def none_waits() -> bool:
        await db.execute(_CANCEL_WAITS)
        return not await db.fetchval(_WAITS)

    await until(none_waits, within_s=3)


async def test_a_repetition_is_not_told_as_stored_when_the_standby_has_not_the_order(
    api: Any, db: asyncpg.Connection, standby: StandbyAway
) -> None:
    await standby.leave()
    assert (await api.post("/api/orders", ORDER, Idempotency_Key="k")).status_code == 503
    assert (await api.post("/api/orders", ORDER, Idempotency_Key="k")).status_code == 503  # waits for the key
    await _shown_here(db)
    assert await db.fetchval("select count(*) from orders") == 1
    assert (await api.post("/api/orders", ORDER, Idempotency_Key="k")).status_code == 503
    await standby.forget()
    assert (await api.post("/api/orders", ORDER, Idempotency_Key="k")).status_code == 201
    assert await db.fetchval("select count(*) from orders") == 1


async def test_an_order_is_not_told_as_cancelled_when_the_standby_does_not_know(
    api: Any, db: asyncpg.Connection, standby: StandbyAway
) -> None:
    order_id = await api.place()
    await standby.leave()
    assert (await api.post(f"/api/orders/{order_id}/cancel")).status_code == 503
    await _shown_here(db)
    for path in ("cancel", "execute"):
        answer = await api.post(f"/api/orders/{order_id}/{path}")
        assert (answer.status_code, "CANCELLED" in answer.text) == (503, False)
    await standby.forget()
    for path in ("cancel", "execute"):
        answer = await api.post(f"/api/orders/{order_id}/{path}")
        assert (answer.status_code, answer.json()["found"]) == (409, "CANCELLED")


async def test_who_reads_is_served_and_the_service_ready_when_the_standby_is_away(
    api: Any, standby: StandbyAway
) -> None:
    order_id = await api.place()
    await api.get(f"/api/orders/{order_id}")
    await standby.leave()
    for _ in range(4):
        assert (await api.post("/api/orders", ORDER)).status_code == 503
    assert (await api.get(f"/api/orders/{order_id}")).status_code == 200
    assert (await api.get("/health/ready")).status_code == 200
