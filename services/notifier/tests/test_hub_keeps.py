"""What the hub keeps, counts and lets go."""

from uuid import UUID, uuid4

import pytest
from services.notifier.tests.sinks import Sink

from swaprail.messages.topics import OrderEvent
from swaprail_notifier.history import OrderNews
from swaprail_notifier.hub import MAX_CANDIDATES, Hub
from swaprail_notifier.metrics import DUPLICATE, FOLLOWED, UNDONE
from swaprail_notifier.order_log import Step, Told
from swaprail_notifier.wallet_log import ID_SLACK_MS, WalletKey

NOW_MS = 1_800_000_000_000
KEY = WalletKey("local", "w1")


def born(number: int, at_ms: int = NOW_MS) -> UUID:
    return UUID(int=(at_ms << 80) | number)


def event(order_id: UUID, seq: int, key: WalletKey = KEY) -> OrderEvent:
    return OrderEvent(order_id, seq, "ROUTING", NOW_MS, key.account, key.wallet)


def steps(*seqs: int, status: str = "ROUTING") -> list[Step]:
    return [Step(seq, status, NOW_MS, b"{}") for seq in seqs]


class Listening(Hub):
    """A hub that counts how often it asked to be read for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.on_named = self._ask

    def _ask(self) -> None:
        self.asked += 1


@pytest.fixture
def hub() -> Listening:
    return Listening()


def test_orders_are_counted_as_followed_until_nobody_follows_them(hub: Hub) -> None:
    logs = [hub.pin_order(born(number)) for number in (1, 2)]
    assert hub.pin_order(born(1)) is logs[0]
    assert FOLLOWED._value.get() == 2
    sink = Sink()
    logs[1].follow(sink, 0)
    for log in (logs[0], *logs):
        hub.unpin_order(log)
    assert (list(hub.orders), FOLLOWED._value.get()) == ([born(2)], 1)
    hub.leave_order(logs[1], sink)
    hub.release(logs[1])
    assert (hub.orders, FOLLOWED._value.get()) == ({}, 0)


def test_an_order_is_not_read_any_more_when_its_last_follower_left(hub: Listening) -> None:
    log = hub.pin_order(born(1))
    hub.take(event(log.id, 1))
    hub.unpin_order(log)
    assert (hub.asked, hub.take_named(9)) == (1, [])


def test_what_was_told_is_a_duplicate_and_is_not_read_again(hub: Listening) -> None:
    log = hub.pin_order(born(1))
    hub.merge(log.id, steps(1, 2))
    before = DUPLICATE._value.get()
    for seq in (1, 2, 3):
        hub.take(event(log.id, seq))
    assert (DUPLICATE._value.get() - before, hub.asked) == (2, 1)


def test_an_unknown_order_of_a_followed_wallet_is_read_once_and_others_are_not(hub: Listening) -> None:
    wallet = hub.pin_wallet(KEY)
    hub.load_wallet(wallet, [born(1)], [born(2)], NOW_MS)
    hub.take_named(9)
    hub.asked = 0
    strangers = [event(born(3), 1, WalletKey("local", "w2")), event(born(4), 1, WalletKey("acme", "w1"))]
    for each in (event(born(2), 5), event(born(9), 1), event(born(9), 2), *strangers):
        hub.take(each)
    assert hub.take_named(9) == [Told(born(9))]
    assert hub.take_named(9) == []


def test_followed_orders_are_read_before_candidates_and_no_more_than_asked_for(hub: Hub) -> None:
    hub.load_wallet(hub.pin_wallet(KEY), [], [], NOW_MS)
    for number in (1, 2, 3):
        hub.take(event(born(number), 1))
    followed = [hub.pin_order(born(number)) for number in (4, 5)]
    for log in followed:
        hub.take(event(log.id, 1))
    assert hub.take_named(3) == [followed[0].told, followed[1].told, Told(born(1))]
    assert hub.take_named(1) == [Told(born(2))]
    assert hub.take_named(9) == [Told(born(3))]


def test_a_candidate_is_read_as_followed_when_it_gets_a_follower(hub: Hub) -> None:
    hub.load_wallet(hub.pin_wallet(KEY), [], [], NOW_MS)
    hub.take(event(born(1), 1))
    log = hub.pin_order(born(1))
    hub.take(event(born(1), 1))
    hub.take(event(born(1), 2, WalletKey("acme", "w9")))
    assert (list(hub.candidates), list(hub.named)) == ([], [log.id])


def test_no_more_candidates_are_kept_than_fit(hub: Listening) -> None:
    hub.load_wallet(hub.pin_wallet(KEY), [], [], NOW_MS)
    for number in range(MAX_CANDIDATES + 5):
        hub.take(event(born(number), 1))
    assert len(hub.candidates) == hub.asked == MAX_CANDIDATES


def test_steps_behind_a_gap_are_not_told_and_the_order_is_read_again(hub: Listening) -> None:
    log = hub.pin_order(born(1))
    assert hub.merge(log.id, steps(1, 2, 4, 5)) == 2
    assert (log.seq, hub.asked, hub.take_named(9)) == (2, 1, [log.told])
    assert hub.merge(log.id, steps(1, 2, 3)) == 1
    assert hub.merge(uuid4(), steps(1)) == 0


def test_an_order_begins_anew_and_is_counted_and_read_when_what_was_told_is_undone(hub: Listening) -> None:
    log, before = hub.pin_order(born(1)), UNDONE._value.get()
    hub.merge(log.id, steps(1, 2))
    for order_id in (log.id, uuid4()):
        assert hub.take_news(OrderNews(order_id, KEY, steps(1), undone=True)) == 0
    assert (log.seq, UNDONE._value.get() - before, hub.take_named(9)) == (0, 1, [Told(log.id)])
    assert hub.asked == 1


def test_a_wallet_is_loaded_once_and_knows_its_closed_orders(hub: Hub) -> None:
    wallet = hub.pin_wallet(KEY)
    assert hub.pin_wallet(KEY) is wallet
    hub.load_wallet(wallet, [born(1)], [born(2), born(3, NOW_MS - ID_SLACK_MS - 1)], NOW_MS)
    hub.load_wallet(wallet, [born(7)], [born(8)], NOW_MS + 9)
    assert (list(wallet.logs), wallet.done) == ([born(1)], {born(2)})
    assert (wallet.compared_ms, wallet.floor_ms) == (NOW_MS, NOW_MS - ID_SLACK_MS)
    assert wallet.logs[born(1)].account == KEY.account


def test_an_order_that_was_told_before_its_wallet_was_loaded_stays_open(hub: Hub) -> None:
    wallet = hub.pin_wallet(KEY)
    assert hub.take_news(OrderNews(born(1), KEY, steps(1), undone=False)) == 1
    log = hub.orders[born(1)]
    hub.load_wallet(wallet, [born(1), born(2)], [born(1)], NOW_MS)
    assert (wallet.logs[born(1)], wallet.done, list(hub.named)) == (log, set(), [born(2)])
    assert wallet.logs[born(1)].seq == 1


def test_news_of_a_followed_order_reach_its_wallet_as_well_when_the_wallet_does_not_know_it(hub: Hub) -> None:
    wallet, sink = hub.pin_wallet(KEY), Sink()
    wallet.follow(sink)
    log = hub.pin_order(born(1))
    hub.take_news(OrderNews(born(1), KEY, steps(1), undone=False))
    assert (wallet.logs, len(sink.frames)) == ({born(1): log}, 1)
    hub.take_news(OrderNews(born(2), WalletKey("local", "w2"), steps(1), undone=False))
    assert list(hub.orders) == [born(1)]


def test_closed_orders_are_dropped_unless_somebody_follows_them(hub: Hub) -> None:
    wallet = hub.pin_wallet(KEY)
    wallet.follow(Sink())
    hub.load_wallet(wallet, [born(1), born(2), born(3)], [], NOW_MS)
    for number, status in ((1, "CONFIRMED"), (2, "FAILED"), (3, "ROUTING")):
        hub.merge(born(number), steps(1, status=status))
    hub.unpin_wallet(wallet)
    hub.pin_order(born(2))
    hub.forget_closed()
    assert (list(hub.orders), list(wallet.logs)) == ([born(2), born(3)], [born(3)])


def test_a_wallet_and_its_orders_are_dropped_when_its_last_follower_leaves(hub: Hub) -> None:
    wallet, sink = hub.pin_wallet(KEY), Sink()
    hub.load_wallet(wallet, [born(1), born(2)], [], NOW_MS)
    wallet.follow(sink)
    kept = hub.pin_order(born(2))
    hub.unpin_wallet(wallet)
    assert list(hub.wallets) == [KEY]
    hub.leave_wallet(wallet, sink)
    assert (hub.wallets, list(hub.orders), kept.audience, wallet.logs) == ({}, [born(2)], None, {})
