"""The engine's statements, by name, on the virtual tables: each is atomic, and does what its SQL does.

test_store_matches_postgres.py holds every one of them against PostgreSQL.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from tests.simulation.clock import milliseconds
from tests.simulation.tables import EMPTY_ORDER, HOLDS_THE_ORDER, ORDER_COLUMNS, Row, Tables

type Statement = Callable[..., list[Row]]

STATEMENTS: dict[str, Statement] = {}


def statement(name: str) -> Callable[[Statement], Statement]:
    """Register what runs in place of the SQL of that name."""

    def register(run: Statement) -> Statement:
        STATEMENTS[name] = run
        return run

    return register


def _seconds(value: float) -> timedelta:
    return timedelta(seconds=value)


# Transitions.


def guarded_update(t: Tables, now: datetime, terminal: Sequence[str], rows: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Change the orders that still match; return (what was asked, the order). One row of an order wins."""
    matched = match_guarded(t, rows)
    for v, order in matched:
        _move_order(t, now, terminal, v, order)
    return matched


def match_guarded(t: Tables, rows: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Return the rows whose order has the expected status and fence."""
    won: dict[UUID, tuple[Row, Row]] = {}
    for v in rows:
        order = t.orders.get(v["id"])
        if order is not None and order["status"] == v["expected"] and fence_holds(order, v["fence"]):
            won.setdefault(v["id"], (v, order))
    return list(won.values())


def fence_holds(order: Row, fence: int) -> bool:
    """Tell whether whoever has this fence may write; a planted bug replaces it."""
    return bool(order["fence"] == fence)


def _move_order(t: Tables, now: datetime, terminal: Sequence[str], v: Row, order: Row) -> None:
    if order["fence"] != v["fence"]:
        t.stale_writes.append(f"{order['id']} {v['next']} by fence {v['fence']}, the order has {order['fence']}")
    moved = v["next"] != v["expected"]
    order["status"] = v["next"]
    order["seq"] += moved
    order["fence"] += v.get("hand_over", False)
    _lease(now, v, order)
    order["attempts"] += v.get("new_attempts", 0)
    for column in ("routing", "failure", "output_amount"):
        if v.get(column) is not None:
            order[column] = v[column]
    order["reconciling_since"] = (order["reconciling_since"] or now) if v.get("reconciling") else None
    order["closed_at"] = now if v["next"] in terminal else None
    if moved:
        t.add_event(order["id"], order["seq"], v["next"], now, v["data"])


def _lease(now: datetime, v: Row, order: Row) -> None:
    due_in, lease_s = v.get("due_in"), v.get("lease_s")
    if due_in is not None:
        order["lease_owner"] = order["lease_until"] = None
        order["due_at"] = now + _seconds(due_in)
        return
    order["lease_owner"] = v.get("owner") or order["lease_owner"]
    if lease_s is not None:
        order["lease_until"] = now + _seconds(lease_s)


def _result(now: datetime, up: Sequence[tuple[Row, Row]]) -> list[Row]:
    at = milliseconds(now)
    return [{"id": o["id"], "seq": o["seq"], "fence": o["fence"], "at": at} for _, o in up]


def _columns(names: str, *columns: Sequence[Any]) -> list[Row]:
    keys = names.split()
    return [dict(zip(keys, values, strict=True)) for values in zip(*columns, strict=True)]


_MOVE = "id expected fence next data due_in routing failure hand_over"
_SUBMIT = "id expected fence next data attempt signature raw message_sha256 blockhash last_valid venue"
_SETTLE = "id expected fence next data due_in failure output_amount reconciling signature state slot error evidence"


@statement("move")
def move(t: Tables, now: datetime, terminal: Sequence[str], *args: Any) -> list[Row]:
    """Write moves."""
    *columns, handover_s = args
    rows = _columns(_MOVE, *columns)
    for v in rows:
        if v["hand_over"]:
            v |= {"owner": "message", "lease_s": handover_s}
    return _result(now, guarded_update(t, now, terminal, rows))


@statement("submit")
def submit(t: Tables, now: datetime, terminal: Sequence[str], *args: Any) -> list[Row]:
    """Store attempts together with SUBMITTED."""
    *columns, owner, lease_s = args
    rows = _columns(_SUBMIT, *columns)
    for v in rows:
        v |= {"owner": owner, "lease_s": lease_s, "new_attempts": 1}
    up = match_guarded(t, rows)
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
    rows = _columns(_SETTLE, *args)
    up = match_guarded(t, rows)
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
    if v["state"] == "EXPIRED" and v["evidence"] is None:
        raise asyncpg.CheckViolationError("expired_with_proof")
    others = [other for other in t.attempts[v["id"]] if other is not attempt]
    if v["state"] in HOLDS_THE_ORDER and any(other["state"] in HOLDS_THE_ORDER for other in others):
        raise asyncpg.UniqueViolationError("tx_attempts_one_per_order_idx")


_LIVE = ("order_id", "venue", "signature", "raw", "message_sha256", "blockhash", "last_valid_block_height")


@statement("live_attempts")
def live_attempts(t: Tables, now: datetime, ids: Sequence[UUID]) -> list[Row]:
    """Read live attempts."""
    own = [a for order_id in dict.fromkeys(ids) for a in t.attempts.get(order_id, ()) if a["state"] == "LIVE"]
    return [{name: a[name] for name in _LIVE} for a in own]


# Leases.


@statement("lease_scan")
def lease_scan(t: Tables, now: datetime, limit: int, statuses: Sequence[str], owner: str, lease_s: float) -> list[Row]:
    """Lease due orders."""
    found: list[Row] = []
    for order_id in sorted(t.orders):
        order = t.orders[order_id]
        if len(found) < limit and order["status"] in statuses and _is_due(order, now):
            order["fence"] += 1
            order["lease_owner"] = owner
            order["lease_until"] = now + _seconds(lease_s)
            found.append(order | {"step_at": _step_at(t, order)})
    return found


def _is_due(order: Row, now: datetime) -> bool:
    free = order["lease_until"] or order["due_at"]
    return order["queued_at"] is not None and order["closed_at"] is None and free is not None and free <= now


def _step_at(t: Tables, order: Row) -> int | None:
    at = [e["at"] for e in t.events.get(order["id"], ()) if e["seq"] == order["seq"]]
    return milliseconds(at[0]) if at else None


@statement("lease_renew")
def lease_renew(
    t: Tables, now: datetime, ids: Sequence[UUID], fences: Sequence[int], lease_s: float, owner: str
) -> list[Row]:
    """Renew leases."""
    held = _held(t, ids, fences)
    for order in held:
        if order["lease_until"] is not None and order["closed_at"] is None:
            order["lease_owner"], order["lease_until"] = owner, now + _seconds(lease_s)
    return [{"id": order["id"]} for order in held]


@statement("lease_release")
def lease_release(t: Tables, now: datetime, ids: Sequence[UUID], fences: Sequence[int]) -> list[Row]:
    """Give leases back."""
    for order in _held(t, ids, fences):
        if order["closed_at"] is None:
            order["lease_owner"] = order["lease_until"] = None
            order["due_at"] = now
    return []


def _held(t: Tables, ids: Sequence[UUID], fences: Sequence[int]) -> list[Row]:
    pairs = zip(ids, fences, strict=True)
    return [order for i, fence in pairs if (order := t.orders.get(i)) is not None and order["fence"] == fence]


# The API.

_INTAKE = (
    "id account wallet input_mint output_mint input_symbol output_symbol input_decimals output_decimals input_amount "
    "slippage_bps min_output_amount expires_at execute trace key sha"
)


@statement("intake")
def intake(t: Tables, now: datetime, *args: Any) -> list[Row]:
    """Store new orders with their keys."""
    *columns, handover_s = args
    rows = _columns(_INTAKE, *columns)
    taken: dict[tuple[str, str], Row] = {}
    for v in rows:
        name = (v["account"], v["key"])
        if v["key"] is not None and name not in taken and name not in t.keys:
            taken[name] = v
    winners = {v["id"] for v in taken.values()}
    for name, v in taken.items():
        t.keys[name] = {"request_sha256": v["sha"], "order_id": v["id"], "created_at": now}
    stored = [v for v in rows if v["key"] is None or v["id"] in winners]
    for v in stored:
        _store_order(t, now, v, handover_s)
    return [{"id": v["id"], "created_at": now} for v in stored]


def _store_order(t: Tables, now: datetime, v: Row, handover_s: float) -> None:
    execute = v["execute"]
    order = EMPTY_ORDER | {name: v[name] for name in ORDER_COLUMNS if name in v}
    order["input_amount"] = int(v["input_amount"])
    order["min_output_amount"] = None if v["min_output_amount"] is None else int(v["min_output_amount"])
    order |= {"status": "ROUTING" if execute else "PENDING", "seq": 1 + execute, "fence": int(execute)}
    order["created_at"] = now
    if execute:
        order |= {"lease_owner": "message", "lease_until": now + _seconds(handover_s), "queued_at": now}
    t.orders[v["id"]] = order
    t.add_event(v["id"], 1, "PENDING", now)
    if execute:
        t.add_event(v["id"], 2, "ROUTING", now)


@statement("intake_find")
def intake_find(t: Tables, now: datetime, accounts: Sequence[str], keys: Sequence[str]) -> list[Row]:
    """Read what keys were used for."""
    found = []
    for n, name in enumerate(zip(accounts, keys, strict=True), start=1):
        known = t.keys.get(name)
        if known is not None and known["order_id"] in t.orders:
            found.append(t.orders[known["order_id"]] | {"n": n, "request_sha256": known["request_sha256"]})
    return found


@statement("start")
def start(t: Tables, now: datetime, *args: Any) -> list[Row]:
    """Queue stored orders."""
    *columns, handover_s = args
    first: dict[tuple[UUID, str], Row] = {}
    for n, v in enumerate(_columns("id account key sha", *columns), start=1):
        if (v["account"], v["key"]) not in t.keys:
            first.setdefault((v["id"], v["account"]), v | {"n": n})
    won = [v for v in first.values() if _may_start(t.orders.get(v["id"]), v["account"], now)]
    names = [(v["account"], v["key"]) for v in won if v["key"] is not None]
    if len(set(names)) != len(names):
        raise asyncpg.UniqueViolationError("idempotency_keys_pkey")
    return [_start_order(t, now, v, handover_s) for v in won]


def _may_start(order: Row | None, account: str, now: datetime) -> bool:
    return (
        order is not None
        and order["account"] == account
        and order["status"] == "PENDING"
        and order["queued_at"] is None
        and (order["expires_at"] is None or order["expires_at"] > now)
    )


def _start_order(t: Tables, now: datetime, v: Row, handover_s: float) -> Row:
    order = t.orders[v["id"]]
    order |= {"status": "ROUTING", "seq": order["seq"] + 1, "queued_at": now, "fence": order["fence"] + 1}
    order |= {"lease_owner": "message", "lease_until": now + _seconds(handover_s)}
    t.add_event(order["id"], order["seq"], "ROUTING", now)
    if v["key"] is not None:
        known = {"request_sha256": v["sha"], "order_id": v["id"], "created_at": now}
        t.keys[(v["account"], v["key"])] = known
    return order | {"n": v["n"], "key": v["key"], "sha": v["sha"]}


@statement("start_explain")
def start_explain(t: Tables, now: datetime, *columns: Any) -> list[Row]:
    """Read why orders were not queued."""
    found = []
    for n, v in enumerate(_columns("id account key sha", *columns), start=1):
        order = t.orders.get(v["id"])
        if order is None or order["account"] != v["account"]:
            order = dict.fromkeys(ORDER_COLUMNS)
        known = t.keys.get((v["account"], v["key"]))
        found.append(order | {"n": n, "known_sha": known["request_sha256"] if known else None})
    return found


@statement("cancel")
def cancel(
    t: Tables, now: datetime, ids: Sequence[UUID], accounts: Sequence[str], statuses: Sequence[str]
) -> list[Row]:
    """Cancel orders."""
    first: dict[tuple[UUID, str], int] = {}
    for n, name in enumerate(zip(ids, accounts, strict=True), start=1):
        first.setdefault(name, n)
    rows = []
    for (order_id, account), n in first.items():
        order = t.orders.get(order_id)
        if order is None or order["account"] != account or order["status"] not in statuses:
            continue
        was = order["status"]
        order |= {"status": "CANCELLED", "seq": order["seq"] + 1, "fence": order["fence"] + 1, "closed_at": now}
        order |= {"lease_owner": None, "lease_until": None, "due_at": None}
        t.add_event(order_id, order["seq"], "CANCELLED", now)
        rows.append(order | {"n": n, "was": was, "signature": None})
    return rows


@statement("cancel_explain")
def cancel_explain(t: Tables, now: datetime, ids: Sequence[UUID], accounts: Sequence[str]) -> list[Row]:
    """Read why orders were not cancelled."""
    pairs = enumerate(zip(ids, accounts, strict=True), start=1)
    owned = [(n, t.orders[i]) for n, (i, account) in pairs if i in t.orders and t.orders[i]["account"] == account]
    return [{"n": n, "status": order["status"]} for n, order in owned]


# Housekeeping and reads.


@statement("expire_waiting")
def expire_waiting(t: Tables, now: datetime, limit: int) -> list[Row]:
    """Expire orders that waited too long to be executed."""
    due = [
        o
        for o in t.orders.values()
        if o["status"] == "PENDING" and o["closed_at"] is None and o["expires_at"] and o["expires_at"] <= now
    ]
    rows = []
    for order in sorted(due, key=lambda o: o["expires_at"])[:limit]:
        order |= {"status": "EXPIRED", "seq": order["seq"] + 1, "fence": order["fence"] + 1, "closed_at": now}
        t.add_event(order["id"], order["seq"], "EXPIRED", now)
        rows.append(
            {name: order[name] for name in ("id", "seq", "account", "wallet", "trace")} | {"at": milliseconds(now)}
        )
    return rows


@statement("purge_keys")
def purge_keys(t: Tables, now: datetime, days: int) -> list[Row]:
    """Forget old keys."""
    for name in [n for n, known in t.keys.items() if known["created_at"] < now - timedelta(days=days)]:
        del t.keys[name]
    return []


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
def order_news(t: Tables, now: datetime, ids: Sequence[UUID], seqs: Sequence[int]) -> list[Row]:
    """Read later steps."""
    return [
        {"id": order_id, **_step(event)}
        for order_id, seq in sorted(zip(ids, seqs, strict=True))
        if order_id in t.orders and t.orders[order_id]["seq"] > seq
        for event in t.events[order_id]
        if event["seq"] > seq
    ]


def _step(event: Row) -> Row:
    return {"seq": event["seq"], "status": event["status"], "data": event["data"], "at": milliseconds(event["at"])}
