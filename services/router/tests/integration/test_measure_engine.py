import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from swaprail.db.connect import Database
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import LONGEST_WAIT_S
from swaprail.telemetry.registry import REGISTRY
from swaprail.testing.conditions import until
from swaprail.testing.factories import insert_order, lease_order
from swaprail_router.measure_engine import EngineMeasures
from swaprail_venues.paper.audit import Rule

_LANDED = """
insert into paper.transactions (signature, order_id, wallet, venue, input_mint, output_mint, input_amount, output_amount,
    lands_at, slot, last_valid_block_height)
select $1, $2, wallet, 'raydium', input_mint, output_mint, input_amount, 1, now() - interval '1 second', 1, 150
from orders where id = $2
"""
_ATTEMPT = """
insert into tx_attempts (order_id, attempt, signature, raw, message_sha256, blockhash, last_valid_block_height, fence,
    venue, state)
values ($1, $2, $3, '', '', '', 150, 1, 'raydium', $4)
"""
_CONFIRM = """
with o as (update orders set status = 'CONFIRMED', seq = seq + 1, closed_at = now() where id = $1 returning id, seq)
insert into order_events (order_id, seq, status, data) select id, seq, 'CONFIRMED', '{}' from o
"""


@pytest.fixture
async def db(database: str) -> AsyncIterator[Database]:
    db = Database(database, size=2, timeout_s=5, application="test")
    yield db
    await db.close()


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


async def broken(db: Database) -> set[str]:
    await EngineMeasures(db).audit()
    return {rule for rule in Rule if value("swaprail_invariant_violations", rule=rule)}


async def confirmed(db: Database) -> UUID:
    """An order that went all its way as it should."""
    order_id = await insert_order(db, status=Status.SUBMITTED)
    await db.fetch(_ATTEMPT, order_id, 1, str(order_id), "LANDED")
    await db.fetch(_LANDED, str(order_id), order_id)
    await db.fetch(_CONFIRM, order_id)
    return order_id


async def test_open_orders_are_counted_by_status_with_the_age_of_the_oldest(db: Database) -> None:
    for status in (Status.PENDING, Status.ROUTING, Status.SUBMITTED, Status.SUBMITTED):
        order_id = await insert_order(db, status=status)
        await lease_order(db, order_id)
    await db.fetch(
        "update orders set queued_at = now() - interval '1 minute', reconciling_since = now() where id = $1", order_id
    )
    await EngineMeasures(db).measure()
    assert [value("swaprail_orders_open", status=s) for s in ("ROUTING", "BUILDING", "SUBMITTED")] == [1, 0, 2]
    assert value("swaprail_order_oldest_open_seconds", status="SUBMITTED") == pytest.approx(60, abs=5)
    assert value("swaprail_order_oldest_open_seconds", status="BUILDING") == 0
    assert (value("swaprail_orders_reconciling"), value("swaprail_orders_stranded")) == (1, 0)


async def test_orders_are_stranded_when_they_are_due_and_nobody_takes_them(db: Database) -> None:
    await insert_order(db, due_in_s=-11)
    await insert_order(db, due_in_s=-1)
    await EngineMeasures(db).measure()
    assert value("swaprail_orders_stranded") == 1


async def test_orders_are_stranded_when_they_are_held_for_longer_than_anything_may_be(db: Database) -> None:
    leased, paused = await insert_order(db, status=Status.BUILDING), await insert_order(db, due_in_s=3_600)
    await lease_order(db, leased, lease_s=3_600)
    await lease_order(db, await insert_order(db), lease_s=LONGEST_WAIT_S)
    await insert_order(db, due_in_s=LONGEST_WAIT_S)
    await EngineMeasures(db).measure()
    assert value("swaprail_orders_stranded") == len({leased, paused})


async def test_no_rule_is_broken_when_orders_go_as_they_should(db: Database) -> None:
    await insert_order(db, status=Status.SUBMITTED)
    await confirmed(db)
    assert await broken(db) == set()
    assert value("swaprail_duplicate_executions") == 0


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        ("update orders set lease_until = now() where id = $1", Rule.CLOSED_AND_LEASED),
        ("delete from order_events where order_id = $1 and seq = 2", Rule.STEPS_MISSING),
        ("delete from tx_attempts where order_id = $1", Rule.SENT_UNSTORED),
        ("delete from paper.transactions where order_id = $1", Rule.ENDED_UNLIKE_LEDGER),
        ("update orders set status = 'FAILED' where id = $1", Rule.ENDED_UNLIKE_LEDGER),
        ('update orders set failure = \'{"fundsMoved":"no"}\' where id = $1', Rule.FUNDS_TOLD_WRONG),
        ("update paper.transactions set wallet = 'another' where order_id = $1", Rule.SENT_UNLIKE_ORDERED),
        ("update paper.transactions set input_amount = 2 where order_id = $1", Rule.SENT_UNLIKE_ORDERED),
        ("update orders set output_mint = 'another' where id = $1", Rule.SENT_UNLIKE_ORDERED),
        ("update orders set min_output_amount = 2 where id = $1", Rule.SENT_UNLIKE_ORDERED),
        ("update orders set expires_at = now() - interval '3 seconds' where id = $1", Rule.SENT_TOO_LATE),
    ],
)
async def test_a_broken_rule_is_told_when_an_order_breaks_it(db: Database, spoil: str, rule: Rule) -> None:
    await confirmed(db)
    await db.fetch(spoil, await confirmed(db))
    assert await broken(db) == {rule}
    assert value("swaprail_invariant_violations", rule=rule) == 1


async def test_a_double_execution_is_told_and_not_forgotten_when_the_ledger_shows_it(db: Database) -> None:
    order_id = await confirmed(db)
    await db.fetch("update tx_attempts set state = 'EXPIRED', evidence = '{}' where order_id = $1", order_id)
    await db.fetch(_ATTEMPT, order_id, 2, "second", "LANDED")
    await db.fetch(_LANDED, "second", order_id)
    measures: Any = EngineMeasures(db)
    await measures.audit()
    assert value("swaprail_duplicate_executions") == 1
    assert value("swaprail_invariant_violations", rule=Rule.DUPLICATE_EXECUTION) == 1
    for table in ("paper.transactions", "tx_attempts", "order_events"):
        await db.fetch(f"delete from {table}")
    await db.fetch("delete from orders")
    await measures.audit()
    assert value("swaprail_invariant_violations", rule=Rule.DUPLICATE_EXECUTION) == 0
    assert value("swaprail_duplicate_executions") == 1


async def test_a_double_execution_is_told_when_the_order_was_posted_long_before(db: Database) -> None:
    order_id, posted_long_ago = await confirmed(db), UUID(int=1 << 80)
    for table, column in (("order_events", "order_id"), ("tx_attempts", "order_id"), ("orders", "id")):
        await db.fetch(f"update {table} set {column} = $2 where {column} = $1", order_id, posted_long_ago)
    await db.fetch("update paper.transactions set order_id = $2 where order_id = $1", order_id, posted_long_ago)
    await db.fetch(_LANDED, "second", posted_long_ago)
    assert Rule.DUPLICATE_EXECUTION in await broken(db)


async def test_no_rule_is_broken_when_an_order_is_confirmed_while_the_audit_begins(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Between the beginning of the audit's transaction and its snapshot an order lands and is confirmed.
    monkeypatch.setattr("swaprail_venues.paper.audit._PLAN_ANEW", "select pg_sleep(1)")
    audit = asyncio.create_task(broken(db))
    waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'"

    async def begun() -> bool:
        return bool((await db.fetch(waiting))[0]["count"])

    await until(begun)
    order_id = await confirmed(db)
    await db.fetch("update paper.transactions set lands_at = clock_timestamp() where order_id = $1", order_id)
    assert await audit == set()
