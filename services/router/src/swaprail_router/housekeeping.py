"""What nobody waits for: waiting orders whose time is up or that have none, and idempotency keys past their retention."""

import asyncio

from swaprail.broker.publisher import TopicPublisher
from swaprail.db.connect import Database
from swaprail.db.horizons import ALL_KEYS, LATE_ORDERS, OLD_ORDERS
from swaprail.db.statements import named
from swaprail.messages.topics import OrderEvent, OrderEvents, Topic
from swaprail.telemetry import metrics
from swaprail.telemetry.survival import survive

LIMIT = 500
PURGE_EVERY = 60  # passes
PURGED_AT_ONCE = 5_000
PURGES_AT_MOST = 20  # at a time: what waits to expire waits for them

_EXPIRE = named(
    "expire_waiting",
    f"""
with late as (
    select id from orders where {LATE_ORDERS} and expires_at <= now()
    order by expires_at limit $1 for update skip locked
),
old as (
    select id from orders where {OLD_ORDERS} and created_at <= now() - make_interval(days => $2)
    order by created_at limit $1 for update skip locked
),
due as (select id from late union all select id from old),
up as (
    update orders o set status = 'EXPIRED', seq = seq + 1, fence = fence + 1, closed_at = now()
    from due where o.id = due.id and o.status = 'PENDING' and o.queued_at is null
    returning o.id, o.seq, o.account, o.wallet, o.trace
),
told as (insert into order_events (order_id, seq, status, data) select id, seq, 'EXPIRED', '{{}}' from up)
select *, floor(extract(epoch from now()) * 1000)::bigint as at from up
""",  # noqa: S608 - constants
)
# By their places: nothing ever changes a key, and the planner cannot take another way to them than the index of times.
_PURGE = named(
    "purge_keys",
    f"""
with old as (
    select ctid from idempotency_keys where {ALL_KEYS} and created_at < now() - make_interval(days => $1)
    order by created_at limit $2
),
gone as (delete from idempotency_keys where ctid = any(array(select ctid from old)) returning 1)
select count(*) as purged from gone
""",  # noqa: S608 - constants
)


class Housekeeping:
    """Expires and purges, once a pass."""

    def __init__(
        self,
        database: Database,
        publisher: TopicPublisher,
        *,
        interval_s: float,
        retention_days: int,
        longest_days: int,
    ) -> None:
        """retention_days: of idempotency keys; longest_days: of orders that wait without an expiry."""
        self._database = database
        self._publisher = publisher
        self._interval_s = interval_s
        self._retention_days = retention_days
        self._longest_days = longest_days
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="housekeeping")

    async def stop(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def expire_waiting(self) -> int:
        """Move waiting orders past expiresAt, and the oldest without one, to EXPIRED; return how many."""
        rows = await self._database.fetch(_EXPIRE, LIMIT, self._longest_days)
        if rows:
            events = [
                OrderEvent(r["id"], r["seq"], "EXPIRED", r["at"], r["account"], r["wallet"], trace=r["trace"])
                for r in rows
            ]
            self._publisher.publish(Topic.EVENTS, OrderEvents(events))
            metrics.TRANSITIONS.labels("PENDING", "EXPIRED").inc(len(rows))
        return len(rows)

    async def purge_keys(self) -> None:
        """Forget idempotency keys past their retention, more of them than there are orders in the meantime."""
        for _ in range(PURGES_AT_MOST):
            (row,) = await self._database.fetch(_PURGE, self._retention_days, PURGED_AT_ONCE)
            if row["purged"] < PURGED_AT_ONCE:
                return

    async def _run(self) -> None:
        passes = 0
        while True:
            expired = await survive("expiry of waiting orders", self.expire_waiting())
            if expired is not None and expired >= LIMIT:
                continue
            if passes % PURGE_EVERY == 0:
                await survive("purge of idempotency keys", self.purge_keys())
            passes += 1
            await asyncio.sleep(self._interval_s)
