"""Keeps the hub equal to the table: reads what events name at once, and compares everything followed once a second."""

import asyncio
from collections.abc import Awaitable, Sequence
from itertools import batched

from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.telemetry.logging import get_logger
from swaprail_notifier import metrics
from swaprail_notifier.history import BornOrders, History
from swaprail_notifier.hub import Hub
from swaprail_notifier.order_log import Told
from swaprail_notifier.stalls import Stalls
from swaprail_notifier.turns import Turns
from swaprail_notifier.wallet_log import WalletLog

log = get_logger(__name__)

CHUNK = 1_000
SHORT_SLACK_MS = 10_000
DEEP_EVERY = 30


class Comparison:
    """All that followers get comes from the table through this; the topic only makes it soon."""

    def __init__(self, hub: Hub, history: History, stalls: Stalls, *, interval_s: float) -> None:
        self._hub = hub
        self._history = history
        self._stalls = stalls
        self._interval_s = interval_s
        self._named = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._rounds_until_deep = DEEP_EVERY
        self._works = True
        hub.on_named = self._named.set

    async def start(self) -> None:
        """Begin to read and to compare."""
        self._tasks = [
            asyncio.create_task(self._read_forever(), name="reader of named orders"),
            asyncio.create_task(self._compare_forever(), name="comparison"),
        ]

    async def stop(self) -> None:
        """Stop at once."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def check(self) -> None:
        """Raise EngineError unavailable while the table cannot be read."""
        if not self._works or any(task.done() for task in self._tasks):
            raise EngineError(ErrorCode.UNAVAILABLE, "followed orders cannot be compared with the table")

    async def read_named(self) -> None:
        """Read the orders that events named: those named meanwhile share the next statement."""
        while named := self._hub.take_named(CHUNK):
            metrics.NAMED.inc(len(named))
            await self._read(named)

    async def compare(self) -> None:
        """Tell followers what the topic did not."""
        self._stalls.note(await self._history.writing())
        await self._compare_orders()
        await self._compare_wallets()
        self._hub.forget_closed()

    async def _read_forever(self) -> None:
        while True:
            await self._named.wait()
            self._named.clear()
            # This turn lets a whole batch of events gather.
            await asyncio.sleep(0)
            await self._survive(self.read_named())

    async def _compare_forever(self) -> None:
        while True:
            await asyncio.sleep(self._interval_s)
            await self._survive(self.compare())

    async def _survive(self, work: Awaitable[None]) -> None:
        try:
            await work
        except EngineError as error:
            # What was to be read is found again by the next comparison.
            if self._works:
                log.warning("followers wait for the database", detail=error.detail)
            self._works = False
            self._rounds_until_deep = 0
        except Exception:
            log.exception("comparison failed")
            self._works = False
            self._rounds_until_deep = 0
        else:
            self._works = True

    async def _compare_orders(self) -> None:
        # Closed ones as well: what ended an order may be undone like any other step.
        for chunk in batched([log.told for log in self._hub.orders.values()], CHUNK):
            metrics.MISSED.inc(await self._read(chunk))

    async def _read(self, told: Sequence[Told]) -> int:
        turns, found, news = Turns(), 0, await self._history.news(told)
        if undone := [str(order.order_id) for order in news if order.undone]:
            log.error("the database lost steps that were told", orders=len(undone), first=undone[0])
        for order in news:
            found += self._hub.take_news(order)
            await turns.share()
        return found

    async def _compare_wallets(self) -> None:
        deep = self._rounds_until_deep <= 0
        wallets = [wallet for wallet in self._hub.wallets.values() if wallet.loaded]
        for chunk in batched(wallets, CHUNK):
            since = [(wallet.key, _since(wallet, deep=deep)) for wallet in chunk]
            for wallet, born in zip(chunk, await self._history.born_in_wallets(since), strict=True):
                self._take_born(wallet, born, deep=deep)
        self._rounds_until_deep = DEEP_EVERY if deep else self._rounds_until_deep - 1
        await self.read_named()

    def _take_born(self, wallet: WalletLog, born: BornOrders, *, deep: bool) -> None:
        if self._hub.wallets.get(wallet.key) is not wallet:
            return
        for order_id in born.ids:
            if not wallet.knows(order_id):
                self._hub.adopt(wallet, order_id)
        wallet.compared_ms = born.database_ms
        if deep:
            wallet.raise_floor(born.database_ms)


def _since(wallet: WalletLog, *, deep: bool) -> int:
    # Orders are committed some time after the moment in their id: a deep look back catches the latest of them.
    return wallet.floor_ms if deep else max(wallet.floor_ms, wallet.compared_ms - SHORT_SLACK_MS)
