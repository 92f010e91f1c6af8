"""What becomes of an attempt that does not land."""

import asyncio
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import asyncpg
import msgspec
import pytest

from swaprail.testing.conditions import until
from swaprail_executor.execute_order import execute_order


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
    (attempt,) = await bench.attempts(order)
    assert attempt["state"] == "EXPIRED"
    assert msgspec.json.decode(attempt["evidence"])["searches"][0]["finalizedBlockHeight"] == 190


async def test_the_order_stays_submitted_and_reconciling_when_nothing_can_be_proven(bench: Any) -> None:
    order = await bench.building()
    bench.chain.lands_after, bench.chain.silent = 0, True
    task = asyncio.create_task(execute_order(bench.desk, order))

    async def marked() -> bool:
        return (await bench.row(order))["reconciling_since"] is not None

    await until(marked)
    assert (await bench.row(order))["status"] == "SUBMITTED"
    assert len(await bench.attempts(order)) == 1
    # The node is back: the mark goes, and the order ends by what the chain shows.
    bench.chain.silent, bench.chain.lands_after = False, 1
    await asyncio.wait_for(task, 5)
    row = await bench.row(order)
    assert (row["status"], row["reconciling_since"]) == ("CONFIRMED", None)


async def test_the_order_expires_when_its_attempt_expired_and_its_time_ran_out(bench: Any) -> None:
    order = await bench.building(expires_at=datetime.now(UTC) + timedelta(seconds=0.2))
    bench.chain.lands_after = 0
    task = asyncio.create_task(execute_order(bench.desk, order))
    await until(
        lambda: bool(bench.chain.sent) and order.expires_at is not None and datetime.now(UTC) > order.expires_at
    )
    signature = (await bench.attempts(order))[0]["signature"]
    bench.chain.expire(signature)
    await asyncio.wait_for(task, 5)
    assert (await bench.row(order))["status"] == "EXPIRED"


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
