"""The log of one wallet: which orders it knows, what its followers get, and what it lets go."""

from uuid import UUID

import pytest
from services.notifier.tests.sinks import Sink

from swaprail_notifier.metrics import SENT_STATUS
from swaprail_notifier.order_log import OrderLog, Step, frame_of
from swaprail_notifier.wallet_log import ID_SLACK_MS, WalletKey, WalletLog, born_ms

NOW_MS = 1_800_000_000_000


def born(at_ms: int, number: int = 0) -> UUID:
    return UUID(int=(at_ms << 80) | number)


def order(number: int, steps: int = 0, status: str = "ROUTING") -> OrderLog:
    log = OrderLog(born(NOW_MS, number), "local", lambda at: None)
    for seq in range(1, steps + 1):
        log.append(Step(seq, status, 5, b"{}"))
    return log


def frames(log: OrderLog) -> bytes:
    return b"".join(log.frames)


def sent() -> float:
    return float(SENT_STATUS._value.get())


@pytest.fixture
def wallet() -> WalletLog:
    return WalletLog(WalletKey("local", "w1"))


def test_a_follower_gets_the_steps_so_far_of_every_order_and_each_counts(wallet: WalletLog) -> None:
    one, other, unknown = order(1, 2), order(2, 3), order(3)
    for log in (one, other, unknown):
        wallet.adopt(log)
    before, sink = sent(), Sink()
    wallet.follow(sink)
    assert sink.frames == [frames(one), frames(other)]
    assert sent() - before == 5
    before = sent()
    unknown.append(Step(1, "ROUTING", 5, b"{}"))
    assert sink.frames[2:] == [frames(unknown)]
    assert sent() - before == 1


def test_orders_wait_for_a_follower_when_it_has_had_enough(wallet: WalletLog) -> None:
    one, other = order(1, 2), order(2, 1)
    wallet.adopt(one)
    wallet.adopt(other)
    slow = Sink(takes=1)
    follower = wallet.follow(slow)
    assert (slow.frames, list(follower.behind)) == ([frames(one)], [other.id])
    other.append(Step(2, "ROUTING", 5, b"{}"))
    late = order(3, 1)
    wallet.adopt(late)
    assert slow.frames == [frames(one)]
    slow.takes, slow.paused = 9, False
    follower.pump()
    assert (slow.frames, dict(follower.behind)) == ([frames(each) for each in (one, other, late)], {})


def test_a_new_step_counts_for_those_only_who_are_told_it_at_once(wallet: WalletLog) -> None:
    log = order(1, 1)
    wallet.adopt(log)
    quick, slow = Sink(), Sink(takes=0)
    wallet.follow(quick)
    wallet.follow(slow)
    step = Step(2, "ROUTING", 5, b"{}")
    assert wallet.tell(log, frame_of(log.id, step)) == 1
    assert (len(quick.frames), len(slow.frames)) == (2, 0)


def test_an_order_is_told_to_those_who_follow_when_it_is_adopted_later(wallet: WalletLog) -> None:
    sinks = [Sink(), Sink()]
    for sink in sinks:
        wallet.follow(sink)
    log = order(1, 2)
    wallet.adopt(log)
    assert (log.audience, [sink.frames for sink in sinks]) == (wallet, [[frames(log)], [frames(log)]])


def test_an_order_is_known_when_it_is_open_or_done_or_born_before_the_floor(wallet: WalletLog) -> None:
    log, done = order(1), born(NOW_MS, 2)
    wallet.adopt(log)
    wallet.done.add(done)
    wallet.floor_ms = NOW_MS - 5
    assert [wallet.knows(each) for each in (log.id, done, born(NOW_MS, 3))] == [True, True, False]
    assert [wallet.knows(born(wallet.floor_ms + off)) for off in (-1, 0)] == [True, False]
    assert born_ms(done) == NOW_MS


def test_the_floor_only_rises_and_the_done_below_it_are_forgotten(wallet: WalletLog) -> None:
    below, on, above = (born(NOW_MS + off) for off in (-1, 0, 1))
    wallet.done = {below, on, above}
    wallet.raise_floor(NOW_MS + ID_SLACK_MS)
    assert (wallet.floor_ms, wallet.done) == (NOW_MS, {on, above})
    wallet.raise_floor(NOW_MS)
    assert (wallet.floor_ms, wallet.done) == (NOW_MS, {on, above})


def test_closed_orders_are_let_go_when_nobody_is_about_to_follow(wallet: WalletLog) -> None:
    opened, closed = order(1, 1), order(2, 1, "CONFIRMED")
    for log in (opened, closed):
        wallet.adopt(log)
    wallet.pins += 1
    assert wallet.take_closed() == []
    wallet.pins -= 1
    assert wallet.take_closed() == [closed]
    assert (closed.audience, wallet.logs, wallet.done) == (None, {opened.id: opened}, {closed.id})
    assert wallet.knows(closed.id)


def test_the_wallet_is_wanted_as_long_as_anybody_follows_or_is_about_to(wallet: WalletLog) -> None:
    sink, wanted = Sink(), [wallet.wanted]
    for change in (1, -1):
        wallet.pins += change
        wanted.append(wallet.wanted)
    wallet.follow(sink)
    wanted.append(wallet.wanted)
    wallet.restart()
    assert (wanted, wallet.wanted, sink.restarted) == ([False, True, False, True], False, 1)
