"""What becomes of an order whose swap is built, stored and sent by one worker."""

import asyncio
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from swaprail.domain.chain import (
    UNKNOWN_HEIGHT,
    BuiltSwap,
    SignedSwap,
)
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import StaleLeaseError
from swaprail.ports.venues import VenueError
from swaprail.testing.conditions import until
from swaprail.testing.factories import lease_order
from swaprail_executor import await_landing
from swaprail_executor.attempts import Submission, write_submissions
from swaprail_executor.execute_order import execute_order


async def test_an_order_is_confirmed_with_what_arrived_when_its_attempt_lands(bench: Any) -> None:
    order = await bench.building()
    await execute_order(bench.desk, order)
    row = await bench.row(order)
    assert (row["status"], int(row["output_amount"]), row["lease_until"]) == ("CONFIRMED", 151_000_000, None)
    (attempt,) = await bench.attempts(order)
    assert (attempt["state"], attempt["slot"], attempt["raw"]) == ("LANDED", 7, bench.chain.sent[0])
    assert len(bench.chain.sent) == 1


@pytest.mark.parametrize("confirmed", [True, False])
async def test_the_amount_is_marked_when_one_node_of_several_tells_it(bench: Any, confirmed: bool) -> None:
    order = await bench.building()
    bench.chain.amount_confirmed = confirmed
    await execute_order(bench.desk, order)
    (data,) = await bench.db.fetch(
        "select data from order_events where order_id = $1 and status = 'CONFIRMED'", order.id
    )
    told = msgspec.json.decode(data["data"])
    assert (told["outputAmount"], told.get("amountConfirmed", True)) == ("151", confirmed)


async def test_the_attempt_is_stored_with_the_height_of_the_nodes_when_its_builder_claims_another(bench: Any) -> None:
    order = await bench.building()
    bench.chain.last_valid = 270  # the builder says 150
    await execute_order(bench.desk, order)
    (attempt,) = await bench.attempts(order)
    assert attempt["last_valid_block_height"] == 270


async def test_the_order_is_executed_when_the_nodes_are_not_agreed_on_a_height(bench: Any) -> None:
    order = await bench.building()
    bench.chain.last_valid = None
    await execute_order(bench.desk, order)
    (attempt,) = await bench.attempts(order)
    assert (attempt["last_valid_block_height"], attempt["state"]) == (UNKNOWN_HEIGHT, "LANDED")


async def test_the_executor_holds_the_lease_when_its_attempt_is_stored(bench: Any) -> None:
    order = await lease_order(bench.db, (await bench.building()).id, owner="message", lease_s=1)
    bench.chain.lands_after = 0
    task = asyncio.create_task(execute_order(bench.desk, order))
    await until(lambda: bool(bench.chain.sent))
    row = await bench.row(order)
    assert (row["status"], row["lease_owner"], row["fence"]) == ("SUBMITTED", "me", order.fence)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_the_same_bytes_are_sent_again_when_the_node_fails_or_is_silent(bench: Any) -> None:
    order = await bench.building()
    bench.chain.send_fails, bench.chain.lands_after = True, 3
    await execute_order(bench.desk, order)
    assert (await bench.row(order))["status"] == "CONFIRMED"
    assert len(set(bench.chain.sent)) == 1
    assert len(bench.chain.sent) == 3
    assert len(await bench.attempts(order)) == 1


@pytest.mark.parametrize("fault", [OSError("reset"), VenueError("rate_limited", "429"), None])
async def test_the_order_is_left_to_its_lease_when_its_swap_cannot_be_built_in_time(
    bench: Any, monkeypatch: pytest.MonkeyPatch, fault: Exception | None
) -> None:
    async def build(*_: object) -> BuiltSwap:
        if fault is None:
            await asyncio.get_running_loop().create_future()  # a node that never answers
        raise fault or AssertionError

    monkeypatch.setattr(bench.desk.builder, "build", build)
    order = await bench.building()
    with pytest.raises(EngineError) as raised:
        await asyncio.wait_for(execute_order(bench.desk, order), 10)
    assert raised.value.code is ErrorCode.UNAVAILABLE
    assert (await bench.row(order))["status"] == "BUILDING"
    assert await bench.attempts(order) == []


async def test_nothing_is_sent_when_another_worker_took_the_order_over(bench: Any) -> None:
    order = await bench.building()
    await bench.lease(order.id, "other")
    with pytest.raises(StaleLeaseError):
        await execute_order(bench.desk, order)
    assert bench.chain.sent == []
    assert await bench.attempts(order) == []


async def test_a_cancelled_order_is_never_sent_when_the_cancel_was_first(bench: Any) -> None:
    order = await bench.building()
    await bench.db.fetch(
        "update orders set status = 'CANCELLED', seq = seq + 1, fence = fence + 1, closed_at = now() where id = $1",
        order.id,
    )
    with pytest.raises(StaleLeaseError):
        await execute_order(bench.desk, order)
    assert bench.chain.sent == []


async def test_nothing_is_sent_when_the_order_is_not_the_row(bench: Any) -> None:
    order = await bench.building()
    await bench.db.fetch("update orders set wallet = 'another' where id = $1", order.id)
    with pytest.raises(StaleLeaseError):
        await execute_order(bench.desk, order)
    assert (await bench.row(order))["status"] == "BUILDING"
    assert (bench.chain.sent, await bench.attempts(order)) == ([], [])


async def test_no_attempt_is_stored_when_its_order_is_refused_beside_another_of_the_same_fence(bench: Any) -> None:
    orders = [await bench.building() for _ in range(2)]
    assert orders[0].fence == orders[1].fence
    acted_on = [orders[0], msgspec.structs.replace(orders[1], wallet="another")]
    batch = [
        Submission(
            order,
            Status.SUBMITTED,
            attempt=1,
            swap=SignedSwap(str(order.id), b"", b"", "hash", 150),
            venue="raydium",
        )
        for order in acted_on
    ]
    written = await write_submissions(bench.db, "me", 30, batch)
    assert [row["id"] for row in written] == [orders[0].id]
    assert [len(await bench.attempts(order)) for order in orders] == [1, 0]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("slippage_exceeded", "slippage_exceeded"),
        ("venue_rejected", "venue_rejected"),
        ("custom program error: 0x1771", "venue_rejected"),
    ],
)
async def test_the_order_fails_without_moving_funds_when_the_program_refuses(bench: Any, error: str, code: str) -> None:
    order = await bench.building()
    bench.chain.error = error
    await execute_order(bench.desk, order)
    row = await bench.row(order)
    failure = msgspec.json.decode(row["failure"])
    assert row["status"] == "FAILED"
    assert (failure["code"], failure["stage"], failure["fundsMoved"]) == (code, "landing", "no")
    assert error in failure["detail"]
    (attempt,) = await bench.attempts(order)
    assert (attempt["state"], attempt["error"]) == ("REVERTED", error)


async def test_a_landing_is_looked_for_less_and_less_often_when_the_chain_does_not_show_it(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(await_landing, "asyncio", SimpleNamespace(sleep=sleep, wait_for=asyncio.wait_for))
    monkeypatch.setattr(await_landing, "time", SimpleNamespace(monotonic=lambda: sum(pauses)))
    settings = bench.settings.model_copy(update={"executor_rebroadcast_s": 2})
    bench.chain.lands_after = 2
    order = await bench.building()
    await execute_order(msgspec.structs.replace(bench.desk, settings=settings), order)
    assert pauses == [0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.4, 0.4, 0.4, 0.4]


async def test_a_new_attempt_is_sent_before_it_is_looked_for(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    send = bench.chain.send

    async def sending(raw: bytes) -> None:
        looks.append(bench.chain.looks)
        await send(raw)

    monkeypatch.setattr(bench.chain, "send", sending)
    await execute_order(bench.desk, await bench.building())
    assert looks == [0]


async def test_an_order_is_idle_from_the_moment_its_bytes_are_stored_until_its_outcome_is_known(bench: Any) -> None:
    await execute_order(bench.desk, await bench.building())
    assert bench.idle == [True, False]
