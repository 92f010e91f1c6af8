"""What a soak showed, in numbers: from the database, from who traded, from who broke things."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import asyncpg

from tests.evidence import Figure
from tests.faults.soak.plan import Kind
from tests.faults.soak.saboteur import Done, Saboteur
from tests.faults.soak.traders import Traders

_ORDERS = """
select count(*) as orders, count(*) filter (where status = 'CONFIRMED') as confirmed,
    count(*) filter (where status = 'FAILED') as failed, count(*) filter (where status = 'CANCELLED') as cancelled,
    count(*) filter (where status = 'EXPIRED') as expired, count(*) filter (where attempts > 1) as attempts,
    percentile_cont(array[0.5, 0.99, 1]) within group (order by extract(epoch from closed_at - queued_at)) as ages,
    sum(extract(epoch from closed_at - queued_at)) / extract(epoch from max(closed_at) - min(queued_at)) as open
from orders
"""
# Orders of as many steps were leased as often unless somebody else, or the same worker again, had to take them over.
_RECLAIMED = """
select count(*) from (
    select fence - min(fence) over (partition by status, seq) as more from orders where status in ('CONFIRMED', 'FAILED')
) as leased where more > 0
"""
# What was open when the target died: until the last of these orders had ended.
_RECOVERY = """
select f.n, max(extract(epoch from o.closed_at) - f.at)::float8 as seconds
from unnest($1::float8[]) with ordinality as f(at, n)
join orders o on extract(epoch from o.queued_at) <= f.at and extract(epoch from o.closed_at) > f.at
group by f.n
"""
_LEDGER = "select count(*) as sent, coalesce(sum(receipts), 0)::int as receipts from paper.transactions"


async def read_figures(dsn: str, traders: Traders, saboteur: Saboteur) -> dict[str, Figure]:
    connection = await asyncpg.connect(dsn)
    try:
        orders = await connection.fetchrow(_ORDERS)
        reclaimed = await connection.fetchval(_RECLAIMED)
        ledger = await connection.fetchrow(_LEDGER)
        slowest = await _slowest_recovery(connection, saboteur.done)
    finally:
        await connection.close()
    assert orders is not None
    assert ledger is not None
    return (
        {"orders": orders["orders"]}
        | {f"orders {name}": orders[name] for name in ("confirmed", "failed", "cancelled", "expired")}
        | {f"orders {name}": count for name, count in traders.kinds.items()}
        | {kind.value: count for kind, count in _counted(saboteur.done).items()}
        | {"starts of services after a kill": saboteur.starts, "ends without a kill": len(saboteur.died)}
        | {"orders taken over": reclaimed, "orders of more than one attempt": orders["attempts"]}
        | {"orders open at once, on average": round(orders["open"])}
        | {"transactions": ledger["sent"], "sends that the chain received": ledger["receipts"]}
        | {
            f"from queued to ended, {p}, s": _seconds(v)
            for p, v in zip(("p50", "p99", "longest"), orders["ages"], strict=True)
        }
        | slowest
        | {"WebSocket connections": traders.connections, "orders followed": len(traders.subscribers)}
        | {f"POST answered {code}": count for code, count in traders.answers.items()}
    )


def _counted(done: Sequence[Done]) -> dict[Kind, int]:
    counted = Counter(one.fault.kind for one in done)
    return {kind: counted[kind] for kind in Kind}


async def _slowest_recovery(connection: Any, done: Sequence[Done]) -> dict[str, Figure]:
    rows = await connection.fetch(_RECOVERY, [one.began for one in done])
    slowest: dict[Kind, float] = {}
    for row in rows:
        kind = done[row["n"] - 1].fault.kind
        slowest[kind] = max(slowest.get(kind, 0.0), row["seconds"])
    return {f"until all orders open then had ended, {kind}, s": _seconds(s) for kind, s in slowest.items()}


def _seconds(value: float) -> float:
    return round(float(value), 2)
