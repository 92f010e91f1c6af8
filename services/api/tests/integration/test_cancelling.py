"""Cancelling: honest about what may still land."""

import asyncio
from collections import Counter
from typing import Any

import asyncpg
import pytest

from swaprail.telemetry.metrics import COMPLETION, TRANSITIONS


@pytest.mark.parametrize("status", ["PENDING", "ROUTING", "BUILDING"])
async def test_order_is_cancelled_when_nothing_was_submitted(api: Any, db: asyncpg.Connection, status: str) -> None:
    order_id = await api.place()
    await db.execute(
        "update orders set status = $1, seq = 3, fence = 4, lease_owner = 'w', lease_until = now(), due_at = now()",
        status,
    )
    answer = await api.post(f"/api/orders/{order_id}/cancel")
    assert (answer.status_code, answer.json()["status"], answer.json()["seq"]) == (202, "CANCELLED", 4)
    assert answer.json()["closedAt"] is not None
    row = await db.fetchrow(
        "select status, seq, fence, lease_owner, lease_until, due_at, closed_at is not null from orders"
    )
    assert row is not None
    assert tuple(row) == ("CANCELLED", 4, 5, None, None, None, True)
    assert await db.fetchval("select status from order_events where seq = 4") == "CANCELLED"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("SUBMITTED", "order_not_cancellable"),
        ("CONFIRMED", "order_status_mismatch"),
        ("FAILED", "order_status_mismatch"),
        ("EXPIRED", "order_status_mismatch"),
    ],
)
async def test_409_when_it_may_have_landed_or_is_over(api: Any, db: asyncpg.Connection, status: str, code: str) -> None:
    order_id = await api.place()
    await db.execute("update orders set status = $1, fence = 2", status)
    answer = await api.post(f"/api/orders/{order_id}/cancel")
    assert (answer.status_code, answer.json()["code"], answer.json()["found"]) == (409, code, status)
    assert await db.fetchval("select fence from orders") == 2


async def test_a_cancelled_order_is_counted_with_what_it_was_and_how_long_it_took(api: Any) -> None:
    def counted() -> tuple[float, float]:
        return TRANSITIONS.labels("ROUTING", "CANCELLED")._value.get(), COMPLETION.labels("CANCELLED")._sum.get()

    moved, took = counted()
    order_id = await api.place()
    await api.post(f"/api/orders/{order_id}/execute")
    await api.post(f"/api/orders/{order_id}/cancel")
    await api.post(f"/api/orders/{order_id}/cancel")
    again, longer = counted()
    assert again - moved == 1
    assert longer > took


async def test_one_event_when_many_cancel_at_once(api: Any, db: asyncpg.Connection) -> None:
    order_id = await api.place()
    answers = await asyncio.gather(*(api.post(f"/api/orders/{order_id}/cancel") for _ in range(50)))
    assert Counter(answer.status_code for answer in answers) == {202: 1, 409: 49}
    assert await db.fetchval("select count(*) from order_events") == 2


async def test_cancel_or_submission_wins_but_never_both(api: Any, db: asyncpg.Connection) -> None:
    order_id = await api.place()
    async with db.transaction():
        await db.execute("update orders set status = 'SUBMITTED' where status = 'PENDING' and fence = 0")
        cancelling = asyncio.create_task(api.post(f"/api/orders/{order_id}/cancel"))
        await blocked(db)
    assert (await cancelling).json()["found"] == "SUBMITTED"


async def blocked(db: asyncpg.Connection) -> None:
    """Return when another session waits for a lock."""
    async with asyncio.timeout(5):
        while not await db.fetchval("select exists (select from pg_locks where not granted)"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
