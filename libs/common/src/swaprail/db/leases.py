"""Leases: who may act on an order now. Every lease raises the fence, so an earlier holder's writes are void."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from swaprail.db.connect import Database
from swaprail.db.horizons import MARGIN_S, OPEN_ORDERS
from swaprail.db.statements import named
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import LONGEST_WAIT_S, LeasedOrder
from swaprail.telemetry.logging import get_logger
from swaprail.telemetry.metrics import LEASES_BEYOND_REACH

log = get_logger(__name__)

# An order is free when no unlapsed lease is on it, or one that nobody can have written by the clock as it is: it was set
# back since, or a backup was restored. The fence makes it harmless where its holder lives after all.
# The accounts take turns, each with its oldest order: whoever has a thousand that find no route holds up nobody else.
# Some more than wanted are looked at, since others scan as well and lock the first of them.
_DUE = f"""
    {OPEN_ORDERS} and o.status = any($2::text[])
    and (coalesce(o.lease_until, o.due_at) <= now() or coalesce(o.lease_until, o.due_at) > now() + make_interval(secs => $5))
"""
_SCAN = named(
    "lease_scan",
    f"""
with turns as (
    select o.id, row_number() over (partition by o.account order by o.id) as turn from orders o where {_DUE}
    order by turn, o.id limit 4 * $1
),
due as (
    select o.id, coalesce(o.lease_until, o.due_at) > now() as beyond_reach
    from turns join orders o on o.id = turns.id where {_DUE}
    order by turns.turn, o.id limit $1 for update of o skip locked
)
update orders o set fence = o.fence + 1, lease_owner = $3, lease_until = now() + make_interval(secs => $4)
from due where o.id = due.id
returning o.*, due.beyond_reach, (
    select floor(extract(epoch from e.at) * 1000)::bigint from order_events e where e.order_id = o.id and e.seq = o.seq
) as step_at
""",  # noqa: S608 - constants
)
# A released lease stays released: its holder's last write may be on its way while it renews. A fence alone is no lease:
# a forged message may name the one that another worker gets next. So nobody gives back what is another's, either.
# What is held for long is given a new time, so that the horizon of the scans passes it.
_RENEW = named(
    "lease_renew",
    f"""
with v as (select * from unnest($1::uuid[], $2::bigint[]) as t(id, fence)),
renewed as (
    update orders o set lease_owner = $4, lease_until = now() + make_interval(secs => $3),
        due_at = case when coalesce(o.due_at, o.queued_at) < now() - interval '{MARGIN_S:g} s' then now() else o.due_at end
    from v where o.id = v.id and o.fence = v.fence and o.lease_until is not null and o.closed_at is null
        and o.lease_owner in ($4, 'message')
)
select o.id from orders o join v on o.id = v.id and o.fence = v.fence and coalesce(o.lease_owner, $4) in ($4, 'message')
""",  # noqa: S608 - constants
)
_RELEASE = named(
    "lease_release",
    """
update orders o set lease_owner = null, lease_until = null, due_at = now()
from unnest($1::uuid[], $2::bigint[]) as v(id, fence)
where o.id = v.id and o.fence = v.fence and o.closed_at is null and o.lease_owner in ($3, 'message')
""",
)


class Leases:
    """Takes and renews leases for one worker."""

    def __init__(self, database: Database, owner: str, lease_s: float, statuses: Sequence[Status]) -> None:
        """Lease only orders in one of the statuses, for lease_s seconds by the database's clock."""
        self._database = database
        self._owner = owner
        self.lease_s = lease_s
        self.statuses = [str(s) for s in statuses]

    async def scan(self, limit: int) -> list[LeasedOrder]:
        """Lease up to so many orders that are due and held by nobody, the oldest of each account first.

        What others scan at the same moment is skipped.
        """
        rows = await self._database.fetch(_SCAN, limit, self.statuses, self._owner, self.lease_s, LONGEST_WAIT_S)
        if beyond := sum(row["beyond_reach"] for row in rows):
            LEASES_BEYOND_REACH.inc(beyond)
            log.warning("orders were held for longer than any lease: the database's clock has jumped", orders=beyond)
        return [read_order(row) for row in rows]

    async def renew(self, held: Sequence[tuple[UUID, int]]) -> set[UUID]:
        """Extend the leases (order, fence) in one commit; return the orders that nobody else has leased since."""
        ids, fences = [order_id for order_id, _ in held], [fence for _, fence in held]
        return {row["id"] for row in await self._database.fetch(_RENEW, ids, fences, self.lease_s, self._owner)}

    async def release(self, held: Sequence[tuple[UUID, int]]) -> None:
        """Hand the orders (order, fence) over at once, in one commit, instead of letting their leases lapse."""
        ids, fences = [order_id for order_id, _ in held], [fence for _, fence in held]
        await self._database.fetch(_RELEASE, ids, fences, self._owner)


def read_order(row: Any) -> LeasedOrder:
    """Return the order of a row of the table orders."""
    least, routing = row["min_output_amount"], row["routing"]
    return LeasedOrder(
        id=row["id"],
        account=row["account"],
        wallet=row["wallet"],
        status=Status(row["status"]),
        seq=row["seq"],
        fence=row["fence"],
        input_mint=row["input_mint"],
        output_mint=row["output_mint"],
        input_amount=int(row["input_amount"]),
        slippage_bps=row["slippage_bps"],
        min_output_amount=None if least is None else int(least),
        queued_at=row["queued_at"],
        expires_at=row["expires_at"],
        attempts=row["attempts"],
        routing=msgspec.Raw((routing or "null").encode()),
        trace=row["trace"],
        at=row.get("step_at"),
    )
