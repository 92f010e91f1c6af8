"""When what was held back is written, and when its delay is observed."""

import asyncio

import pytest

from swaprail_notifier import turn_end as module
from swaprail_notifier.turn_end import TurnEnd


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


class Broken:
    """Cannot be written to."""

    def flush(self) -> None:
        raise RuntimeError("gone")


async def test_others_are_flushed_and_the_failure_reported_when_one_cannot_be_written_to() -> None:
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["exception"]))
    end, first, last = TurnEnd(), Follower(), Follower()
    for each in (first, Broken(), last):
        end.add(each)
    await asyncio.sleep(0)
    assert (first.flushed, last.flushed) == (1, 1)
    assert [str(each) for each in reported] == ["gone"]
    end.add(first)
    await asyncio.sleep(0)
    assert first.flushed == 2


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
