"""What is not signed: swaps too late, or other than ordered."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from swaprail.domain.lifecycle import Status
from swaprail.telemetry.registry import REGISTRY
from swaprail.testing.factories import insert_order
from swaprail_executor.execute_order import execute_order

# As another version, or a hand, may have left them in the table.
UNREADABLE = [
    None,
    "[]",
    "{}",
    '{"route": null, "quotes": []}',
    '{"route": {"venue": "raydium", "legs": []}, "quotes": []}',
    r'{"route": null, "quotes": "\ud800"}',
]


# A minute ago, or by a clock that was set back since.
@pytest.mark.parametrize("age_s", [60, -60])
async def test_a_stale_route_is_not_signed_when_the_order_waited_too_long(bench: Any, age_s: float) -> None:
    order = await bench.building(quoted_at=time.time() - age_s)
    await execute_order(bench.desk, order)
    assert (await bench.row(order))["status"] == "ROUTING"
    assert (await bench.row(order))["due_at"] == await bench.latest_step(order)
    assert await bench.attempts(order) == []


@pytest.mark.parametrize(("age_s", "status"), [(9, "CONFIRMED"), (11, "ROUTING"), (-9, "CONFIRMED"), (-11, "ROUTING")])
async def test_a_route_is_built_until_it_is_ten_seconds_old(bench: Any, age_s: float, status: str) -> None:
    order = await bench.building(quoted_at=time.time() - age_s)
    await execute_order(bench.desk, order)
    assert (await bench.row(order))["status"] == status


async def test_the_order_is_routed_again_when_two_minutes_are_not_over_yet(bench: Any) -> None:
    order = await bench.building(quoted_at=time.time() - 60)
    await bench.db.fetch("update orders set queued_at = queued_at - interval '115 s' where id = $1", order.id)
    await execute_order(bench.desk, await bench.lease(order.id))
    assert (await bench.row(order))["status"] == "ROUTING"


async def test_the_order_fails_when_its_route_is_stale_and_its_time_to_be_executed_is_over(bench: Any) -> None:
    order = await bench.building(quoted_at=time.time() - 60)
    await bench.db.fetch("update orders set queued_at = queued_at - interval '121 s' where id = $1", order.id)
    await execute_order(bench.desk, await bench.lease(order.id))
    row = await bench.row(order)
    failure = msgspec.json.decode(row["failure"])
    assert (row["status"], failure["code"], failure["stage"]) == ("FAILED", "deadline_passed", "building")
    assert await bench.attempts(order) == []
    assert (await bench.row(order))["due_at"] == await bench.latest_step(order)


async def test_the_order_expires_unsigned_when_its_time_ran_out(bench: Any) -> None:
    order = await bench.building(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    await execute_order(bench.desk, order)
    row = await bench.row(order)
    assert (row["status"], msgspec.json.decode(row["failure"])["code"]) == ("EXPIRED", "deadline_passed")
    assert bench.chain.sent == []


@pytest.mark.parametrize(
    ("field", "lie"),
    [
        ("wallet", "mallory"),
        ("input_amount", 1_500_000_001),
        ("least_output", 1),
        ("output_mint", "another mint"),
        ("order_id", UUID(int=1)),
        ("attempt", 2),
        ("blockhash", "another blockhash"),
    ],
)
async def test_nothing_is_signed_when_the_built_swap_is_not_the_ordered_one(
    bench: Any, field: str, lie: object
) -> None:
    order = await bench.building()
    bench.builder.lies = {field: lie}
    await execute_order(bench.desk, order)
    row = await bench.row(order)
    failure = msgspec.json.decode(row["failure"])
    assert (row["status"], failure["code"], failure["fundsMoved"]) == ("FAILED", "build_failed", "no")
    assert field in failure["detail"]
    assert (bench.builder.signed, bench.chain.sent, await bench.attempts(order)) == ([], [], [])


async def test_a_swap_is_signed_when_it_promises_more_than_ordered(bench: Any) -> None:
    order = await bench.building()
    bench.builder.lies = {"least_output": 150_000_000}
    await execute_order(bench.desk, order)
    assert (await bench.row(order))["status"] == "CONFIRMED"


@pytest.mark.parametrize("routing", UNREADABLE)
async def test_the_order_is_routed_again_when_its_stored_route_cannot_be_read(bench: Any, routing: str | None) -> None:
    before = REGISTRY.get_sample_value("swaprail_execution_retries_total", {"reason": "route_unreadable"})
    order = await bench.lease(await insert_order(bench.db, status=Status.BUILDING, routing=routing))
    await execute_order(bench.desk, order)
    row = await bench.row(order)
    assert (row["status"], row["lease_until"], await bench.attempts(order)) == ("ROUTING", None, [])
    told = await bench.db.fetchval(
        "select data from order_events where order_id = $1 and seq = $2", order.id, row["seq"]
    )
    assert msgspec.json.decode(told) == {"reason": "route_unreadable"}
    after = REGISTRY.get_sample_value("swaprail_execution_retries_total", {"reason": "route_unreadable"})
    assert (before, after) == (before or 0, (before or 0) + 1)


@pytest.mark.parametrize("routing", UNREADABLE)
async def test_the_order_ends_when_its_stored_route_cannot_be_read_and_its_time_is_over(
    bench: Any, routing: str | None
) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    dated = await bench.lease(await insert_order(bench.db, status=Status.BUILDING, routing=routing, expires_at=past))
    undated = await insert_order(bench.db, status=Status.BUILDING, routing=routing)
    await bench.db.fetch("update orders set queued_at = queued_at - interval '121 s' where id = $1", undated)
    late = await bench.lease(undated)
    for order, ended in ((dated, "EXPIRED"), (late, "FAILED")):
        await execute_order(bench.desk, order)
        row = await bench.row(order)
        assert (row["status"], msgspec.json.decode(row["failure"])["code"]) == (ended, "deadline_passed")
