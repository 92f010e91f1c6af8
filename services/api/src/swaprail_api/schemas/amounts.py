"""Amounts as requests have them: a JSON number, or a decimal in a string, in the one spelling that is published."""

from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta

from swaprail.domain.amounts import DECIMAL, parse_decimal
from swaprail.domain.errors import EngineError

NOT_DECIMAL = "Expected a decimal number"


class WrittenAmount(Decimal):
    """A Decimal that Python's own leniency had no part in: no 1_5, no full-width digits, no spaces around it."""


Amount = Annotated[
    WrittenAmount,
    Meta(
        description="whole tokens, a JSON number or a decimal string; exact",
        examples=["1.5"],
        extra_json_schema={"pattern": f"^{DECIMAL}$"},
    ),
]
LeastAmount = Annotated[
    WrittenAmount,
    Meta(description="least output in whole tokens, whatever the quote", extra_json_schema={"pattern": f"^{DECIMAL}$"}),
]


def read_amount(kind: type, value: Any) -> WrittenAmount:
    """Return what a decoder found where an amount belongs; the decoder names the field."""
    assert kind is WrittenAmount
    if isinstance(value, str):
        try:
            return WrittenAmount(parse_decimal(value, ""))
        except EngineError:
            raise ValueError(NOT_DECIMAL) from None
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"Expected `decimal`, got `{type(value).__name__}`")
    return WrittenAmount(value)


def describe_amount(kind: type) -> dict[str, Any]:
    """Return the schema of an amount, as of any Decimal."""
    assert kind is WrittenAmount
    return {"type": "string", "format": "decimal"}
