"""Who follows what: hears from the topic which orders to read, and tells each follower 1..n once, as the table has it."""

from collections.abc import Callable, Iterable
from itertools import islice
from uuid import UUID

from swaprail.messages.topics import OrderEvent
from swaprail_notifier import metrics
from swaprail_notifier.history import OrderNews
from swaprail_notifier.order_log import OrderLog, Sink, Step, Told
from swaprail_notifier.turn_end import observe_push
from swaprail_notifier.wallet_log import PausableSink, WalletKey, WalletLog

MAX_CANDIDATES = 10_000


class Hub:
    """The followed orders and wallets. It never waits; whoever reads the table does it for the hub."""

    def __init__(self, on_told: Callable[[int], None] = observe_push) -> None:
        """Call on_told with the time of each step, in milliseconds since 1970, that somebody was told."""
        self.orders: dict[UUID, OrderLog] = {}
        self.wallets: dict[WalletKey, WalletLog] = {}
        self.named: dict[UUID, OrderLog] = {}
        self.candidates: dict[UUID, None] = {}
        self.on_named: Callable[[], None] = lambda: None
        self._on_told = on_told

    def take(self, event: OrderEvent) -> None:
        """Take an event as a hint, whatever it says: the order it names is to be read, if it seems to have followers."""
        log = self.orders.get(event.order_id)
        if log is not None:
            if event.seq > log.seq:
                self._name(log)
                return
            metrics.DUPLICATE.inc()
        if log is None or log.audience is None:
            self._name_candidate(event)

    def take_named(self, limit: int) -> list[Told]:
        """Return the orders that are to be read, followed ones first, and forget that they were named."""
        followed = [self.named.pop(order_id).told for order_id in list(islice(self.named, limit))]
        candidates = list(islice(self.candidates, limit - len(followed)))
        for order_id in candidates:
            del self.candidates[order_id]
        return [*followed, *map(Told, candidates)]

    def take_news(self, news: OrderNews) -> int:
        """Take what the table has of an order beyond what was told; return how many steps followers were told."""
        if news.undone:
            self._begin_anew(news.order_id)
            return 0
        self._discover(news)
        return self.merge(news.order_id, news.steps)

    def merge(self, order_id: UUID, steps: Iterable[Step]) -> int:
        """Take steps read from the table, in order; return how many of them were news."""
        log = self.orders.get(order_id)
        if log is None:
            return 0
        before = log.seq
        for step in steps:
            if step.seq == log.seq + 1:
                log.append(step)
            elif step.seq > log.seq:
                # The log was begun anew while these were read.
                self._name(log)
                break
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
            self._name(log)

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
        self.named.pop(log.id, None)
        if self.orders.pop(log.id, None) is not None:
            metrics.FOLLOWED.set(len(self.orders))

    def _name_candidate(self, event: OrderEvent) -> None:
        wallet = self.wallets.get(WalletKey(event.account, event.wallet))
        if wallet is None or wallet.knows(event.order_id) or event.order_id in self.named:
            return
        # What does not fit is found by the comparison.
        if len(self.candidates) < MAX_CANDIDATES:
            self.candidates[event.order_id] = None
            self.on_named()

    def _discover(self, news: OrderNews) -> None:
        log, wallet = self.orders.get(news.order_id), self.wallets.get(news.key)
        if wallet is not None and not wallet.knows(news.order_id):
            wallet.adopt(log or self._open(news.order_id, news.key.account))

    def _begin_anew(self, order_id: UUID) -> None:
        log = self.orders.get(order_id)
        if log is not None:
            metrics.UNDONE.inc()
            log.restart()
            self._name(log)

    def _open(self, order_id: UUID, account: str | None) -> OrderLog:
        log = self.orders[order_id] = OrderLog(order_id, account, self._on_told)
        metrics.FOLLOWED.set(len(self.orders))
        return log

    def _name(self, log: OrderLog) -> None:
        self.candidates.pop(log.id, None)
        self.named[log.id] = log
        self.on_named()

    def _release_wallet(self, wallet: WalletLog) -> None:
        if wallet.wanted:
            return
        self.wallets.pop(wallet.key, None)
        logs, wallet.logs = wallet.logs, {}
        for log in logs.values():
            log.audience = None
            self.release(log)
