"""Statements on attempts: each is one commit together with its order's transition."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from swaprail.db.connect import Database
from swaprail.db.statements import named
from swaprail.db.transitions import GUARDED_UPDATE, RESULT, TERMINAL_NAMES, Move
from swaprail.domain.chain import AttemptState, SignedSwap

# By fence as well: of two rows of an order in one batch, one is of a lease that is over, and it changes nothing.
_SUBMIT = named(
    "submit",
    f"""
with v as (
    select t.*, null::float8 as due_in, null::json as routing, null::json as failure, 1 as new_attempts,
        null::numeric as output_amount, false as reconciling, false as hand_over, $14::text as owner,
        $15::float8 as lease_s
    from unnest($2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::json[], $7::smallint[], $8::text[], $9::bytea[],
        $10::bytea[], $11::text[], $12::bigint[], $13::text[])
        as t(id, expected, fence, next, data, attempt, signature, raw, message_sha256, blockhash, last_valid, venue)
),
{GUARDED_UPDATE},
stored as (
    insert into tx_attempts (order_id, attempt, signature, raw, message_sha256, blockhash, last_valid_block_height,
        fence, venue)
    select v.id, v.attempt, v.signature, v.raw, v.message_sha256, v.blockhash, v.last_valid, v.fence, v.venue
    from v join up on up.id = v.id and up.fence = v.fence
)
{RESULT}
""",  # noqa: S608 - constants only
)

_SETTLE = named(
    "settle",
    f"""
with v as (
    select t.*, null::json as routing, 0 as new_attempts, false as hand_over, null::text as owner,
        null::float8 as lease_s
    from unnest($2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::json[], $7::float8[], $8::json[], $9::numeric[],
        $10::bool[], $11::text[], $12::text[], $13::bigint[], $14::text[], $15::json[])
        as t(id, expected, fence, next, data, due_in, failure, output_amount, reconciling, signature, state, slot,
             error, evidence)
),
{GUARDED_UPDATE},
settled as (
    update tx_attempts a set state = v.state, slot = v.slot, output_amount = v.output_amount, error = v.error,
        evidence = v.evidence, settled_at = now()
    from v join up on up.id = v.id and up.fence = v.fence
    where a.order_id = v.id and a.signature = v.signature and v.state <> 'LIVE'
)
{RESULT}
""",  # noqa: S608 - constants only
)

_LIVE = named(
    "live_attempts",
    """
select order_id, venue, signature, raw, message_sha256, blockhash, last_valid_block_height
from tx_attempts where order_id = any($1::uuid[]) and state = 'LIVE'
""",
)


class Submission(Move, frozen=True, kw_only=True):
    """BUILDING to SUBMITTED, and the attempt that is about to be sent."""

    attempt: int
    swap: SignedSwap
    venue: str


class Settlement(Move, frozen=True, kw_only=True):
    """SUBMITTED to what became of its attempt; state LIVE settles nothing (used to mark reconciling)."""

    signature: str
    state: AttemptState
    slot: int | None = None
    output_amount: int | None = None
    error: str | None = None
    evidence: str | None = None
    reconciling: bool = False


async def write_submissions(
    database: Database, owner: str, lease_s: float, batch: Sequence[Submission]
) -> Sequence[Any]:
    """Store attempts and move their orders to SUBMITTED, in one commit; return rows (id, held, seq, at, fence).

    The orders are leased to owner for lease_s seconds from now on.
    """
    return await database.fetch(
        _SUBMIT,
        TERMINAL_NAMES,
        [s.order.id for s in batch],
        [s.order.status for s in batch],
        [s.order.fence for s in batch],
        [s.following for s in batch],
        [s.data for s in batch],
        [s.attempt for s in batch],
        [s.swap.signature for s in batch],
        [s.swap.raw for s in batch],
        [s.swap.message_sha256 for s in batch],
        [s.swap.blockhash for s in batch],
        [s.swap.last_valid_block_height for s in batch],
        [s.venue for s in batch],
        owner,
        lease_s,
    )


async def write_settlements(database: Database, batch: Sequence[Settlement]) -> Sequence[Any]:
    """Settle attempts and move their orders, in one commit; return rows (id, held, seq, at, fence)."""
    return await database.fetch(
        _SETTLE,
        TERMINAL_NAMES,
        [s.order.id for s in batch],
        [s.order.status for s in batch],
        [s.order.fence for s in batch],
        [s.following for s in batch],
        [s.data for s in batch],
        [s.due_in_s for s in batch],
        [s.failure for s in batch],
        [s.output_amount for s in batch],
        [s.reconciling for s in batch],
        [s.signature for s in batch],
        [s.state for s in batch],
        [s.slot for s in batch],
        [s.error for s in batch],
        [s.evidence for s in batch],
    )


async def read_live(database: Database, orders: Sequence[UUID]) -> list[tuple[str, SignedSwap] | None]:
    """Return of each order the venue and bytes of its live attempt, None where it has none."""
    rows = await database.fetch(_LIVE, orders)
    live = {
        row["order_id"]: (
            row["venue"],
            SignedSwap(
                signature=row["signature"],
                raw=row["raw"],
                message_sha256=row["message_sha256"],
                blockhash=row["blockhash"],
                last_valid_block_height=row["last_valid_block_height"],
            ),
        )
        for row in rows
    }
    return [live.get(order) for order in orders]
