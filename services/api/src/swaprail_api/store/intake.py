"""Storing new orders: idempotency key, order and first event in one statement for all who wait."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from swaprail.db.acknowledged import ACKNOWLEDGED
from swaprail.db.connect import Database
from swaprail.db.statements import named
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.domain.orders import NewOrder
from swaprail.messages.topics import HANDOVER_S
from swaprail_api.store.announce import Announcer
from swaprail_api.store.intake_row import IntakeRow
from swaprail_api.store.rows import Row, accepted_order

# An order to execute is stored together with its lease, which the message to the routers hands over.
# Keys are inserted in their order, so that two processes cannot wait for each other. Of one key's rows, the first.
# The key of a batch is taken before those of all orders, and without it none of its own: a longer batch under the same key
# adds nothing. Nor is it taken where one of its orders' keys stands for a request of its own. What an earlier version stored
# (of_batch is null: it took no key of the whole) is the same batch if every order of it is there.
_INSERT = named(
    "intake",
    """
with v as materialized (
    select * from unnest(
        $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int2[], $9::int2[],
        $10::text[], $11::int4[], $12::text[], $13::timestamptz[], $14::bool[], $15::text[], $16::text[], $17::bytea[],
        $18::uuid[], $19::text[], $20::bytea[]
    ) with ordinality as t(
        id, account, wallet, input_mint, output_mint, input_symbol, output_symbol, input_decimals, output_decimals,
        input_amount, slippage_bps, min_output_amount, expires_at, execute, trace, key, sha, batch,
        batch_key, batch_sha, n
    )
),
batches as (
    select v.batch, v.account, v.batch_key, v.batch_sha,
        bool_and(k.key is null) or bool_and(coalesce(k.of_batch is null and k.request_sha256 = v.sha, false)) as free
    from v left join idempotency_keys k on k.account = v.account and k.key = v.key
    where v.batch is not null group by v.batch, v.account, v.batch_key, v.batch_sha
),
opened as (
    insert into idempotency_keys (account, key, request_sha256, order_id, of_batch)
    select account, batch_key, batch_sha, batch, false from batches where free order by account, batch_key, batch
    on conflict do nothing
    returning order_id as batch
),
taken as (
    insert into idempotency_keys (account, key, request_sha256, order_id, of_batch)
    select account, key, sha, id, batch is not null from v
    where key is not null and (batch is null or batch in (select batch from opened))
    order by account, key, n
    on conflict do nothing
    returning order_id
),
stored as (
    insert into orders (
        id, account, wallet, input_mint, output_mint, input_symbol, output_symbol, input_decimals, output_decimals,
        input_amount, slippage_bps, min_output_amount, expires_at, trace, status, seq, fence, lease_owner, lease_until,
        queued_at
    )
    select id, account, wallet, input_mint, output_mint, input_symbol, output_symbol, input_decimals, output_decimals,
        input_amount::numeric, slippage_bps, min_output_amount::numeric, expires_at, trace,
        case when execute then 'ROUTING' else 'PENDING' end, 1 + execute::int, execute::int,
        case when execute then 'message' end, case when execute then now() + make_interval(secs => $21) end,
        case when execute then now() end
    from v where key is null or id in (select order_id from taken)
    returning id, seq, created_at
),
told as (
    insert into order_events (order_id, seq, status, data, at)
    select id, step.seq, step.status, '{}', created_at
    from stored join (values (1, 'PENDING'), (2, 'ROUTING')) as step(seq, status) on step.seq <= stored.seq
)
select id, created_at from stored
""",
)
_FIND = named(
    "intake_find",
    f"""
with {ACKNOWLEDGED}
select v.n, k.request_sha256, k.of_batch, b.request_sha256 as batch_sha256, o.*
from unnest($1::text[], $2::text[], $3::text[]) with ordinality as v(account, key, batch_key, n)
left join idempotency_keys k on k.account = v.account and k.key = v.key
left join idempotency_keys b on b.account = v.account and b.key = v.batch_key
left join orders o on o.id = k.order_id
cross join acknowledged
""",  # noqa: S608 - a constant
)


class Accepted(msgspec.Struct, frozen=True):
    """What came of an order: stored now, or found by its key as it was stored before."""

    order: NewOrder | None
    created_at: datetime
    replayed: bool


type Outcome = Accepted | EngineError


class IntakeStore:
    """Writes batches of new orders."""

    def __init__(self, database: Database, announcer: Announcer) -> None:
        self._database = database
        self._announcer = announcer

    async def write(self, rows: Sequence[IntakeRow]) -> Sequence[Outcome]:
        """Store the orders in one commit and announce them; outcomes in order."""
        columns = list(zip(*rows, strict=True))
        created = {row["id"]: row["created_at"] for row in await self._database.fetch(_INSERT, *columns, HANDOVER_S)}
        stored = [(row, created.get(row.id)) for row in rows]
        self._announcer.accepted([(row, at) for row, at in stored if at])
        lost = [row for row, at in stored if at is None]
        found = dict(zip((row.id for row in lost), await self.find(lost) if lost else (), strict=True))
        return [Accepted(None, at, replayed=False) if at else found[row.id] or _not_taken(row) for row, at in stored]

    async def find(self, rows: Sequence[IntakeRow]) -> list[Outcome | None]:
        """Return what the keys of the rows were used for before, None for a key that was not."""
        names = [r.account for r in rows], [r.key for r in rows], [r.batch_key for r in rows]
        known = {row["n"]: row for row in await self._database.fetch(_FIND, *names)}
        return [_judge(row, known[n]) for n, row in enumerate(rows, start=1)]


def _judge(row: IntakeRow, known: Row) -> Outcome | None:
    if known["batch_sha256"] not in (None, row.batch_sha256):
        return key_reused()
    if known["request_sha256"] is None:
        return None
    in_batch = row.batch is not None
    if known["request_sha256"] != row.request_sha256 or known["of_batch"] not in (None, in_batch):
        return key_reused()
    return Accepted(accepted_order(known, execute=row.execute), known["created_at"], replayed=True)


def _not_taken(row: IntakeRow) -> EngineError:
    if row.batch is None:
        return EngineError(ErrorCode.IDEMPOTENCY_KEY_IN_USE, "the key is being used by another request")
    return key_reused()


def key_reused() -> EngineError:
    """Return the error for a key that stands for another request."""
    return EngineError(ErrorCode.IDEMPOTENCY_KEY_REUSED, "the Idempotency-Key was used with another request")
