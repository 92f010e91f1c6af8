"""What the engine has told anybody, to be held against what the tables say after a promotion."""

from collections import defaultdict
from typing import Any

from tests.system.subscribers import TERMINAL

_ORDERS = "select id::text, status, seq from orders where id = any($1::uuid[])"
_STEPS = "select order_id::text as id, seq, status from order_events where order_id = any($1::uuid[])"
_SWAPS = "select signature, order_id::text as id from paper.transactions where lands_at is not null and error is null"
_FORGOTTEN = """
select given.id from unnest($1::text[], $2::text[]) as given(signature, id)
where not exists (select from tx_attempts a where a.signature = given.signature and a.order_id::text = given.id)
"""


class Told:
    """Answers of the API, steps that sockets and reads showed, and swaps that a lost primary's ledger has."""

    def __init__(self) -> None:
        self.stored: set[str] = set()  # 201 or 202
        self.ended: dict[str, str] = {}  # told to be CANCELLED, CONFIRMED, …
        self.steps: dict[str, dict[int, str]] = defaultdict(dict)
        self.swaps: dict[str, str] = {}  # signature: order

    def status(self, order_id: str, seq: int | None, status: str) -> None:
        """Remember a status that was told; seq where it was told too."""
        self.stored.add(order_id)
        if seq is not None:
            self.steps[order_id][seq] = status
        if status in TERMINAL:
            self.ended[order_id] = status

    async def remember_swaps(self, ledger: Any) -> None:
        """Remember what a lost primary's ledger has: the chain would not have forgotten it."""
        self.swaps |= {row["signature"]: row["id"] for row in await ledger.fetch(_SWAPS)}

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
        return lost + undone + moved + await self._swapped(primary)

    async def _swapped(self, primary: Any) -> list[str]:
        """I2 and I4 over every ledger there was."""
        now = {row["signature"]: row["id"] for row in await primary.fetch(_SWAPS)}
        of_order: dict[str, int] = defaultdict(int)
        for order_id in (self.swaps | now).values():
            of_order[order_id] += 1
        twice = [f"executed {times} times: {order_id}" for order_id, times in of_order.items() if times > 1]
        rows = await primary.fetch(_FORGOTTEN, list(self.swaps), list(self.swaps.values()))
        return twice + [f"sent and forgotten: {row['id']}" for row in rows]
