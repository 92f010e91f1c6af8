"""Any interleaving of events (late, lost, repeated, forged) and reads tells each follower 1..n once, as the table has it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from swaprail.messages.topics import OrderEvent
from swaprail_notifier.history import OrderNews
from swaprail_notifier.hub import MAX_CANDIDATES, Hub
from swaprail_notifier.order_log import Step, Told
from swaprail_notifier.wallet_log import ID_SLACK_MS, WalletKey

BORN_MS = 1_800_000_000_000
STATUSES = ["PENDING", "ROUTING", "BUILDING", "FAILED"]
KEY, OTHER = WalletKey("acme", "w1"), WalletKey("evil", "w2")


def order_id(number: int) -> UUID:
    return UUID(int=((BORN_MS + number) << 80) | number)


def event_of(number: int, seq: int, key: WalletKey = KEY) -> OrderEvent:
    return OrderEvent(order_id(number), seq, STATUSES[seq - 1], BORN_MS + seq, key.account, key.wallet)


def forged(number: int, choice: int) -> OrderEvent:
    """Return an event of which nothing but the order is true, if that."""
    key = OTHER if choice % 2 else KEY
    seq = (1, 2, 5, 10**9)[choice % 4]
    return OrderEvent(order_id(number), seq, "CONFIRMED", 1, key.account, key.wallet, msgspec.Raw(b'{"forged":1}'))


def step_of(seq: int) -> Step:
    return Step(seq, STATUSES[seq - 1], BORN_MS + seq, b"{}")


def message_of(number: int, seq: int) -> dict[str, Any]:
    """Return what a client is to be told of the step."""
    at = datetime.fromtimestamp((BORN_MS + seq) / 1000, UTC).isoformat().replace("+00:00", "Z")
    known = {"type": "status", "orderId": str(order_id(number)), "seq": seq, "status": STATUSES[seq - 1]}
    return known | {"timestamp": at, "data": {}}


class Paper:
    """A sink that keeps what was written, and can be full."""

    def __init__(self) -> None:
        self.paused = False
        self.restarted = False
        self.text = b""

    def write(self, data: bytes) -> None:
        self.text += data

    def restart(self) -> None:
        self.restarted = True

    def messages(self, number: int) -> list[dict[str, Any]]:
        mine = []
        rest = self.text
        while rest:
            assert rest[0] == 0x81
            short = rest[1] < 126
            size, at = (rest[1], 2) if short else (int.from_bytes(rest[2:4]), 4)
            message = msgspec.json.decode(rest[at : at + size])
            if message["orderId"] == str(order_id(number)):
                mine.append(message)
            rest = rest[at + size :]
        return mine

    def seqs(self, number: int) -> list[int]:
        """Return the numbers of the order's steps, each of which is as the table has it."""
        mine = self.messages(number)
        assert mine == [message_of(number, message["seq"]) for message in mine]
        return [message["seq"] for message in mine]


class Table:
    """What is committed: the truth that reads see. All orders are of the one wallet, or of another."""

    def __init__(self, orders: int, key: WalletKey = KEY) -> None:
        self.seqs = dict.fromkeys(range(orders), 0)
        self.key = key

    def read(self, hub: Hub, asked: list[Told]) -> None:
        """Tell the hub what it asked."""
        for told in asked:
            seq = self.seqs.get(told.order_id.int & 0xFF, 0)
            if seq != told.seq:
                steps = [step_of(later) for later in range(told.seq + 1, seq + 1)]
                hub.take_news(OrderNews(told.order_id, self.key, steps, undone=seq < told.seq))

    def read_named(self, hub: Hub) -> None:
        """Tell the hub what events named."""
        while asked := hub.take_named(2):
            self.read(hub, asked)

    def compare(self, hub: Hub) -> None:
        """Do what the comparison does."""
        self.read(hub, [log.told for log in hub.orders.values()])
        if wallet := hub.wallets.get(self.key):
            for number, seq in self.seqs.items():
                if seq and not wallet.knows(order_id(number)):
                    hub.adopt(wallet, order_id(number))
        self.read_named(hub)


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, int, int]]:
    """Acts in a random order: commits, events true and forged, reads, comparisons, joins, pauses."""
    often = ["commit", "tell", "read"]
    acts = st.sampled_from([*often, *often, *often, "forge", "compare", "join", "leave", "pause"])
    return draw(st.lists(st.tuples(acts, st.integers(0, 2), st.integers(0, 10)), min_size=20, max_size=120))


@settings(max_examples=250, deadline=None)
@given(histories())
def test_every_order_follower_sees_each_step_once_in_order_when_events_are_late_lost_repeated_or_forged(  # noqa: C901
    acts: list[tuple[str, int, int]],
) -> None:
    hub, table = Hub(), Table(3)
    followers: list[tuple[int, int, Paper]] = []
    for act, number, choice in acts:
        if act == "commit":
            table.seqs[number] = min(table.seqs[number] + 1, len(STATUSES))
        elif act == "tell" and table.seqs[number]:
            hub.take(event_of(number, 1 + choice % table.seqs[number]))
        elif act == "forge":
            hub.take(forged(number, choice))
        elif act == "read":
            table.read_named(hub)
        elif act == "compare":
            table.compare(hub)
        elif act == "join" and table.seqs[number]:
            log = hub.pin_order(order_id(number))
            table.read(hub, [log.told])
            paper, after = Paper(), choice % (table.seqs[number] + 1)
            log.follow(paper, after)
            hub.unpin_order(log)
            followers.append((number, after, paper))
        elif act == "leave" and followers:
            left, _, paper = followers.pop(choice % len(followers))
            hub.leave_order(hub.orders[order_id(left)], paper)
    table.compare(hub)
    for number, after, paper in followers:
        assert paper.seqs(number) == list(range(after + 1, table.seqs[number] + 1))
    for number, _, paper in followers:
        hub.leave_order(hub.orders[order_id(number)], paper)
    assert not hub.orders
    assert not hub.named


@settings(max_examples=250, deadline=None)
@given(histories())
def test_every_wallet_follower_sees_each_step_once_in_order_when_events_are_late_lost_repeated_or_forged(  # noqa: C901
    acts: list[tuple[str, int, int]],
) -> None:
    hub, table = Hub(), Table(3)
    first = hub.pin_wallet(KEY)
    hub.load_wallet(first, [], [], BORN_MS)
    papers = [Paper()]
    first.follow(papers[0])
    hub.unpin_wallet(first)
    for act, number, choice in acts:
        wallet = hub.wallets[KEY]
        if act == "commit":
            table.seqs[number] = min(table.seqs[number] + 1, len(STATUSES))
        elif act == "tell" and table.seqs[number]:
            hub.take(event_of(number, 1 + choice % table.seqs[number]))
        elif act == "forge":
            hub.take(forged(number, choice))
        elif act == "read":
            table.read_named(hub)
        elif act == "compare":
            table.compare(hub)
            if choice > 7:
                # Time passes until every order that was not committed by now can only be younger.
                unborn = min((n for n, seq in table.seqs.items() if not seq), default=len(table.seqs))
                wallet.raise_floor(BORN_MS + unborn + ID_SLACK_MS)
            hub.forget_closed()
        elif act == "pause":
            paper = papers[choice % len(papers)]
            paper.paused = not paper.paused
            if not paper.paused:
                wallet.followers[paper].pump()
        elif act == "join" and len(papers) < 4:
            late = Paper()
            late.paused = choice > 5
            hub.pin_wallet(KEY).follow(late)
            hub.unpin_wallet(wallet)
            papers.append(late)
    table.compare(hub)
    for paper in papers:
        paper.paused = False
        hub.wallets[KEY].followers[paper].pump()
    for number, seq in table.seqs.items():
        assert papers[0].seqs(number) == list(range(1, seq + 1))
        for late in papers[1:]:
            # Whole, or not at all: the order was closed before.
            assert late.seqs(number) in ([], list(range(1, seq + 1)))
            assert late.seqs(number) or seq in (0, len(STATUSES))


def test_hub_asks_for_the_table_when_an_event_names_a_followed_order() -> None:
    hub, asked = Hub(), []
    hub.on_named = lambda: asked.append(True)
    log = hub.pin_order(order_id(1))
    hub.take(event_of(1, 3))
    hub.take(event_of(1, 2))
    assert asked
    assert (hub.take_named(9), hub.take_named(9)) == ([log.told], [])
    hub.merge(log.id, [step_of(1), step_of(2), step_of(3)])
    asked.clear()
    hub.take(event_of(1, 3))
    assert not asked


def test_nothing_is_told_when_only_an_event_says_so() -> None:
    hub, table, paper, whole = Hub(), Table(2), Paper(), Paper()
    wallet = hub.pin_wallet(KEY)
    hub.load_wallet(wallet, [], [], BORN_MS)
    wallet.follow(whole)
    log = hub.pin_order(order_id(1))
    log.follow(paper, 0)
    for choice in range(4):
        hub.take(forged(1, choice))
        hub.take(forged(0, choice))
    table.read_named(hub)
    assert paper.text == whole.text == b""
    table.seqs[1] = 2
    hub.take(event_of(1, 2))
    table.read_named(hub)
    assert paper.seqs(1) == whole.seqs(1) == [1, 2]


def test_order_of_another_wallet_is_not_told_when_an_event_gives_it_to_a_followed_one() -> None:
    hub, theirs, paper = Hub(), Table(2, OTHER), Paper()
    wallet = hub.pin_wallet(KEY)
    hub.load_wallet(wallet, [], [], BORN_MS)
    wallet.follow(paper)
    theirs.seqs[1] = 2
    hub.take(event_of(1, 2, KEY))
    theirs.read_named(hub)
    assert paper.text == b""
    assert not hub.orders


def test_order_has_the_tables_account_when_an_event_gives_another() -> None:
    hub, table = Hub(), Table(2)
    for key in (KEY, OTHER):
        hub.load_wallet(hub.pin_wallet(key), [], [], BORN_MS)
    table.seqs[1] = 2
    hub.take(event_of(1, 2, OTHER))
    table.read_named(hub)
    assert hub.orders[order_id(1)].account == KEY.account
    assert not hub.wallets[OTHER].logs


def test_events_cost_bounded_room_and_followed_orders_are_read_first_when_they_name_orders_without_end() -> None:
    hub = Hub()
    hub.load_wallet(hub.pin_wallet(KEY), [], [], BORN_MS)
    log = hub.pin_order(order_id(MAX_CANDIDATES + 100))
    for number in range(MAX_CANDIDATES + 10):
        hub.take(event_of(number, 1))
    hub.take(event_of(MAX_CANDIDATES + 100, 1))
    assert len(hub.candidates) == MAX_CANDIDATES
    assert hub.take_named(2) == [log.told, Told(order_id(0))]
    assert set(hub.orders) == {log.id}


def test_order_is_read_once_when_it_is_named_as_new_and_then_followed() -> None:
    hub = Hub()
    hub.load_wallet(hub.pin_wallet(KEY), [], [], BORN_MS)
    hub.take(event_of(1, 1))
    log = hub.pin_order(order_id(1))
    hub.take(event_of(1, 2))
    hub.take(event_of(1, 1))
    assert hub.take_named(9) == [log.told]


def test_followers_restart_and_the_order_begins_anew_when_the_table_has_lost_what_was_told() -> None:
    hub, table, alone, ahead, whole = Hub(), Table(2), Paper(), Paper(), Paper()
    wallet = hub.pin_wallet(KEY)
    hub.load_wallet(wallet, [order_id(1)], [], BORN_MS)
    wallet.follow(whole)
    log = hub.pin_order(order_id(1))
    log.follow(alone, 0)
    log.follow(ahead, 9)
    table.seqs[1] = 3
    table.read_named(hub)
    table.seqs[1] = 2
    table.compare(hub)
    assert alone.restarted
    assert ahead.restarted
    assert whole.restarted
    again, wholly = Paper(), Paper()
    log.follow(again, 0)
    wallet.follow(wholly)
    assert again.seqs(1) == wholly.seqs(1) == [1, 2]
    table.seqs[1] = 3
    table.compare(hub)
    assert again.seqs(1) == wholly.seqs(1) == [1, 2, 3]
    assert alone.seqs(1) == whole.seqs(1) == [1, 2, 3]


def test_order_is_read_again_when_it_began_anew_during_a_read() -> None:
    hub = Hub()
    log = hub.pin_order(order_id(1))
    hub.merge(log.id, [step_of(1), step_of(2)])
    asked = log.told
    hub.take_news(OrderNews(log.id, KEY, [], undone=True))
    assert hub.take_named(9) == [Told(log.id)]
    hub.take_news(OrderNews(log.id, KEY, [step_of(asked.seq + 1)], undone=False))
    assert log.seq == 0
    assert hub.take_named(9) == [Told(log.id)]


def test_orders_of_others_are_not_kept_when_nobody_follows_them() -> None:
    hub = Hub()
    hub.take(event_of(1, 1))
    assert not hub.orders
    assert not hub.candidates


def test_wallet_follower_is_told_at_once_when_the_new_order_is_followed_by_itself_already() -> None:
    hub, table, alone, whole = Hub(), Table(3), Paper(), Paper()
    wallet = hub.pin_wallet(KEY)
    hub.load_wallet(wallet, [], [], BORN_MS)
    wallet.follow(whole)
    table.seqs = {1: 2, 2: 1}
    for number in table.seqs:
        log = hub.pin_order(order_id(number))
        hub.merge(log.id, [step_of(1)])
        log.follow(alone, 0)
        hub.take(event_of(number, table.seqs[number]))
    table.read_named(hub)
    for number, seq in table.seqs.items():
        assert alone.seqs(number) == list(range(1, seq + 1))
        assert whole.seqs(number) == list(range(1, seq + 1))


def test_order_is_kept_for_its_own_follower_when_the_last_wallet_follower_leaves() -> None:
    hub, table, alone, whole = Hub(), Table(2), Paper(), Paper()
    wallet = hub.pin_wallet(KEY)
    hub.load_wallet(wallet, [order_id(1)], [], BORN_MS)
    wallet.follow(whole)
    hub.unpin_wallet(wallet)
    log = hub.pin_order(order_id(1))
    log.follow(alone, 0)
    hub.unpin_order(log)
    hub.leave_wallet(wallet, whole)
    table.seqs[1] = 1
    hub.take(event_of(1, 1))
    table.read_named(hub)
    assert alone.seqs(1) == [1]
    assert whole.text == b""
    hub.leave_order(log, alone)
    assert not hub.orders
    assert not hub.wallets
