from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swaprail.domain.amounts import MAX_BASE_UNITS, least_output, parse_decimal, to_base_units, to_decimal_string
from swaprail.domain.errors import EngineError, ErrorCode


@given(st.integers(1, MAX_BASE_UNITS), st.integers(0, 18))
def test_base_units_survive_when_written_as_a_decimal_and_read_back(units: int, decimals: int) -> None:
    assert to_base_units(Decimal(to_decimal_string(units, decimals)), decimals, "inputAmount") == units


@pytest.mark.parametrize("text", ["0", "-1", "NaN", "Infinity", "1e400", "18446744073.709551616"])
def test_an_amount_is_refused_when_it_is_no_positive_u64(text: str) -> None:
    with pytest.raises(EngineError) as refused:
        to_base_units(parse_decimal(text, "inputAmount"), 9, "inputAmount")
    assert refused.value.code is ErrorCode.AMOUNT_INVALID
    assert refused.value.field == "inputAmount"


@pytest.mark.parametrize("text", ["0.0000001", "1e-1000000", f"1.{'0' * 100}1", f"0.{'9' * 81}"])
def test_an_amount_is_refused_when_it_is_finer_than_the_mint(text: str) -> None:
    with pytest.raises(EngineError) as refused:
        to_base_units(Decimal(text), 6, "inputAmount")
    assert refused.value.code is ErrorCode.AMOUNT_TOO_PRECISE


def test_an_amount_is_exact_when_binary_floats_would_not_be() -> None:
    assert to_base_units(Decimal("0.1") + Decimal("0.2"), 9, "x") == 300_000_000
    assert to_base_units(Decimal("18446744073.709551615"), 9, "x") == MAX_BASE_UNITS
    assert to_base_units(Decimal("18446744073.709551615" + "0" * 100), 9, "x") == MAX_BASE_UNITS


def test_a_text_is_refused_when_it_is_no_decimal() -> None:
    with pytest.raises(EngineError):
        parse_decimal("one", "inputAmount")


@given(st.integers(1, MAX_BASE_UNITS), st.integers(0, 10_000))
def test_the_least_output_rounds_towards_the_trader_when_bps_do_not_divide(quoted: int, bps: int) -> None:
    least = least_output(quoted, bps, None)
    assert least * 10_000 >= quoted * (10_000 - bps)
    assert (least - 1) * 10_000 < quoted * (10_000 - bps)


def test_the_least_output_is_what_the_trader_wants_when_that_is_more() -> None:
    assert least_output(1000, 100, 995) == 995
    assert least_output(1000, 100, 5) == 990
