"""Choose the route: discard what cannot be trusted, rank the rest by what arrives net of fees."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec
from msgspec import structs

from swaprail.domain.amounts import BPS, MAX_BASE_UNITS, least_output
from swaprail.domain.errors import ErrorCode
from swaprail.domain.quotes import Quote, QuoteRequest, QuoteResult, Route, Routing
from swaprail_router.reference_prices import Price, price_of

# The least output that a price is taken from: of less, rounding to base units alone may be more than a basis point.
LEAST_PRECISE_OUTPUT = BPS


class Discard(StrEnum):
    """Why a quote that did come was discarded."""

    INVALID = "invalid"
    STALE = "stale"
    PRICE_IMPACT = "price_impact"
    ABSURD = "absurd"
    PRICE_UNCONFIRMED = "price_unconfirmed"
    BELOW_MIN_OUTPUT = "below_min_output"


class RouteRules(msgspec.Struct, frozen=True):
    """What a usable quote is. Slots are counted back from the newest quote's."""

    max_age_s: float = 5.0
    max_slots_behind: int = 25
    max_price_impact_bps: int = 1_000
    max_deviation_bps: int = 2_000


class RouteTerms(msgspec.Struct, frozen=True):
    """What the order asks of its route; min_output in base units."""

    slippage_bps: int
    min_output: int | None = None


def choose_route(
    request: QuoteRequest,
    results: Sequence[QuoteResult],
    terms: RouteTerms,
    rules: RouteRules,
    *,
    reference: Price | None,
    now: float,
) -> Routing:
    """Return the best route if any, and every venue's result, best first, discarded ones after with their reason.

    reference is the pair's last good price, which a quote that is alone is held against. now is in seconds since 1970.
    Without a route, why_no_route tells the code.
    """
    first = _judge_each(request, results, rules, now)
    sound = [result.quote for result in first if result.quote is not None and result.discarded is None]
    judged = [_judge_among(result, sound, reference, terms, rules) for result in first]
    judged.sort(key=_rank)
    best = judged[0].quote if judged and judged[0].discarded is None else None
    if best is None:
        return Routing(None, judged)
    least = least_output(best.output_amount, terms.slippage_bps, terms.min_output)
    return Routing(Route(best.venue, best, least), judged)


def why_no_route(routing: Routing) -> ErrorCode:
    """Return the code of an order that ends with this routing: was there a sound quote, too low or alone?"""
    reasons = {result.discarded for result in routing.quotes}
    if Discard.BELOW_MIN_OUTPUT in reasons:
        return ErrorCode.MIN_OUTPUT_UNREACHABLE
    return ErrorCode.PRICE_UNCONFIRMED if Discard.PRICE_UNCONFIRMED in reasons else ErrorCode.NO_ROUTE


def agreed_price(routing: Routing) -> Price | None:
    """Return the price that two venues or more agreed on, if they did and it is precise."""
    agreed = [r.quote for r in routing.quotes if r.quote and r.discarded in (None, Discard.BELOW_MIN_OUTPUT)]
    if len(agreed) < 2:
        return None
    middle = sorted(agreed, key=lambda quote: quote.output_amount)[(len(agreed) - 1) // 2]
    return price_of(middle) if middle.output_amount >= LEAST_PRECISE_OUTPUT else None


def _rank(result: QuoteResult) -> tuple[bool, bool, int, str]:
    quote = result.quote
    return result.discarded is not None, quote is None, -quote.net_output if quote else 0, result.venue


def _judge_each(
    request: QuoteRequest, results: Sequence[QuoteResult], rules: RouteRules, now: float
) -> list[QuoteResult]:
    newest = max((result.quote.slot for result in results if result.quote and _is_valid(request, result)), default=0)
    return [_judge_alone(request, result, rules, newest, now) for result in results]


def _is_valid(request: QuoteRequest, result: QuoteResult) -> bool:
    quote = result.quote
    return (
        quote is not None
        and result.discarded is None
        and quote.venue == result.venue
        and quote.input_amount == request.input_amount
        and 0 < quote.output_amount <= MAX_BASE_UNITS
        and quote.network_fee >= 0
        and 0 <= quote.price_impact_bps <= BPS
    )


def _judge_alone(request: QuoteRequest, result: QuoteResult, rules: RouteRules, newest: int, now: float) -> QuoteResult:
    quote = result.quote
    if quote is None or result.discarded is not None:
        return result
    if not _is_valid(request, result):
        return _discard(result, Discard.INVALID, "the quote does not answer the question")
    age = now - quote.quoted_at
    if not -rules.max_age_s <= age <= rules.max_age_s or newest - quote.slot > rules.max_slots_behind:
        return _discard(result, Discard.STALE, f"{age:.1f} s old, {newest - quote.slot} slots behind")
    if quote.price_impact_bps > rules.max_price_impact_bps:
        return _discard(result, Discard.PRICE_IMPACT, f"{quote.price_impact_bps} bps")
    return result


def _judge_among(
    result: QuoteResult, sound: list[Quote], reference: Price | None, terms: RouteTerms, rules: RouteRules
) -> QuoteResult:
    quote = result.quote
    if quote is None or result.discarded is not None:
        return result
    others = sorted(other.output_amount for other in sound if other is not quote)
    if not others:
        return _judge_lone(result, quote, reference, terms, rules)
    if not _agrees(quote.output_amount, others, rules.max_deviation_bps):
        return _discard(result, Discard.ABSURD, f"more than {rules.max_deviation_bps} bps from the other venues")
    return _judge_least(result, quote, terms)


def _judge_lone(
    result: QuoteResult, quote: Quote, reference: Price | None, terms: RouteTerms, rules: RouteRules
) -> QuoteResult:
    if reference is not None and not price_of(quote).agrees(reference, rules.max_deviation_bps):
        return _discard(result, Discard.ABSURD, f"more than {rules.max_deviation_bps} bps from the last good price")
    if reference is None and terms.min_output is None:
        # Whatever it says would be taken: neither another venue, nor an earlier price, nor the order bounds it.
        return _discard(result, Discard.PRICE_UNCONFIRMED, "no other venue answers, and no earlier price is known")
    return _judge_least(result, quote, terms)


def _judge_least(result: QuoteResult, quote: Quote, terms: RouteTerms) -> QuoteResult:
    if terms.min_output is not None and quote.output_amount < terms.min_output:
        return _discard(result, Discard.BELOW_MIN_OUTPUT, f"{quote.output_amount} is below {terms.min_output}")
    return result


def _agrees(output: int, others: list[int], max_deviation_bps: int) -> bool:
    # Of an even number of others either middle one may vouch, or one liar among three would discredit the honest two.
    # Two venues alone that disagree discredit each other: nobody can tell which is right, so nobody guesses.
    middles = others[(len(others) - 1) // 2], others[len(others) // 2]
    return any(abs(output - middle) * BPS <= max_deviation_bps * middle for middle in middles)


def _discard(result: QuoteResult, reason: Discard, detail: str) -> QuoteResult:
    return structs.replace(result, discarded=reason.value, detail=detail)
