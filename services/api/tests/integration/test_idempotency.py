"""Idempotency keys: the same request again is the same order and body again."""

from typing import Any
from unittest.mock import Mock

import asyncpg
import msgspec
import pytest
from services.api.tests.integration.rows import row_with

from swaprail.db.connect import Database
from swaprail_api.store.announce import Announcer
from swaprail_api.store.intake import IntakeStore

ORDER = {"userWallet": "alice", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}


@pytest.mark.parametrize("path", ["/api/orders", "/api/orders/execute"])
async def test_body_is_byte_equal_when_a_request_is_repeated(api: Any, db: asyncpg.Connection, path: str) -> None:
    body = ORDER | {"minOutputAmount": "1.25", "expiresAt": "2999-01-01T00:00:00.123456+01:00"}
    first = await api.post(path, body, Idempotency_Key="k")
    await db.execute(
        "update orders set status = 'ROUTING', seq = 2, queued_at = now(), output_amount = 7, closed_at = now()"
    )
    again = await api.post(path, body, Idempotency_Key="k")
    assert again.content == first.content
    assert again.status_code == first.status_code
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    assert await db.fetchval("select count(*) from orders") == 1


async def test_order_is_the_same_when_the_request_is_spelled_otherwise(api: Any) -> None:
    first = await api.post("/api/orders", ORDER, Idempotency_Key="k")
    other = ORDER | {"inputAmount": 1.50, "slippageBps": 50, "inputToken": "sol", "minOutputAmount": None}
    assert (await api.post("/api/orders", other, Idempotency_Key="k")).content == first.content


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("/api/orders", {"inputAmount": "1.6"}),
        ("/api/orders", {"slippageBps": 51}),
        ("/api/orders", {"userWallet": "bob"}),
        ("/api/orders", {"minOutputAmount": 1}),
        ("/api/orders", {"expiresAt": "2999-01-01T00:00:00Z"}),
        ("/api/orders/execute", {}),
    ],
)
async def test_422_when_a_key_comes_with_another_request(
    api: Any, db: asyncpg.Connection, path: str, change: dict[str, Any]
) -> None:
    await api.post("/api/orders", ORDER, Idempotency_Key="k")
    answer = await api.post(path, ORDER | change, Idempotency_Key="k")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert await db.fetchval("select count(*) from orders") == 1


async def test_repetition_is_answered_when_the_time_has_passed_since(api: Any, db: asyncpg.Connection) -> None:
    first = await api.post("/api/orders", ORDER | {"expiresAt": "2999-01-01T00:00:00Z"}, Idempotency_Key="k")
    late = "2020-01-01T00:00:00+00:00"
    await db.execute("update orders set expires_at = $1::text::timestamptz", late)
    # The stored fingerprint is of the request as it was, so it is made anew for the time that has passed.
    from swaprail_api.idempotency import order_fingerprint
    from swaprail_api.store.rows import accepted_order

    row = await db.fetchrow("select * from orders")
    await db.execute(
        "update idempotency_keys set request_sha256 = $1", order_fingerprint(accepted_order(row, execute=False))
    )
    again = await api.post("/api/orders", ORDER | {"expiresAt": late}, Idempotency_Key="k")
    assert again.status_code == 201
    assert again.json()["orderId"] == first.json()["orderId"]
    fresh = await api.post("/api/orders", ORDER | {"expiresAt": late}, Idempotency_Key="other")
    assert fresh.json()["code"] == "expiry_in_past"


async def test_keys_are_apart_when_accounts_differ(serve: Any, db: asyncpg.Connection) -> None:
    api = await serve(api_keys_required=True)
    ids = set()
    for account in ("one", "two"):
        key = await make_key(api, account)
        answer = await api.post("/api/orders", ORDER, Idempotency_Key="k", Authorization=f"Bearer {key}")
        ids.add(answer.json()["orderId"])
    assert len(ids) == 2


async def test_an_order_starts_when_another_account_has_used_the_key(serve: Any, db: asyncpg.Connection) -> None:
    api = await serve(api_keys_required=True)
    for account in ("one", "two"):
        bearer = f"Bearer {await make_key(api, account)}"
        order_id = (await api.post("/api/orders", ORDER, Authorization=bearer)).json()["orderId"]
        path = f"/api/orders/{order_id}/execute"
        answer = await api.post(path, Idempotency_Key="start", Authorization=bearer)
        assert (answer.status_code, "idempotency-replayed" in answer.headers) == (202, False)


async def test_key_is_demanded_when_the_setting_says_so(serve: Any) -> None:
    api = await serve(idempotency_key_required=True)
    assert (await api.post("/api/orders", ORDER)).json()["code"] == "idempotency_key_required"
    assert (await api.post("/api/orders", ORDER, Idempotency_Key="k")).status_code == 201


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "é"])
async def test_400_when_a_key_is_malformed(api: Any, key: str) -> None:
    answer = await api.http.post("/api/orders", json=ORDER, headers={"Idempotency-Key": key.encode("latin-1")})
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")


async def test_one_order_a_key_when_200_keys_come_50_times_at_once(
    api: Any, db: asyncpg.Connection, post_all: Any
) -> None:
    keys, times = 200, 50
    bodies = [msgspec.json.encode(ORDER | {"slippageBps": key}) for key in range(keys)]
    posts = [("/api/orders/execute", bodies[key], f"k{key}") for _ in range(times) for key in range(keys)]
    # Neighbours share a key, so that the same key comes to the same statement and to the next ones.
    posts.sort(key=lambda post: post[2])
    answers = await post_all(api.server.port, posts)
    assert {status for status, _, _ in answers} == {202}
    for first in range(0, keys * times, times):
        assert len({body for _, _, body in answers[first : first + times]}) == 1
    assert len({body for _, _, body in answers}) == keys
    assert await db.fetchval("select count(*) from orders") == keys
    assert await db.fetchval("select count(*) from order_events") == 2 * keys
    assert sum(b"idempotency-replayed: true" in head for _, head, _ in answers) == keys * (times - 1)


async def make_key(api: Any, account: str, scopes: tuple[str, ...] = ("orders:read", "orders:write")) -> str:
    from swaprail_api.deadline import database_deadline
    from swaprail_api.usecases.manage_keys import ManageKeys

    created = await ManageKeys(api.api.keys, database_deadline(5)).store(account, "test", set(scopes), None)
    key: str = created.key
    return key


async def test_each_account_has_its_own_order_when_two_use_the_same_key(database: str) -> None:
    writes = Database(database, size=1, timeout_s=5, application="test")
    store = IntakeStore(writes, Mock(spec=Announcer))
    rows = [row_with("k", account) for account in ("local", "acme")]
    assert [getattr(outcome, "replayed", None) for outcome in await store.write(rows)] == [False, False]
    for row in (*rows, *rows[::-1]):
        (found,) = await store.write([row_with("k", row.account)])
        assert (found.order.id, found.order.account, found.replayed) == (row.id, row.account, True)  # type: ignore[union-attr]
    await writes.close()
