"""Exact amounts: decimal strings outside, integers of base units inside."""

import re
from decimal import Context, Decimal, Inexact

from swaprail.domain.errors import EngineError, ErrorCode

MAX_BASE_UNITS = 2**64 - 1  # a token amount on Solana is a u64
BPS = 10_000
# The published spelling of a decimal; Python itself reads more: 1_5, digits of any script, spaces around.
DECIMAL = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,9})?"
_DECIMAL = re.compile(DECIMAL)
# Digits beyond those that are computed with, which no token has, are an error.
_EXACTLY = Context(prec=80, traps=[Inexact])


def to_base_units(amount: Decimal, decimals: int, field: str) -> int:
    """Return the amount in base units.

    Args:
        amount: in whole tokens, for example Decimal("1.5").
        decimals: of the mint; 1 token is 10**decimals base units.
        field: named in the error.

    Raises:
        EngineError: amount_invalid when it isn't a positive number that fits 64 bits,
            amount_too_precise when it has more digits than the mint.

    """
    if not amount.is_finite() or amount <= 0:
        raise EngineError(ErrorCode.AMOUNT_INVALID, f"{field} must be greater than zero", field=field)
    if amount.adjusted() > 20:
        raise EngineError(ErrorCode.AMOUNT_INVALID, f"{field} is larger than any token amount", field=field)
    units = _whole_units(amount, decimals)
    if units is None:
        message = f"{field} has more than the {decimals} decimal places of its token"
        raise EngineError(ErrorCode.AMOUNT_TOO_PRECISE, message, field=field)
    if units > MAX_BASE_UNITS:
        raise EngineError(ErrorCode.AMOUNT_INVALID, f"{field} is larger than any token amount", field=field)
    return units


def _whole_units(amount: Decimal, decimals: int) -> int | None:
    try:
        scaled = amount.scaleb(decimals, _EXACTLY)
    except Inexact:
        return None
    units = int(scaled)
    return units if units == scaled else None


def to_decimal_string(units: int, decimals: int) -> str:
    """Return base units as a plain decimal string without trailing zeros: (1500000000, 9) -> "1.5"."""
    if decimals == 0:
        return str(units)
    digits = str(units).rjust(decimals + 1, "0")
    whole, fraction = digits[:-decimals], digits[-decimals:].rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


def parse_decimal(text: str, field: str) -> Decimal:
    """Return the decimal written in text, or raise EngineError amount_invalid."""
    if not _DECIMAL.fullmatch(text):
        raise EngineError(ErrorCode.AMOUNT_INVALID, f"{field} is not a decimal number", field=field)
    return Decimal(text)


def least_output(quoted_out: int, slippage_bps: int, least_wanted: int | None) -> int:
    """Return the least output in base units that the swap may give, rounded up in the trader's favour."""
    allowed = -(-quoted_out * (BPS - slippage_bps) // BPS)
    return allowed if least_wanted is None else max(allowed, least_wanted)
