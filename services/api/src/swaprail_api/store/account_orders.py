"""How many orders an account has, open and waiting: as last counted, and those that were not yet stored then."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import msgspec

from swaprail.auth import Principal
from swaprail.db.connect import Database
from swaprail.db.horizons import OPEN_ORDERS
from swaprail.db.statements import named
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail_api.metrics import ACCOUNT_LIMITED

# Those to execute are few enough to be counted, of all accounts at once: not more than may be open at all.
_COUNT_OPEN = named(
    "account_open",
    f"""
select account, count(*) as orders from orders where {OPEN_ORDERS} and account = any($1::text[]) group by account
""",  # noqa: S608 - constants
)
# Bounded: beyond the limit it does not matter how many there are.
_COUNT_WAITING = named(
    "account_waiting",
    """
select a.account, (select count(*) from (
    select from orders o where o.account = a.account and o.closed_at is null and o.queued_at is null limit $2
) as counted) as orders
from unnest($1::text[]) as a(account)
""",
)
MAX_ACCOUNTS = 10_000
STALE_S = 2.0
AGAIN_S = 0.2  # between counts for those who would be refused while others are being stored
REST = (
    9  # times as long as the last count of waiting orders took: it may walk what has been closed since an old snapshot
)


class _Orders(msgspec.Struct):
    """counted: in the table, when this process had stored `by_then`; taken and stored: by this process so far."""

    counted: int = 0
    by_then: int = 0
    taken: int = 0
    stored: int = 0
    under_way: bool = False  # when they were counted: what was is counted twice where the count has seen it
    counted_at: float = -math.inf  # by time.monotonic()
    counted_again_at: float = -math.inf  # because somebody would have been refused
    counting: asyncio.Lock = msgspec.field(default_factory=asyncio.Lock)

    @property
    def total(self) -> int:
        """How many there are at most, as far as is known."""
        return self.counted + self.taken - self.by_then

    def is_doubtful(self) -> bool:
        """Tell whether nobody may be refused by what was counted."""
        now = time.monotonic()
        return now - self.counted_at > STALE_S or (self.under_way and now - self.counted_again_at > AGAIN_S)

    def recount(self, counted: int, by_then: int, taken: int) -> None:
        """Take over a count that began when so many were stored and taken; of two that overlap, the one that began later."""
        self.counted_at = time.monotonic()
        if by_then >= self.by_then:
            self.counted, self.by_then, self.under_way = counted, by_then, taken > by_then


class _Account(msgspec.Struct):
    open: _Orders = msgspec.field(default_factory=_Orders)
    waiting: _Orders = msgspec.field(default_factory=_Orders)

    def kind(self, *, execute: bool) -> _Orders:
        return self.open if execute else self.waiting


class AccountOrders:
    """Refuses orders of an account that has as many as it may.

    Other replicas take orders as well, and all of them count once a second: by as many as they take meanwhile an account
    may be above its limit.
    """

    def __init__(self, database: Database, *, most_open: int, most_waiting: int) -> None:
        self._database = database
        self._most = {True: most_open, False: most_waiting}
        self._longest_waiting = most_waiting  # the highest limit seen: so far is counted
        self._accounts: dict[str, _Account] = {}
        self._asked: set[str] = set()
        self._waiting_again_at = -math.inf  # by time.monotonic()

    @asynccontextmanager
    async def take(self, caller: Principal, orders: int, *, execute: bool) -> AsyncIterator[None]:
        """Count the orders that are stored within the body; EngineError account_limit when they are too many.

        Accounts that have not asked for a while are not counted, so before one is refused it is.
        """
        if not caller.key_id:
            yield
            return
        self._asked.add(caller.account)
        kind = await self._free(caller, orders, execute=execute)
        kind.taken += orders
        try:
            yield
        finally:
            # Even if it failed: it may be stored, and the next count tells.
            kind.stored += orders

    async def count(self) -> None:
        """Count the orders of the accounts that have asked since the last time, those that wait with a rest between."""
        asked, self._asked = self._asked, set()
        try:
            await self._count(asked, execute=True)
            if time.monotonic() >= self._waiting_again_at:
                await self._count_waiting(asked)
        except EngineError:
            self._asked |= asked
            raise

    async def _count_waiting(self, names: Collection[str]) -> None:
        began = time.monotonic()
        try:
            await self._count(names, execute=False)
        finally:
            ended = time.monotonic()
            self._waiting_again_at = ended + REST * (ended - began)

    async def _count(self, names: Collection[str], *, execute: bool) -> None:
        known = {name: own.kind(execute=execute) for name in names if (own := self._accounts.get(name))}
        if not known:
            return
        then = {name: (kind.stored, kind.taken) for name, kind in known.items()}
        if execute:
            rows = await self._database.fetch(_COUNT_OPEN, list(known))
        else:
            rows = await self._database.fetch(_COUNT_WAITING, list(known), self._longest_waiting + 1)
        counted = {row["account"]: row["orders"] for row in rows}
        for name, kind in known.items():
            kind.recount(counted.get(name, 0), *then[name])

    async def _free(self, caller: Principal, orders: int, *, execute: bool) -> _Orders:
        most = self._limit(caller, execute=execute)
        kind = self._account(caller.account).kind(execute=execute)
        if kind.total + orders > most and kind.is_doubtful():
            async with kind.counting:
                if kind.total + orders > most and kind.is_doubtful():
                    await self._count([caller.account], execute=execute)
                    kind.counted_again_at = time.monotonic()
        if kind.total + orders > most:
            name = "open" if execute else "waiting"
            ACCOUNT_LIMITED.labels(name).inc()
            raise EngineError(ErrorCode.ACCOUNT_LIMIT, f"the account may have {most} {name} orders, and has them")
        return kind

    def _limit(self, caller: Principal, *, execute: bool) -> int:
        own = caller.limits.open_orders if execute else caller.limits.waiting_orders
        most = own or self._most[execute]
        if not execute:
            self._longest_waiting = max(self._longest_waiting, most)
        return most

    def _account(self, name: str) -> _Account:
        account = self._accounts.get(name)
        if account is None:
            if len(self._accounts) >= MAX_ACCOUNTS:
                self._accounts.pop(next(iter(self._accounts)))
            account = self._accounts[name] = _Account()
        return account
