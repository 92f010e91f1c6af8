"""What an account may have at most, so that none is everybody's."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from services.api.tests.integration.callers import bearer, caller

from swaprail.auth import Limits
from swaprail.testing.conditions import until

ORDER = {"userWallet": "alice", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}
FEW = {"api_keys_required": True, "rate_limit": 0, "account_open_orders": 3, "account_waiting_orders": 3}


@pytest.fixture(autouse=True)
def counted_whenever_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swaprail_api.store.account_orders.REST", 0)


def is_refused(answer: Any, code: str = "account_limit") -> bool:
    """Tell whether the answer says that the account has enough, and when to come again."""
    told = answer.json()
    return (answer.status_code, told["code"], told["retryable"]) == (
        429,
        code,
        True,
    ) and "retry-after" in answer.headers


@pytest.mark.parametrize("path", ["/api/orders", "/api/orders/execute"])
async def test_429_when_an_account_has_as_many_orders_as_it_may(serve: Any, db: asyncpg.Connection, path: str) -> None:
    api = await serve(**FEW)
    noisy, other = await caller(api, "noisy"), await caller(api, "other")
    assert [(await noisy(path, ORDER)).status_code < 300 for _ in range(3)] == [True] * 3
    assert is_refused(await noisy(path, ORDER))
    assert (await other(path, ORDER)).status_code < 300
    await api.api.backlog.count()
    assert is_refused(await noisy(path, ORDER))
    await db.execute("update orders set closed_at = now() where id = (select min(id::text)::uuid from orders)")
    await api.api.backlog.count()
    assert (await noisy(path, ORDER)).status_code < 300
    assert is_refused(await noisy(path, ORDER))
    assert await db.fetchval("select count(*) from orders where account = 'noisy'") == 4


async def test_an_account_is_counted_before_it_is_refused_when_it_has_not_asked_for_a_while(
    serve: Any, db: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swaprail_api.store.account_orders.STALE_S", 0)
    monkeypatch.setattr("swaprail_api.store.backlog.EVERY_S", 3600)
    api = await serve(**FEW)
    send = await caller(api, "desk")
    assert [(await send("/api/orders/execute", ORDER)).status_code for _ in range(4)] == [202, 202, 202, 429]
    await db.execute("update orders set closed_at = now()")
    assert [(await send("/api/orders/execute", ORDER)).status_code for _ in range(3)] == [202] * 3


async def test_a_repetition_is_answered_as_before_when_the_account_has_as_many_as_it_may(serve: Any) -> None:
    api = await serve(**FEW)
    send = await caller(api, "desk")
    batch = {"orders": [ORDER] * 3, "execute": True}
    first = await send("/api/orders/batch", batch, key="k")
    assert (await send("/api/orders/batch", batch, key="k")).content == first.content
    assert is_refused(await send("/api/orders/batch", batch, key="other"))
    assert is_refused(await send("/api/orders/execute", ORDER, key="single"))
    longer = await send("/api/orders/batch", batch | {"orders": [ORDER] * 4}, key="k")
    assert (longer.status_code, longer.json()["code"]) == (422, "idempotency_key_reused")


async def test_429_in_another_replica_when_it_has_counted(serve: Any) -> None:
    first, second = await serve(**FEW), await serve(**FEW)
    ours = await caller(first, "noisy")
    theirs = await caller(second, "noisy")
    for _ in range(3):
        await ours("/api/orders", ORDER)
    assert (await theirs("/api/orders", ORDER)).status_code == 201
    await second.api.backlog.count()
    assert is_refused(await theirs("/api/orders", ORDER))


async def test_429_when_a_stored_order_is_started_and_enough_are_open(serve: Any) -> None:
    api = await serve(**FEW)
    send = await caller(api, "noisy")
    waiting = (await send("/api/orders", ORDER)).json()["orderId"]
    for _ in range(3):
        await send("/api/orders/execute", ORDER)
    assert is_refused(await send(f"/api/orders/{waiting}/execute"))


async def test_a_whole_batch_is_refused_when_the_account_may_not_have_all_of_it(
    serve: Any, db: asyncpg.Connection
) -> None:
    api = await serve(**FEW)
    send = await caller(api, "noisy")
    assert is_refused(await send("/api/orders/batch", {"orders": [ORDER] * 4, "execute": True}))
    assert await db.fetchval("select count(*) from orders") == 0
    assert (await send("/api/orders/batch", {"orders": [ORDER] * 3, "execute": True})).status_code == 207


async def test_a_key_has_its_own_limits_when_it_was_given_some(serve: Any) -> None:
    api = await serve(**FEW | {"rate_limit": 2, "rate_limit_window_s": 3600})
    send = await caller(api, "desk", Limits(open_orders=5, requests=7))
    answers = [await send("/api/orders/execute", ORDER) for _ in range(8)]
    assert [answer.status_code for answer in answers] == [202] * 5 + [429] * 3
    assert is_refused(answers[5])
    assert is_refused(answers[7], "rate_limited")


async def test_keys_of_an_account_share_its_requests_when_both_have_the_same_limit_of_their_own(serve: Any) -> None:
    api = await serve(**FEW | {"rate_limit": 2, "rate_limit_window_s": 3600})
    one, two = [await caller(api, "desk", Limits(open_orders=50, requests=4)) for _ in range(2)]
    answers = [await send("/api/orders/execute", ORDER) for send in (one, two) * 3]
    assert [answer.status_code for answer in answers] == [202] * 4 + [429] * 2
    other = await caller(api, "other", Limits(open_orders=50, requests=4))
    assert (await other("/api/orders/execute", ORDER)).status_code == 202


async def test_a_key_has_the_limits_of_its_maker_when_it_is_made_over_http(serve: Any) -> None:
    api = await serve(**FEW)
    send = await caller(api, "desk", Limits(open_orders=1))
    made = (await send("/api/keys", {"name": "more", "scopes": ["orders:write"]})).json()
    assert made["limits"] == {"openOrders": 1}
    headers = {"Authorization": f"Bearer {made['key']}"}
    answers = [await api.http.post("/api/orders/execute", json=ORDER, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 429]


@pytest.mark.parametrize("away", [timedelta(days=91), timedelta(days=100_000)])
async def test_400_when_an_account_would_keep_an_order_for_longer_than_any_may_live(
    serve: Any, away: timedelta
) -> None:
    api = await serve(**FEW)
    send = await caller(api, "desk")
    late = ORDER | {"expiresAt": (datetime.now(UTC) + away).isoformat()}
    answer = await send("/api/orders", late)
    assert (answer.status_code, answer.json()["code"]) == (400, "expiry_too_far")
    assert answer.json()["errors"][0]["field"] == "expiresAt"
    soon = ORDER | {"expiresAt": (datetime.now(UTC) + timedelta(days=89)).isoformat()}
    assert (await send("/api/orders", soon)).status_code == 201


async def test_others_are_answered_when_the_reads_of_an_account_are_stuck(
    serve: Any, db: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swaprail_api.turns.MAX_WAITING", 30)
    api = await serve(api_keys_required=True, rate_limit=0)
    noisy, other = await caller(api, "noisy"), await caller(api, "other")
    mine = (await noisy("/api/orders", ORDER)).json()["orderId"]
    theirs = (await other("/api/orders", ORDER)).json()["orderId"]
    async with db.transaction():
        await db.execute("lock table tx_attempts in access exclusive mode")
        reads = [asyncio.create_task(noisy(f"/api/orders/{mine}", method="GET")) for _ in range(2 + 30 + 1)]
        too_many, _ = await asyncio.wait(reads, timeout=30, return_when=asyncio.FIRST_COMPLETED)
        assert is_refused(too_many.pop().result()), "all have come: two are read, thirty wait, one is too many"
        stuck = "select count(*) = 2 from pg_locks where relation = 'tx_attempts'::regclass and not granted"
        await until(lambda: db.fetchval(stuck), what="as many as may be are stuck")
        fresh = await caller(api, "third")
        assert (await fresh("/api/orders", ORDER)).status_code == 201
        assert (await other(f"/api/orders/{theirs}/events", method="GET")).status_code == 200
        assert await db.fetchval(stuck), "and no further one has come to the database meanwhile"
    assert {answer.status_code for answer in await asyncio.gather(*reads)} <= {200, 429, 503}


async def test_the_command_gives_a_key_limits_and_takes_them_back(
    serve: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from swaprail_api.keys_command import main

    api = await serve(**FEW)
    monkeypatch.setenv("DATABASE_URL", api.api.settings.dsn)

    async def run(*arguments: str) -> str:
        await asyncio.to_thread(main, [*arguments, "--account", "desk"])
        return capsys.readouterr().out

    key = (await run("create", "--name", "n", "--open-orders", "7", "--sockets", "9")).strip()
    assert '"limits":{"openOrders":7,"sockets":9}' in await run("list")
    await run("limit", "--id", key.split("_")[1], "--concurrent-reads", "1")
    assert '"limits":{"concurrentReads":1}' in await run("list")
    await run("limit", "--id", key.split("_")[1])
    assert '"limits":{}' in await run("list")
    with pytest.raises(SystemExit, match="openOrders"):
        await run("create", "--name", "n", "--open-orders", "0")


async def test_who_lists_keys_waits_for_his_turn_and_for_no_writer(serve: Any, db: asyncpg.Connection) -> None:
    api = await serve(**FEW, account_concurrent_reads=2, read_pool_size=2)
    noisy, other = await bearer(api, "noisy"), await bearer(api, "other")
    for known in (noisy, other):
        assert (await api.http.get("/api/keys", headers=known)).status_code == 200
    async with db.transaction():
        await db.execute("lock table api_keys in access exclusive mode")
        asking = [asyncio.create_task(api.http.get("/api/keys", headers=noisy)) for _ in range(8)]
        waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        await until(lambda: _is(db, waits, 2), what="as many as have a turn wait for the table")
        assert (await api.http.post("/api/orders", json=ORDER, headers=other)).status_code == 201
        assert await db.fetchval(waits) == 2
    await asyncio.gather(*asking)


async def _is(db: asyncpg.Connection, sql: str, count: int) -> bool:
    return bool(await db.fetchval(sql) == count)
