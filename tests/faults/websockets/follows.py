"""What a client saw of an order, or of a wallet, over all its connections; and how it asks for the rest."""

import asyncio
from collections import Counter
from datetime import datetime

import msgspec

from swaprail.domain.lifecycle import TERMINAL, Status
from tests.invariants import compact


class Message(msgspec.Struct, tag_field="type", tag="status", rename="camel"):
    """A message as described; its data are not decoded."""

    order_id: str
    seq: int
    status: Status
    timestamp: datetime
    data: msgspec.Raw


decode = msgspec.json.Decoder(Message).decode


class Told:
    """The messages of one order that one client took: as tests.invariants wants them."""

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        self.messages: list[dict[str, object]] = []

    @property
    def ended(self) -> bool:
        return bool(self.messages) and self.messages[-1]["status"] in TERMINAL

    def add(self, message: Message) -> None:
        self.messages.append(compact(msgspec.structs.asdict(message)))


class OrderFollow(Told):
    """Follows one order by number: whatever comes is kept, so that a repeat or a gap shows."""

    def __init__(self, order_id: str) -> None:
        super().__init__(order_id)
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def path(self) -> str:
        after = self.messages[-1]["seq"] if self.messages else 0
        return f"/ws/orders/{self.order_id}?after={after}"

    def begin(self) -> None:
        """Nothing of a connection is remembered."""

    def take(self, payload: bytes) -> None:
        self.add(decode(payload))
        if self.ended and not self.over.done():
            self.over.set_result(None)

    def told(self) -> list[Told]:
        return [self]


class WalletFollow:
    """Follows a wallet by time: after a reconnect steps may repeat, within a connection they may not."""

    def __init__(self, wallet: str, since_ms: int) -> None:
        self.wallet = wallet
        self.orders: dict[str, Told] = {}
        self.wanted: set[str] | None = None  # None: more orders may come
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()  # looked at, never set
        self.repeats = 0
        self.broken: list[str] = []
        self._after = str(since_ms)
        self._here: Counter[str] = Counter()

    @property
    def path(self) -> str:
        return f"/ws/wallets/{self.wallet}?after={self._after}"

    @property
    def ended(self) -> bool:
        return self.wanted is not None and all(
            order_id in self.orders and self.orders[order_id].ended for order_id in self.wanted
        )

    def begin(self) -> None:
        """A new connection: steps may come again."""
        self._here.clear()

    def take(self, payload: bytes) -> None:
        message = decode(payload)
        order_id, seq = message.order_id, message.seq
        self._after = str(round(message.timestamp.timestamp() * 1000))
        before, told = self._here[order_id], self.orders.setdefault(order_id, Told(order_id))
        if before and seq != before + 1:
            self.broken.append(f"{self.wallet} {order_id}: {seq} after {before} in one connection")
        self._here[order_id] = seq
        if seq <= len(told.messages):
            self.repeats += 1
            return
        if seq > len(told.messages) + 1:
            self.broken.append(f"{self.wallet} {order_id}: {seq} came, {len(told.messages)} was the last step seen")
        told.add(message)

    def told(self) -> list[Told]:
        return list(self.orders.values())


type Follow = OrderFollow | WalletFollow
