from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swaprail.domain.errors import ErrorCode
from swaprail.domain.quotes import Quote, QuoteRequest, QuoteResult, Routing
from swaprail_router.choose_route import RouteRules, RouteTerms, choose_route, why_no_route

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


def choose(*results: QuoteResult, slippage_bps: int = 50, min_output: int | None = None, **rules: Any) -> Routing:
    return choose_route(REQUEST, results, RouteTerms(slippage_bps, min_output), RouteRules(**rules), now=NOW)


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
    assert choose(quoted("a", 100, network_fee=500)).route is not None


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
