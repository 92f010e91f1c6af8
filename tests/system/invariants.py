"""What must hold after every whole-system test. The judge of "executed" is the chain's ledger, never the order table."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import asyncpg

from swaprail.domain.lifecycle import TERMINAL, Status, is_legal_history


async def check_invariants(dsn: str, accepted: Iterable[str], subscribers: Iterable[Any] = ()) -> None:
    """Raise AssertionError naming every order that breaks an invariant."""
    connection = await asyncpg.connect(dsn)
    try:
        broken = [
            *await _accepted_orders_exist_and_ended(connection, list(accepted)),
            *await _ledger_agrees(connection),
            *await _histories_are_legal(connection),
            *await _attempts_are_stored_and_single(connection),
            *await _nothing_is_held(connection),
            *_subscribers_saw_everything(await _seqs(connection), subscribers),
        ]
    finally:
        await connection.close()
    assert not broken, f"{len(broken)} broken invariants: {broken[:10]}"


async def _accepted_orders_exist_and_ended(connection: Any, accepted: list[str]) -> list[str]:
    rows = await connection.fetch("select id::text, status from orders where id = any($1::uuid[])", accepted)
    found = {row["id"]: row["status"] for row in rows}
    lost = [f"I1 {order_id} was accepted and is lost" for order_id in accepted if order_id not in found]
    doubled = [f"I1 {len(accepted) - len(set(accepted))} ids twice"] if len(set(accepted)) != len(accepted) else []
    return lost + doubled + [f"I9 {i} is {s}" for i, s in found.items() if Status(s) not in TERMINAL]


async def _ledger_agrees(connection: Any) -> list[str]:
    rows = await connection.fetch(
        """
        select o.id::text, o.status, o.output_amount, count(t.signature) as landed, max(t.output_amount) as output
        from orders o left join paper.transactions t
            on t.order_id = o.id and t.lands_at <= now() and t.error is null
        group by o.id
        """
    )
    broken = [f"I2 {r['id']} executed {r['landed']} times" for r in rows if r["landed"] > 1]
    broken += [
        f"I3 {r['id']} is {r['status']} and landed {r['landed']} times"
        for r in rows
        if (r["status"] == "CONFIRMED") != (r["landed"] == 1)
    ]
    broken += [f"I13 {r['id']} amounts differ" for r in rows if r["landed"] == 1 and r["output"] != r["output_amount"]]
    strays = await connection.fetchval(
        "select count(*) from paper.transactions t where not exists (select from orders o where o.id = t.order_id)"
    )
    return broken + ([f"I1 {strays} executed transactions of no order"] if strays else [])


async def _histories_are_legal(connection: Any) -> list[str]:
    rows = await connection.fetch("select order_id::text as id, seq, status from order_events order by order_id, seq")
    histories: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        histories[row["id"]].append(row)
    broken = []
    for order_id, events in histories.items():
        if [e["seq"] for e in events] != list(range(1, len(events) + 1)):
            broken.append(f"I6 {order_id} has gaps")
        if not is_legal_history([Status(e["status"]) for e in events]):
            broken.append(f"I6 {order_id} went {[e['status'] for e in events]}")
    ends = await connection.fetch(
        """select o.id::text from orders o left join lateral (
               select status, seq from order_events e where e.order_id = o.id order by seq desc limit 1) e on true
           where e.status is distinct from o.status or e.seq is distinct from o.seq"""
    )
    return broken + [f"I6 {row['id']} differs from its last event" for row in ends]


async def _attempts_are_stored_and_single(connection: Any) -> list[str]:
    unstored = await connection.fetch(
        """select t.signature, t.order_id::text from paper.transactions t
           where not exists (select from tx_attempts a where a.signature = t.signature
               and a.order_id = t.order_id and a.created_at <= t.received_at)"""
    )
    unproven = await connection.fetch(
        """select a.order_id::text as id, a.attempt from tx_attempts a join tx_attempts b
               on b.order_id = a.order_id and b.attempt > a.attempt where a.evidence is null"""
    )
    live = await connection.fetch(
        "select a.order_id::text as id from tx_attempts a join orders o on o.id = a.order_id "
        "where a.state = 'LIVE' and o.closed_at is not null"
    )
    return (
        [f"I4 {row['order_id']} sent before it was stored" for row in unstored]
        + [f"I5 {row['id']} attempt {row['attempt']} replaced without proof" for row in unproven]
        + [f"I5 {row['id']} closed with a live attempt" for row in live]
    )


async def _nothing_is_held(connection: Any) -> list[str]:
    held = await connection.fetch(
        "select id::text, status from orders where closed_at is not null and lease_until is not null"
    )
    return [f"I10 {row['id']} is closed and leased" for row in held]


async def _seqs(connection: Any) -> dict[str, int]:
    return {row["id"]: row["seq"] for row in await connection.fetch("select id::text, seq from orders")}


def _subscribers_saw_everything(seqs: dict[str, int], subscribers: Iterable[Any]) -> list[str]:
    return [
        f"I7 {s.order_id} saw {s.seqs} of 1..{seqs.get(s.order_id)}"
        for s in subscribers
        if s.seqs != list(range(1, seqs.get(s.order_id, 0) + 1))
    ]
