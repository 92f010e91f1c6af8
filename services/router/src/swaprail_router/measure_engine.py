"""What only the database knows of the whole engine, as gauges. Every router reads the same: take the maximum over them.

The queries run so often a minute, whatever the load; orders cost nothing here.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from swaprail.clock import database_now
from swaprail.db.connect import Database
from swaprail.db.horizons import OPEN_ORDERS
from swaprail.db.statements import named
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import LONGEST_WAIT_S
from swaprail.telemetry.registry import start_at_zero
from swaprail.telemetry.survival import survive
from swaprail_router import metrics
from swaprail_venues.paper.audit import Rule, audit_orders

MEASURE_EVERY_S = 5.0
AUDIT_EVERY_S = 60.0
AUDIT_WINDOW = timedelta(minutes=5)
OPEN = (Status.ROUTING, Status.BUILDING, Status.SUBMITTED)

_MEASURE = named(
    "measure_engine",
    f"""
select status, count(*) as orders, extract(epoch from now() - min(queued_at))::float8 as oldest_s,
    count(*) filter (where reconciling_since is not null) as reconciling,
    count(*) filter (where coalesce(lease_until, due_at) < now() - interval '10 seconds'
        or coalesce(lease_until, due_at) > now() + make_interval(secs => $1)) as stranded
from orders where {OPEN_ORDERS} group by status
""",  # noqa: S608 - constants
)


class EngineMeasures:
    """Counts open orders every few seconds, and checks the rules once a minute."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._duplicates: set[UUID] = set()
        self._measured_at = self._audited_at = time.monotonic()
        self._tasks: list[asyncio.Task[None]] = []
        metrics.MEASUREMENT_AGE.set_function(lambda: time.monotonic() - self._measured_at)
        metrics.AUDIT_AGE.set_function(lambda: time.monotonic() - self._audited_at)
        start_at_zero(metrics.ORDERS_OPEN, OPEN)
        start_at_zero(metrics.OLDEST_OPEN, OPEN)
        start_at_zero(metrics.VIOLATIONS, Rule)

    def start(self) -> None:
        """Begin."""
        self._tasks = [
            asyncio.create_task(_repeat("count of open orders", self.measure, MEASURE_EVERY_S), name="measures"),
            asyncio.create_task(_repeat("check of the rules", self.audit, AUDIT_EVERY_S), name="audit"),
        ]

    async def stop(self) -> None:
        """Stop."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def measure(self) -> None:
        """Set the gauges of open orders."""
        found = {row["status"]: row for row in await self._database.fetch(_MEASURE, LONGEST_WAIT_S)}
        for status in OPEN:
            row = found.get(status)
            metrics.ORDERS_OPEN.labels(status).set(row["orders"] if row else 0)
            metrics.OLDEST_OPEN.labels(status).set(row["oldest_s"] if row else 0)
        metrics.RECONCILING.set(sum(row["reconciling"] for row in found.values()))
        metrics.STRANDED.set(sum(row["stranded"] for row in found.values()))
        self._measured_at = time.monotonic()

    async def audit(self) -> None:
        """Set the gauges of broken rules. A double execution is not forgotten while this process lives."""
        audit = await audit_orders(self._database, database_now() - AUDIT_WINDOW)
        for rule, broken in audit.broken.items():
            metrics.VIOLATIONS.labels(rule).set(broken)
        self._duplicates |= audit.duplicates
        metrics.DUPLICATE_EXECUTIONS.set(len(self._duplicates))
        self._audited_at = time.monotonic()


async def _repeat(what: str, work: Callable[[], Awaitable[None]], every_s: float) -> None:
    while True:
        await survive(what, work())
        await asyncio.sleep(every_s)
