"""How many orders an account has, open and waiting: as last counted, and those that were not yet stored then."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import msgspec

from swaprail.auth import Principal
from swaprail.db.connect import Database
from swaprail.db.statements import named
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail_api.metrics import ACCOUNT_LIMITED

# Bounded: beyond the limits it does not matter how many there are.
_COUNT = named(
    "account_orders",
    """
select a.account,
    (select count(*) from (
        select from orders o where o.account = a.account and o.closed_at is null and o.queued_at is not null limit $2
    ) as counted) as open,
    (select count(*) from (
        select from orders o where o.account = a.account and o.closed_at is null and o.queued_at is null limit $3
    ) as counted) as waiting
from unnest($1::text[]) as a(account)
""",
)
MAX_ACCOUNTS = 10_000
STALE_S = 2.0
AGAIN_S = 0.2  # between counts for those who would be refused while others are being stored


class _Orders(msgspec.Struct):
    """counted: in the table, when this process had stored `by_then`; taken and stored: by this process so far."""

    counted: int = 0
    by_then: int = 0
    taken: int = 0
    stored: int = 0
    under_way: bool = False  # when they were counted: what was is counted twice where the count has seen it

    @property
    def total(self) -> int:
        """How many there are at most, as far as is known."""
        return self.counted + self.taken - self.by_then

    def recount(self, counted: int, by_then: int, taken: int) -> None:
        """Take over a count that began when so many were stored and taken; of two that overlap, the one that began later."""
        if by_then >= self.by_then:
            self.counted, self.by_then, self.under_way = counted, by_then, taken > by_then


class _Account(msgspec.Struct):
    open: _Orders = msgspec.field(default_factory=_Orders)
    waiting: _Orders = msgspec.field(default_factory=_Orders)
    counted_at: float = -math.inf  # by time.monotonic()
    counted_again_at: float = -math.inf  # because somebody would have been refused
    counting: asyncio.Lock = msgspec.field(default_factory=asyncio.Lock)

    def is_doubtful(self, kind: _Orders) -> bool:
        """Tell whether nobody may be refused by what was counted."""
        now = time.monotonic()
        return now - self.counted_at > STALE_S or (kind.under_way and now - self.counted_again_at > AGAIN_S)


class AccountOrders:
    """Refuses orders of an account that has as many as it may.

    Other replicas take orders as well, and all of them count once a second: by as many as they take meanwhile an account
    may be above its limit.
    """

    def __init__(self, database: Database, *, most_open: int, most_waiting: int) -> None:
        self._database = database
        self._most = {True: most_open, False: most_waiting}
        self._longest = dict(self._most)  # the highest limits seen: so far is counted
        self._accounts: dict[str, _Account] = {}
        self._asked: set[str] = set()

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
        """Count the orders of the accounts that have asked since the last time."""
        asked, self._asked = self._asked, set()
        try:
            await self._count(asked)
        except EngineError:
            self._asked |= asked
            raise

    async def _count(self, names: Collection[str]) -> None:
        known = {name: own for name in names if (own := self._accounts.get(name))}
        if not known:
            return
        then = {name: [(k.stored, k.taken) for k in (own.open, own.waiting)] for name, own in known.items()}
        rows = await self._database.fetch(_COUNT, list(known), self._longest[True] + 1, self._longest[False] + 1)
        for row in rows:
            name = row["account"]
            known[name].open.recount(row["open"], *then[name][0])
            known[name].waiting.recount(row["waiting"], *then[name][1])
            known[name].counted_at = time.monotonic()

    async def _free(self, caller: Principal, orders: int, *, execute: bool) -> _Orders:
        most = self._limit(caller, execute=execute)
        account = self._account(caller.account)
        kind = account.open if execute else account.waiting
        if kind.total + orders > most and account.is_doubtful(kind):
            async with account.counting:
                if kind.total + orders > most and account.is_doubtful(kind):
                    await self._count([caller.account])
                    account.counted_again_at = time.monotonic()
        if kind.total + orders > most:
            name = "open" if execute else "waiting"
            ACCOUNT_LIMITED.labels(name).inc()
            raise EngineError(ErrorCode.ACCOUNT_LIMIT, f"the account may have {most} {name} orders, and has them")
        return kind

    def _limit(self, caller: Principal, *, execute: bool) -> int:
        own = caller.limits.open_orders if execute else caller.limits.waiting_orders
        most = own or self._most[execute]
        self._longest[execute] = max(self._longest[execute], most)
        return most

    def _account(self, name: str) -> _Account:
        account = self._accounts.get(name)
        if account is None:
            if len(self._accounts) >= MAX_ACCOUNTS:
                self._accounts.pop(next(iter(self._accounts)))
            account = self._accounts[name] = _Account()
        return account
