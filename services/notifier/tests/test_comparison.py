"""What the comparison asks of the table, how far back, and what it does when there is no answer."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from services.notifier.tests.test_hub import BORN_MS, KEY, OTHER, Paper, event_of, order_id, step_of

from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.testing.conditions import until
from swaprail_notifier import comparison as module
from swaprail_notifier import metrics
from swaprail_notifier.comparison import DEEP_EVERY, SHORT_SLACK_MS, Comparison
from swaprail_notifier.history import BornOrders, OrderNews
from swaprail_notifier.hub import Hub
from swaprail_notifier.order_log import Told
from swaprail_notifier.stalls import Stalls, Writing
from swaprail_notifier.wallet_log import ID_SLACK_MS, WalletKey


class ScriptedTable:
    """Stands for the statements: all its orders are of one wallet."""

    def __init__(self) -> None:
        self.now_ms = BORN_MS
        self.failure: Exception | None = None
        self.steps: dict[int, int] = {}  # of the orders, by number
        self.asked: list[list[Told]] = []
        self.since: list[dict[WalletKey, int]] = []
        self.meanwhile: Callable[[], None] = lambda: None

    async def writing(self) -> Writing:
        if self.failure is not None:
            raise self.failure
        return Writing(self.now_ms, None)

    async def news(self, told: Sequence[Told]) -> list[OrderNews]:
        self.asked.append(list(told))
        return [
            OrderNews(each.order_id, KEY, [step_of(seq) for seq in range(each.seq + 1, last + 1)], undone=False)
            for each in told
            if (last := self.steps.get(each.order_id.int & 0xFFFF, 0)) > each.seq
        ]

    async def born_in_wallets(self, since: Sequence[tuple[WalletKey, int]]) -> list[BornOrders]:
        self.since.append(dict(since))
        self.meanwhile()
        born = [order_id(number) for number in self.steps]
        return [BornOrders(born if key == KEY else [], self.now_ms) for key, _ in since]


class Bench:
    """A hub, a table and what compares them."""

    def __init__(self) -> None:
        self.hub, self.table = Hub(), ScriptedTable()
        self.comparison = self.comparing(every_s=60)

    def comparing(self, *, every_s: float) -> Comparison:
        table: Any = self.table
        return Comparison(self.hub, table, Stalls(), interval_s=every_s)

    def follow(self, key: WalletKey = KEY) -> Paper:
        wallet, paper = self.hub.pin_wallet(key), Paper()
        self.hub.load_wallet(wallet, [], [], self.table.now_ms)
        wallet.follow(paper)
        self.hub.unpin_wallet(wallet)
        return paper


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_followers_are_told_new_orders_and_later_steps_when_the_table_is_compared(bench: Bench) -> None:
    paper, alone = bench.follow(), Paper()
    bench.hub.pin_wallet(OTHER)  # not loaded yet
    bench.hub.pin_order(order_id(2)).follow(alone, 0)
    bench.table.steps = {1: 2}
    missed = metrics.MISSED._value.get()
    await bench.comparison.compare()
    assert bench.table.asked == [[Told(order_id(2))], [Told(order_id(1))]]
    assert [list(asked) for asked in bench.table.since] == [[KEY]]
    bench.table.steps = {1: 3, 2: 2}
    await bench.comparison.compare()
    assert (paper.seqs(1), alone.seqs(2)) == ([1, 2, 3], [1, 2])
    # The first two steps of the new order were news of a named one, and not missed.
    assert metrics.MISSED._value.get() - missed == 3


async def test_a_new_order_is_told_once_when_it_is_found_again(bench: Bench) -> None:
    paper = bench.follow()
    bench.table.steps = {1: 4}
    for _ in range(3):
        await bench.comparison.compare()
    assert paper.seqs(1) == [1, 2, 3, 4]
    assert not bench.hub.orders  # it is closed, and nobody follows it by itself


async def test_a_wallet_is_looked_at_from_shortly_before_the_last_look_and_now_and_then_from_its_floor(
    bench: Bench,
) -> None:
    bench.follow()
    looks = 2 * DEEP_EVERY + 4
    for _ in range(looks):
        bench.table.now_ms += 1_000
        await bench.comparison.compare()
    since = [asked[KEY] for asked in bench.table.since]
    shortly = [BORN_MS + 1_000 * look - SHORT_SLACK_MS for look in range(looks)]
    deep = {
        DEEP_EVERY: BORN_MS - ID_SLACK_MS,
        2 * DEEP_EVERY + 1: shortly[DEEP_EVERY + 1] + SHORT_SLACK_MS - ID_SLACK_MS,
    }
    assert since == [deep.get(look, shortly[look]) for look in range(looks)]


async def test_a_wallet_is_not_looked_at_before_its_floor_when_it_was_just_opened(bench: Bench) -> None:
    bench.follow()
    bench.hub.wallets[KEY].raise_floor(BORN_MS + ID_SLACK_MS - 1)
    await bench.comparison.compare()
    assert bench.table.since == [{KEY: BORN_MS - 1}]


async def test_what_is_read_for_a_wallet_is_dropped_when_its_followers_have_changed_meanwhile(bench: Bench) -> None:
    first, wallet = bench.hub.pin_wallet(KEY), bench.hub
    wallet.load_wallet(first, [], [], BORN_MS)

    def reopen() -> None:
        bench.hub.unpin_wallet(first)
        bench.follow()

    bench.table.steps, bench.table.meanwhile = {1: 2}, reopen
    await bench.comparison.compare()
    assert not bench.hub.orders
    assert not first.logs


async def test_orders_and_wallets_are_read_in_parts_when_there_are_many(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 2)
    named = metrics.NAMED._value.get()
    for number in range(5):
        bench.hub.pin_order(order_id(number))
        bench.follow(WalletKey("acme", f"w{number}"))
        bench.hub.take(event_of(number, 1))
    await bench.comparison.read_named()
    assert [len(asked) for asked in bench.table.asked] == [2, 2, 1]
    assert metrics.NAMED._value.get() - named == 5
    await bench.comparison.compare()
    assert [len(asked) for asked in bench.table.asked] == [2, 2, 1, 2, 2, 1]
    assert [len(asked) for asked in bench.table.since] == [2, 2, 1]


async def test_what_an_event_names_is_read_at_once_when_nothing_is_compared_for_long(bench: Bench) -> None:
    paper = bench.follow()
    bench.table.steps = {1: 2, 2: 1}
    await bench.comparison.start()
    bench.hub.take(event_of(1, 2))
    bench.hub.take(event_of(2, 1))
    await until(lambda: paper.seqs(1) == [1, 2])
    assert bench.table.asked == [[Told(order_id(1)), Told(order_id(2))]]  # events that come together share a statement
    await bench.comparison.check()
    await bench.comparison.stop()


@pytest.mark.parametrize("failure", [EngineError(ErrorCode.UNAVAILABLE, "away"), ValueError("unforeseen")])
async def test_it_is_known_and_all_is_looked_at_again_when_the_table_could_not_be_read(
    bench: Bench, failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(
        module, "log", SimpleNamespace(warning=lambda text, **_: said.append(text), exception=said.append)
    )
    bench.follow()
    comparison = bench.comparing(every_s=0.001)
    await comparison.start()
    await until(lambda: len(bench.table.since) > 1)
    await comparison.check()
    assert not said
    bench.table.failure = failure
    await until(lambda: bool(said))
    with pytest.raises(EngineError, match="cannot be compared"):
        await comparison.check()
    bench.table.since.clear()
    bench.table.failure = None
    await until(lambda: len(bench.table.since) > 1)
    await comparison.check()
    await comparison.stop()
    assert bench.table.since[0] == {KEY: BORN_MS - ID_SLACK_MS}
    assert bench.table.since[1] == {KEY: BORN_MS - SHORT_SLACK_MS}


async def test_one_line_is_written_when_the_database_is_away_for_long(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(module, "log", SimpleNamespace(warning=lambda text, **_: said.append(text)))
    looks: list[int] = []

    async def writing() -> Writing:
        looks.append(1)
        raise EngineError(ErrorCode.UNAVAILABLE, "away")

    monkeypatch.setattr(bench.table, "writing", writing)
    comparison = bench.comparing(every_s=0.001)
    await comparison.start()
    await until(lambda: len(looks) > 5)
    await comparison.stop()
    assert said == ["followers wait for the database"]


async def test_the_check_fails_when_the_comparison_was_stopped(bench: Bench) -> None:
    await bench.comparison.check()
    await bench.comparison.start()
    await bench.comparison.stop()
    with pytest.raises(EngineError, match="cannot be compared"):
        await bench.comparison.check()
