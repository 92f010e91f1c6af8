"""What the API writes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from tests.simulation.statements.registry import columns_of, seconds, statement
from tests.simulation.tables import EMPTY_ORDER, ORDER_COLUMNS, Row, Tables

_INTAKE = (
    "id account wallet input_mint output_mint input_symbol output_symbol input_decimals output_decimals input_amount "
    "slippage_bps min_output_amount expires_at execute trace key sha batch batch_key batch_sha"
)


@statement("intake")
def intake(t: Tables, now: datetime, *args: Any) -> list[Row]:
    """Store new orders with their keys."""
    *columns, handover_s = args
    rows = columns_of(_INTAKE, *columns)
    opened = _open_batches(t, now, rows)
    taken: dict[tuple[str, str], Row] = {}
    for v in rows:
        name = (v["account"], v["key"])
        if v["key"] is not None and name not in taken and name not in t.keys and v["batch"] in opened | {None}:
            taken[name] = v
    winners = {v["id"] for v in taken.values()}
    for name, v in taken.items():
        t.keys[name] = _key(v["sha"], v["id"], now, of_batch=v["batch"] is not None)
    stored = [v for v in rows if v["key"] is None or v["id"] in winners]
    for v in stored:
        _store_order(t, now, v, handover_s)
    return [{"id": v["id"], "created_at": now} for v in stored]


def _open_batches(t: Tables, now: datetime, rows: list[Row]) -> set[UUID]:
    batches: dict[tuple[str, str, UUID], list[Row]] = {}
    for v in rows:
        if v["batch"] is not None:
            batches.setdefault((v["account"], v["batch_key"], v["batch"]), []).append(v)
    free = [place for place, own in batches.items() if _is_free(t, own)]
    opened: dict[tuple[str, str], UUID] = {}
    for account, key, batch in sorted(free):
        if (account, key) not in t.keys:
            opened.setdefault((account, key), batch)
    for name, batch in opened.items():
        t.keys[name] = _key(batches[*name, batch][0]["batch_sha"], batch, now, of_batch=False)
    return set(opened.values())


def _is_free(t: Tables, batch: list[Row]) -> bool:
    known = [t.keys.get((v["account"], v["key"])) for v in batch]
    pairs = zip(batch, known, strict=True)
    same = [k is not None and k["of_batch"] is None and k["request_sha256"] == v["sha"] for v, k in pairs]
    return not any(known) or all(same)


def _key(sha: bytes, order_id: UUID, now: datetime, *, of_batch: bool | None) -> Row:
    return {"request_sha256": sha, "order_id": order_id, "created_at": now, "of_batch": of_batch}


def _store_order(t: Tables, now: datetime, v: Row, handover_s: float) -> None:
    execute = v["execute"]
    order = EMPTY_ORDER | {name: v[name] for name in ORDER_COLUMNS if name in v}
    order["input_amount"] = int(v["input_amount"])
    order["min_output_amount"] = None if v["min_output_amount"] is None else int(v["min_output_amount"])
    order |= {"status": "ROUTING" if execute else "PENDING", "seq": 1 + execute, "fence": int(execute)}
    order["created_at"] = now
    if execute:
        order |= {"lease_owner": "message", "lease_until": now + seconds(handover_s), "queued_at": now}
    t.orders[v["id"]] = order
    t.add_event(v["id"], 1, "PENDING", now)
    if execute:
        t.add_event(v["id"], 2, "ROUTING", now)


@statement("intake_find")
def intake_find(t: Tables, now: datetime, *columns: Any) -> list[Row]:
    """Read what keys were used for."""
    found = []
    for n, v in enumerate(columns_of("account key batch_key", *columns), start=1):
        known = t.keys.get((v["account"], v["key"]), {})
        batch = t.keys.get((v["account"], v["batch_key"]), {})
        order = t.orders.get(known["order_id"]) if known else None
        told = {"n": n, "batch_sha256": batch.get("request_sha256")}
        found.append(
            (order or dict.fromkeys(ORDER_COLUMNS))
            | told
            | {name: known.get(name) for name in ("request_sha256", "of_batch")}
        )
    return found


@statement("start")
def start(t: Tables, now: datetime, *args: Any) -> list[Row]:
    """Queue stored orders."""
    *columns, handover_s = args
    first: dict[tuple[UUID, str], Row] = {}
    for n, v in enumerate(columns_of("id account key sha", *columns), start=1):
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
    order |= {"lease_owner": "message", "lease_until": now + seconds(handover_s)}
    t.add_event(order["id"], order["seq"], "ROUTING", now)
    if v["key"] is not None:
        t.keys[(v["account"], v["key"])] = _key(v["sha"], v["id"], now, of_batch=None)
    return order | {"n": v["n"], "key": v["key"], "sha": v["sha"]}


@statement("start_explain")
def start_explain(t: Tables, now: datetime, *columns: Any) -> list[Row]:
    """Read why orders were not queued."""
    found = []
    for n, v in enumerate(columns_of("id account key sha", *columns), start=1):
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
