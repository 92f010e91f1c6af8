"""When what was held back is written: alone at once, after a long round of writing together with what came meanwhile."""

import asyncio
import time

import pytest

from swaprail_notifier import turn_end as module
from swaprail_notifier.turn_end import MOST_REST_S, TurnEnd


class Follower:
    """Takes a while to be written to."""

    def __init__(self, takes_s: float = 0.0) -> None:
        self.takes_s = takes_s
        self.flushed: list[float] = []

    def flush(self) -> None:
        until = time.thread_time() + self.takes_s
        while time.thread_time() < until:
            pass
        self.flushed.append(time.monotonic())


async def test_step_does_not_wait_when_it_comes_alone() -> None:
    end, follower = TurnEnd(), Follower()
    for round_ in range(1, 4):
        end.add(follower)
        await asyncio.sleep(0)
        assert len(follower.flushed) == round_
        await asyncio.sleep(0.002)


async def test_next_round_waits_when_the_last_one_took_long() -> None:
    end, follower = TurnEnd(), Follower(MOST_REST_S)
    end.add(follower)
    await asyncio.sleep(0)
    end.add(follower)
    await asyncio.sleep(4 * MOST_REST_S)
    assert follower.flushed[1] - follower.flushed[0] >= 1.8 * MOST_REST_S


async def test_delay_of_a_step_is_observed_when_its_followers_were_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(module, "observe_push", lambda at_ms: seen.append(f"step of {at_ms}"))
    end, follower = TurnEnd(), Follower()
    end.told(1)
    end.add(follower)
    end.told(2)
    assert seen == ["step of 1"]
    await asyncio.sleep(0)
    assert (len(follower.flushed), seen) == (1, ["step of 1", "step of 2"])
