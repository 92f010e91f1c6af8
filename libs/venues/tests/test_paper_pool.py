from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from swaprail_venues.paper.pool import Pool

RESERVES = st.integers(1, 2**64 - 1)
FEES = st.integers(0, 10_000)
AMOUNTS = st.integers(1, 2**64 - 1)


@given(RESERVES, RESERVES, FEES, AMOUNTS)
def test_product_of_reserves_never_falls_when_swapping(
    reserve_in: int, reserve_out: int, fee: int, amount: int
) -> None:
    out = Pool(reserve_in, reserve_out, fee).output(amount)
    assert 0 <= out < reserve_out
    assert (reserve_in + amount) * (reserve_out - out) >= reserve_in * reserve_out


@given(RESERVES, RESERVES, FEES, AMOUNTS, AMOUNTS)
def test_output_never_falls_when_more_goes_in(reserve_in: int, reserve_out: int, fee: int, a: int, b: int) -> None:
    pool = Pool(reserve_in, reserve_out, fee)
    assert pool.output(min(a, b)) <= pool.output(max(a, b))


@given(RESERVES, RESERVES, FEES, AMOUNTS)
def test_nothing_is_gained_when_swapping_there_and_back(
    reserve_in: int, reserve_out: int, fee: int, amount: int
) -> None:
    there = Pool(reserve_in, reserve_out, fee).output(amount)
    assert Pool(reserve_out - there, reserve_in + amount, fee).output(there) <= amount
    # Nor against a pool that arbitrage has refilled in between.
    assert Pool(reserve_out, reserve_in, fee).output(there) <= amount


@given(RESERVES, RESERVES, FEES, AMOUNTS, AMOUNTS)
def test_splitting_gains_nothing_when_the_pool_keeps_what_it_got(
    reserve_in: int, reserve_out: int, fee: int, a: int, b: int
) -> None:
    first = Pool(reserve_in, reserve_out, fee).output(a)
    second = Pool(reserve_in + a, reserve_out - first, fee).output(b)
    whole = Pool(reserve_in, reserve_out, 0).output(a + b)
    assert first + second <= whole


@given(RESERVES, RESERVES, FEES, AMOUNTS)
def test_price_impact_bounds_the_loss_when_measured_against_the_price_before(
    reserve_in: int, reserve_out: int, fee: int, amount: int
) -> None:
    pool = Pool(reserve_in, reserve_out, fee)
    impact = pool.price_impact_bps(amount)
    assert 0 <= impact <= 10_000
    at_mid = Fraction(pool.net_input(amount) * reserve_out, reserve_in)
    assert pool.output(amount) + 1 > at_mid * (10_000 - impact) / 10_000


def test_output_is_exact_when_computed_by_hand() -> None:
    pool = Pool(1_000_000, 2_000_000, 25)
    # 10,000 less 25 bps is 9,975; 2,000,000 * 9,975 / 1,009,975 = 19,752.97
    assert pool.output(10_000) == 19_752
    assert pool.price_impact_bps(10_000) == 99
