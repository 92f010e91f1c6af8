"""Statements on attempts: each is one commit together with its order's transition."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from swaprail.db.connect import Database
from swaprail.db.statements import named
from swaprail.db.terms import order_terms
from swaprail.db.transitions import GUARDED_UPDATE, RESULT, TERMINAL_NAMES, Move
from swaprail.domain.chain import AttemptState, SignedSwap

# By fence as well: of two rows of an order in one batch, one is of a lease that is over, and it changes nothing.
_SUBMIT = named(
    "submit",
    f"""
with v as (
    select t.*, null::float8 as due_in, null::json as routing, null::json as failure, 1 as new_attempts,
        null::numeric as output_amount, false as reconciling, false as hand_over, $15::text as owner,
        $15::text as writer, $16::float8 as lease_s
    from unnest($2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::json[], $8::smallint[], $9::text[],
        $10::bytea[], $11::bytea[], $12::text[], $13::bigint[], $14::text[])
        as t(id, expected, fence, terms, next, data, attempt, signature, raw, message_sha256, blockhash, last_valid,
             venue)
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
        $17::text as writer, null::float8 as lease_s
    from unnest($2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::json[], $8::float8[], $9::json[],
        $10::numeric[], $11::bool[], $12::text[], $13::text[], $14::bigint[], $15::text[], $16::json[])
        as t(id, expected, fence, terms, next, data, due_in, failure, output_amount, reconciling, signature, state,
             slot, error, evidence)
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
select a.order_id, a.venue, a.signature, a.raw, a.message_sha256, a.blockhash, a.last_valid_block_height,
    extract(epoch from o.expires_at - now())::float8 as left_s
from tx_attempts a join orders o on o.id = a.order_id where a.order_id = any($1::uuid[]) and a.state = 'LIVE'
""",
)


class LiveAttempt(NamedTuple):
    """A stored attempt that may still land, and how long its order's time still lasts; None: it has no end."""

    venue: str
    swap: SignedSwap
    left_s: float | None


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
        [order_terms(s.order) for s in batch],
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


async def write_settlements(database: Database, writer: str, batch: Sequence[Settlement]) -> Sequence[Any]:
    """Settle attempts and move their orders, leased by the writer, in one commit; return rows (id, held, seq, at, fence)."""
    return await database.fetch(
        _SETTLE,
        TERMINAL_NAMES,
        [s.order.id for s in batch],
        [s.order.status for s in batch],
        [s.order.fence for s in batch],
        [order_terms(s.order) for s in batch],
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
        writer,
    )


async def read_live(database: Database, orders: Sequence[UUID]) -> list[LiveAttempt | None]:
    """Return the live attempt of each order, None where it has none."""
    live = {row["order_id"]: _live(row) for row in await database.fetch(_LIVE, orders)}
    return [live.get(order) for order in orders]


def _live(row: Any) -> LiveAttempt:
    swap = SignedSwap(
        signature=row["signature"],
        raw=row["raw"],
        message_sha256=row["message_sha256"],
        blockhash=row["blockhash"],
        last_valid_block_height=row["last_valid_block_height"],
    )
    return LiveAttempt(row["venue"], swap, row["left_s"])
