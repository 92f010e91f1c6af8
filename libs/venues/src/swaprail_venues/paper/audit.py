"""Holds the engine's tables against the paper chain's ledger: rules that no order may break."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from swaprail.db.connect import Database
from swaprail.db.statements import named

_PLAN_ANEW = "set local plan_cache_mode = force_custom_plan"  # how many rows are meant depends on the time
# Not now(), which is when the transaction began: what landed and was confirmed since then is in the snapshot.
_AUDIT = named(
    "audit",
    """
with meant as (
    select id from orders where id >= $1
    union
    select order_id from paper.transactions where received_at >= $2
), landed as (
    select order_id, count(*) as times from paper.transactions
    where order_id in (select id from meant) and lands_at <= clock_timestamp() and error is null group by order_id
), steps as (
    select order_id, count(*) as told from order_events where order_id in (select id from meant) group by order_id
)
select coalesce(array_agg(o.id) filter (where l.times > 1), '{}') as duplicates,
    count(*) filter (where closed_at is not null and (status = 'CONFIRMED') <> (coalesce(l.times, 0) = 1))
        as ended_unlike_ledger,
    count(*) filter (where closed_at is not null and lease_until is not null) as closed_and_leased,
    count(*) filter (where s.told is distinct from o.seq) as steps_missing,
    count(*) filter (where failure ->> 'fundsMoved' <> 'unknown'
        and (failure ->> 'fundsMoved' = 'yes') <> (coalesce(l.times, 0) > 0)) as funds_told_wrong,
    count(*) filter (where exists (select from paper.transactions t where t.order_id = o.id and (
        (t.wallet, t.input_mint, t.output_mint, t.input_amount)
            is distinct from (o.wallet, o.input_mint, o.output_mint, o.input_amount)
        or t.output_amount < o.min_output_amount))) as sent_unlike_ordered,
    count(*) filter (where exists (select from paper.transactions t where t.order_id = o.id
        and t.received_at > o.expires_at + interval '2 seconds')) as sent_too_late,
    (select count(*) from paper.transactions t where t.received_at >= $2 and not exists (
        select from tx_attempts a where a.signature = t.signature and a.order_id = t.order_id)) as sent_unstored
from meant join orders o using (id) left join landed l on l.order_id = o.id left join steps s on s.order_id = o.id
""",
)


class Rule(StrEnum):
    """What is checked of an order."""

    DUPLICATE_EXECUTION = "duplicate_execution"  # the ledger shows one swap at most
    ENDED_UNLIKE_LEDGER = "ended_unlike_ledger"  # CONFIRMED if and only if the ledger shows a swap
    SENT_UNSTORED = "sent_unstored"  # whatever the ledger received was stored as an attempt
    CLOSED_AND_LEASED = "closed_and_leased"  # nobody holds what has ended
    STEPS_MISSING = "steps_missing"  # as many steps as the order's number says
    FUNDS_TOLD_WRONG = "funds_told_wrong"  # a failure's fundsMoved is what the ledger shows
    SENT_UNLIKE_ORDERED = (
        "sent_unlike_ordered"  # wallet, mints and amount are the order's, and at least its minimum comes
    )
    SENT_TOO_LATE = "sent_too_late"  # nothing reaches the chain after expiresAt, but for what was on its way


class Audit(msgspec.Struct, frozen=True):
    """How many orders break each rule, and which were executed more than once."""

    broken: dict[Rule, int]
    duplicates: frozenset[UUID]


async def audit_orders(database: Database, since: datetime) -> Audit:
    """Check the orders born since then, and those of which the chain was sent anything since then, in one snapshot."""
    (row,) = await database.read_after(_PLAN_ANEW, _AUDIT, _lowest_id(since), since)
    duplicates = frozenset(row["duplicates"])
    broken: dict[Rule, int] = {rule: row[rule] for rule in Rule if rule is not Rule.DUPLICATE_EXECUTION}
    return Audit(broken | {Rule.DUPLICATE_EXECUTION: len(duplicates)}, duplicates)


def _lowest_id(born: datetime) -> UUID:
    """Return the least id of an order born at that time or later."""
    return UUID(int=int(born.timestamp() * 1000) << 80)
