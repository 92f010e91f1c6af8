"""I1: what was accepted exists, once. I6: every history is legal. I9: every order ends."""

from collections import Counter, defaultdict
from typing import Any

from swaprail.domain.lifecycle import TERMINAL, Status, is_legal_history


async def check_orders(connection: Any, accepted: list[str]) -> list[str]:
    rows = await connection.fetch(
        "select id::text, status, queued_at is null as waits from orders where id = any($1::uuid[])", accepted
    )
    found = {row["id"]: row for row in rows}
    lost = [f"I1 {order_id} was accepted and is lost" for order_id in accepted if order_id not in found]
    doubled = [f"I1 {order_id} was given to {times} requests" for order_id, times in _repeated(accepted)]
    # What nobody asked to execute waits for as long as its owner likes.
    return lost + doubled + [f"I9 {i} is {r['status']}" for i, r in found.items() if not r["waits"] and _open(r)]


async def check_histories(connection: Any) -> list[str]:
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


def _repeated(ids: list[str]) -> list[tuple[str, int]]:
    return [(order_id, times) for order_id, times in Counter(ids).items() if times > 1]


def _open(row: Any) -> bool:
    return Status(row["status"]) not in TERMINAL
