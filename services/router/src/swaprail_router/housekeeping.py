"""What nobody waits for: waiting orders whose time is up, and idempotency keys past their retention."""

import asyncio

from swaprail.broker.publisher import TopicPublisher
from swaprail.db.connect import Database
from swaprail.db.statements import named
from swaprail.messages.topics import OrderEvent, OrderEvents, Topic
from swaprail.telemetry import metrics
from swaprail.telemetry.survival import survive

LIMIT = 500
PURGE_EVERY = 600  # passes

_EXPIRE = named(
    "expire_waiting",
    """
with due as (
    select id from orders
    where queued_at is null and closed_at is null and expires_at is not null and expires_at <= now()
    order by expires_at limit $1 for update skip locked
),
up as (
    update orders o set status = 'EXPIRED', seq = seq + 1, fence = fence + 1, closed_at = now()
    from due where o.id = due.id and o.status = 'PENDING' and o.queued_at is null
    returning o.id, o.seq, o.account, o.wallet, o.trace
),
told as (insert into order_events (order_id, seq, status, data) select id, seq, 'EXPIRED', '{}' from up)
select *, floor(extract(epoch from now()) * 1000)::bigint as at from up
""",
)
_PURGE = named(
    "purge_keys",
    """
delete from idempotency_keys where (account, key) in (
    select account, key from idempotency_keys where created_at < now() - make_interval(days => $1) limit 5000
)
""",
)


class Housekeeping:
    """Expires and purges, once a pass."""

    def __init__(
        self, database: Database, publisher: TopicPublisher, *, interval_s: float, retention_days: int
    ) -> None:
        self._database = database
        self._publisher = publisher
        self._interval_s = interval_s
        self._retention_days = retention_days
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
        """Move waiting orders past expiresAt to EXPIRED; return how many."""
        rows = await self._database.fetch(_EXPIRE, LIMIT)
        if rows:
            events = [
                OrderEvent(r["id"], r["seq"], "EXPIRED", r["at"], r["account"], r["wallet"], trace=r["trace"])
                for r in rows
            ]
            self._publisher.publish(Topic.EVENTS, OrderEvents(events))
            metrics.TRANSITIONS.labels("PENDING", "EXPIRED").inc(len(rows))
        return len(rows)

    async def purge_keys(self) -> None:
        """Forget idempotency keys past their retention."""
        await self._database.fetch(_PURGE, self._retention_days)

    async def _run(self) -> None:
        passes = 0
        while True:
            expired = await survive("expiry of waiting orders", self.expire_waiting())
            if expired == LIMIT:
                continue
            if passes % PURGE_EVERY == 0:
                await survive("purge of idempotency keys", self.purge_keys())
            passes += 1
            await asyncio.sleep(self._interval_s)
