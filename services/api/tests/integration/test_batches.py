"""Batches: one commit, a result for each order."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from services.api.tests.integration.callers import caller

ORDER = {"userWallet": "alice", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}


async def test_each_order_has_its_result_when_some_are_wrong(api: Any, db: asyncpg.Connection) -> None:
    orders = [ORDER, ORDER | {"inputAmount": 0}, ORDER | {"extra": 1}, ORDER | {"userWallet": "bob"}]
    answer = await api.post("/api/orders/batch", {"orders": orders, "execute": True})
    assert answer.status_code == 207
    results = answer.json()["results"]
    assert [result["status"] for result in results] == [202, 400, 400, 202]
    assert results[1]["problem"]["code"] == "amount_invalid"
    assert results[2]["problem"]["errors"] == [
        {"field": "orders[2].extra", "message": "Object contains unknown field `extra`"}
    ]
    assert [results[i]["order"]["userWallet"] for i in (0, 3)] == ["alice", "bob"]
    assert await db.fetchval("select count(distinct (xmin::text, created_at)) from orders") == 1
    assert await db.fetchval("select count(*) from orders where queued_at = created_at") == 2


async def test_nothing_is_stored_when_the_commit_fails(api: Any, db: asyncpg.Connection) -> None:
    await db.execute("alter table orders add constraint no_bob check (wallet <> 'bob')")
    answer = await api.post("/api/orders/batch", {"orders": [ORDER, ORDER | {"userWallet": "bob"}]})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert await db.fetchval("select count(*) from orders") == 0
    assert await db.fetchval("select count(*) from order_events") == 0


async def test_body_is_byte_equal_when_a_batch_is_repeated(api: Any, db: asyncpg.Connection) -> None:
    body = {"orders": [ORDER, ORDER, ORDER | {"inputAmount": -1}], "execute": False}
    first = await api.post("/api/orders/batch", body, Idempotency_Key="k")
    again = await api.post("/api/orders/batch", body, Idempotency_Key="k")
    assert first.content == again.content
    assert await db.fetchval("select count(*) from orders") == 2
    keys = [tuple(row) for row in await db.fetch("select key, of_batch from idempotency_keys order by 1")]
    assert keys == [("k batch", False), ("k#0", True), ("k#1", True)]


LONGER = {"orders": [ORDER, ORDER, ORDER]}
OTHERS: dict[str, dict[str, Any]] = {
    "longer": LONGER,
    "shorter": {"orders": [ORDER]},
    "in another order": {"orders": [ORDER | {"slippageBps": 9}, ORDER]},
    "with another amount": {"orders": [ORDER, ORDER | {"inputAmount": 9}]},
    "to execute": {"orders": [ORDER, ORDER | {"slippageBps": 9}], "execute": True},
    "with an order that is none": {"orders": [ORDER, ORDER | {"slippageBps": 9}, {}]},
}


@pytest.mark.parametrize("other", OTHERS)
async def test_422_and_nothing_is_stored_when_a_batch_comes_under_the_key_of_another(
    api: Any, db: asyncpg.Connection, other: str
) -> None:
    body = {"orders": [ORDER, ORDER | {"slippageBps": 9}]}
    first = await api.post("/api/orders/batch", body, Idempotency_Key="k")
    answer = await api.post("/api/orders/batch", OTHERS[other], Idempotency_Key="k")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert await db.fetchval("select count(*) from orders") == 2
    assert await db.fetchval("select count(*) from idempotency_keys") == 3
    assert (await api.post("/api/orders/batch", body, Idempotency_Key="k")).content == first.content


async def test_422_when_a_batch_comes_at_once_with_a_longer_one_of_its_key(api: Any, db: asyncpg.Connection) -> None:
    body = {"orders": [ORDER, ORDER]}
    answers = await asyncio.gather(
        *(api.post("/api/orders/batch", each, Idempotency_Key="k") for each in [body, LONGER] * 5)
    )
    assert sorted(answer.status_code for answer in answers) == [207] * 5 + [422] * 5
    assert len({answer.content for answer in answers if answer.status_code == 207}) == 1
    (stored,) = {len(answer.json()["results"]) for answer in answers if answer.status_code == 207}
    assert await db.fetchval("select count(*) from orders") == stored


@pytest.mark.parametrize("key", ["k#0", "k#1"])
async def test_422_when_an_order_comes_under_a_key_of_a_batch(api: Any, db: asyncpg.Connection, key: str) -> None:
    await api.post("/api/orders/batch", {"orders": [ORDER, ORDER]}, Idempotency_Key="k")
    answer = await api.post("/api/orders", ORDER, Idempotency_Key=key)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert await db.fetchval("select count(*) from orders") == 2


@pytest.mark.parametrize("key", ["k#0", "k#1"])
async def test_422_and_nothing_is_stored_when_a_batch_comes_under_a_key_of_an_order(
    api: Any, db: asyncpg.Connection, key: str
) -> None:
    first = await api.post("/api/orders", ORDER, Idempotency_Key=key)
    answer = await api.post("/api/orders/batch", {"orders": [ORDER, ORDER]}, Idempotency_Key="k")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert await db.fetchval("select count(*) from orders") == 1
    assert (await api.post("/api/orders", ORDER, Idempotency_Key=key)).content == first.content


@pytest.mark.parametrize("path", ["/api/orders", "/api/orders/batch"])
async def test_an_order_and_a_batch_have_keys_of_their_own_when_both_are_called_the_same(
    api: Any, db: asyncpg.Connection, path: str
) -> None:
    bodies = {"/api/orders": ORDER, "/api/orders/batch": {"orders": [ORDER, ORDER]}}
    other = next(each for each in bodies if each != path)
    first = [await api.post(each, bodies[each], Idempotency_Key="k") for each in (path, other)]
    again = [await api.post(each, bodies[each], Idempotency_Key="k") for each in (path, other)]
    assert [answer.content for answer in first] == [answer.content for answer in again]
    assert await db.fetchval("select count(*) from orders") == 3


async def test_no_order_is_refused_when_batches_and_orders_of_one_account_share_names(
    api: Any, db: asyncpg.Connection
) -> None:
    """Two statements that take the same names in two ways would wait for each other."""
    posts = []
    for n in range(20):
        names = ("a", "b") if n % 2 else ("b", "a")
        posts.append(api.post("/api/orders/batch", {"orders": [ORDER]}, Idempotency_Key=names[0]))
        posts.append(api.post("/api/orders", ORDER, Idempotency_Key=names[1]))
    answers = await asyncio.gather(*posts)
    assert {answer.status_code for answer in answers} == {201, 207}
    assert await db.fetchval("select count(*) from orders") == 4


async def test_a_batch_is_the_same_when_an_order_of_it_was_too_far_away_before(
    serve: Any, db: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:

    api = await serve(api_keys_required=True, rate_limit=0)
    send = await caller(api, "desk")
    now = datetime.now(UTC)
    body = {"orders": [ORDER | {"expiresAt": (now + timedelta(days=90, hours=1)).isoformat()}, ORDER]}
    first = (await send("/api/orders/batch", body, key="k")).json()["results"]
    assert [result["status"] for result in first] == [400, 201]
    monkeypatch.setattr("swaprail_api.usecases.check_order.database_now", lambda: now + timedelta(hours=2))
    again = await send("/api/orders/batch", body, key="k")
    assert again.status_code == 207
    assert again.json()["results"][1] == first[1]
    assert await db.fetchval("select count(*) from orders") == 1


async def test_a_batch_is_found_again_when_the_version_before_stored_it(api: Any, db: asyncpg.Connection) -> None:
    body = {"orders": [ORDER, ORDER]}
    first = await api.post("/api/orders/batch", body, Idempotency_Key="k")
    await db.execute("delete from idempotency_keys where key = 'k batch'")
    await db.execute("update idempotency_keys set of_batch = null")
    longer = (await api.post("/api/orders/batch", LONGER, Idempotency_Key="k")).json()["results"]
    assert [result["status"] for result in longer] == [201, 201, 422]
    for _ in range(2):
        assert (await api.post("/api/orders/batch", body, Idempotency_Key="k")).content == first.content
    assert await db.fetchval("select count(*) from orders") == 2


async def test_a_batch_is_answered_as_before_when_the_time_of_its_orders_has_passed_since(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    body = {"orders": [ORDER | {"expiresAt": later.isoformat()}, ORDER]}
    first = await api.post("/api/orders/batch", body, Idempotency_Key="k")
    monkeypatch.setattr("swaprail_api.usecases.check_order.database_now", lambda: later)
    assert (await api.post("/api/orders/batch", body, Idempotency_Key="k")).content == first.content
    longer = {"orders": [*body["orders"], body["orders"][0]]}
    answer = await api.post("/api/orders/batch", longer, Idempotency_Key="k")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    unknown = (await api.post("/api/orders/batch", body, Idempotency_Key="new")).json()["results"]
    assert [result["status"] for result in unknown] == [400, 201]


async def test_400_when_a_batch_is_empty_or_too_long(api: Any) -> None:
    for orders in ([], [ORDER] * 101):
        answer = await api.post("/api/orders/batch", {"orders": orders})
        assert (answer.status_code, answer.json()["code"]) == (400, "batch_invalid")
    answer = await api.post("/api/orders/batch", {"orders": [ORDER] * 100})
    assert [result["status"] for result in answer.json()["results"]] == [201] * 100
