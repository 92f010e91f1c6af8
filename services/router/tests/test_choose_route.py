from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swaprail.domain.errors import ErrorCode
from swaprail.domain.quotes import Quote, QuoteRequest, QuoteResult, Routing
from swaprail_router.choose_route import RouteRules, RouteTerms, agreed_price, choose_route, why_no_route
from swaprail_router.reference_prices import Price

NOW = 1_000_000.0
REQUEST = QuoteRequest("a", "b", 1_000)


def quoted(venue: str, output: int, **changes: Any) -> QuoteResult:
    values: dict[str, Any] = {
        "input_amount": 1_000,
        "fee_bps": 25,
        "price_impact_bps": 10,
        "slot": 100,
        "quoted_at": NOW,
    }
    return QuoteResult(venue, Quote(venue=venue, output_amount=output, **(values | changes)))


def choose(
    *results: QuoteResult,
    slippage_bps: int = 50,
    min_output: int | None = None,
    reference: Price | None = None,
    **rules: Any,
) -> Routing:
    terms = RouteTerms(slippage_bps, min_output)
    return choose_route(REQUEST, results, terms, RouteRules(**rules), reference=reference, now=NOW)


def reasons(routing: Routing) -> dict[str, str | None]:
    return {result.venue: result.discarded for result in routing.quotes}


def test_best_net_output_wins_when_fees_differ() -> None:
    routing = choose(quoted("dear", 10_010, network_fee=30), quoted("cheap", 10_000, network_fee=10))
    assert routing.route is not None
    assert routing.route.venue == "cheap"
    assert routing.route.least_output == 9_950
    assert [result.venue for result in routing.quotes] == ["cheap", "dear"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"input_amount": 999}, "invalid"),
        ({"output_amount": 0}, "invalid"),
        ({"output_amount": -5}, "invalid"),
        ({"output_amount": 2**64}, "invalid"),
        ({"network_fee": -1}, "invalid"),
        ({"venue": "other"}, "invalid"),
        ({"quoted_at": NOW - 5.1}, "stale"),
        ({"quoted_at": NOW + 60}, "stale"),
        ({"slot": 70}, "stale"),
        ({"price_impact_bps": 1_001}, "price_impact"),
        ({"output_amount": 12_500}, "absurd"),
    ],
)
def test_quote_is_discarded_with_its_reason_when_it_cannot_be_trusted(changes: dict[str, Any], reason: str) -> None:
    values: dict[str, Any] = {
        "venue": "bad",
        "input_amount": 1_000,
        "output_amount": 10_500,
        "fee_bps": 25,
        "price_impact_bps": 10,
        "slot": 100,
        "quoted_at": NOW,
    }
    bad = QuoteResult("bad", Quote(**(values | changes)))
    routing = choose(bad, quoted("good", 10_000), quoted("fair", 9_990))
    assert routing.route is not None
    assert routing.route.venue == "good"
    assert reasons(routing) == {"good": None, "fair": None, "bad": reason}
    assert routing.quotes[-1].venue == "bad"
    assert routing.quotes[-1].quote is not None


def test_nobody_is_trusted_when_the_only_two_venues_disagree_widely() -> None:
    routing = choose(quoted("low", 5_000), quoted("high", 10_000))
    assert routing.route is None
    assert reasons(routing) == {"low": "absurd", "high": "absurd"}
    assert why_no_route(routing) is ErrorCode.NO_ROUTE


@pytest.mark.parametrize("liar", [1, 5_000, 20_000, 2**63])
def test_honest_venues_stay_when_one_of_three_lies(liar: int) -> None:
    routing = choose(quoted("a", 10_000), quoted("liar", liar), quoted("b", 10_050))
    assert reasons(routing) == {"b": None, "a": None, "liar": "absurd"}


def test_min_output_raises_the_limit_when_stricter_than_slippage() -> None:
    routing = choose(quoted("a", 10_000), min_output=9_990)
    assert routing.route is not None
    assert routing.route.least_output == 9_990


def test_min_output_is_told_apart_from_no_route_when_nothing_is_chosen() -> None:
    low = choose(quoted("a", 10_000), quoted("b", 9_990), min_output=10_001)
    assert low.route is None
    assert reasons(low) == {"a": "below_min_output", "b": "below_min_output"}
    assert why_no_route(low) is ErrorCode.MIN_OUTPUT_UNREACHABLE
    silent = choose(QuoteResult("a", discarded="late"), QuoteResult("b", discarded="circuit_open"))
    assert (silent.route, why_no_route(silent)) == (None, ErrorCode.NO_ROUTE)
    assert reasons(silent) == {"a": "late", "b": "circuit_open"}
    assert choose().route is None


def test_quote_is_usable_when_the_network_fee_exceeds_a_tiny_output() -> None:
    assert choose(quoted("a", 100, network_fee=500), min_output=1).route is not None


AWAY = QuoteResult("away", discarded="unavailable")
TEN_FOR_ONE = Price(10, 1)  # of 1,000: 10,000


@pytest.mark.parametrize("output", [8_000, 10_000, 12_000])
@pytest.mark.parametrize("other", [AWAY, quoted("old", 10_000, slot=1)])
def test_a_lone_quote_is_taken_when_it_is_near_the_last_good_price(output: int, other: QuoteResult) -> None:
    routing = choose(quoted("lone", output, price_impact_bps=0), other, reference=TEN_FOR_ONE)
    assert routing.route is not None
    assert routing.route.quote.output_amount == output


@pytest.mark.parametrize("output", [1, 10, 7_999, 12_001, 10_000_000])
@pytest.mark.parametrize("min_output", [None, 1])
def test_a_lone_quote_is_absurd_when_it_is_far_from_the_last_good_price(output: int, min_output: int | None) -> None:
    lone = quoted("lone", output, price_impact_bps=0)
    routing = choose(lone, AWAY, reference=TEN_FOR_ONE, min_output=min_output)
    assert (routing.route, reasons(routing)) == (None, {"lone": "absurd", "away": "unavailable"})
    assert why_no_route(routing) is ErrorCode.NO_ROUTE


def test_a_lone_quote_is_taken_when_what_it_gives_less_is_its_own_price_impact() -> None:
    lone = quoted("lone", 7_500, price_impact_bps=1_000)
    assert choose(lone, AWAY, reference=TEN_FOR_ONE).route is not None
    assert choose(quoted("lone", 7_100, price_impact_bps=1_000), AWAY, reference=TEN_FOR_ONE).route is None


@pytest.mark.parametrize("others", [(), (AWAY,)])
def test_a_lone_quote_is_unconfirmed_when_nothing_bounds_it(others: tuple[QuoteResult, ...]) -> None:
    routing = choose(quoted("lone", 10_000), *others)
    assert routing.route is None
    assert reasons(routing)["lone"] == "price_unconfirmed"
    assert why_no_route(routing) is ErrorCode.PRICE_UNCONFIRMED


def test_a_lone_quote_is_taken_when_the_order_itself_bounds_it() -> None:
    routing = choose(quoted("lone", 10_000), AWAY, min_output=9_000)
    assert routing.route is not None
    assert routing.route.least_output == 9_950
    low = choose(quoted("lone", 10_000), AWAY, min_output=10_001)
    assert (low.route, why_no_route(low)) == (None, ErrorCode.MIN_OUTPUT_UNREACHABLE)


def test_two_venues_are_believed_when_they_agree_on_another_price_than_the_last() -> None:
    routing = choose(quoted("a", 30_000), quoted("b", 30_100), reference=TEN_FOR_ONE)
    assert routing.route is not None


def test_a_price_is_agreed_on_only_when_two_sound_quotes_are_near_each_other() -> None:
    plain = {"price_impact_bps": 0}
    both = quoted("a", 10_000, **plain), quoted("b", 10_100, **plain)
    agreed = agreed_price(choose(*both))
    assert agreed is not None
    assert agreed.agrees(TEN_FOR_ONE, 0)
    too_low = agreed_price(choose(*both, min_output=20_000))
    assert too_low == agreed
    alone = choose(quoted("a", 10_000), AWAY, reference=TEN_FOR_ONE)
    disputed = choose(quoted("a", 5_000), quoted("b", 10_000))
    dust = choose(quoted("a", 9_999), quoted("b", 9_999))
    assert [agreed_price(routing) for routing in (alone, disputed, dust)] == [None, None, None]


def test_the_price_of_honest_venues_is_agreed_on_when_one_of_three_lies() -> None:
    venues = [quoted(name, output, price_impact_bps=0) for name, output in (("a", 10_000), ("liar", 1), ("b", 10_050))]
    agreed = agreed_price(choose(*venues))
    assert agreed is not None
    assert agreed.agrees(TEN_FOR_ONE, 50)


AMOUNTS = st.lists(st.tuples(st.integers(1, 10**9), st.integers(0, 10**4)), min_size=1, max_size=6)


@given(AMOUNTS, st.integers(0, 10_000), st.none() | st.integers(1, 10**9))
def test_route_is_never_worse_than_any_usable_quote(
    amounts: list[tuple[int, int]], slippage: int, min_output: int | None
) -> None:
    results = [quoted(f"v{n}", output, network_fee=fee) for n, (output, fee) in enumerate(amounts)]
    routing = choose(*results, slippage_bps=slippage, min_output=min_output)
    usable = [r.quote for r in routing.quotes if r.quote and r.discarded is None]
    assert sorted(r.venue for r in routing.quotes) == sorted(r.venue for r in results)
    assert [q.net_output for q in usable] == sorted((q.net_output for q in usable), reverse=True)
    if routing.route is None:
        assert not usable
        return
    best = routing.route.quote
    assert best.net_output == max(q.net_output for q in usable)
    assert max(min_output or 0, best.output_amount * (10_000 - slippage) / 10_000) <= routing.route.least_output
    assert routing.route.least_output <= best.output_amount


@given(AMOUNTS, st.randoms(use_true_random=False))
def test_routing_is_the_same_when_venues_answer_in_another_order(amounts: list[tuple[int, int]], random: Any) -> None:
    results = [quoted(f"v{n}", output, network_fee=fee) for n, (output, fee) in enumerate(amounts)]
    shuffled = random.sample(results, len(results))
    assert choose(*results) == choose(*shuffled)
