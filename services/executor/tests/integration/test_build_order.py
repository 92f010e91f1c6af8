"""What is not signed: swaps too late, or other than ordered."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from swaprail_executor.execute_order import execute_order


async def test_a_stale_route_is_not_signed_when_the_order_waited_too_long(bench: Any) -> None:
    order = await bench.building(quoted_at=time.time() - 60)
    await execute_order(bench.desk, order)
    assert (await bench.row(order))["status"] == "ROUTING"
    assert await bench.attempts(order) == []


async def test_the_order_fails_when_its_route_is_stale_and_its_time_to_be_executed_is_over(bench: Any) -> None:
    order = await bench.building(quoted_at=time.time() - 60)
    late = msgspec.structs.replace(order, queued_at=datetime.now(UTC) - timedelta(seconds=121))
    await execute_order(bench.desk, late)
    row = await bench.row(order)
    failure = msgspec.json.decode(row["failure"])
    assert (row["status"], failure["code"], failure["stage"]) == ("FAILED", "deadline_passed", "building")
    assert await bench.attempts(order) == []


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
