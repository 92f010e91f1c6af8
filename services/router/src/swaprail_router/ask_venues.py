"""Ask all venues at once for a quote, with a deadline."""

import asyncio
import time
from collections.abc import Callable, Sequence

import msgspec
import structlog
from msgspec import structs

from swaprail.domain.quotes import Quote, QuoteRequest, QuoteResult
from swaprail.ports.venues import Venue, VenueError
from swaprail.telemetry.tracing import child_span
from swaprail_router.circuit_breaker import CircuitBreaker
from swaprail_router.venue_limits import VenueLimit

log = structlog.get_logger()

LATE = "late"
CIRCUIT_OPEN = "circuit_open"
RATE_LIMITED = "rate_limited"
ERROR = "error"
QUOTED = "quoted"

# Every result there is, the reasons of VenueError included: what metrics may name.
RESULTS = (QUOTED, LATE, CIRCUIT_OPEN, RATE_LIMITED, ERROR, "unavailable", "no_pool", "rejected")

# Told of every venue asked or skipped: its name, "quoted" or the reason there is no quote, and the seconds it took.
type Observe = Callable[[str, str, float], None]


class GuardedVenue(msgspec.Struct, frozen=True):
    """A venue with its circuit breaker and, if it has one, its rate limit."""

    venue: Venue
    breaker: CircuitBreaker
    limit: VenueLimit | None = None


async def ask_venues(
    request: QuoteRequest, venues: Sequence[GuardedVenue], *, deadline_s: float, observe: Observe
) -> list[QuoteResult]:
    """Return one result per venue, in the order given, after at most deadline_s seconds.

    A venue without a quote has a reason in `discarded`: late, circuit_open, rate_limited, error, or the VenueError's.
    """
    started = time.perf_counter()
    loop = asyncio.get_running_loop()
    # Started eagerly: a venue that need not wait has answered before the next one is asked, without a task switch.
    tasks = [asyncio.Task(_ask(guarded, request), loop=loop, eager_start=True) for guarded in venues]
    try:
        if pending := [task for task in tasks if not task.done()]:
            await asyncio.wait(pending, timeout=deadline_s)
        results = [
            task.result() if task.done() else _give_up(guarded, task, deadline_s)
            for guarded, task in zip(venues, tasks, strict=True)
        ]
    finally:
        for task in tasks:
            if not task.cancelling():
                task.cancel()
    for result in results:
        seconds = result.quote.duration_ms / 1000 if result.quote else time.perf_counter() - started
        observe(result.venue, result.discarded or QUOTED, seconds)
    return results


async def _ask(guarded: GuardedVenue, request: QuoteRequest) -> QuoteResult:
    name = guarded.venue.name
    if guarded.limit is not None and not await guarded.limit.take():
        return QuoteResult(name, discarded=RATE_LIMITED)
    breaker = guarded.breaker
    if not breaker.enter():
        return QuoteResult(name, discarded=CIRCUIT_OPEN)
    started = time.perf_counter()
    try:
        with child_span(f"quote {name}", venue=name):
            quote: Quote = await guarded.venue.quote(request)
    except asyncio.CancelledError as cancelled:
        (breaker.failed if cancelled.args == (LATE,) else breaker.abandoned)()
        raise
    except VenueError as error:
        # A venue that says no for good reason works; one that says "not now" may be about to break.
        (breaker.failed if error.retryable else breaker.succeeded)()
        log.debug("venue gave no quote", venue=name, reason=error.reason, detail=str(error))
        return QuoteResult(name, discarded=error.reason, detail=str(error))
    except Exception as error:
        breaker.failed()
        log.exception("venue adapter failed", venue=name)
        return QuoteResult(name, discarded=ERROR, detail=type(error).__name__)
    breaker.succeeded()
    return QuoteResult(name, structs.replace(quote, duration_ms=round((time.perf_counter() - started) * 1000, 3)))


def _give_up(guarded: GuardedVenue, task: asyncio.Task[QuoteResult], deadline_s: float) -> QuoteResult:
    task.cancel(LATE)
    return QuoteResult(guarded.venue.name, discarded=LATE, detail=f"no answer within {deadline_s:g} s")
