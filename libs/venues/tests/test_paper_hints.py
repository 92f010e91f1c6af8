import asyncio
import time

from swaprail_venues.paper.hints import FIRST_RETRY_S, LandingHints


async def took(hints: LandingHints, signature: str, longest: float) -> float:
    started = time.monotonic()
    async with asyncio.timeout(5):
        await hints.wait(signature, longest)
    return time.monotonic() - started


async def test_wait_ends_when_the_landing_is_due() -> None:
    hints, started = LandingHints(), time.monotonic()
    hints.expect("a", 0.0503)
    await took(hints, "a", 3)
    assert 0.0503 <= time.monotonic() - started < 1


async def test_wait_ends_at_once_when_the_landing_is_past_due() -> None:
    hints = LandingHints()
    hints.expect("a", 0)
    assert await took(hints, "a", 3) < 0.01


async def test_waits_grow_when_the_landing_is_still_not_seen() -> None:
    hints = LandingHints()
    started = time.monotonic()
    hints.expect("a", 0)
    # Each wait ends at a time that is so much after the one before, however late the loop was in between.
    for since_start in (0, FIRST_RETRY_S, 3 * FIRST_RETRY_S, 7 * FIRST_RETRY_S):
        await took(hints, "a", 3)
        assert time.monotonic() - started >= since_start * 0.9


async def test_wait_ends_after_the_longest_when_nothing_is_known() -> None:
    hints = LandingHints()
    hints.expect("far", 60)
    hints.expect("seen", 0)
    hints.forget("seen")
    for signature in ("never sent", "far", "seen"):
        assert 0.015 <= await took(hints, signature, 0.02) < 1
