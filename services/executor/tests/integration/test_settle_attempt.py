"""What becomes of an attempt that does not land."""

import asyncio
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import asyncpg
import msgspec
import pytest

from swaprail.db.leases import read_order
from swaprail.domain.chain import UNKNOWN_HEIGHT, AttemptState, Commitment, Doubt, Landing
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import LeasedOrder
from swaprail.domain.tokens import TokenList
from swaprail.testing.conditions import until
from swaprail_executor.attempts import Settlement, write_settlements
from swaprail_executor.execute_order import execute_order
from swaprail_executor.metrics import DISPUTES


async def _reconciling(bench: Any, order: LeasedOrder) -> None:
    async def marked() -> bool:
        return (await bench.row(order))["reconciling_since"] is not None

    await until(marked)


async def _version(bench: Any, order: LeasedOrder) -> str:
    row = await bench.db.fetchrow("select xmin::text as version from orders where id = $1", order.id)
    return str(row["version"])


async def _execute_until_expired(bench: Any, order: LeasedOrder, **settings: int) -> None:
    """Execute the order with other settings; its attempt never lands, and is proven to be expired."""
    bench.chain.lands_after = 0
    desk = msgspec.structs.replace(bench.desk, settings=bench.settings.model_copy(update=settings))
    task = asyncio.create_task(execute_order(desk, order))
    await until(lambda: bool(bench.chain.sent))
    bench.chain.expire(sha256(bench.chain.sent[0]).hexdigest())
    await asyncio.wait_for(task, 5)


async def test_the_order_is_routed_again_when_its_attempt_provably_expired(bench: Any) -> None:
    order = await bench.building()
    bench.chain.lands_after = 0
    task = asyncio.create_task(execute_order(bench.desk, order))
    await until(lambda: bool(bench.chain.sent))
    signature = sha256(bench.chain.sent[0]).hexdigest()
    bench.chain.expire(signature)
    await asyncio.wait_for(task, 5)
    row = await bench.row(order)
    assert (row["status"], row["closed_at"], row["attempts"], row["lease_until"]) == ("ROUTING", None, 1, None)
    assert row["due_at"] == await bench.latest_step(order)
    (attempt,) = await bench.attempts(order)
    assert attempt["state"] == "EXPIRED"
    assert msgspec.json.decode(attempt["evidence"])["searches"][0]["finalizedBlockHeight"] == 190


async def test_nothing_is_proven_when_the_nodes_are_not_agreed_on_a_height_until_all_of_them_answer(bench: Any) -> None:
    order = await bench.building()
    bench.chain.lands_after, bench.chain.last_valid = 0, None
    task = asyncio.create_task(execute_order(bench.desk, order))
    await until(lambda: len(bench.chain.proven_past) > 2)
    assert set(bench.chain.proven_past) == {UNKNOWN_HEIGHT}
    bench.chain.surely_past = 1812
    await until(lambda: bench.chain.proven_past[-1] == 1812)
    bench.chain.surely_past = 9999  # it is asked for once
    bench.chain.expire(sha256(bench.chain.sent[0]).hexdigest())
    await asyncio.wait_for(task, 5)
    assert set(bench.chain.proven_past) == {UNKNOWN_HEIGHT, 1812}
    assert (await bench.row(order))["status"] == "ROUTING"


async def test_the_bytes_are_not_sent_again_when_a_revert_only_has_to_become_final(bench: Any) -> None:
    order = await bench.building()
    bench.chain.lands_after = 0
    task = asyncio.create_task(execute_order(bench.desk, order))
    await until(lambda: bool(bench.chain.sent))
    signature = sha256(bench.chain.sent[0]).hexdigest()
    bench.chain.landed[signature] = Doubt.NOT_FINAL
    await until(lambda: bench.chain.looks > 30)
    sent, looked = len(bench.chain.sent), bench.chain.looks
    await until(lambda: bench.chain.looks > looked + 30)
    assert len(bench.chain.sent) == sent
    # Rolled back: it may land again.
    del bench.chain.landed[signature]
    bench.chain.lands_after = 1
    await asyncio.wait_for(task, 5)
    assert (await bench.row(order))["status"] == "CONFIRMED"


async def test_the_order_reconciles_and_is_counted_once_when_nodes_show_different_outcomes(bench: Any) -> None:
    order, before = await bench.building(), DISPUTES._value.get()
    bench.chain.lands_after = 0
    task = asyncio.create_task(execute_order(bench.desk, order))
    await until(lambda: bench.chain.looks > 3)
    signature = sha256(bench.chain.sent[0]).hexdigest()
    assert DISPUTES._value.get() == before
    bench.chain.landed[signature] = Doubt.DISPUTED
    await _reconciling(bench, order)
    assert ((await bench.row(order))["status"], DISPUTES._value.get() - before) == ("SUBMITTED", 1)
    bench.chain.landed[signature] = Landing(signature, 7, Commitment.CONFIRMED, 151_000_000)
    await asyncio.wait_for(task, 5)
    assert (await bench.row(order))["status"] == "CONFIRMED"


async def test_the_order_stays_submitted_and_reconciling_when_nothing_can_be_proven(bench: Any) -> None:
    order = await bench.building()
    bench.chain.lands_after, bench.chain.silent = 0, True
    task = asyncio.create_task(execute_order(bench.desk, order))
    await _reconciling(bench, order)
    assert (await bench.row(order))["status"] == "SUBMITTED"
    assert len(await bench.attempts(order)) == 1
    # The node is back: the mark goes, and the order ends by what the chain shows.
    bench.chain.silent, bench.chain.lands_after = False, 1
    await asyncio.wait_for(task, 5)
    row = await bench.row(order)
    assert (row["status"], row["reconciling_since"]) == ("CONFIRMED", None)


async def test_an_order_is_not_reconciling_when_its_attempt_is_not_overdue_yet(bench: Any) -> None:
    settings = bench.settings.model_copy(update={"executor_reconciling_after_s": 60})
    order = await bench.building()
    bench.chain.lands_after = 0
    task = asyncio.create_task(execute_order(msgspec.structs.replace(bench.desk, settings=settings), order))
    await until(lambda: bench.chain.looks > 30)
    assert (await bench.row(order))["reconciling_since"] is None
    bench.chain.lands_after = 1
    await asyncio.wait_for(task, 5)


async def test_an_order_is_marked_once_when_nothing_can_be_proven_for_long(bench: Any) -> None:
    order = await bench.building()
    bench.chain.lands_after = 0
    task = asyncio.create_task(execute_order(bench.desk, order))
    await _reconciling(bench, order)
    version, looks = await _version(bench, order), bench.chain.looks
    await until(lambda: bench.chain.looks > looks + 20)
    assert await _version(bench, order) == version
    task.cancel()


async def test_an_order_reconciles_since_the_first_time_when_it_is_marked_again(bench: Any) -> None:
    order = await bench.building()
    bench.chain.lands_after, bench.chain.silent = 0, True
    task = asyncio.create_task(execute_order(bench.desk, order))
    await _reconciling(bench, order)
    task.cancel()
    row = await bench.row(order)
    (attempt,) = await bench.attempts(order)
    again = Settlement(
        read_order(row), Status.SUBMITTED, signature=attempt["signature"], state=AttemptState.LIVE, reconciling=True
    )
    await bench.desk.settlements.write(again)
    assert (await bench.row(order))["reconciling_since"] == row["reconciling_since"]


async def test_the_order_expires_when_its_attempt_expired_and_its_time_ran_out(bench: Any) -> None:
    order = await bench.building(expires_at=datetime.now(UTC) + timedelta(seconds=1.5))
    bench.chain.lands_after = 0
    task = asyncio.create_task(execute_order(bench.desk, order))
    await until(
        lambda: bool(bench.chain.sent) and order.expires_at is not None and datetime.now(UTC) > order.expires_at
    )
    signature = (await bench.attempts(order))[0]["signature"]
    bench.chain.expire(signature)
    await asyncio.wait_for(task, 5)
    assert (await bench.row(order))["status"] == "EXPIRED"


@pytest.mark.parametrize(
    ("limit", "lasts", "status"),
    [
        ({"executor_max_attempts": 1}, None, "FAILED"),
        ({"executor_max_attempts": 1}, timedelta(hours=1), "FAILED"),
        ({"order_deadline_s": 0}, None, "FAILED"),
        ({"order_deadline_s": 0}, timedelta(hours=1), "ROUTING"),  # it has a time of its own
    ],
)
async def test_an_order_fails_when_its_attempt_expired_and_it_may_have_no_more_of_them(
    bench: Any, limit: dict[str, int], lasts: timedelta | None, status: str
) -> None:
    order = await bench.building(expires_at=lasts and datetime.now(UTC) + lasts)
    await _execute_until_expired(bench, order, **limit)
    row = await bench.row(order)
    assert (row["status"], row["attempts"], row["lease_until"]) == (status, 1, None)
    assert row["due_at"] == await bench.latest_step(order)
    if status == "FAILED":
        failed = msgspec.json.decode(row["failure"])
        assert (failed["code"], failed["stage"], failed["fundsMoved"]) == ("deadline_passed", "landing", "no")


async def test_an_order_is_routed_again_when_its_attempt_expired_and_it_has_more_of_them(bench: Any) -> None:
    order = await bench.building()
    await _execute_until_expired(bench, order, executor_max_attempts=2)
    assert (await bench.row(order))["status"] == "ROUTING"


@pytest.mark.parametrize(
    ("amount", "tokens", "told"),
    [(None, True, (None, None)), (151_000_000, False, (None, "151000000")), (151_000_000, True, ("151", "151000000"))],
)
async def test_the_amount_is_told_as_far_as_it_is_known_when_an_order_is_confirmed(
    bench: Any, amount: int | None, tokens: bool, told: tuple[str | None, str | None]
) -> None:
    order = await bench.building()
    bench.chain.amount = amount
    known = bench.desk.tokens if tokens else TokenList([])
    await execute_order(msgspec.structs.replace(bench.desk, tokens=known), order)
    row = await bench.db.fetchrow(
        "select data from order_events where order_id = $1 and status = 'CONFIRMED'", order.id
    )
    data = msgspec.json.decode(row["data"])
    assert (data["outputAmount"], data["outputAmountBase"]) == told
    assert (await bench.row(order))["due_at"] == await bench.latest_step(order)


async def test_an_attempt_stays_live_when_its_order_is_refused_beside_another_of_the_same_fence(bench: Any) -> None:
    orders = await bench.two_sent()
    rows = [read_order(await bench.row(order)) for order in orders]
    settled = [
        Settlement(row, Status.ROUTING, signature=attempt["signature"], state=AttemptState.EXPIRED, evidence="{}")
        for row in rows
        for attempt in await bench.attempts(row)
    ]
    assert settled[0].order.fence == settled[1].order.fence
    refused = msgspec.structs.replace(settled[1], order=msgspec.structs.replace(rows[1], wallet="another"))
    written = await write_settlements(bench.db, "me", [settled[0], refused])
    assert [row["id"] for row in written] == [orders[0].id]
    states = [(await bench.attempts(order))[0]["state"] for order in orders]
    assert states == ["EXPIRED", "LIVE"]


async def test_the_database_refuses_when_a_second_attempt_is_stored_beside_a_live_one(bench: Any) -> None:
    order = await bench.building()
    await bench.db.fetch(
        """insert into tx_attempts (order_id, attempt, signature, raw, message_sha256, blockhash,
           last_valid_block_height, fence, venue) values ($1, 9, 'other', '', '', 'hash', 1, 1, 'raydium')""",
        order.id,
    )
    with pytest.raises(asyncpg.UniqueViolationError):
        await execute_order(bench.desk, order)
    assert (await bench.row(order))["status"] == "BUILDING"
    assert bench.chain.sent == []
