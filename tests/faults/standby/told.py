"""What the engine has told anybody, to be held against what the tables say after a promotion."""

from collections import defaultdict
from typing import Any

from tests.system.subscribers import TERMINAL

_ORDERS = "select id::text, status, seq from orders where id = any($1::uuid[])"
_STEPS = "select order_id::text as id, seq, status from order_events where order_id = any($1::uuid[])"
_SWAPPED = """
select t.order_id::text as id, count(*) as times, bool_and(a.signature is not null) as stored
from paper.transactions t left join tx_attempts a on a.signature = t.signature and a.order_id = t.order_id
where t.lands_at is not null and t.error is null group by t.order_id
"""


class Told:
    """Answers of the API, and steps that sockets and reads showed."""

    def __init__(self) -> None:
        self.stored: set[str] = set()  # 201 or 202
        self.ended: dict[str, str] = {}  # told to be CANCELLED, CONFIRMED, …
        self.steps: dict[str, dict[int, str]] = defaultdict(dict)

    def status(self, order_id: str, seq: int | None, status: str) -> None:
        """Remember a status that was told; seq where it was told too."""
        self.stored.add(order_id)
        if seq is not None:
            self.steps[order_id][seq] = status
        if status in TERMINAL:
            self.ended[order_id] = status

    async def differences(self, primary: Any) -> list[str]:
        """Return what was told and is not so."""
        # As it is now: more may be told while the tables are read.
        ids, ended = sorted(self.stored), dict(self.ended)
        told = [(i, seq, status) for i, own in self.steps.items() for seq, status in own.items()]
        orders = {row["id"]: row["status"] for row in await primary.fetch(_ORDERS, ids)}
        steps = {(row["id"], row["seq"]): row["status"] for row in await primary.fetch(_STEPS, ids)}
        lost = [f"lost: {i}, told as stored" for i in ids if i not in orders]
        undone = [f"undone: {i} was told {s} and is {orders.get(i)}" for i, s in ended.items() if orders.get(i) != s]
        moved = [
            f"moved: {i} step {seq} was told {status} and is {steps.get((i, seq))}"
            for i, seq, status in told
            if i in orders and steps.get((i, seq)) != status
        ]
        return lost + undone + moved + await _swapped(primary)


async def _swapped(primary: Any) -> list[str]:
    """I2 and I4: what was sent is stored, and one of an order's swaps landed, or none."""
    rows = await primary.fetch(_SWAPPED)
    twice = [f"executed {row['times']} times: {row['id']}" for row in rows if row["times"] > 1]
    return twice + [f"sent and forgotten: {row['id']}" for row in rows if not row["stored"]]
