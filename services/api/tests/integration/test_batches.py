"""Batches: one commit, a result for each order."""

from typing import Any

import asyncpg

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
    assert [tuple(row) for row in await db.fetch("select key from idempotency_keys order by 1")] == [("k#0",), ("k#1",)]
    other = {"orders": [ORDER, ORDER | {"inputAmount": 9}], "execute": False}
    results = (await api.post("/api/orders/batch", other, Idempotency_Key="k")).json()["results"]
    assert [result["status"] for result in results] == [201, 422]


async def test_400_when_a_batch_is_empty_or_too_long(api: Any) -> None:
    for orders in ([], [ORDER] * 101):
        answer = await api.post("/api/orders/batch", {"orders": orders})
        assert (answer.status_code, answer.json()["code"]) == (400, "batch_invalid")
    answer = await api.post("/api/orders/batch", {"orders": [ORDER] * 100})
    assert [result["status"] for result in answer.json()["results"]] == [201] * 100
