"""The guarded write: a status changes only if the order is what the caller acts on, with its status and its fence."""

from collections.abc import Sequence
from typing import Any

import msgspec

from swaprail.db.connect import Database
from swaprail.db.statements import named
from swaprail.db.terms import ROW_TERMS, order_terms
from swaprail.domain.lifecycle import TERMINAL, Status
from swaprail.domain.orders import LeasedOrder
from swaprail.messages.topics import HANDOVER_S


class Move(msgspec.Struct, frozen=True):
    """One transition of a leased order. JSON fields are text.

    due_in_s: release the lease, and let reconcilers take the order after so many seconds; None keeps the lease.
    hand_over: give the lease to whoever takes the message that follows, with the next fence.
    following == order.status moves nothing and tells nobody (used to release).
    """

    order: LeasedOrder
    following: Status
    data: str = "{}"
    due_in_s: float | None = None
    routing: str | None = None
    failure: str | None = None
    hand_over: bool = False


class Moved(msgspec.Struct, frozen=True):
    """A committed transition; at is in milliseconds since 1970. fence is the order's from now on."""

    seq: int
    at: int
    fence: int


# The part that every guarded write shares. v gives id, expected, fence, writer, terms, next, data, due_in, lease_s (None:
# leave the lease as it is), owner, hand_over, routing, failure, new_attempts, output_amount and reconciling; up changes the
# orders that still match, all of them open, so that only the write that closes an order gives it a failure or an output;
# told writes their events. A fence alone is no lease, for a message may name one that it does not bring: a lease that is on
# the order is the writer's own or travels with a message. Whether an order's time is over is for the database's clock to say: nothing is submitted from
# then on, and nothing expires before.
GUARDED_UPDATE = f"""
up as (
    update orders o set
        status = v.next, seq = o.seq + (v.next <> v.expected)::int,
        fence = o.fence + v.hand_over::int,
        lease_owner = case when v.due_in is null then coalesce(v.owner, o.lease_owner) end,
        lease_until = case when v.due_in is null then coalesce(now() + make_interval(secs => v.lease_s), o.lease_until) end,
        due_at = coalesce(now() + make_interval(secs => v.due_in), o.due_at),
        attempts = o.attempts + v.new_attempts,
        routing = coalesce(v.routing, o.routing), failure = v.failure, output_amount = v.output_amount,
        reconciling_since = case when v.reconciling then coalesce(o.reconciling_since, now()) end,
        closed_at = case when v.next = any($1::text[]) then now() end
    from v where o.id = v.id and o.status = v.expected and o.fence = v.fence and o.closed_at is null
        and coalesce(o.lease_owner, v.writer) in (v.writer, 'message')
        and (v.next = v.expected or v.next not in ('SUBMITTED', 'EXPIRED')
            or (v.next = 'EXPIRED') = coalesce(o.expires_at <= now(), false))
        and {ROW_TERMS} = v.terms
    returning o.id, o.seq, o.fence, o.status, v.expected, v.data, v.fence as held
),
told as (
    insert into order_events (order_id, seq, status, data)
    select id, seq, status, data from up where status <> expected
)
"""  # noqa: S608 - constants only
RESULT = "select id, held, seq, fence, floor(extract(epoch from now()) * 1000)::bigint as at from up"
TERMINAL_NAMES = [str(status) for status in TERMINAL]

_MOVE = named(
    "move",
    f"""
with v as (
    select t.*, case when hand_over then 'message' end as owner, case when hand_over then $12::float8 end as lease_s,
        0 as new_attempts, null::numeric as output_amount, false as reconciling, $13::text as writer
    from unnest($2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::json[], $8::float8[], $9::json[],
        $10::json[], $11::bool[]) as t(id, expected, fence, terms, next, data, due_in, routing, failure, hand_over)
),
{GUARDED_UPDATE}
{RESULT}
""",  # noqa: S608 - constants only
)


async def write_moves(database: Database, writer: str, moves: Sequence[Move]) -> Sequence[Any]:
    """Write transitions of the writer's leases in one statement; return the rows (id, held, seq, at, fence) of those that took place.

    held is the fence that a move was written under, fence the order's from now on.
    """
    return await database.fetch(
        _MOVE,
        TERMINAL_NAMES,
        [m.order.id for m in moves],
        [m.order.status for m in moves],
        [m.order.fence for m in moves],
        [order_terms(m.order) for m in moves],
        [m.following for m in moves],
        [m.data for m in moves],
        [m.due_in_s for m in moves],
        [m.routing for m in moves],
        [m.failure for m in moves],
        [m.hand_over for m in moves],
        HANDOVER_S,
        writer,
    )
