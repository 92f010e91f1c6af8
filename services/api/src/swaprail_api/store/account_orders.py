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

# Those to execute are few enough to be counted, of all accounts at once: not more than may be open at all. Found first and
# sorted out then, for an index by accounts has all that an account ever had.
_COUNT_OPEN = named(
    "account_open",
    f"""
with found as materialized (select account from orders where {OPEN_ORDERS})
select account, count(*) as orders from found where account = any($1::text[]) group by account
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
# Times as long as the last count of waiting orders took: it may walk what has been closed since an old snapshot.
REST = 9


class _Orders(msgspec.Struct):
    """counted: in the table, when this process had stored `by_then`; taken and stored: by this process so far."""

    counted: int = 0
    by_then: int = 0
    taken: int = 0
    stored: int = 0
    under_way: bool = False  # when they were counted: what was is counted twice where the count has seen it
    counted_at: float = -math.inf  # by time.monotonic()
    counted_again_at: float = -math.inf  # because somebody would have been refused

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


class _Accounts:
    """The orders of one kind, of all accounts."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.known: dict[str, _Orders] = {}
        self.asked: set[str] = set()  # since the last count
        self.doubted: set[str] = set()  # to be counted before somebody is refused
        self.counting = asyncio.Lock()

    def of(self, account: str) -> _Orders:
        orders = self.known.get(account)
        if orders is None:
            if len(self.known) >= MAX_ACCOUNTS:
                self.known.pop(next(iter(self.known)))
            orders = self.known[account] = _Orders()
        return orders


class AccountOrders:
    """Refuses orders of an account that has as many as it may.

    Other replicas take orders as well, and all of them count once a second, waiting orders perhaps more seldom: by as many as
    they take meanwhile an account may be above its limit.
    """

    def __init__(self, database: Database, *, most_open: int, most_waiting: int) -> None:
        self._database = database
        self._open, self._waiting = _Accounts(most_open), _Accounts(most_waiting)
        self._longest_waiting = most_waiting  # the highest limit seen: so far is counted
        self._waiting_again_at = -math.inf  # by time.monotonic()

    @asynccontextmanager
    async def take(self, caller: Principal, orders: int, *, execute: bool) -> AsyncIterator[None]:
        """Count the orders that are stored within the body; EngineError account_limit when they are too many.

        Accounts that have not asked for a while are not counted, so before one is refused it is.
        """
        if not caller.key_id:
            yield
            return
        own = await self._free(caller, orders, execute=execute)
        own.taken += orders
        try:
            yield
        finally:
            # Even if it failed: it may be stored, and the next count tells.
            own.stored += orders

    async def count(self) -> None:
        """Count the orders of the accounts that have asked since the last time, those that wait with a rest between."""
        await self._count_asked(self._open)
        if time.monotonic() >= self._waiting_again_at:
            began = time.monotonic()
            try:
                await self._count_asked(self._waiting)
            finally:
                ended = time.monotonic()
                self._waiting_again_at = ended + REST * (ended - began)

    async def _count_asked(self, accounts: _Accounts) -> None:
        asked, accounts.asked = accounts.asked, set()
        try:
            await self._count(accounts, asked)
        except EngineError:
            accounts.asked |= asked
            raise

    async def _count(self, accounts: _Accounts, names: Collection[str]) -> None:
        known = {name: own for name in names if (own := accounts.known.get(name))}
        if not known:
            return
        then = {name: (own.stored, own.taken) for name, own in known.items()}
        if accounts is self._open:
            rows = await self._database.fetch(_COUNT_OPEN, list(known))
        else:
            rows = await self._database.fetch(_COUNT_WAITING, list(known), self._longest_waiting + 1)
        counted = {row["account"]: row["orders"] for row in rows}
        for name, own in known.items():
            own.recount(counted.get(name, 0), *then[name])

    async def _free(self, caller: Principal, orders: int, *, execute: bool) -> _Orders:
        accounts, most = self._limit(caller, execute=execute)
        accounts.asked.add(caller.account)
        own = accounts.of(caller.account)
        if own.total + orders > most and own.is_doubtful():
            accounts.doubted.add(caller.account)
            async with accounts.counting:
                if own.total + orders > most and own.is_doubtful():
                    await self._count_doubted(accounts, caller.account)
        if own.total + orders > most:
            name = "open" if execute else "waiting"
            ACCOUNT_LIMITED.labels(name).inc()
            raise EngineError(ErrorCode.ACCOUNT_LIMIT, f"the account may have {most} {name} orders, and has them")
        return own

    async def _count_doubted(self, accounts: _Accounts, name: str) -> None:
        """Count all that anybody waits for: each count looks at every open order."""
        doubted, accounts.doubted = accounts.doubted | {name}, set()
        await self._count(accounts, doubted)
        for own in filter(None, map(accounts.known.get, doubted)):
            own.counted_again_at = time.monotonic()

    def _limit(self, caller: Principal, *, execute: bool) -> tuple[_Accounts, int]:
        if execute:
            return self._open, caller.limits.open_orders or self._open.most
        most = caller.limits.waiting_orders or self._waiting.most
        self._longest_waiting = max(self._longest_waiting, most)
        return self._waiting, most
