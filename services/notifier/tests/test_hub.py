"""Any interleaving of topic events (late, lost, repeated) and reads of the table tells each follower 1..n once."""

from uuid import UUID

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from swaprail.messages.topics import OrderEvent
from swaprail_notifier.hub import Hub
from swaprail_notifier.order_log import Step
from swaprail_notifier.wallet_log import ID_SLACK_MS, WalletKey

BORN_MS = 1_800_000_000_000
STATUSES = ["PENDING", "ROUTING", "BUILDING", "FAILED"]
KEY = WalletKey("acme", "w1")


def order_id(number: int) -> UUID:
    return UUID(int=((BORN_MS + number) << 80) | number)


def event_of(number: int, seq: int) -> OrderEvent:
    return OrderEvent(order_id(number), seq, STATUSES[seq - 1], BORN_MS + seq, KEY.account, KEY.wallet)


def step_of(seq: int) -> Step:
    return Step(seq, STATUSES[seq - 1], BORN_MS + seq, b"{}")


class Paper:
    """A sink that keeps what was written, and can be full."""

    def __init__(self) -> None:
        self.paused = False
        self.text = b""

    def write(self, data: bytes) -> None:
        self.text += data

    def seqs(self, number: int) -> list[int]:
        mine = []
        rest = self.text
        while rest:
            assert rest[0] == 0x81
            short = rest[1] < 126
            size, at = (rest[1], 2) if short else (int.from_bytes(rest[2:4]), 4)
            message = msgspec.json.decode(rest[at : at + size])
            if message["orderId"] == str(order_id(number)):
                mine.append(message["seq"])
            rest = rest[at + size :]
        return mine


class Table:
    """What is committed: the truth that reads see."""

    def __init__(self, orders: int) -> None:
        self.seqs = dict.fromkeys(range(orders), 0)

    def news(self, number: int, after: int) -> list[Step]:
        return [step_of(seq) for seq in range(after + 1, self.seqs[number] + 1)]


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, int, int]]:
    """Acts in a random order: commits, deliveries of any committed event, comparisons, joins, pauses."""
    acts = st.sampled_from(["commit", "commit", "commit", "tell", "tell", "tell", "read", "join", "leave", "pause"])
    return draw(st.lists(st.tuples(acts, st.integers(0, 2), st.integers(0, 10)), min_size=20, max_size=120))


@settings(max_examples=250, deadline=None)
@given(histories())
def test_every_order_follower_sees_each_step_once_in_order_when_events_are_late_lost_or_repeated(  # noqa: C901
    acts: list[tuple[str, int, int]],
) -> None:
    hub, table = Hub(), Table(3)
    followers: list[tuple[int, int, Paper]] = []
    for act, number, choice in acts:
        if act == "commit":
            table.seqs[number] = min(table.seqs[number] + 1, len(STATUSES))
        elif act == "tell" and table.seqs[number]:
            hub.take(event_of(number, 1 + choice % table.seqs[number]))
        elif act == "read":
            for log in list(hub.orders.values()):
                hub.merge(log.id, table.news(log.id.int & 0xFF, log.seq))
        elif act == "join" and table.seqs[number]:
            log = hub.pin_order(order_id(number))
            paper, after = Paper(), choice % (table.seqs[number] + 1)
            log.follow(paper, after)
            hub.unpin_order(log)
            followers.append((number, after, paper))
        elif act == "leave" and followers:
            left, _, paper = followers.pop(choice % len(followers))
            hub.leave_order(hub.orders[order_id(left)], paper)
    for log in list(hub.orders.values()):
        hub.merge(log.id, table.news(log.id.int & 0xFF, log.seq))
    for number, after, paper in followers:
        assert paper.seqs(number) == list(range(after + 1, table.seqs[number] + 1))
    for number, _, paper in followers:
        hub.leave_order(hub.orders[order_id(number)], paper)
    assert not hub.orders
    assert not hub.gaps


@settings(max_examples=250, deadline=None)
@given(histories())
def test_every_wallet_follower_sees_each_step_once_in_order_when_events_are_late_lost_or_repeated(  # noqa: C901
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
        elif act == "read":
            compare(hub, table)
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
    compare(hub, table)
    for paper in papers:
        paper.paused = False
        hub.wallets[KEY].followers[paper].pump()
    for number, seq in table.seqs.items():
        assert papers[0].seqs(number) == list(range(1, seq + 1))
        for late in papers[1:]:
            # Whole, or not at all: the order was closed before.
            assert late.seqs(number) in ([], list(range(1, seq + 1)))
            assert late.seqs(number) or seq in (0, len(STATUSES))


def compare(hub: Hub, table: Table) -> None:
    """Do what the comparison does, with this table."""
    wallet = hub.wallets[KEY]
    for number, seq in table.seqs.items():
        if seq and not wallet.knows(order_id(number)):
            hub.adopt(wallet, order_id(number))
    for log in list(hub.orders.values()):
        hub.merge(log.id, table.news(log.id.int & 0xFF, log.seq))


def test_hub_asks_for_the_table_when_a_step_is_missing() -> None:
    hub, asked = Hub(), []
    hub.on_gap = lambda: asked.append(True)
    log = hub.pin_order(order_id(1))
    hub.take(event_of(1, 1))
    assert not asked
    hub.take(event_of(1, 3))
    assert asked
    assert list(hub.gaps) == [order_id(1)]
    hub.take(event_of(1, 2))
    assert not hub.gaps
    assert log.seq == 3


def test_orders_of_others_are_not_kept_when_nobody_follows_them() -> None:
    hub = Hub()
    hub.take(event_of(1, 1))
    assert not hub.orders


def test_wallet_follower_is_told_at_once_when_the_new_order_is_followed_by_itself_already() -> None:
    hub, alone, whole = Hub(), Paper(), Paper()
    wallet = hub.pin_wallet(KEY)
    hub.load_wallet(wallet, [], [], BORN_MS)
    wallet.follow(whole)
    log = hub.pin_order(order_id(1))
    hub.merge(log.id, [step_of(1)])
    log.follow(alone, 0)
    hub.take(event_of(1, 2))
    assert alone.seqs(1) == [1, 2]
    assert whole.seqs(1) == [1, 2]


def test_order_is_kept_for_its_own_follower_when_the_last_wallet_follower_leaves() -> None:
    hub, alone, whole = Hub(), Paper(), Paper()
    wallet = hub.pin_wallet(KEY)
    hub.load_wallet(wallet, [order_id(1)], [], BORN_MS)
    wallet.follow(whole)
    hub.unpin_wallet(wallet)
    log = hub.pin_order(order_id(1))
    log.follow(alone, 0)
    hub.unpin_order(log)
    hub.leave_wallet(wallet, whole)
    hub.take(event_of(1, 1))
    assert alone.seqs(1) == [1]
    assert whole.text == b""
    hub.leave_order(log, alone)
    assert not hub.orders
    assert not hub.wallets
