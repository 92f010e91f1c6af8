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
from swaprail_api.store.rows import accepted_order

# An order to execute is stored together with its lease, which the message to the routers hands over.
# Keys are inserted in their order, so that two processes cannot wait for each other. Of one key's rows, the first.
_INSERT = named(
    "intake",
    """
with v as materialized (
    select * from unnest(
        $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int2[], $9::int2[],
        $10::text[], $11::int4[], $12::text[], $13::timestamptz[], $14::bool[], $15::text[], $16::text[], $17::bytea[]
    ) with ordinality as t(
        id, account, wallet, input_mint, output_mint, input_symbol, output_symbol, input_decimals, output_decimals,
        input_amount, slippage_bps, min_output_amount, expires_at, execute, trace, key, sha, n
    )
),
taken as (
    insert into idempotency_keys (account, key, request_sha256, order_id)
    select distinct on (account, key) account, key, sha, id from v where key is not null order by account, key, n
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
        case when execute then 'message' end, case when execute then now() + make_interval(secs => $18) end,
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
select v.n, k.request_sha256, o.* from unnest($1::text[], $2::text[]) with ordinality as v(account, key, n)
join idempotency_keys k on k.account = v.account and k.key = v.key
join orders o on o.id = k.order_id
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
        found = iter(await self.find(lost) if lost else ())
        return [next(found) if at is None else Accepted(None, at, replayed=False) for _, at in stored]

    async def find(self, rows: Sequence[IntakeRow]) -> list[Outcome]:
        """Return what the keys of the rows were used for before."""
        found = {
            row["n"]: row for row in await self._database.fetch(_FIND, [r.account for r in rows], [r.key for r in rows])
        }
        return [self._judge(row, found.get(n)) for n, row in enumerate(rows, start=1)]

    @staticmethod
    def _judge(row: IntakeRow, known: object) -> Outcome:
        if known is None:
            return EngineError(ErrorCode.IDEMPOTENCY_KEY_IN_USE, "the key is being used by another request")
        if known["request_sha256"] != row.request_sha256:  # type: ignore[index]
            return key_reused()
        order = accepted_order(known, execute=row.execute)
        return Accepted(order, known["created_at"], replayed=True)  # type: ignore[index]


def key_reused() -> EngineError:
    """Return the error for a key that stands for another request."""
    return EngineError(ErrorCode.IDEMPOTENCY_KEY_REUSED, "the Idempotency-Key was used with another request")
