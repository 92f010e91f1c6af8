"""Holds the engine's tables against the paper chain's ledger: rules that no order may break."""

from enum import StrEnum
from uuid import UUID

import msgspec

from swaprail.db.connect import Database
from swaprail.db.statements import named

_PLAN_ANEW = "set local plan_cache_mode = force_custom_plan"  # how many rows are meant depends on the lowest id
_AUDIT = named(
    "audit",
    """
with landed as (
    select order_id, count(*) as times from paper.transactions
    where order_id >= $1 and lands_at <= now() and error is null group by order_id
), steps as (
    select order_id, count(*) as told from order_events where order_id >= $1 group by order_id
)
select coalesce(array_agg(o.id) filter (where l.times > 1), '{}') as duplicates,
    count(*) filter (where closed_at is not null and (status = 'CONFIRMED') <> (coalesce(l.times, 0) = 1))
        as ended_unlike_ledger,
    count(*) filter (where closed_at is not null and lease_until is not null) as closed_and_leased,
    count(*) filter (where s.told is distinct from o.seq) as steps_missing,
    (select count(*) from paper.transactions t where t.order_id >= $1 and not exists (
        select from tx_attempts a where a.signature = t.signature and a.order_id = t.order_id)) as sent_unstored
from orders o left join landed l on l.order_id = o.id left join steps s on s.order_id = o.id
where o.id >= $1
""",
)


class Rule(StrEnum):
    """What is checked of an order."""

    DUPLICATE_EXECUTION = "duplicate_execution"  # the ledger shows one swap at most
    ENDED_UNLIKE_LEDGER = "ended_unlike_ledger"  # CONFIRMED if and only if the ledger shows a swap
    SENT_UNSTORED = "sent_unstored"  # whatever the ledger received was stored as an attempt
    CLOSED_AND_LEASED = "closed_and_leased"  # nobody holds what has ended
    STEPS_MISSING = "steps_missing"  # as many steps as the order's number says


class Audit(msgspec.Struct, frozen=True):
    """How many orders break each rule, and which were executed more than once."""

    broken: dict[Rule, int]
    duplicates: frozenset[UUID]


async def audit_orders(database: Database, lowest: UUID) -> Audit:
    """Check the orders with ids from the lowest on, all in one snapshot."""
    async with database.connection() as connection, connection.transaction():
        await connection.execute(_PLAN_ANEW)
        row = await connection.fetchrow(_AUDIT, lowest)
    duplicates = frozenset(row["duplicates"])
    broken: dict[Rule, int] = {rule: row[rule] for rule in Rule if rule is not Rule.DUPLICATE_EXECUTION}
    return Audit(broken | {Rule.DUPLICATE_EXECUTION: len(duplicates)}, duplicates)
