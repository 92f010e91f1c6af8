"""What the notifier reads from the tables. Each statement serves many followers at once."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

import msgspec

from swaprail.db.connect import Database
from swaprail.db.statements import named
from swaprail_notifier.order_log import Step, Told
from swaprail_notifier.stalls import Writing
from swaprail_notifier.wallet_log import ID_SLACK_MS, WalletKey

PAGE = 1_000

_STEP = "e.seq, e.status, e.data, floor(extract(epoch from e.at) * 1000)::bigint as at"
_NOW = "floor(extract(epoch from now()) * 1000)::bigint"

_CLOCK = named("clock", f"select {_NOW}")
# Without a right of its own, a login sees when its own transactions began: all services have the same login.
_WRITING = named(
    "oldest_writer",
    f"""
select {_NOW} as now, floor(extract(epoch from min(xact_start)) * 1000)::bigint as oldest
from pg_stat_activity where backend_xid is not null and backend_type = 'client backend' and datname = current_database()
""",  # noqa: S608 - constants only
)
_ORDERS = named(
    "order_steps",
    f"""
select o.id, o.account, {_STEP}
from unnest($1::uuid[]) as t(id)
join orders o on o.id = t.id
join order_events e on e.order_id = o.id
order by o.id, e.seq
""",  # noqa: S608 - constants only
)

# The order's own number decides whether its steps are looked at: nothing new costs one look at the primary key. The last
# step told comes along with the later ones. A row without a step: the order has not got as far as followers were told.
_NEWS = named(
    "order_news",
    f"""
select t.id, o.account, o.wallet, {_STEP}
from unnest($1::uuid[], $2::int[], $3::text[]) as t(id, seq, status)
left join orders o on o.id = t.id
left join order_events e on e.order_id = t.id and e.seq >= t.seq and o.seq > t.seq
where coalesce(o.seq, 0) <> t.seq or coalesce(o.status, '') <> t.status
order by t.id, e.seq
""",  # noqa: S608 - constants only
)

_OPEN_IN_WALLETS = named(
    "wallet_open",
    """
select t.number, o.id, o.open
from unnest($1::text[], $2::text[]) with ordinality as t(account, wallet, number)
cross join lateral (
    select id, true as open from orders o
    where o.account = t.account and o.wallet = t.wallet and o.closed_at is null
    union all
    select id, false from orders o
    where o.account = t.account and o.wallet = t.wallet and o.id >= $3::uuid and o.closed_at is not null
) o
""",
)

_BORN_IN_WALLETS = named(
    "wallet_born",
    f"""
select t.number, o.id, {_NOW} as now
from unnest($1::text[], $2::text[], $3::uuid[]) with ordinality as t(account, wallet, low, number)
left join lateral (
    select o.id from orders o where o.account = t.account and o.wallet = t.wallet and o.id >= t.low
) o on true
""",  # noqa: S608 - constants only
)

# By the time of closing: whoever is cut in the middle asks again from the last time it saw.
_LATER_IN_WALLETS = named(
    "wallet_later",
    f"""
select t.number, o.id, o.closed_at
from unnest($1::text[], $2::text[], $3::timestamptz[], $4::uuid[]) with ordinality
    as t(account, wallet, closed_at, id, number)
cross join lateral (
    select o.id, o.closed_at from orders o
    where o.account = t.account and o.wallet = t.wallet and (o.closed_at, o.id) > (t.closed_at, t.id)
    order by o.closed_at, o.id limit {PAGE}
) o
order by t.number, o.closed_at, o.id
""",  # noqa: S608 - constants only
)


class FoundOrder(msgspec.Struct, frozen=True):
    """An order's account and all its steps."""

    account: str
    steps: list[Step]


class OrderNews(msgspec.Struct, frozen=True):
    """The steps of an order after those that were told; undone: the table has not got (any more) what was told."""

    order_id: UUID
    key: WalletKey
    steps: list[Step]
    undone: bool


class OpenOrders(msgspec.Struct, frozen=True):
    """A wallet's open orders, and the closed ones among its latest, at a time of the database's clock."""

    opened: list[UUID]
    closed: list[UUID]
    database_ms: int


class BornOrders(msgspec.Struct, frozen=True):
    """Orders of a wallet born since some time, found at a time of the database's clock."""

    ids: list[UUID]
    database_ms: int


class LaterPage(msgspec.Struct, frozen=True):
    """Asks for a wallet's orders that were closed after a time; of those closed at that very time, the higher ids."""

    key: WalletKey
    closed_at: datetime
    id: UUID


class LaterOrders(msgspec.Struct, frozen=True):
    """Closed orders in the order of their closing; following is the page after this one, None when there is none."""

    ids: list[UUID]
    following: LaterPage | None


def lowest_id(born_ms: int) -> UUID:
    """Return the least id of an order born at that time or later."""
    return UUID(int=max(0, born_ms) << 80)


class History:
    """The statements."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def writing(self) -> Writing:
        """Return since when somebody has been writing."""
        (row,) = await self._database.fetch(_WRITING)
        return Writing(row["now"], row["oldest"])

    async def orders(self, ids: Sequence[UUID]) -> list[FoundOrder | None]:
        """Return each order with its steps, or None if there is no such order."""
        rows = await self._database.fetch(_ORDERS, list(set(ids)))
        found = {order_id: _found(own) for order_id, own in _grouped(rows)}
        return [found.get(order_id) for order_id in ids]

    async def news(self, told: Sequence[Told]) -> list[OrderNews]:
        """Return what the table has of each order beyond what was told; orders without news are left out."""
        rows = await self._database.fetch(
            _NEWS, [each.order_id for each in told], [each.seq for each in told], [each.status for each in told]
        )
        known = {each.order_id: each for each in told}
        return [_news(known[order_id], own) for order_id, own in _grouped(rows)]

    async def open_in_wallets(self, keys: Sequence[WalletKey]) -> list[OpenOrders]:
        """Return the open and the lately closed orders of each wallet."""
        # The time before the statement: what is born from then on is found by comparing.
        now = await self._database.fetchval(_CLOCK)
        found = {key: OpenOrders([], [], now) for key in keys}
        wallets = list(found)
        rows = await self._database.fetch(
            _OPEN_IN_WALLETS, [w.account for w in wallets], [w.wallet for w in wallets], lowest_id(now - ID_SLACK_MS)
        )
        for row in rows:
            orders = found[wallets[row["number"] - 1]]
            (orders.opened if row["open"] else orders.closed).append(row["id"])
        return [found[key] for key in keys]

    async def born_in_wallets(self, since: Sequence[tuple[WalletKey, int]]) -> list[BornOrders]:
        """Return the orders of each wallet whose ids are of that time or later."""
        rows = await self._database.fetch(
            _BORN_IN_WALLETS,
            [key.account for key, _ in since],
            [key.wallet for key, _ in since],
            [lowest_id(born_ms) for _, born_ms in since],
        )
        first, *_ = rows
        found = [BornOrders([], first["now"]) for _ in since]
        for row in rows:
            if row["id"] is not None:
                found[row["number"] - 1].ids.append(row["id"])
        return found

    async def later_in_wallets(self, pages: Sequence[LaterPage]) -> list[LaterOrders]:
        """Return one page of later closed orders for each."""
        rows = await self._database.fetch(
            _LATER_IN_WALLETS,
            [page.key.account for page in pages],
            [page.key.wallet for page in pages],
            [page.closed_at for page in pages],
            [page.id for page in pages],
        )
        found: list[list[Any]] = [[] for _ in pages]
        for row in rows:
            found[row["number"] - 1].append(row)
        return [_later(page, own) for page, own in zip(pages, found, strict=True)]


def _later(page: LaterPage, rows: list[Any]) -> LaterOrders:
    following = LaterPage(page.key, rows[-1]["closed_at"], rows[-1]["id"]) if len(rows) == PAGE else None
    return LaterOrders([row["id"] for row in rows], following)


def _found(rows: list[Any]) -> FoundOrder:
    first, *_ = rows
    return FoundOrder(first["account"], [_step(row) for row in rows])


def _news(told: Told, rows: list[Any]) -> OrderNews:
    first, *_ = rows
    key = WalletKey(first["account"], first["wallet"])
    steps = [_step(row) for row in rows if row["seq"] is not None]
    if not told.seq:
        return OrderNews(told.order_id, key, steps, undone=False)
    kept = bool(steps) and told == Told(told.order_id, steps[0].seq, steps[0].status, steps[0].at)
    return OrderNews(told.order_id, key, steps[1:], undone=not kept)


def _step(row: Any) -> Step:
    return Step(row["seq"], row["status"], row["at"], row["data"].encode())


def _grouped(rows: Any) -> list[tuple[UUID, list[Any]]]:
    return [(order_id, list(own)) for order_id, own in groupby(rows, itemgetter("id"))]
