"""Housekeeping, and what notifiers read."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from swaprail.db.horizons import Scan
from tests.simulation.clock import milliseconds
from tests.simulation.statements.registry import statement
from tests.simulation.tables import Row, Tables

_NO_ORDER: Row = {"account": None, "wallet": None, "seq": 0, "status": ""}
_NO_STEP: Row = dict.fromkeys(("seq", "status", "data", "at"))


@statement("expire_waiting")
def expire_waiting(t: Tables, now: datetime, limit: int, days: int) -> list[Row]:
    """Expire orders that waited too long to be executed."""
    pending = [o for o in t.orders.values() if o["status"] == "PENDING"]
    waiting = [o for o in pending if o["queued_at"] is None and o["closed_at"] is None]
    late = [o for o in waiting if o["expires_at"] and o["expires_at"] <= now]
    late = [o for o in late if t.is_found(now, Scan.LATE, o["expires_at"])]
    old = [o for o in waiting if not o["expires_at"] and o["created_at"] <= now - timedelta(days=days)]
    old = [o for o in old if t.is_found(now, Scan.OLD, o["created_at"])]
    due = sorted(late, key=lambda o: o["expires_at"])[:limit] + sorted(old, key=lambda o: o["created_at"])[:limit]
    rows = []
    for order in due:
        order |= {"status": "EXPIRED", "seq": order["seq"] + 1, "fence": order["fence"] + 1, "closed_at": now}
        t.add_event(order["id"], order["seq"], "EXPIRED", now)
        rows.append(
            {name: order[name] for name in ("id", "seq", "account", "wallet", "trace")} | {"at": milliseconds(now)}
        )
    return rows


@statement("purge_keys")
def purge_keys(t: Tables, now: datetime, days: int, limit: int) -> list[Row]:
    """Forget old keys, the oldest first."""
    found = [(known["created_at"], n) for n, known in t.keys.items() if t.is_found(now, Scan.KEYS, known["created_at"])]
    old = [(at, n) for at, n in found if at < now - timedelta(days=days)]
    forgotten = sorted(old)[:limit]
    for _, name in forgotten:
        del t.keys[name]
    return [{"purged": len(forgotten)}]


@statement("oldest_writer")
def oldest_writer(t: Tables, now: datetime) -> list[Row]:
    """Tell the time: no transaction takes any here."""
    return [{"now": milliseconds(now), "oldest": None}]


@statement("order_steps")
def order_steps(t: Tables, now: datetime, ids: Sequence[UUID]) -> list[Row]:
    """Read orders with all steps."""
    return [
        {"id": order_id, "account": t.orders[order_id]["account"], **_step(event)}
        for order_id in sorted(ids)
        if order_id in t.orders
        for event in t.events[order_id]
    ]


@statement("order_news")
def order_news(
    t: Tables, now: datetime, ids: Sequence[UUID], seqs: Sequence[int], statuses: Sequence[str]
) -> list[Row]:
    """Read later steps with the last one told; one row without a step where the order is not as far as told."""
    rows: list[Row] = []
    for order_id, seq, status in sorted(zip(ids, seqs, statuses, strict=True)):
        order = t.orders.get(order_id, _NO_ORDER)
        if (order["seq"], order["status"]) != (seq, status):
            steps = [_step(e) for e in t.events.get(order_id, ()) if e["seq"] >= seq and order["seq"] > seq]
            known = {"id": order_id, "account": order["account"], "wallet": order["wallet"]}
            rows += [known | step for step in steps or [_NO_STEP]]
    return rows


def _step(event: Row) -> Row:
    return {"seq": event["seq"], "status": event["status"], "data": event["data"], "at": milliseconds(event["at"])}
