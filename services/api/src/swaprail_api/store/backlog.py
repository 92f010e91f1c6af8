"""How many orders are open, of all accounts and of each, counted once a second by the process that takes new ones."""

import asyncio
import contextlib
from contextlib import AbstractAsyncContextManager

from swaprail.auth import Principal
from swaprail.db.connect import Database
from swaprail.db.horizons import OPEN_ORDERS
from swaprail.db.statements import named
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.telemetry.metrics import OPERATIONAL_ERRORS
from swaprail.telemetry.survival import survive
from swaprail_api.metrics import BACKLOG, BACKLOG_LIMIT
from swaprail_api.store.account_orders import AccountOrders

# Bounded: beyond the limit it does not matter how many there are.
_COUNT = named(
    "backlog_count",
    f"""
select count(*) from (select from orders where {OPEN_ORDERS} limit $1) as counted
""",  # noqa: S608 - constants
)
EVERY_S = 1.0


class Backlog:
    """Refuses new orders while too many are open, or their account has too many."""

    def __init__(self, database: Database, limit: int, accounts: AccountOrders) -> None:
        self._database = database
        self._accounts = accounts
        self._limit = limit
        self._task: asyncio.Task[None] | None = None
        self.open_orders = 0
        BACKLOG_LIMIT.set(limit)

    def take(self, caller: Principal, orders: int, *, execute: bool) -> AbstractAsyncContextManager[None]:
        """Count the orders stored within; EngineError overloaded while too many are open, account_limit of the account."""
        if execute and self.open_orders > self._limit:
            raise EngineError(ErrorCode.OVERLOADED, f"more than {self._limit} orders are open")
        return self._accounts.take(caller, orders, execute=execute)

    def start(self) -> None:
        """Begin to count."""
        self._task = asyncio.create_task(self._run(), name="backlog")

    async def stop(self) -> None:
        """Count no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def count(self) -> None:
        """Count now; if the database is away, the last count stands."""
        try:
            self.open_orders = await self._database.fetchval(_COUNT, self._limit + 1)
            await self._accounts.count()
        except EngineError as error:
            OPERATIONAL_ERRORS.labels(error.code).inc()
        BACKLOG.set(self.open_orders)

    async def _run(self) -> None:
        while True:
            await survive("count of open orders", self.count())
            await asyncio.sleep(EVERY_S)
