"""When an order's time is over, by the database's clock: nothing is submitted, sent, or sent again; nothing ends sooner."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import swaprail_executor.await_landing
import swaprail_executor.execute_order
from swaprail.domain.chain import Commitment, Landing, SignedSwap
from swaprail.domain.orders import LeasedOrder, StaleLeaseError
from swaprail.testing.conditions import until
from swaprail_executor.await_landing import _send
from swaprail_executor.desk import Attempt
from swaprail_executor.execute_order import execute_order
from swaprail_executor.metrics import CHAIN_ERRORS, SENDS


def in_s(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def set_clock(monkeypatch: pytest.MonkeyPatch, ahead_s: float) -> None:
    """Let the executor be wrong about the database's clock."""
    monkeypatch.setattr(swaprail_executor.execute_order, "database_now", lambda: in_s(ahead_s))


async def test_the_order_expires_unsent_when_the_executors_clock_is_behind(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, -5)
    order = await bench.building(expires_at=in_s(-1))
    await execute_order(bench.desk, order)
    assert (await bench.row(order))["status"] == "EXPIRED"
    assert (bench.chain.sent, await bench.attempts(order)) == ([], [])


async def test_the_order_is_left_to_its_lease_when_the_executors_clock_is_ahead(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, 90)
    order = await bench.building(expires_at=in_s(60))
    with pytest.raises(StaleLeaseError):
        await execute_order(bench.desk, order)
    assert (await bench.row(order))["status"] == "BUILDING"


class Clock:
    """In place of the module time, where bytes are sent."""

    ahead_s = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(swaprail_executor.await_landing, "time", clock)
    return clock


async def land(bench: Any, order: LeasedOrder, executing: "asyncio.Task[None]") -> None:
    """What was sent in time may land later, and then it has."""
    (attempt,) = await bench.attempts(order)
    bench.chain.landed[attempt["signature"]] = Landing(attempt["signature"], 9, Commitment.CONFIRMED, 150_500_000)
    await asyncio.wait_for(executing, 10)
    assert (await bench.row(order))["status"] == "CONFIRMED"


async def test_nothing_is_sent_when_the_time_ran_out_while_the_attempt_was_stored(
    bench: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await bench.building(expires_at=in_s(60))
    write = bench.desk.submissions.write

    async def late(submission: Any) -> Any:
        moved = await write(submission)
        clock.ahead_s = 61
        return moved

    monkeypatch.setattr(bench.desk.submissions, "write", late)
    task = asyncio.create_task(execute_order(bench.desk, order))
    await until(lambda: bench.chain.looks > 3)
    assert bench.chain.sent == []
    await land(bench, order, task)


async def test_the_bytes_are_not_sent_again_when_the_time_is_over(bench: Any, clock: Clock) -> None:
    order = await bench.building(expires_at=in_s(60))
    bench.chain.lands_after = 0
    task = asyncio.create_task(execute_order(bench.desk, order))
    await until(lambda: len(bench.chain.sent) > 1)
    clock.ahead_s = 61
    looks, sent = bench.chain.looks, len(bench.chain.sent)
    await until(lambda: bench.chain.looks > looks + 5)
    assert len(bench.chain.sent) == sent
    await land(bench, order, task)


async def test_a_resumed_order_is_not_sent_again_when_its_time_is_over(bench: Any) -> None:
    order = await bench.building(expires_at=in_s(60))
    await bench.die_after_sending(order)
    sent = len(bench.chain.sent)
    await bench.db.fetch("update orders set expires_at = now() where id = $1", order.id)
    task = asyncio.create_task(execute_order(bench.desk, await bench.lease(order.id)))
    looks = bench.chain.looks
    await until(lambda: bench.chain.looks > looks + 5)
    (attempt,) = await bench.attempts(order)
    bench.chain.expire(attempt["signature"])
    await asyncio.wait_for(task, 5)
    assert (await bench.row(order))["status"] == "EXPIRED"
    assert len(bench.chain.sent) == sent


async def test_a_send_is_given_up_when_the_time_runs_out_in_it(
    bench: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_up: list[bytes] = []

    async def stuck(raw: bytes) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            given_up.append(raw)

    monkeypatch.setattr(bench.chain, "send", stuck)
    monkeypatch.setattr(clock, "monotonic", lambda: 100.0)
    swap = SignedSwap("signature", b"raw", b"", "hash", 150)
    await asyncio.wait_for(_send(bench.desk, Attempt(swap, "raydium", None, send_until=100.05)), 10)
    assert given_up == [b"raw"]
    await _send(bench.desk, Attempt(swap, "raydium", None, send_until=100.0))
    assert given_up == [b"raw"]


async def test_a_send_counts_by_what_came_of_it_and_none_counts_when_the_time_is_over(
    bench: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def counted() -> tuple[float, ...]:
        return tuple(c._value.get() for c in (SENDS.labels("ok"), SENDS.labels("unknown"), CHAIN_ERRORS.labels("send")))

    async def send(raw: bytes) -> None:
        if raw == b"fails":
            raise OSError

    monkeypatch.setattr(bench.chain, "send", send)
    monkeypatch.setattr(clock, "monotonic", lambda: 100.0)
    seen = []
    for raw, send_until in ((b"raw", None), (b"raw", 101.0), (b"fails", 101.0), (b"raw", 99.5)):
        before = counted()
        swap = SignedSwap("signature", raw, b"", "hash", 150)
        await _send(bench.desk, Attempt(swap, "raydium", None, send_until=send_until))
        seen.append(tuple(now - then for now, then in zip(counted(), before, strict=True)))
    assert seen == [(1, 0, 0), (1, 0, 0), (0, 1, 1), (0, 0, 0)]
