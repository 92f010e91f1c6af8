"""The log of one order: whom it tells, what counts as told, and when nobody wants it any more."""

from uuid import UUID

import pytest
from services.notifier.tests.sinks import Sink

from swaprail_notifier.metrics import SENT_STATUS
from swaprail_notifier.order_log import OrderLog, Step, Told, frame_of

ID = UUID(int=7)


class Audience(Sink):
    """Tells so many sinks each frame."""

    def __init__(self, sinks: int) -> None:
        super().__init__()
        self.sinks = sinks

    def tell(self, log: OrderLog, frame: bytes) -> int:
        self.write(frame)
        return self.sinks


def step(seq: int, status: str = "ROUTING") -> Step:
    return Step(seq, status, 1_000 + seq, b"{}")


def frames(*seqs: int) -> list[bytes]:
    return [frame_of(ID, step(seq)) for seq in seqs]


def sent() -> float:
    return float(SENT_STATUS._value.get())


@pytest.fixture
def told_at() -> list[int]:
    return []


@pytest.fixture
def log(told_at: list[int]) -> OrderLog:
    return OrderLog(ID, "local", told_at.append)


@pytest.mark.parametrize(("followers", "audience"), [(0, None), (0, 0), (2, None), (2, 0), (0, 3), (2, 3)])
def test_a_step_counts_once_for_each_sink_and_its_time_only_when_somebody_was_told(
    log: OrderLog, told_at: list[int], followers: int, audience: int | None
) -> None:
    for _ in range(followers):
        log.follow(Sink(), 0)
    log.audience = None if audience is None else Audience(audience)
    before, told = sent(), followers + (audience or 0)
    log.append(step(1))
    assert sent() - before == told
    assert told_at == ([1_001] if told else [])


def test_a_follower_gets_what_it_has_not_got_and_then_each_step_when_it_joins_late(log: OrderLog) -> None:
    for seq in (1, 2, 3):
        log.append(step(seq))
    late, whole, current = Sink(), Sink(), Sink()
    before = sent()
    for sink, after in ((late, 2), (whole, 0), (current, 3)):
        log.follow(sink, after)
    assert sent() - before == 4
    log.append(step(4))
    assert (late.frames, whole.frames) == (frames(3, 4), [b"".join(frames(1, 2, 3)), *frames(4)])
    assert current.frames == frames(4)


def test_a_follower_is_told_nothing_twice_when_it_was_further_at_another_replica(log: OrderLog) -> None:
    one, other, gone = Sink(), Sink(), Sink()
    for sink, after in ((one, 1), (other, 2), (gone, 2)):
        log.follow(sink, after)
    log.leave(gone)
    for seq in (1, 2, 3):
        log.append(step(seq))
    assert (one.frames, other.frames, gone.frames) == (frames(2, 3), frames(3), [])


def test_the_log_says_what_was_told_last(log: OrderLog) -> None:
    assert (log.seq, log.told, log.closed) == (0, Told(ID), False)
    log.append(step(1))
    assert (log.seq, log.told, log.closed) == (1, Told(ID, 1, "ROUTING", 1_001), False)
    log.append(step(2, "FAILED"))
    assert (log.seq, log.told, log.closed) == (2, Told(ID, 2, "FAILED", 1_002), True)


def test_the_log_is_wanted_as_long_as_anybody_follows_or_is_about_to(log: OrderLog) -> None:
    sink, wanted = Sink(), [log.wanted]
    for after in (0, 5):
        log.follow(sink, after)
        wanted.append(log.wanted)
        log.leave(sink)
        wanted.append(log.wanted)
    for change in (1, -1):
        log.pins += change
        wanted.append(log.wanted)
    log.audience = Audience(0)
    assert (wanted, log.wanted) == ([False, True, False, True, False, True, False], True)


def test_everybody_restarts_and_is_told_no_more_when_the_log_begins_anew(log: OrderLog) -> None:
    follower, ahead, audience = Sink(), Sink(), Audience(1)
    log.append(step(1))
    log.follow(follower, 1)
    log.follow(ahead, 2)
    log.audience = audience
    log.restart()
    assert (log.seq, log.told) == (0, Told(ID))
    for seq in (1, 2, 3):
        log.append(step(seq))
    assert [each.restarted for each in (follower, ahead, audience)] == [1, 1, 1]
    assert (follower.frames, ahead.frames, audience.frames) == ([], [], frames(1, 2, 3))
