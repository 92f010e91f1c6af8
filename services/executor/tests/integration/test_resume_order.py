"""What becomes of an order that another worker left behind."""

from typing import Any

import pytest

from swaprail.db.leases import read_order
from swaprail.domain.chain import (
    AttemptState,
    Commitment,
    Landing,
)
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import StaleLeaseError
from swaprail_executor.attempts import Settlement, read_live, write_settlements
from swaprail_executor.execute_order import execute_order


async def test_a_resumed_order_is_settled_without_sending_when_it_landed_meanwhile(bench: Any) -> None:
    order = await bench.building()
    await bench.die_after_sending(order)
    (attempt,) = await bench.attempts(order)
    bench.chain.landed[attempt["signature"]] = Landing(attempt["signature"], 9, Commitment.CONFIRMED, 150_500_000)
    sent = len(bench.chain.sent)
    await execute_order(bench.desk, await bench.lease(order.id))
    assert (await bench.row(order))["status"] == "CONFIRMED"
    assert len(bench.chain.sent) == sent


async def test_a_resumed_order_is_settled_when_its_route_cannot_be_read(bench: Any) -> None:
    order = await bench.building()
    await bench.die_after_sending(order)
    await bench.db.fetch("update orders set routing = $2 where id = $1", order.id, '{"of": "another version"}')
    bench.chain.lands_after = 1
    await execute_order(bench.desk, await bench.lease(order.id))
    assert (await bench.row(order))["status"] == "CONFIRMED"
    assert len(set(bench.chain.sent)) == 1


async def test_the_order_is_known_to_have_gone_on_when_it_was_settled_while_its_worker_stood_still(
    bench: Any,
) -> None:
    order = await bench.building()
    await bench.die_after_sending(order)
    stopped = await bench.lease(order.id, "stopped")
    bench.chain.lands_after = 1
    await execute_order(bench.desk, await bench.lease(order.id))
    with pytest.raises(StaleLeaseError):
        await execute_order(bench.desk, stopped)
    assert (await bench.row(order))["status"] == "CONFIRMED"


async def test_the_attempt_is_left_alone_by_a_lost_lease_when_its_row_shares_the_statement_of_the_next(
    bench: Any,
) -> None:
    order = await bench.building()
    await bench.die_after_sending(order)
    (attempt,) = await bench.attempts(order)
    stale = await bench.lease(order.id)
    held = await bench.lease(order.id)
    lost = Settlement(stale, Status.CONFIRMED, signature=attempt["signature"], state=AttemptState.LANDED, due_in_s=0)
    marks = Settlement(
        held, Status.SUBMITTED, signature=attempt["signature"], state=AttemptState.LIVE, reconciling=True
    )
    rows = await write_settlements(bench.db, "me", [lost, marks])
    assert [row["fence"] for row in rows] == [held.fence]
    assert [a["state"] for a in await bench.attempts(order)] == ["LIVE"]


async def test_a_resumed_order_sends_the_stored_bytes_when_nothing_landed_yet(bench: Any) -> None:
    order = await bench.building()
    await bench.die_after_sending(order)
    bench.chain.lands_after = 1
    await execute_order(bench.desk, await bench.lease(order.id))
    assert len(set(bench.chain.sent)) == 1
    assert len(await bench.attempts(order)) == 1


async def test_only_an_attempt_that_may_land_is_gone_on_with_when_earlier_ones_are_settled(bench: Any) -> None:
    order = await bench.building()
    await bench.die_after_sending(order)
    expired = "update tx_attempts set state = 'EXPIRED', evidence = '{}', settled_at = now() where order_id = $1"
    await bench.db.fetch(expired, order.id)
    assert await read_live(bench.db, [order.id]) == [None]
    again = """
        insert into tx_attempts (order_id, attempt, signature, raw, message_sha256, blockhash, last_valid_block_height,
            fence, venue)
        select order_id, 2, 'second', raw, message_sha256, blockhash, last_valid_block_height, fence, venue
        from tx_attempts where order_id = $1
    """
    await bench.db.fetch(again, order.id)
    # The settled one is now the last of the table.
    await bench.db.fetch("update tx_attempts set settled_at = now() where order_id = $1 and attempt = 1", order.id)
    (live,) = await read_live(bench.db, [order.id])
    assert live is not None
    assert live.swap.signature == "second"
    held = read_order(await bench.row(order))
    landed = Settlement(held, Status.CONFIRMED, signature="second", state=AttemptState.LANDED, due_in_s=0)
    assert len(await write_settlements(bench.db, "me", [landed])) == 1
    assert [attempt["state"] for attempt in await bench.attempts(order)] == ["EXPIRED", "LANDED"]


async def test_no_other_orders_attempt_is_read_when_one_is_asked_for(bench: Any) -> None:
    orders = await bench.two_sent()
    read: list[int] = []

    class Counting:
        async def fetch(self, sql: str, *args: object) -> Any:
            rows = await bench.db.fetch(sql, *args)
            read.append(len(rows))
            return rows

    database: Any = Counting()
    (live,) = await read_live(database, [orders[1].id])
    assert live is not None
    assert (live.swap.signature, read) == ((await bench.attempts(orders[1]))[0]["signature"], [1])
