"""Executing stored orders: of many at once exactly one wins."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from swaprail.messages.topics import HANDOVER_S


async def test_one_wins_when_200_execute_at_once(api: Any, db: asyncpg.Connection) -> None:
    order_id = await api.place()
    answers = await asyncio.gather(*(api.post(f"/api/orders/{order_id}/execute") for _ in range(200)))
    assert Counter(answer.status_code for answer in answers) == {202: 1, 409: 199}
    lost = next(answer.json() for answer in answers if answer.status_code == 409)
    assert (lost["code"], lost["found"], lost["queued"]) == ("order_status_mismatch", "ROUTING", True)
    row = await db.fetchrow("select status, seq, fence, lease_owner, lease_until - queued_at from orders")
    assert row is not None
    assert tuple(row) == ("ROUTING", 2, 1, "message", timedelta(seconds=HANDOVER_S))
    events = await db.fetch("select seq, status from order_events order by seq")
    assert [tuple(event) for event in events] == [(1, "PENDING"), (2, "ROUTING")]


async def test_one_wins_when_two_processes_execute_at_once(serve: Any) -> None:
    first, second = await serve(), await serve()
    ids = [await first.place() for _ in range(20)]
    answers = await asyncio.gather(
        *(api.post(f"/api/orders/{order_id}/execute") for order_id in ids for api in (first, second) for _ in range(5))
    )
    assert Counter(answer.status_code for answer in answers) == {202: 20, 409: 180}


async def test_same_answer_when_the_key_is_repeated(api: Any, db: asyncpg.Connection) -> None:
    path = f"/api/orders/{await api.place()}/execute"
    answers = await asyncio.gather(*(api.post(path, Idempotency_Key="k") for _ in range(20)))
    await db.execute("update orders set status = 'ROUTING', seq = 2")
    answers.append(await api.post(path, {}, Idempotency_Key="k"))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 20
    assert (await api.post(path, Idempotency_Key="other")).json()["found"] == "ROUTING"


async def test_422_and_nothing_started_when_the_key_stands_for_another_order(api: Any, db: asyncpg.Connection) -> None:
    first, second = await api.place(), await api.place()
    answers = await asyncio.gather(
        *(api.post(f"/api/orders/{order_id}/execute", Idempotency_Key="k") for order_id in (first, second))
    )
    assert sorted(answer.status_code for answer in answers) == [202, 422]
    assert await db.fetchval("select count(*) from orders where queued_at is not null") == 1
    third = await api.place()
    assert (await api.post(f"/api/orders/{third}/execute", Idempotency_Key="k")).status_code == 422
    assert (await api.post(f"/api/orders/{third}/execute", Idempotency_Key="new")).status_code == 202


async def test_another_may_start_it_when_the_first_came_with_a_used_key(api: Any) -> None:
    first, second = await api.place(), await api.place()
    await api.post(f"/api/orders/{first}/execute", Idempotency_Key="used")
    path = f"/api/orders/{second}/execute"
    answers = await asyncio.gather(api.post(path, Idempotency_Key="used"), api.post(path))
    assert [answer.status_code for answer in answers] == [422, 202]


async def test_409_when_the_time_of_the_order_has_passed(api: Any, db: asyncpg.Connection) -> None:
    order_id = await api.place(expiresAt="2999-01-01T00:00:00Z")
    await db.execute("update orders set expires_at = now() - interval '1 second'")
    answer = await api.post(f"/api/orders/{order_id}/execute")
    assert (answer.status_code, answer.json()["queued"]) == (409, False)
    assert answer.json()["detail"] == "the time of the order has passed"


async def test_409_says_why_when_an_order_cannot_be_started(api: Any, db: asyncpg.Connection) -> None:
    cancelled, queued = await api.place(), await api.place()
    await api.post(f"/api/orders/{cancelled}/cancel")
    await db.execute("update orders set queued_at = now() where id = $1", queued)
    answers = [(await api.post(f"/api/orders/{order_id}/execute")).json() for order_id in (cancelled, queued)]
    assert [(answer["found"], answer["queued"], answer["detail"]) for answer in answers] == [
        ("CANCELLED", False, "the order is CANCELLED"),
        ("PENDING", True, "the order is queued already"),
    ]
    assert {row["status"] for row in await db.fetch("select status from orders")} == {"CANCELLED", "PENDING"}


@pytest.mark.parametrize("order_id", ["0199b0d0-0000-7000-8000-000000000000", "nonsense", "0" * 32])
async def test_404_when_there_is_no_such_order(api: Any, order_id: str) -> None:
    for answer in (
        await api.post(f"/api/orders/{order_id}/execute"),
        await api.post(f"/api/orders/{order_id}/cancel"),
        await api.get(f"/api/orders/{order_id}"),
        await api.get(f"/api/orders/{order_id}/events"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "order_not_found")
