from swaprail.domain.quotes import Quote, QuoteRequest
from swaprail_router.reference_prices import Price, ReferencePrices, price_of

PAIR, REVERSE = QuoteRequest("sol", "usdc", 1_000), QuoteRequest("usdc", "sol", 1_000)


def test_a_price_counts_until_it_is_older_than_its_age() -> None:
    now = [0.0]
    prices = ReferencePrices(max_age_s=300, clock=lambda: now[0])
    assert prices.find(PAIR) is None
    now[0] = 50.0
    prices.keep(PAIR, Price(150, 1))
    for at, found in [(50.0, Price(150, 1)), (350.0, Price(150, 1)), (350.1, None)]:
        now[0] = at
        assert prices.find(PAIR) == found
    prices.keep(PAIR, Price(151, 1))
    assert prices.find(PAIR) == Price(151, 1)


def test_a_price_is_of_one_direction_alone() -> None:
    prices = ReferencePrices(max_age_s=300)
    prices.keep(PAIR, Price(150, 1))
    assert prices.find(REVERSE) is None
    assert prices.find(QuoteRequest("sol", "usdc", 7)) == Price(150, 1)


def test_the_pair_agreed_on_longest_ago_is_forgotten_when_there_are_too_many() -> None:
    prices = ReferencePrices(max_age_s=300, max_pairs=2)
    pairs = [QuoteRequest("sol", mint, 1) for mint in "abc"]
    for pair in (*pairs[:2], pairs[0], pairs[2]):
        prices.keep(pair, Price(1, 1))
    assert [prices.find(pair) for pair in pairs] == [Price(1, 1), None, Price(1, 1)]


def test_the_price_is_the_same_when_a_larger_swap_moves_it() -> None:
    small = Quote("a", 1_000, 150_000, 25, 0, 1, 0.0)
    large = Quote("a", 100_000, 13_500_000, 25, 1_000, 1, 0.0)
    assert price_of(large).agrees(price_of(small), 0)
    assert not price_of(Quote("a", 100_000, 13_500_000, 25, 0, 1, 0.0)).agrees(price_of(small), 999)


def test_a_price_agrees_up_to_the_last_unit_of_the_deviation() -> None:
    reference = Price(2**63, 2**64 - 1)  # floats would not tell these apart
    allowed = reference.output * 2_000 // 10_000
    for sign in (-1, 1):
        assert Price(reference.output + sign * allowed, reference.input).agrees(reference, 2_000)
        assert not Price(reference.output + sign * (allowed + 1), reference.input).agrees(reference, 2_000)
