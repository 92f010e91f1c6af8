"""Who follows what: takes steps from the topic and the table in any order, and tells each follower 1..n once."""

from collections.abc import Callable, Iterable
from uuid import UUID

from swaprail.messages.topics import OrderEvent
from swaprail_notifier import metrics
from swaprail_notifier.order_log import OrderLog, Sink, Step
from swaprail_notifier.turn_end import observe_push
from swaprail_notifier.wallet_log import PausableSink, WalletKey, WalletLog


class Hub:
    """The followed orders and wallets. It never waits; whoever reads the table does it for the hub."""

    def __init__(self, on_told: Callable[[int], None] = observe_push) -> None:
        """Call on_told with the time of each step, in milliseconds since 1970, that somebody was told."""
        self.orders: dict[UUID, OrderLog] = {}
        self.wallets: dict[WalletKey, WalletLog] = {}
        self.gaps: dict[UUID, OrderLog] = {}
        self.on_gap: Callable[[], None] = lambda: None
        self._on_told = on_told

    def take(self, event: OrderEvent) -> None:
        """Take a step that the topic told."""
        log = self.orders.get(event.order_id)
        if (log is None or log.audience is None) and self.wallets:
            log = self._discover(event, log)
        if log is None:
            return
        if not log.offer(Step(event.seq, event.status, event.at, event.data)):
            self._want(log)
        elif self.gaps:
            self.gaps.pop(event.order_id, None)

    def merge(self, order_id: UUID, steps: Iterable[Step]) -> int:
        """Take steps read from the table, in order; return how many of them were news."""
        log = self.orders.get(order_id)
        if log is None:
            return 0
        before = log.seq
        for step in steps:
            if step.seq > log.seq:
                log.offer(step)
        return log.seq - before

    def pin_order(self, order_id: UUID) -> OrderLog:
        """Return the order's log and keep it until it is unpinned: steps told from now on are not lost."""
        log = self.orders.get(order_id) or self._open(order_id, None)
        log.pins += 1
        return log

    def unpin_order(self, log: OrderLog) -> None:
        """Undo one `pin_order`."""
        log.pins -= 1
        self.release(log)

    def leave_order(self, log: OrderLog, sink: Sink) -> None:
        """Tell the sink no more of the order."""
        log.leave(sink)
        self.release(log)

    def pin_wallet(self, key: WalletKey) -> WalletLog:
        """Return the wallet's log and keep it until it is unpinned: orders told from now on are not lost."""
        wallet = self.wallets.get(key)
        if wallet is None:
            wallet = self.wallets[key] = WalletLog(key)
        wallet.pins += 1
        return wallet

    def load_wallet(self, wallet: WalletLog, opened: Iterable[UUID], closed: Iterable[UUID], database_ms: int) -> None:
        """Take a wallet's open orders, and the closed ones among its latest, as of that time."""
        if wallet.loaded:
            return
        wallet.loaded = True
        wallet.done.update(order_id for order_id in closed if order_id not in wallet.logs)
        wallet.raise_floor(database_ms)
        wallet.compared_ms = database_ms
        for order_id in opened:
            if order_id not in wallet.logs:
                self.adopt(wallet, order_id)

    def adopt(self, wallet: WalletLog, order_id: UUID) -> None:
        """Let the wallet's followers have an order, from its first step."""
        log = self.orders.get(order_id) or self._open(order_id, wallet.key.account)
        wallet.adopt(log)
        if not log.frames:
            self._want(log)

    def unpin_wallet(self, wallet: WalletLog) -> None:
        """Undo one `pin_wallet`."""
        wallet.pins -= 1
        self._release_wallet(wallet)

    def leave_wallet(self, wallet: WalletLog, sink: PausableSink) -> None:
        """Tell the sink no more of the wallet."""
        wallet.followers.pop(sink, None)
        self._release_wallet(wallet)

    def forget_closed(self) -> None:
        """Drop the closed orders that only wallets hold."""
        for wallet in self.wallets.values():
            for log in wallet.take_closed():
                self.release(log)

    def release(self, log: OrderLog) -> None:
        """Drop the order if nobody wants it any more."""
        if log.wanted:
            return
        self.gaps.pop(log.id, None)
        if self.orders.pop(log.id, None) is not None:
            metrics.FOLLOWED.set(len(self.orders))

    def _discover(self, event: OrderEvent, log: OrderLog | None) -> OrderLog | None:
        wallet = self.wallets.get(WalletKey(event.account, event.wallet))
        if wallet is None or wallet.knows(event.order_id):
            return log
        log = log or self._open(event.order_id, event.account)
        wallet.adopt(log)
        return log

    def _open(self, order_id: UUID, account: str | None) -> OrderLog:
        log = self.orders[order_id] = OrderLog(order_id, account, self._on_told)
        metrics.FOLLOWED.set(len(self.orders))
        return log

    def _want(self, log: OrderLog) -> None:
        self.gaps[log.id] = log
        self.on_gap()

    def _release_wallet(self, wallet: WalletLog) -> None:
        if wallet.wanted:
            return
        self.wallets.pop(wallet.key, None)
        logs, wallet.logs = wallet.logs, {}
        for log in logs.values():
            log.audience = None
            self.release(log)
