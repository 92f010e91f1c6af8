"""Leases."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from swaprail.db.horizons import Scan
from tests.simulation.clock import milliseconds
from tests.simulation.statements.registry import seconds, statement
from tests.simulation.tables import Row, Tables


@statement("lease_scan")
def lease_scan(
    t: Tables, now: datetime, limit: int, statuses: Sequence[str], owner: str, lease_s: float, longest_s: float
) -> list[Row]:
    """Lease due orders."""
    known = [o for _, o in sorted(t.orders.items()) if o["status"] in statuses and _is_due(o, now, longest_s)]
    due = [o for o in known if t.is_found(now, Scan.OPEN, o["due_at"] or o["queued_at"])]
    found: list[Row] = []
    for order in _in_turns(due)[:limit]:
        beyond_reach = _held_until(order) > now
        order["fence"] += 1
        order["lease_owner"] = owner
        order["lease_until"] = now + seconds(lease_s)
        found.append(order | {"step_at": _step_at(t, order), "beyond_reach": beyond_reach})
    return found


def _in_turns(orders: list[Row]) -> list[Row]:
    turns: Counter[str] = Counter()
    places = []
    for order in orders:
        turns[order["account"]] += 1
        places.append((turns[order["account"]], order["id"], order))
    return [order for _, _, order in sorted(places, key=lambda place: place[:2])]


def _is_due(order: Row, now: datetime, longest_s: float) -> bool:
    until = _held_until(order)
    is_open = order["queued_at"] is not None and order["closed_at"] is None
    return is_open and until is not None and (until <= now or until > now + seconds(longest_s))


def _held_until(order: Row) -> Any:
    return order["lease_until"] or order["due_at"]


def _step_at(t: Tables, order: Row) -> int | None:
    at = [e["at"] for e in t.events.get(order["id"], ()) if e["seq"] == order["seq"]]
    return milliseconds(at[0]) if at else None


@statement("lease_renew")
def lease_renew(
    t: Tables, now: datetime, ids: Sequence[UUID], fences: Sequence[int], lease_s: float, owner: str
) -> list[Row]:
    """Renew leases."""
    held = [order for order in _held(t, ids, fences) if order["lease_owner"] in (None, "message", owner)]
    for order in held:
        if order["lease_owner"] and order["lease_until"] is not None and order["closed_at"] is None:
            t.note_writer(now, order, owner)
            order["lease_owner"], order["lease_until"] = owner, now + seconds(lease_s)
            if (order["due_at"] or order["queued_at"]) < now - seconds(t.margin_s):
                order["due_at"] = now
    return [{"id": order["id"]} for order in held]


@statement("lease_release")
def lease_release(t: Tables, now: datetime, ids: Sequence[UUID], fences: Sequence[int], owner: str) -> list[Row]:
    """Give leases back."""
    for order in _held(t, ids, fences):
        if order["closed_at"] is None and order["lease_owner"] in ("message", owner):
            t.note_writer(now, order, owner)
            order["lease_owner"] = order["lease_until"] = None
            order["due_at"] = now
    return []


def _held(t: Tables, ids: Sequence[UUID], fences: Sequence[int]) -> list[Row]:
    pairs = zip(ids, fences, strict=True)
    return [order for i, fence in pairs if (order := t.orders.get(i)) is not None and order["fence"] == fence]
