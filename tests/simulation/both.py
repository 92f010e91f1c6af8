"""A database that runs each statement in PostgreSQL and on the virtual tables, and wants the same from both."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg

from tests.simulation.database import name_of
from tests.simulation.statements import STATEMENTS
from tests.simulation.tables import Row, Tables

_TABLES = {
    "orders": "select * from orders order by id",
    "events": "select * from order_events order by order_id, seq",
    "attempts": "select * from tx_attempts order by order_id, attempt",
    "keys": "select * from idempotency_keys order by account, key",
    "horizons": "select name, since, seen_at from scan_horizons",
}

# Whether nobody else writes in the server, an autovacuum for instance: then marks of horizons may be used.
_QUIET = "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint > coalesce(max(seen_xid), 0) from scan_horizons"


class Both:
    """Stands in for db.connect.Database. PostgreSQL's time is told to the virtual tables."""

    def __init__(self, connection: Any) -> None:
        self.tables = Tables()
        self.told: Counter[str] = Counter()  # rows that each statement returned
        self.refused: Counter[str] = Counter()
        self._connection = connection

    async def clear(self) -> None:
        """Empty every table."""
        self.tables = Tables()
        await self._connection.execute("truncate orders, order_events, tx_attempts, idempotency_keys, scan_horizons")

    async def fetch(self, sql: str, *args: object) -> Sequence[Any]:
        """Run the statement in both and return PostgreSQL's rows; AssertionError when they differ."""
        transaction = self._connection.transaction()
        await transaction.start()
        now = await self._connection.fetchval("select now()")
        self.tables.is_quiet = await self._connection.fetchval(_QUIET)
        try:
            rows = await self._connection.fetch(sql, *args)
        except asyncpg.IntegrityConstraintViolationError as error:
            await transaction.rollback()
            self._expect_error(sql, args, now, error)
            self.refused[name_of(sql)] += 1
            raise
        await transaction.commit()
        virtual = STATEMENTS[name_of(sql)](self.tables, now, *args)
        assert sorted_rows(virtual) == sorted_rows(dict(row) for row in rows), name_of(sql)
        self.told[name_of(sql)] += len(rows)
        return list(rows)

    async def age(self, seconds: float) -> None:
        """Let so many seconds pass, for whatever the tables say of time to come."""
        by = timedelta(seconds=seconds)
        columns = ("lease_until", "due_at", "queued_at", "expires_at", "created_at")
        assignments = ", ".join(f"{column} = {column} - $1::interval" for column in columns)
        await self._connection.execute(f"update orders set {assignments}", by)
        await self._connection.execute("update idempotency_keys set created_at = created_at - $1::interval", by)
        await self._connection.execute(
            "update scan_horizons set since = since - $1::interval, seen_at = seen_at - $1::interval", by
        )
        for order in self.tables.orders.values():
            order |= {column: order[column] - by for column in columns if order[column] is not None}
        for known in self.tables.keys.values():
            known["created_at"] -= by
        for horizon in self.tables.horizons.values():
            horizon |= {column: horizon[column] - by for column in ("since", "seen_at")}

    async def forget_batches(self) -> None:
        """Leave the keys of single orders as the version before 0005 stored them."""
        await self._connection.execute(
            "update idempotency_keys set of_batch = null where key like '%#%' and not of_batch"
        )
        for (_, key), known in self.tables.keys.items():
            if "#" in key and known["of_batch"] is False:
                known["of_batch"] = None

    async def compare(self) -> None:
        """Raise AssertionError unless all tables are the same."""
        tables = self.tables
        virtual: dict[str, Iterable[Row]] = {
            "orders": tables.orders.values(),
            "events": [event for own in tables.events.values() for event in own],
            "attempts": [attempt for own in tables.attempts.values() for attempt in own],
            "keys": [{"account": a, "key": k, **known} for (a, k), known in tables.keys.items()],
            "horizons": [{"name": name, **known} for name, known in tables.horizons.items()],
        }
        for name, sql in _TABLES.items():
            real = [dict(row) for row in await self._connection.fetch(sql)]
            assert sorted_rows(virtual[name]) == sorted_rows(real), name

    def _expect_error(self, sql: str, args: Sequence[object], now: datetime, error: Exception) -> None:
        before = repr((self.tables.orders, self.tables.events, self.tables.attempts, self.tables.keys))
        try:
            STATEMENTS[name_of(sql)](self.tables, now, *args)
        except type(error):
            after = repr((self.tables.orders, self.tables.events, self.tables.attempts, self.tables.keys))
            assert before == after, f"{name_of(sql)} failed half way"
            return
        raise AssertionError(f"{name_of(sql)} fails in PostgreSQL only: {error}")


def sorted_rows(rows: Iterable[Row]) -> list[list[tuple[str, Any]]]:
    """Return rows in a form in which those of both stores are equal."""
    same = [sorted((name, _plain(value)) for name, value in row.items()) for row in rows]
    return sorted(same, key=repr)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value)
    return str(value) if isinstance(value, str) else value
