"""Queueing stored orders: of many requests for one order, one wins."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from swaprail.db.acknowledged import ACKNOWLEDGED
from swaprail.db.connect import Database
from swaprail.db.leases import read_order
from swaprail.db.statements import named
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import LeasedOrder, NewOrder
from swaprail.messages.topics import HANDOVER_S
from swaprail_api.store.announce import Announcer, milliseconds
from swaprail_api.store.intake import key_reused
from swaprail_api.store.rows import Row, accepted_order

# The order is leased by the same write, and the message to the routers hands the lease over.
# A key used before never starts anything. Of the others, the first row of an order may. Rows are locked in the order
# of their ids, so that two processes cannot wait for each other. A key that another process stores at the same moment
# fails this statement: it is repeated, and a batch that has one key twice is then written row by row.
_START = named(
    "start",
    """
with v as materialized (
    select * from unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[]) with ordinality as t(id, account, key, sha, n)
),
first as (
    select distinct on (v.id, v.account) v.* from v
    left join idempotency_keys k on k.account = v.account and k.key = v.key
    where k.key is null order by v.id, v.account, v.n
),
held as (
    select o.id, first.n, first.key, first.sha from orders o
    join first on first.id = o.id and first.account = o.account
    where o.status = 'PENDING' and o.queued_at is null and (o.expires_at is null or o.expires_at > now())
    order by o.id for update of o
),
started as (
    update orders o set status = 'ROUTING', seq = o.seq + 1, queued_at = now(), fence = o.fence + 1,
        lease_owner = 'message', lease_until = now() + make_interval(secs => $5)
    from held where o.id = held.id
    returning o.*, held.n, held.key, held.sha
),
told as (
    insert into order_events (order_id, seq, status, data, at) select id, seq, status, '{}', queued_at from started
),
taken as (
    insert into idempotency_keys (account, key, request_sha256, order_id)
    select account, key, sha, id from started where key is not null order by account, key
)
select * from started
""",
)
_FIND = named(
    "start_explain",
    f"""
with {ACKNOWLEDGED},
v as (
    select * from unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[]) with ordinality as t(id, account, key, sha, n)
)
select v.n, k.request_sha256 as known_sha, o.* from v cross join acknowledged
left join orders o on o.id = v.id and o.account = v.account
left join idempotency_keys k on k.account = v.account and k.key = v.key
""",  # noqa: S608 - a constant
)


class StartRow(NamedTuple):
    """A request to execute an order, in the statement's order of columns."""

    id: UUID
    account: str
    key: str | None
    request_sha256: bytes | None


class Started(msgspec.Struct, frozen=True):
    """An order as it was when it was queued."""

    order: NewOrder
    created_at: datetime
    queued_at: datetime
    replayed: bool


class StartStore:
    """Writes batches of requests to execute."""

    def __init__(self, database: Database, announcer: Announcer) -> None:
        self._database = database
        self._announcer = announcer

    async def write(self, rows: Sequence[StartRow]) -> Sequence[Started | EngineError]:
        """Queue the orders in one commit and wake the router; outcomes in order."""
        won = {row["n"]: row for row in await self._start(rows)}
        self._announcer.started([_in_routing(row) for row in won.values()])
        lost = [(n, row) for n, row in enumerate(rows, start=1) if n not in won]
        told = dict(zip((n for n, _ in lost), await self._explain([row for _, row in lost]), strict=True))
        return [told[n] if n in told else _started(won[n], replayed=False) for n in range(1, len(rows) + 1)]

    async def _start(self, rows: Sequence[StartRow]) -> Sequence[Row]:
        arguments = (*zip(*rows, strict=True), HANDOVER_S)
        try:
            return await self._database.fetch(_START, *arguments)
        except asyncpg.UniqueViolationError:
            # Somebody else's key was not there yet when the statement looked: now it is.
            return await self._database.fetch(_START, *arguments)

    async def _explain(self, rows: Sequence[StartRow]) -> list[Started | EngineError]:
        if not rows:
            return []
        found = await self._database.fetch(_FIND, *zip(*rows, strict=True))
        by_number = {row["n"]: row for row in found}
        return [_judge(row, by_number[n]) for n, row in enumerate(rows, start=1)]


def _in_routing(row: Row) -> LeasedOrder:
    return msgspec.structs.replace(read_order(row), at=milliseconds(row["queued_at"]))


def _started(row: Row, *, replayed: bool) -> Started:
    return Started(accepted_order(row, execute=True), row["created_at"], row["queued_at"], replayed)


def _judge(asked: StartRow, found: Row) -> Started | EngineError:
    if found["known_sha"] is not None:
        return _started(found, replayed=True) if found["known_sha"] == asked.request_sha256 else key_reused()
    if found["id"] is None:
        return EngineError(ErrorCode.ORDER_NOT_FOUND, "no order of this account has the id")
    status, queued = found["status"], found["queued_at"] is not None
    if status == Status.PENDING and not queued:
        detail = "the time of the order has passed"
    else:
        detail = "the order is queued already" if status == Status.PENDING else f"the order is {status}"
    return EngineError(ErrorCode.ORDER_STATUS_MISMATCH, detail, found=status, queued=queued)
