"""The virtual tables, with the constraints of db/tables.py that concurrency can break."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from swaprail.db.horizons import MARGIN_S, Scan
from swaprail.db.tables import orders

type Row = dict[str, Any]

ORDER_COLUMNS = tuple(column.name for column in orders.columns)
EMPTY_ORDER: Row = dict.fromkeys(ORDER_COLUMNS) | {"fence": 0, "attempts": 0}


def holds_the_order(attempt: Row) -> bool:
    """Tell whether an attempt forbids another one of its order: it is not proven never to land."""
    return attempt["evidence"] is None


class Tables:
    """Orders, events, attempts and keys. A statement checks all it would break, and only then writes."""

    def __init__(self, margin_s: float = MARGIN_S) -> None:
        self.orders: dict[UUID, Row] = {}
        self.events: dict[UUID, list[Row]] = {}
        self.attempts: dict[UUID, list[Row]] = {}
        self.signatures: dict[str, Row] = {}
        self.keys: dict[tuple[str, str], Row] = {}
        self.horizons: dict[str, Row] = {}
        self.margin_s = margin_s
        self.is_quiet = True  # nothing is under way that began to write before the marks of the horizons were set
        self.stale_writes: list[str] = []
        self.passed_by: list[str] = []  # what a horizon had left below it

    def is_found(self, now: datetime, scan: Scan, time: datetime) -> bool:
        """Tell whether a scan looks as far back as that time."""
        horizon = self.horizons.get(scan)
        return horizon is None or time >= min(horizon["since"], now - timedelta(seconds=self.margin_s))

    def note_writer(self, now: datetime, order: Row, writer: str) -> None:
        """Keep it where a worker writes to an order that another one has leased."""
        holder, until = order["lease_owner"], order["lease_until"]
        if holder not in (None, "message", writer) and until is not None and until > now:
            self.stale_writes.append(f"{order['id']} by {writer} while {holder} held it")

    def add_event(self, order_id: UUID, seq: int, status: str, at: datetime, data: str = "{}") -> None:
        """Insert an event."""
        events = self.events.setdefault(order_id, [])
        if any(event["seq"] == seq for event in events):
            raise asyncpg.UniqueViolationError(f"order_events_pkey {order_id} {seq}")
        events.append({"order_id": order_id, "seq": seq, "status": status, "data": data, "at": at})

    def check_attempts(self, new: Iterable[Row]) -> None:
        """Raise what the indexes of tx_attempts raise when one of the rows cannot be inserted."""
        numbers = {(a["order_id"], a["attempt"]) for own in self.attempts.values() for a in own}
        held = {a["order_id"] for own in self.attempts.values() for a in own if holds_the_order(a)}
        signatures = set(self.signatures)
        for row in new:
            number = (row["order_id"], row["attempt"])
            if number in numbers or row["signature"] in signatures or row["order_id"] in held:
                raise asyncpg.UniqueViolationError(f"tx_attempts {number}")
            numbers.add(number)
            signatures.add(row["signature"])
            held.add(row["order_id"])

    def add_attempt(self, row: Row) -> None:
        """Insert an attempt that was checked."""
        self.attempts.setdefault(row["order_id"], []).append(row)
        self.signatures[row["signature"]] = row
