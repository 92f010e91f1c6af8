from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swaprail.domain.tokens import Token, TokenList, load_tokens
from swaprail_venues.paper.drift import drift_ppm
from swaprail_venues.paper.market import PaperMarket
from swaprail_venues.paper.pool import Pool

TOKENS = load_tokens(None)
SOL, USDC, BONK = (TOKENS.find(symbol, "token").mint for symbol in ("SOL", "USDC", "BONK"))
ONE_SOL = 10**9


def pool(market: PaperMarket, venue: str, slot: int, there: str = SOL, back: str = USDC) -> Pool:
    found = market.pool_at(venue, there, back, slot)
    assert found is not None
    return found


@given(st.integers(0, 2**62), st.integers(0, 2**40))
def test_drift_stays_within_20_bps_when_any_seed_and_slot_are_asked(seed: int, slot: int) -> None:
    assert abs(drift_ppm(seed, "pool", slot)) <= 2_000


@given(st.integers(0, 2**62), st.integers(0, 2**40))
def test_drift_is_smooth_when_slots_follow_each_other(seed: int, slot: int) -> None:
    assert abs(drift_ppm(seed, "pool", slot + 1) - drift_ppm(seed, "pool", slot)) <= 200


def test_drift_returns_to_the_anchor_when_averaged_over_time() -> None:
    drifts = [drift_ppm(1, "pool", slot) for slot in range(20_000)]
    assert abs(sum(drifts)) / len(drifts) < 100
    assert max(drifts) > 500
    assert min(drifts) < -500


def test_prices_are_the_same_when_the_seed_is() -> None:
    def prices(seed: int) -> list[int]:
        market = PaperMarket(seed, TOKENS)
        return [pool(market, venue, slot).output(ONE_SOL) for venue in ("raydium", "meteora") for slot in range(50)]

    assert prices(7) == prices(7)
    assert prices(7) != prices(8)


def test_price_is_that_of_the_token_list_when_a_little_is_swapped() -> None:
    out = pool(PaperMarket(1, TOKENS), "raydium", 10).output(ONE_SOL)
    assert abs(out - 100_000_000) < 100_000_000 * 50 // 10_000  # fee 25 bps and drift 20 bps


def test_both_directions_are_one_pool_when_asked_at_the_same_slot() -> None:
    market = PaperMarket(1, TOKENS)
    there, back = pool(market, "meteora", 5, SOL, BONK), pool(market, "meteora", 5, BONK, SOL)
    assert (there.reserve_in, there.reserve_out) == (back.reserve_out, back.reserve_in)


@pytest.mark.parametrize(("sol", "best"), [(1, "meteora"), (1_000, "raydium")])
def test_best_venue_depends_on_the_size_when_drift_is_averaged_out(sol: int, best: str) -> None:
    market = PaperMarket(1, TOKENS)
    given = {
        v: sum(pool(market, v, slot).output(sol * ONE_SOL) for slot in range(0, 5_000, 10)) for v in market.profiles
    }
    assert max(given, key=given.__getitem__) == best


def test_default_slippage_always_covers_the_drift_when_landing_7_slots_later() -> None:
    market = PaperMarket(3, TOKENS)
    outs = [pool(market, "raydium", slot).output(ONE_SOL) for slot in range(3_000)]
    later = list(zip(outs, outs[7:], strict=False))
    assert all(landed >= quoted * 9_950 // 10_000 for quoted, landed in later)
    failing = sum(landed < quoted * 9_999 // 10_000 for quoted, landed in later)
    assert failing > len(later) // 5  # 1 bp of slippage often is too little
    assert any(a != b for a, b in pairwise(outs))


def test_there_is_no_pool_when_a_mint_is_unknown_or_twice_the_same() -> None:
    market = PaperMarket(1, TOKENS)
    assert market.pool_at("raydium", SOL, "nothing", 1) is None
    assert market.pool_at("raydium", SOL, SOL, 1) is None
    assert market.pool_at("orca", SOL, USDC, 1) is None


def test_network_fee_is_rounded_up_when_it_is_a_fraction_of_a_unit() -> None:
    tokens = TokenList([Token("BIG", "a", 0, "1000"), Token("USD", "b", 6, "1")])
    market = PaperMarket(1, tokens)
    assert market.network_fee("raydium", "a") == 1
    assert market.network_fee("raydium", "b") == 500
    assert market.network_fee("meteora", "b") == 800
