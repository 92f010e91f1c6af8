"""What PostgreSQL did with two deeds that met, and what the virtual store makes of the same statements, one by one."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from tests.races.race import Race
from tests.races.sessions import Session
from tests.races.stored import Row, Stored
from tests.simulation.both import sorted_rows
from tests.simulation.database import name_of
from tests.simulation.statements import STATEMENTS
from tests.simulation.tables import ORDER_COLUMNS, Tables


class Ran(NamedTuple):
    """A statement of the engine that PostgreSQL ran: the time of its transaction, and the rows that it told."""

    name: str
    now: datetime
    args: tuple[object, ...]
    rows: Sequence[Any]


class Recording(Session):
    """A session that remembers the engine's statements."""

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self.ran: list[Ran] = []

    async def fetch(self, sql: str, *args: object) -> Sequence[Any]:
        if not sql.startswith("/* "):
            return await super().fetch(sql, *args)
        if self.connection.is_in_transaction():
            return await self._remember(sql, args)
        async with self.connection.transaction():
            return await self._remember(sql, args)

    async def _remember(self, sql: str, args: tuple[object, ...]) -> Sequence[Any]:
        now = await self.connection.fetchval("select pg_catalog.now()")
        rows = await super().fetch(sql, *args)
        self.ran.append(Ran(name_of(sql), now, args, rows))
        return rows


def tables_of(stored: Stored) -> Tables:
    """Return virtual tables that hold the same."""
    tables = Tables()
    tables.orders = {i: {name: _plain(row[name]) for name in ORDER_COLUMNS} for i, row in stored.orders.items()}
    for event in stored.events:
        tables.add_event(event["order_id"], event["seq"], event["status"], event["at"], event["data"])
    for attempt in stored.attempts:
        tables.add_attempt({name: _plain(value) for name, value in attempt.items()})
    for key in stored.keys:
        known = {name: key[name] for name in ("request_sha256", "order_id", "created_at", "of_batch")}
        tables.keys[key["account"], key["key"]] = known
    return tables


def is_serial(before: Tables, race: Race, first: list[Ran], second: list[Ran]) -> bool:
    """Tell whether the statements, one after the other in some order, give the rows and tables that PostgreSQL gave."""
    after = tables_of(race.after)
    orders = [*_interleavings(first, second)]
    if race.second.deed.skips and not second[0].rows:
        # What another one has locked, it leaves for its next pass.
        orders.append([*first, *second[1:]])
    return any(_gives(deepcopy(before), order, after) for order in orders)


def _interleavings(first: list[Ran], second: list[Ran]) -> Iterator[list[Ran]]:
    if not first or not second:
        yield [*first, *second]
        return
    yield from ([first[0], *rest] for rest in _interleavings(first[1:], second))
    yield from ([second[0], *rest] for rest in _interleavings(first, second[1:]))


def _gives(tables: Tables, order: list[Ran], after: Tables) -> bool:
    for ran in order:
        rows = STATEMENTS[ran.name](tables, ran.now, *ran.args)
        # A renewal tells what its snapshot showed: a lease that was lost since is noticed by the next one.
        if ran.name != "lease_renew" and sorted_rows(rows) != sorted_rows(dict(row) for row in ran.rows):
            return False
    return bool(_all(tables) == _all(after))


def _all(tables: Tables) -> Any:
    return tables.orders, tables.events, tables.attempts, tables.keys


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, Decimal) else value


def described(race: Race, first: list[Ran], second: list[Ran]) -> str:
    """Return what to read when it is not."""
    told: list[Row] = [{"statement": ran.name, "rows": [dict(row) for row in ran.rows]} for ran in (*first, *second)]
    return f"{race.first.deed.name}, {race.second.deed.name} {race.way}: {told} {race.after}"
