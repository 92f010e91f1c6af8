"""Transitions, with the attempts that are stored and settled by them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from swaprail.db.leases import read_order
from swaprail.db.terms import order_terms
from tests.simulation.clock import milliseconds
from tests.simulation.statements.registry import columns_of, seconds, statement
from tests.simulation.tables import Row, Tables, holds_the_order


def guarded_update(t: Tables, now: datetime, terminal: Sequence[str], rows: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Change the orders that still match; return (what was asked, the order). One row of an order wins."""
    matched = match_guarded(t, now, rows)
    for v, order in matched:
        _move_order(t, now, terminal, v, order)
    return matched


def match_guarded(t: Tables, now: datetime, rows: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Return the rows whose order is still the one that they are about, and may go where they want it."""
    won: dict[UUID, tuple[Row, Row]] = {}
    for v in rows:
        order = t.orders.get(v["id"])
        if order is None or order["status"] != v["expected"] or not is_open(order):
            continue
        if (
            fence_holds(order, v["fence"])
            and lease_is_own(order, v["writer"])
            and terms_hold(order, v["terms"])
            and in_time(order, now, v)
        ):
            won.setdefault(v["id"], (v, order))
    return list(won.values())


def is_open(order: Row) -> bool:
    """Tell whether the order may still be written; a planted bug replaces it."""
    return order["closed_at"] is None


def fence_holds(order: Row, fence: int) -> bool:
    """Tell whether whoever has this fence may write; a planted bug replaces it."""
    return bool(order["fence"] == fence)


def lease_is_own(order: Row, writer: str) -> bool:
    """Tell whether nobody else holds the lease; a planted bug replaces it."""
    return order["lease_owner"] in (None, "message", writer)


def terms_hold(order: Row, terms: str) -> bool:
    """Tell whether whoever writes acts on the order as it is; a planted bug replaces it."""
    return order_terms(read_order(order)) == terms


def in_time(order: Row, now: datetime, v: Row) -> bool:
    """Tell whether the order's time allows the move: until it is over nothing expires, and then nothing is submitted."""
    if v["next"] == v["expected"] or v["next"] not in ("SUBMITTED", "EXPIRED"):
        return True
    is_over = order["expires_at"] is not None and order["expires_at"] <= now
    return bool(is_over == (v["next"] == "EXPIRED"))


def _move_order(t: Tables, now: datetime, terminal: Sequence[str], v: Row, order: Row) -> None:
    if order["fence"] != v["fence"]:
        t.stale_writes.append(f"{order['id']} {v['next']} by fence {v['fence']}, the order has {order['fence']}")
    t.note_writer(now, order, v["writer"])
    moved = v["next"] != v["expected"]
    order["status"] = v["next"]
    order["seq"] += moved
    order["fence"] += v.get("hand_over", False)
    _lease(now, v, order)
    order["attempts"] += v.get("new_attempts", 0)
    if v.get("routing") is not None:
        order["routing"] = v["routing"]
    order["failure"], order["output_amount"] = v.get("failure"), v.get("output_amount")
    order["reconciling_since"] = (order["reconciling_since"] or now) if v.get("reconciling") else None
    order["closed_at"] = now if v["next"] in terminal else None
    if moved:
        t.add_event(order["id"], order["seq"], v["next"], now, v["data"])


def _lease(now: datetime, v: Row, order: Row) -> None:
    due_in, lease_s = v.get("due_in"), v.get("lease_s")
    if due_in is not None:
        order["lease_owner"] = order["lease_until"] = None
        order["due_at"] = now + seconds(due_in)
        return
    order["lease_owner"] = v.get("owner") or order["lease_owner"]
    if lease_s is not None:
        order["lease_until"] = now + seconds(lease_s)


def _result(now: datetime, up: Sequence[tuple[Row, Row]]) -> list[Row]:
    at = milliseconds(now)
    return [{"id": o["id"], "held": v["fence"], "seq": o["seq"], "fence": o["fence"], "at": at} for v, o in up]


_MOVE = "id expected fence terms next data due_in routing failure hand_over"
_SUBMIT = "id expected fence terms next data attempt signature raw message_sha256 blockhash last_valid venue"
_SETTLE = (
    "id expected fence terms next data due_in failure output_amount reconciling signature state slot error evidence"
)


@statement("move")
def move(t: Tables, now: datetime, terminal: Sequence[str], *args: Any) -> list[Row]:
    """Write moves."""
    *columns, handover_s, writer = args
    rows = columns_of(_MOVE, *columns)
    for v in rows:
        v["writer"] = writer
        if v["hand_over"]:
            v |= {"owner": "message", "lease_s": handover_s}
    return _result(now, guarded_update(t, now, terminal, rows))


@statement("submit")
def submit(t: Tables, now: datetime, terminal: Sequence[str], *args: Any) -> list[Row]:
    """Store attempts together with SUBMITTED."""
    *columns, owner, lease_s = args
    rows = columns_of(_SUBMIT, *columns)
    for v in rows:
        v |= {"owner": owner, "writer": owner, "lease_s": lease_s, "new_attempts": 1}
    up = match_guarded(t, now, rows)
    moved = {order["id"]: order["fence"] for _, order in up}
    new = [_attempt(v, now) for v in rows if joins(v, moved)]
    t.check_attempts(new)
    guarded_update(t, now, terminal, rows)
    for row in new:
        t.add_attempt(row)
    return _result(now, up)


def joins(v: Row, moved: dict[UUID, int]) -> bool:
    """Tell whether the statement's second part, on attempts, takes the row: it moved its order."""
    return bool(moved.get(v["id"]) == v["fence"])


def _attempt(v: Row, now: datetime) -> Row:
    same = ("attempt", "signature", "raw", "message_sha256", "blockhash", "fence", "venue")
    row = {name: v[name] for name in same}
    row |= {"order_id": v["id"], "last_valid_block_height": v["last_valid"], "state": "LIVE", "created_at": now}
    return row | dict.fromkeys(("slot", "output_amount", "error", "evidence", "settled_at"))


@statement("settle")
def settle(t: Tables, now: datetime, terminal: Sequence[str], *args: Any) -> list[Row]:
    """Settle attempts together with their orders' moves."""
    *columns, writer = args
    rows = columns_of(_SETTLE, *columns)
    for v in rows:
        v["writer"] = writer
    up = match_guarded(t, now, rows)
    moved = {order["id"]: order["fence"] for _, order in up}
    settled = [(v, a) for v in rows if v["state"] != "LIVE" and joins(v, moved) and (a := _attempt_of(t, v))]
    for v, attempt in settled:
        _check_settling(t, v, attempt)
    guarded_update(t, now, terminal, rows)
    for v, attempt in settled:
        if moved[v["id"]] != v["fence"]:
            t.stale_writes.append(f"{v['id']} attempt {v['state']} by fence {v['fence']}, not {moved[v['id']]}")
        attempt |= {name: v[name] for name in ("state", "slot", "output_amount", "error", "evidence")}
        attempt["settled_at"] = now
    return _result(now, up)


def _attempt_of(t: Tables, v: Row) -> Row | None:
    attempt = t.signatures.get(v["signature"])
    return attempt if attempt is not None and attempt["order_id"] == v["id"] else None


def _check_settling(t: Tables, v: Row, attempt: Row) -> None:
    if (v["state"] == "EXPIRED") != (v["evidence"] is not None):
        raise asyncpg.CheckViolationError("tx_attempts_proof_check")
    others = [other for other in t.attempts[v["id"]] if other is not attempt]
    if holds_the_order(v) and any(holds_the_order(other) for other in others):
        raise asyncpg.UniqueViolationError("tx_attempts_one_per_order_idx")


_LIVE = ("order_id", "venue", "signature", "raw", "message_sha256", "blockhash", "last_valid_block_height")


@statement("live_attempts")
def live_attempts(t: Tables, now: datetime, ids: Sequence[UUID]) -> list[Row]:
    """Read live attempts."""
    own = [a for order_id in dict.fromkeys(ids) for a in t.attempts.get(order_id, ()) if a["state"] == "LIVE"]
    return [{name: a[name] for name in _LIVE} | {"left_s": _left_s(t.orders[a["order_id"]], now)} for a in own]


def _left_s(order: Row, now: datetime) -> float | None:
    return None if order["expires_at"] is None else (order["expires_at"] - now).total_seconds()
