import asyncio
from collections.abc import Awaitable, Callable

import pytest

from swaprail.domain.quotes import Quote, QuoteRequest, QuoteResult
from swaprail.ports.venues import VenueError
from swaprail_router.ask_venues import GuardedVenue, ask_venues
from swaprail_router.circuit_breaker import BreakerRules, CircuitBreaker, CircuitState
from swaprail_router.venue_limits import LimitRules, VenueLimit

REQUEST = QuoteRequest("a", "b", 1_000)
RULES = BreakerRules(min_calls=1, failure_ratio=0.5)


class FakeVenue:
    def __init__(self, name: str, answer: Callable[[], Awaitable[int]]) -> None:
        self.name = name
        self._answer = answer
        self.asked = 0

    async def quote(self, request: QuoteRequest) -> Quote:
        self.asked += 1
        return Quote(self.name, request.input_amount, await self._answer(), 25, 0, 1, 0.0)


async def at_once() -> int:
    return 5


async def never() -> int:
    await asyncio.Event().wait()
    return 0


def failing(error: Exception) -> Callable[[], Awaitable[int]]:
    async def fail() -> int:
        raise error

    return fail


def guarded(name: str, answer: Callable[[], Awaitable[int]], limit: VenueLimit | None = None) -> GuardedVenue:
    return GuardedVenue(FakeVenue(name, answer), CircuitBreaker(name, RULES), limit)


async def ask(
    *venues: GuardedVenue, deadline_s: float = 5, seen: list[tuple[str, str]] | None = None
) -> list[QuoteResult]:
    def observe(venue: str, outcome: str, seconds: float) -> None:
        assert seconds >= 0
        if seen is not None:
            seen.append((venue, outcome))

    return await ask_venues(REQUEST, venues, deadline_s=deadline_s, observe=observe)


async def test_venues_are_asked_together_when_each_waits_for_the_other() -> None:
    barrier = asyncio.Barrier(2)

    async def meet() -> int:
        await barrier.wait()
        return 7

    results = await ask(guarded("a", meet), guarded("b", meet))
    assert [(r.venue, r.quote.output_amount if r.quote else None) for r in results] == [("a", 7), ("b", 7)]


async def test_late_venue_is_cancelled_and_told_when_the_deadline_passes() -> None:
    cancelled = asyncio.Event()

    async def slow() -> int:
        try:
            return await never()
        finally:
            cancelled.set()

    seen: list[tuple[str, str]] = []
    late = guarded("slow", slow)
    results = await ask(guarded("quick", at_once), late, deadline_s=0.01, seen=seen)
    assert results[0].quote is not None
    assert (results[1].quote, results[1].discarded) == (None, "late")
    assert seen == [("quick", "quoted"), ("slow", "late")]
    async with asyncio.timeout(1):
        await cancelled.wait()
    await asyncio.sleep(0)
    assert late.breaker.state is CircuitState.OPEN


async def test_answer_is_given_in_time_when_a_venue_ignores_its_cancellation() -> None:
    release = asyncio.Event()

    async def stubborn() -> int:
        try:
            await release.wait()
        except asyncio.CancelledError:
            await release.wait()
        return 1

    async with asyncio.timeout(2):
        results = await ask(guarded("stubborn", stubborn), deadline_s=0.01)
    assert results[0].discarded == "late"
    release.set()


@pytest.mark.parametrize(
    ("error", "reason", "state"),
    [
        (VenueError("unavailable", "503"), "unavailable", CircuitState.OPEN),
        (VenueError("no_pool", retryable=False), "no_pool", CircuitState.CLOSED),
        (RuntimeError("a bug"), "error", CircuitState.OPEN),
    ],
)
async def test_reason_is_kept_when_a_venue_fails(error: Exception, reason: str, state: CircuitState) -> None:
    bad = guarded("bad", failing(error))
    seen: list[tuple[str, str]] = []
    results = await ask(bad, guarded("good", at_once), seen=seen)
    assert [r.discarded for r in results] == [reason, None]
    assert results[0].detail
    assert seen == [("bad", reason), ("good", "quoted")]
    assert bad.breaker.state is state


async def test_venue_is_skipped_when_its_circuit_is_open() -> None:
    bad = guarded("bad", failing(VenueError("unavailable")))
    await ask(bad)
    assert [r.discarded for r in await ask(bad)] == ["circuit_open"]
    assert isinstance(bad.venue, FakeVenue)
    assert bad.venue.asked == 1


async def test_venue_is_skipped_when_its_limit_is_used_up() -> None:
    async def lease(rules: LimitRules) -> tuple[int, float]:
        return 1, 60

    limited = guarded("limited", at_once, VenueLimit("limited", LimitRules(rate_per_s=1), lease))

    async def spent(rules: LimitRules) -> tuple[int, float]:
        return 0, 60

    empty = guarded("empty", at_once, VenueLimit("empty", LimitRules(rate_per_s=1), spent))
    assert [r.discarded for r in await ask(limited, empty)] == [None, "rate_limited"]


async def test_no_venue_is_blamed_when_the_caller_is_cancelled() -> None:
    slow = guarded("slow", never)
    asking = asyncio.create_task(ask(slow))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.sleep(0)
    assert slow.breaker.state is CircuitState.CLOSED
    assert len(asyncio.all_tasks()) == 1


async def test_nothing_waits_for_the_loop_when_all_venues_answer_at_once() -> None:
    turns = 0

    def count() -> None:
        nonlocal turns
        turns += 1

    asyncio.get_running_loop().call_soon(count)
    await ask(guarded("a", at_once), guarded("b", at_once))
    assert turns == 0
