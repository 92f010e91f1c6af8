"""When what was held back is written, and when its delay is observed."""

import asyncio

import pytest

from swaprail_notifier import metrics
from swaprail_notifier import turn_end as module
from swaprail_notifier.turn_end import TurnEnd, observe_push


class Follower:
    """Counts how often it was written to."""

    def __init__(self) -> None:
        self.flushed = 0

    def flush(self) -> None:
        self.flushed += 1


async def test_followers_are_flushed_once_a_turn() -> None:
    end, first, second = TurnEnd(), Follower(), Follower()
    for turn in range(1, 4):
        end.add(first)
        end.add(second)
        await asyncio.sleep(0)
        assert (first.flushed, second.flushed) == (turn, turn)


async def test_delay_of_a_step_is_observed_when_its_followers_were_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(module, "observe_push", lambda at_ms: seen.append(f"step of {at_ms}"))
    end, follower = TurnEnd(), Follower()
    end.told(1)
    end.add(follower)
    end.told(2)
    assert seen == ["step of 1"]
    await asyncio.sleep(0)
    assert (follower.flushed, seen) == (1, ["step of 1", "step of 2"])


@pytest.mark.parametrize(("late_ms", "observed_s"), [(1_500, 1.5), (-3, 0.0)])
def test_the_delay_is_in_seconds_and_never_below_zero_when_it_is_observed(
    monkeypatch: pytest.MonkeyPatch, late_ms: int, observed_s: float
) -> None:
    monkeypatch.setattr(module, "database_time", lambda: 1_000.0)
    before = metrics.PUSH_DELAY._sum.get()
    observe_push(1_000_000 - late_ms)
    assert metrics.PUSH_DELAY._sum.get() - before == pytest.approx(observed_s)
