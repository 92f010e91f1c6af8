"""The orders of one wallet that somebody follows."""

from collections import deque
from typing import NamedTuple, Protocol
from uuid import UUID

from swaprail_notifier import metrics
from swaprail_notifier.order_log import OrderLog, Sink

# An order is committed at most so long after (or, clocks differing, before) the time in its id.
ID_SLACK_MS = 120_000


class PausableSink(Sink, Protocol):
    """A sink that says when it has had enough for now."""

    paused: bool


class WalletKey(NamedTuple):
    """A wallet of an account."""

    account: str
    wallet: str


def born_ms(order_id: UUID) -> int:
    """Return the time in the order's id, in milliseconds since 1970."""
    return order_id.int >> 80


class WalletFollower:
    """One sink that follows a wallet, and the orders whose steps so far it was not yet told."""

    __slots__ = ("behind", "ready", "sink")

    def __init__(self, sink: PausableSink, logs: dict[UUID, OrderLog]) -> None:
        self.sink = sink
        self.behind: dict[UUID, OrderLog] = dict(logs)
        self.ready = deque(log for log in logs.values() if log.frames)

    def pump(self) -> None:
        """Write the steps so far of one order after the other, as long as the sink takes them."""
        sent = 0
        while self.ready and not self.sink.paused:
            log = self.ready.popleft()
            del self.behind[log.id]
            sent += len(log.frames)
            self.sink.write(b"".join(log.frames))
        if sent:
            metrics.SENT_STATUS.inc(sent)

    def tell(self, log: OrderLog, frame: bytes) -> bool:
        """Write a new frame, unless the order's steps so far are still to be written: they include it then."""
        if not self.behind or log.id not in self.behind:
            self.sink.write(frame)
            return True
        if log.seq == 1:
            self.ready.append(log)
            self.pump()
        return False


class WalletLog:
    """The open orders of a wallet, and which of the closed ones are known.

    Known is an order if it is in `logs` or in `done`, or if its id is older than `floor_ms`.
    So no order enters twice, and none created later is missed.
    """

    __slots__ = ("compared_ms", "done", "floor_ms", "followers", "key", "loaded", "logs", "pins")

    def __init__(self, key: WalletKey) -> None:
        self.key = key
        self.logs: dict[UUID, OrderLog] = {}
        self.done: set[UUID] = set()
        self.followers: dict[PausableSink, WalletFollower] = {}
        self.floor_ms = 0
        self.compared_ms = 0
        self.loaded = False
        self.pins = 0

    @property
    def wanted(self) -> bool:
        """Tell whether anybody follows the wallet, or is about to."""
        return bool(self.followers or self.pins)

    def knows(self, order_id: UUID) -> bool:
        """Tell whether the order was seen before."""
        return order_id in self.logs or order_id in self.done or born_ms(order_id) < self.floor_ms

    def adopt(self, log: OrderLog) -> None:
        """Tell the followers the order's steps from now on, and those so far."""
        self.logs[log.id] = log
        log.audience = self
        if log.frames:
            for follower in self.followers.values():
                follower.behind[log.id] = log
                follower.ready.append(log)
                follower.pump()

    def follow(self, sink: PausableSink) -> WalletFollower:
        """Write all steps of the open orders to the sink, and then each new one."""
        follower = self.followers[sink] = WalletFollower(sink, self.logs)
        follower.pump()
        return follower

    def tell(self, log: OrderLog, frame: bytes) -> int:
        """Write a frame just appended to the log; return to how many sinks."""
        return sum([follower.tell(log, frame) for follower in self.followers.values()])

    def restart(self) -> None:
        """Let every follower connect anew."""
        followers, self.followers = self.followers, {}
        for sink in followers:
            sink.restart()

    def raise_floor(self, database_ms: int) -> None:
        """After all orders since the floor were compared at that time: orders born well before it are known."""
        self.floor_ms = max(self.floor_ms, database_ms - ID_SLACK_MS)
        self.done = {order_id for order_id in self.done if born_ms(order_id) >= self.floor_ms}

    def take_closed(self) -> list[OrderLog]:
        """Remove and return the closed orders; while somebody is about to follow, none: it may need them."""
        if self.pins:
            return []
        closed = [log for log in self.logs.values() if log.closed]
        for log in closed:
            del self.logs[log.id]
            log.audience = None
            self.done.add(log.id)
        return closed
