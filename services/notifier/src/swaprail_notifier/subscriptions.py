"""What a connection follows: checked before the handshake is answered, begun after it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import batched
from typing import Protocol
from uuid import UUID

from swaprail.db.writer import BatchWriter
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail_notifier import metrics
from swaprail_notifier.history import FoundOrder, History, LaterOrders, LaterPage, OpenOrders
from swaprail_notifier.hub import Hub
from swaprail_notifier.order_log import OrderLog, Step, frame_of
from swaprail_notifier.stalls import Stalls
from swaprail_notifier.wallet_log import PausableSink, WalletFollower, WalletKey, WalletLog

_LEAST_ID = UUID(int=0)
CLOSED_TOGETHER = 100  # orders read at once
WALLETS_TOGETHER = 64
PAGES_TOGETHER = 16

type Orders = BatchWriter[UUID, FoundOrder | None]
type Pages = BatchWriter[LaterPage, LaterOrders]


class Listener(PausableSink, Protocol):
    """A sink that can be waited for."""

    async def writable(self) -> None:
        """Return when the sink takes more, or is gone."""
        ...


class Subscription(Protocol):
    """One thing that one connection follows."""

    async def begin(self, sink: Listener) -> None:
        """Write the history, then every new step; EngineError when the history cannot be read."""
        ...

    def resume(self) -> None:
        """Write more of the history: the sink takes it again."""
        ...

    def end(self) -> None:
        """Write no more."""
        ...


class OrderSubscription:
    """Follows one order."""

    def __init__(self, hub: Hub, log: OrderLog, after: int) -> None:
        """Take over one pin of the log."""
        self._hub = hub
        self._log = log
        self._after = after
        self._sink: Listener | None = None
        self._ended = False

    async def begin(self, sink: Listener) -> None:
        """Write the steps after `after`, then every new one."""
        if not self._ended:
            self._sink = sink
            self._log.follow(sink, self._after)
            self._hub.unpin_order(self._log)

    def resume(self) -> None:
        """There is no more history than was written at the begin."""

    def end(self) -> None:
        """Write no more."""
        if self._ended:
            return
        self._ended = True
        if self._sink is None:
            self._hub.unpin_order(self._log)
        else:
            self._hub.leave_order(self._log, self._sink)


class WalletSubscription:
    """Follows all orders of a wallet."""

    def __init__(self, hub: Hub, wallet: WalletLog, since_ms: int | None, pages: Pages, orders: Orders) -> None:
        """Take over one pin of the wallet; since_ms: from what time on closed orders are told as well."""
        self._hub = hub
        self._wallet = wallet
        self._since_ms = since_ms
        self._pages = pages
        self._orders = orders
        self._sink: Listener | None = None
        self._follower: WalletFollower | None = None
        self._ended = False

    async def begin(self, sink: Listener) -> None:
        """Write the orders closed since then, the open orders, both whole, then every new step."""
        if self._since_ms is not None:
            await self._write_closed(sink, self._since_ms)
        if not self._ended:
            self._sink = sink
            self._follower = self._wallet.follow(sink)
            self._hub.unpin_wallet(self._wallet)

    def resume(self) -> None:
        """Write more of the open orders' steps."""
        if self._follower is not None:
            self._follower.pump()

    def end(self) -> None:
        """Write no more."""
        if self._ended:
            return
        self._ended = True
        if self._sink is None:
            self._hub.unpin_wallet(self._wallet)
        else:
            self._hub.leave_wallet(self._wallet, self._sink)

    async def _write_closed(self, sink: Listener, since_ms: int) -> None:
        # Whole and in the order of closing: the last time that the client saw is then enough to go on from,
        # wherever it is cut, also in the middle of this.
        after = datetime.fromtimestamp(since_ms / 1000, UTC)
        page: LaterPage | None = LaterPage(self._wallet.key, after, _LEAST_ID)
        while page is not None and not self._ended:
            later = await self._pages.submit(page)
            for ids in batched(later.ids, CLOSED_TOGETHER):
                await self._write_orders(sink, ids)
            page = later.following

    async def _write_orders(self, sink: Listener, ids: Sequence[UUID]) -> None:
        for order_id, order in zip(ids, await self._orders.submit_group(ids), strict=True):
            await sink.writable()
            if order is not None:
                self._write_order(sink, order_id, order.steps)

    def _write_order(self, sink: Listener, order_id: UUID, steps: list[Step]) -> None:
        # An order in memory is told whole when following begins; one unknown so far, when it is discovered.
        if self._ended or order_id in self._wallet.logs or not self._wallet.knows(order_id):
            return
        sink.write(b"".join(frame_of(order_id, step) for step in steps))
        metrics.SENT_STATUS.inc(len(steps))


class Subscriptions:
    """Opens subscriptions; the reads of many connections become one statement."""

    def __init__(self, hub: Hub, history: History, stalls: Stalls) -> None:
        self._hub = hub
        self._stalls = stalls
        self._orders: Orders = BatchWriter(history.orders, name="order_history")
        self._wallets: BatchWriter[WalletKey, OpenOrders] = BatchWriter(
            history.open_in_wallets, name="wallet orders", max_rows=WALLETS_TOGETHER
        )
        self._pages: Pages = BatchWriter(history.later_in_wallets, name="wallet history", max_rows=PAGES_TOGETHER)

    async def start(self) -> None:
        """Take subscriptions."""
        for reader in self._readers():
            await reader.start()

    async def stop(self) -> None:
        """Finish the reads under way and take no more."""
        for reader in self._readers():
            await reader.stop()

    async def order(self, account: str, order_id: UUID, after: int) -> OrderSubscription:
        """Return a subscription of the account's order; EngineError order_not_found, also for another's."""
        log = self._hub.pin_order(order_id)
        try:
            if log.account is None or not log.frames:
                await self._read_order(log)
            if log.account != account:
                raise EngineError(ErrorCode.ORDER_NOT_FOUND, "no such order")
        except BaseException:
            self._hub.unpin_order(log)
            raise
        return OrderSubscription(self._hub, log, after)

    async def wallet(self, account: str, name: str, after_ms: int | None) -> WalletSubscription:
        """Return a subscription of the account's wallet; unknown ones are followed like any other."""
        wallet = self._hub.pin_wallet(WalletKey(account, name))
        try:
            if not wallet.loaded:
                found = await self._wallets.submit(wallet.key)
                self._hub.load_wallet(wallet, found.opened, found.closed, found.database_ms)
        except BaseException:
            self._hub.unpin_wallet(wallet)
            raise
        since_ms = None if after_ms is None else self._stalls.earliest_ms(after_ms)
        return WalletSubscription(self._hub, wallet, since_ms, self._pages, self._orders)

    async def _read_order(self, log: OrderLog) -> None:
        found = await self._orders.submit(log.id)
        if found is None:
            raise EngineError(ErrorCode.ORDER_NOT_FOUND, "no such order")
        log.account = found.account
        self._hub.merge(log.id, found.steps)

    def _readers(self) -> Sequence[Orders | BatchWriter[WalletKey, OpenOrders] | Pages]:
        return self._orders, self._wallets, self._pages
