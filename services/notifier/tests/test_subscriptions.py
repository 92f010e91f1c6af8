"""What a connection is told when it begins to follow, what is read for it, and what is left when it ends."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from services.notifier.tests.test_hub import BORN_MS, KEY, Paper, order_id, step_of

from swaprail.domain.errors import EngineError, ErrorCode
from swaprail_notifier import metrics
from swaprail_notifier import subscriptions as module
from swaprail_notifier.history import FoundOrder, LaterOrders, LaterPage, OpenOrders
from swaprail_notifier.hub import Hub
from swaprail_notifier.order_log import Step
from swaprail_notifier.stalls import AFTER_OVERLAP_MS, Stalls
from swaprail_notifier.subscriptions import Subscriptions
from swaprail_notifier.wallet_log import WalletKey

LATER_MS = BORN_MS + 1_000_000  # all orders of the tests are known by then


class ScriptedTable:
    """Stands for the statements."""

    def __init__(self) -> None:
        self.found: dict[UUID, FoundOrder] = {}
        self.opened: list[UUID] = []
        self.closed: list[list[UUID]] = []  # pages of them
        self.orders_read: list[Sequence[UUID]] = []
        self.wallets_read: list[Sequence[WalletKey]] = []
        self.pages_read: list[LaterPage] = []
        self.fails = False

    def store(self, number: int, steps: int) -> UUID:
        key = order_id(number)
        self.found[key] = FoundOrder(KEY.account, [step_of(seq) for seq in range(1, steps + 1)])
        return key

    async def orders(self, ids: Sequence[UUID]) -> list[FoundOrder | None]:
        self.orders_read.append(ids)
        self._answer()
        return [self.found.get(each) for each in ids]

    async def open_in_wallets(self, keys: Sequence[WalletKey]) -> list[OpenOrders]:
        self.wallets_read.append(keys)
        self._answer()
        return [OpenOrders(self.opened, [], LATER_MS) for _ in keys]

    async def later_in_wallets(self, pages: Sequence[LaterPage]) -> list[LaterOrders]:
        self.pages_read += pages
        (page,) = pages
        ids, *rest = self.closed
        self.closed = rest
        return [LaterOrders(ids, LaterPage(page.key, page.closed_at, ids[-1]) if rest else None)]

    def _answer(self) -> None:
        if self.fails:
            raise EngineError(ErrorCode.UNAVAILABLE, "away")


class Reader(Paper):
    """A sink that says when it is asked whether it takes more."""

    def __init__(self, on_wait: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.waits = 0
        self._on_wait = on_wait

    async def writable(self) -> None:
        self.waits += 1
        self._on_wait()


class Bench:
    def __init__(self) -> None:
        self.hub, self.table = Hub(), ScriptedTable()
        table: Any = self.table
        self.subscriptions = Subscriptions(self.hub, table, Stalls())

    @property
    def holds_nothing(self) -> bool:
        return not self.hub.orders and not self.hub.wallets

    def append(self, number: int, seq: int) -> None:
        self.hub.orders[order_id(number)].append(step_of(seq))


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    await bench.subscriptions.start()
    yield bench
    await bench.subscriptions.stop()


async def test_an_order_is_told_from_the_step_after_the_given_one_until_the_subscription_ends(bench: Bench) -> None:
    bench.table.store(1, 3)
    subscription, reader = await bench.subscriptions.order("acme", order_id(1), 1), Reader()
    await subscription.begin(reader)
    subscription.resume()
    bench.append(1, 4)
    assert reader.seqs(1) == [2, 3, 4]
    subscription.end()
    subscription.end()
    assert bench.holds_nothing


async def test_an_order_is_read_once_when_it_has_followers_already(bench: Bench) -> None:
    bench.table.store(1, 3)
    for _ in range(2):
        await (await bench.subscriptions.order("acme", order_id(1), 0)).begin(Reader())
    assert bench.table.orders_read == [(order_id(1),)]


@pytest.mark.parametrize(("account", "steps"), [(None, 1), ("acme", 0)])
async def test_an_order_is_read_when_only_a_part_of_it_is_in_memory(
    bench: Bench, account: str | None, steps: int
) -> None:
    bench.table.store(1, 3)
    log = bench.hub.pin_order(order_id(1))
    log.account = account
    for seq in range(1, steps + 1):
        log.append(step_of(seq))
    reader = Reader()
    await (await bench.subscriptions.order("acme", order_id(1), 0)).begin(reader)
    assert reader.seqs(1) == [1, 2, 3]


@pytest.mark.parametrize("stored", [True, False])
async def test_an_order_is_not_found_when_it_is_another_accounts_or_none(bench: Bench, stored: bool) -> None:
    if stored:
        bench.table.store(1, 3)
    with pytest.raises(EngineError) as caught:
        await bench.subscriptions.order("evil", order_id(1), 0)
    assert caught.value.code is ErrorCode.ORDER_NOT_FOUND
    assert bench.holds_nothing


async def test_nothing_is_held_when_the_table_cannot_be_read(bench: Bench) -> None:
    bench.table.fails = True
    with pytest.raises(EngineError, match="away"):
        await bench.subscriptions.order("acme", order_id(1), 0)
    with pytest.raises(EngineError, match="away"):
        await bench.subscriptions.wallet(*KEY, None)
    assert bench.holds_nothing


async def test_nothing_is_told_or_held_when_a_subscription_ends_before_it_begins(bench: Bench) -> None:
    bench.table.opened = [bench.table.store(1, 3)]
    order, wallet = (
        await bench.subscriptions.order("acme", order_id(1), 0),
        await bench.subscriptions.wallet(*KEY, None),
    )
    for subscription in (order, wallet):
        subscription.end()
        subscription.end()
        reader = Reader()
        await subscription.begin(reader)
        subscription.resume()
        assert reader.text == b""
    assert bench.holds_nothing


async def test_a_wallet_is_read_once_and_each_follower_told_its_open_orders_when_many_follow(bench: Bench) -> None:
    bench.table.opened = [bench.table.store(1, 0)]
    readers = [Reader(), Reader()]
    subscriptions = [await bench.subscriptions.wallet(*KEY, None) for _ in readers]
    bench.append(1, 1)
    for subscription, reader in zip(subscriptions, readers, strict=True):
        await subscription.begin(reader)
    bench.append(1, 2)
    assert [reader.seqs(1) for reader in readers] == [[1, 2], [1, 2]]
    assert (bench.table.wallets_read, bench.table.pages_read) == ([(KEY,)], [])
    subscriptions[0].end()
    bench.append(1, 3)
    subscriptions[1].end()
    assert [reader.seqs(1) for reader in readers] == [[1, 2], [1, 2, 3]]
    assert bench.holds_nothing


async def test_the_open_orders_go_on_when_a_full_reader_takes_more_again(bench: Bench) -> None:
    bench.table.opened = [bench.table.store(1, 0)]
    subscription, reader = await bench.subscriptions.wallet(*KEY, None), Reader()
    bench.append(1, 1)
    reader.paused = True
    await subscription.begin(reader)
    assert reader.text == b""
    reader.paused = False
    subscription.resume()
    assert reader.seqs(1) == [1]


async def test_orders_closed_since_are_told_whole_page_by_page_when_a_wallet_is_resumed(bench: Bench) -> None:
    ids = [bench.table.store(number, 4) for number in range(5)]
    bench.table.closed = [ids[:2], ids[2:]]
    sent = metrics.SENT_STATUS._value.get()
    subscription, reader = await bench.subscriptions.wallet(*KEY, LATER_MS), Reader()
    await subscription.begin(reader)
    assert [reader.seqs(number) for number in range(5)] == [[1, 2, 3, 4]] * 5
    assert metrics.SENT_STATUS._value.get() - sent == 20
    since = datetime.fromtimestamp((LATER_MS - AFTER_OVERLAP_MS) / 1000, UTC)
    assert bench.table.pages_read == [LaterPage(KEY, since, UUID(int=0)), LaterPage(KEY, since, ids[1])]
    assert reader.waits == 5


async def test_closed_orders_are_read_in_parts_when_a_page_has_many(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CLOSED_TOGETHER", 2)
    bench.table.closed = [[bench.table.store(number, 4) for number in range(5)]]
    await (await bench.subscriptions.wallet(*KEY, LATER_MS)).begin(Reader())
    assert [len(ids) for ids in bench.table.orders_read] == [2, 2, 1]


async def test_a_closed_order_is_left_out_when_it_is_told_otherwise_or_is_gone(bench: Bench) -> None:
    in_memory, purged, kept = bench.table.store(1, 2), order_id(2), bench.table.store(3, 4)
    unknown = UUID(int=(LATER_MS + 1) << 80)
    bench.table.found[unknown] = FoundOrder(KEY.account, [Step(1, "PENDING", 1, b"{}")])
    bench.table.opened, bench.table.closed = [in_memory], [[in_memory, purged, unknown, kept]]
    subscription, reader = await bench.subscriptions.wallet(*KEY, LATER_MS), Reader()
    bench.append(1, 1)
    await subscription.begin(reader)
    assert (reader.seqs(1), reader.seqs(3)) == ([1], [1, 2, 3, 4])
    assert str(unknown).encode() not in reader.text


async def test_no_more_is_written_or_read_when_the_reader_leaves_in_the_midst_of_the_closed_orders(
    bench: Bench,
) -> None:
    ids = [bench.table.store(number, 4) for number in range(4)]
    bench.table.closed = [ids[:2], ids[2:]]
    subscription = await bench.subscriptions.wallet(*KEY, LATER_MS)
    reader = Reader(lambda: subscription.end() if reader.waits == 2 else None)
    await subscription.begin(reader)
    assert [reader.seqs(number) for number in range(4)] == [[1, 2, 3, 4], [], [], []]
    assert len(bench.table.pages_read) == 1
    assert bench.holds_nothing


async def test_no_subscription_is_taken_when_the_service_stops(bench: Bench) -> None:
    await bench.subscriptions.stop()
    with pytest.raises(EngineError, match="order_history writer is stopped"):
        await bench.subscriptions.order("acme", order_id(1), 0)
    with pytest.raises(EngineError, match="wallet orders writer is stopped"):
        await bench.subscriptions.wallet(*KEY, None)
    await bench.subscriptions.start()
    bench.table.store(1, 1)
    await bench.subscriptions.order("acme", order_id(1), 0)
