"""What a careful client knows of its orders, and what every answer must therefore be."""

from dataclasses import dataclass, field
from typing import Any

from tests.invariants import Receipt

TERMINAL = {"CONFIRMED", "FAILED", "CANCELLED", "EXPIRED"}


@dataclass
class Known:
    """An order as far as its owner was told."""

    id: str
    wallet: str
    queued: bool
    tiny: bool = False
    cancelled: bool = False
    seq: int = 1
    status: str = "PENDING"

    @property
    def waits(self) -> bool:
        """Whether it stays PENDING until its owner does something."""
        return not self.queued and not self.cancelled

    @property
    def end(self) -> str:
        """How it must end: nothing reverts here, and only what no venue can swap is given up."""
        return "CANCELLED" if self.cancelled else "FAILED" if self.tiny else "CONFIRMED"

    def see(self, seq: int, status: str) -> None:
        """Take a reading; time runs one way, and an end is the end."""
        assert seq >= self.seq, f"{self.id} went back from step {self.seq} to {seq}"
        assert seq != self.seq or status == self.status, f"{self.id} step {seq} was {self.status} and is {status}"
        assert self.status not in TERMINAL or seq == self.seq, f"{self.id} went on after {self.status}"
        assert not self.waits or status == "PENDING", f"{self.id} is {status}, and nobody asked for it"
        assert not self.cancelled or status == "CANCELLED", f"{self.id} was taken back and is {status}"
        self.seq, self.status = seq, status


@dataclass
class Model:
    """Orders by id, and what was posted under which key."""

    orders: dict[str, Known] = field(default_factory=dict)
    receipts: list[Receipt] = field(default_factory=list)

    def accept(self, view: dict[str, Any], wallet: str, *, queued: bool) -> Known:
        """Take an order that was answered for the first time."""
        assert view["orderId"] not in self.orders, f"{view['orderId']} was given twice"
        assert (view["status"], view["seq"], view["userWallet"]) == ("PENDING", 1, wallet)
        assert (view["queuedAt"] is not None) == queued
        known = self.orders[view["orderId"]] = Known(
            view["orderId"], wallet, queued, tiny=view["inputAmountBase"] == "1"
        )
        return known

    def of_wallet(self, wallet: str) -> list[str]:
        """Return the ids of a wallet's orders, newest first as the API lists them."""
        return sorted((known.id for known in self.orders.values() if known.wallet == wallet), reverse=True)
