"""Taking orders back: a guarded write that wins or loses against submission."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from swaprail.db.acknowledged import ACKNOWLEDGED
from swaprail.db.connect import Database
from swaprail.db.statements import named
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.domain.lifecycle import CANCELLABLE, TERMINAL, Status
from swaprail.messages.topics import OrderEvent
from swaprail.telemetry.metrics import COMPLETION, TRANSITIONS, TRANSITIONS_REFUSED
from swaprail_api.schemas.orders import OrderView
from swaprail_api.store.announce import Announcer, milliseconds
from swaprail_api.store.rows import Row, order_view

_STATUSES = sorted(CANCELLABLE)
# The fence grows, so whoever holds the order's lease can write no more. Whether an order may be taken back is judged by
# its row under the lock: by that of the statement's snapshot, an order that moved on just now would be refused for nothing.
_CANCEL = named(
    "cancel",
    """
with v as materialized (select * from unnest($1::uuid[], $2::text[]) with ordinality as t(id, account, n)),
first as (select distinct on (id, account) * from v order by id, account, n),
held as (
    select o.id, o.status as was, first.n from orders o join first on first.id = o.id and first.account = o.account
    where o.status = any($3::text[]) order by o.id for update of o
),
cancelled as (
    update orders o set status = 'CANCELLED', seq = o.seq + 1, fence = o.fence + 1, lease_owner = null,
        lease_until = null, due_at = null, closed_at = now()
    from held where o.id = held.id
    returning o.*, held.n, held.was, null::text as signature
),
told as (
    insert into order_events (order_id, seq, status, data, at) select id, seq, 'CANCELLED', '{}', closed_at from cancelled
)
select * from cancelled
""",
)
_FIND = named(
    "cancel_explain",
    f"""
with {ACKNOWLEDGED}
select v.n, o.status from unnest($1::uuid[], $2::text[]) with ordinality as v(id, account, n)
join orders o on o.id = v.id and o.account = v.account
cross join acknowledged
""",  # noqa: S608 - a constant
)


class CancelRow(NamedTuple):
    """A request to cancel an order."""

    id: UUID
    account: str


class CancelStore:
    """Writes batches of cancellations."""

    def __init__(self, database: Database, announcer: Announcer) -> None:
        self._database = database
        self._announcer = announcer

    async def write(self, rows: Sequence[CancelRow]) -> Sequence[OrderView | EngineError]:
        """Cancel the orders in one commit and tell of it; outcomes in order."""
        won = {row["n"]: row for row in await self._database.fetch(_CANCEL, *zip(*rows, strict=True), _STATUSES)}
        self._announcer.events([_event(row) for row in won.values()])
        for row in won.values():
            _count(row)
        lost = [(n, row) for n, row in enumerate(rows, start=1) if n not in won]
        told = dict(zip((n for n, _ in lost), await self._explain([row for _, row in lost]), strict=True))
        return [told[n] if n in told else order_view(won[n]) for n in range(1, len(rows) + 1)]

    async def _explain(self, rows: Sequence[CancelRow]) -> list[EngineError]:
        if not rows:
            return []
        found = await self._database.fetch(_FIND, *zip(*rows, strict=True))
        statuses = {row["n"]: Status(row["status"]) for row in found}
        return [_refusal(statuses.get(n)) for n in range(1, len(rows) + 1)]


def _count(row: Row) -> None:
    TRANSITIONS.labels(row["was"], Status.CANCELLED).inc()
    if row["queued_at"] is not None:
        COMPLETION.labels(Status.CANCELLED).observe((row["closed_at"] - row["queued_at"]).total_seconds())


def _event(row: Row) -> OrderEvent:
    at = milliseconds(row["closed_at"])
    return OrderEvent(row["id"], row["seq"], Status.CANCELLED, at, row["account"], row["wallet"], trace=row["trace"])


def _refusal(status: Status | None) -> EngineError:
    if status is None:
        return EngineError(ErrorCode.ORDER_NOT_FOUND, "no order of this account has the id")
    TRANSITIONS_REFUSED.labels(status, Status.CANCELLED).inc()
    code = ErrorCode.ORDER_STATUS_MISMATCH if status in TERMINAL else ErrorCode.ORDER_NOT_CANCELLABLE
    return EngineError(code, f"the order is {status}", found=status)
