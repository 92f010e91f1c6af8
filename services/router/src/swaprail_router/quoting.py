"""Asks every venue and chooses: what routing an order and answering a quote request share."""

from collections.abc import Sequence
from functools import partial

from swaprail.clock import database_time
from swaprail.domain.errors import ErrorCode
from swaprail.domain.quotes import QuoteRequest, QuoteResult, Routing
from swaprail.telemetry.registry import start_at_zero
from swaprail_router import metrics
from swaprail_router.ask_venues import QUOTED, RESULTS, GuardedVenue, ask_venues
from swaprail_router.choose_route import (
    Discard,
    RouteRules,
    RouteTerms,
    agreed_price,
    choose_route,
    why_no_route,
)
from swaprail_router.circuit_breaker import CircuitBreaker, CircuitState
from swaprail_router.reference_prices import ReferencePrices


class Quoting:
    """All venues behind one question."""

    def __init__(
        self, venues: Sequence[GuardedVenue], rules: RouteRules, prices: ReferencePrices, *, deadline_s: float
    ) -> None:
        self._venues = venues
        self._rules = rules
        self._prices = prices
        self._deadline_s = deadline_s
        for guarded in venues:
            metrics.CIRCUIT_OPEN.labels(guarded.venue.name).set_function(partial(_is_open, guarded.breaker))
        names = [guarded.venue.name for guarded in venues]
        start_at_zero(metrics.QUOTE_REQUESTS, names, RESULTS)
        start_at_zero(metrics.QUOTE_SECONDS, names)
        start_at_zero(metrics.DISCARDED, names, Discard)
        start_at_zero(metrics.SELECTED, names)

    async def route(
        self, request: QuoteRequest, slippage_bps: int, min_output: int | None, *, deadline_s: float | None = None
    ) -> tuple[Routing, ErrorCode]:
        """Return every venue's answer, best first, with the route if there is one, and why there is none otherwise."""
        deadline_s = min(deadline_s or self._deadline_s, self._deadline_s)
        results = await ask_venues(request, self._venues, deadline_s=deadline_s, observe=_observe)
        terms, reference = RouteTerms(slippage_bps, min_output), self._prices.find(request)
        routing = choose_route(request, results, terms, self._rules, reference=reference, now=database_time())
        if (price := agreed_price(routing)) is not None:
            self._prices.keep(request, price)
        _count(routing.quotes)
        return routing, why_no_route(routing)


def _is_open(breaker: CircuitBreaker) -> bool:
    return breaker.state is not CircuitState.CLOSED


def _observe(venue: str, result: str, seconds: float) -> None:
    metrics.QUOTE_REQUESTS.labels(venue, result).inc()
    if result == QUOTED:
        metrics.QUOTE_SECONDS.labels(venue).observe(seconds)


def _count(results: Sequence[QuoteResult]) -> None:
    for result in results:
        if result.quote is not None and result.discarded is not None:
            metrics.DISCARDED.labels(result.venue, result.discarded).inc()
    best, second, *_ = [*(r.quote.net_output for r in results if r.quote and r.discarded is None), 0, 0]
    if second > 0:
        metrics.ADVANTAGE.observe(best / second - 1)
