"""What is signed is what was ordered; bytes that promise more than that are signed as well."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest

from swaprail.domain.chain import BuiltSwap, SwapTerms
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import LeasedOrder
from swaprail.domain.quotes import Quote, Route
from swaprail_executor.check_swap import SwapMismatchError, check_swap

ID = UUID(int=1)
ORDER = LeasedOrder(
    ID,
    "local",
    "alice",
    Status.BUILDING,
    3,
    1,
    "m1",
    "m2",
    500,
    50,
    min_output_amount=None,
    queued_at=datetime.now(UTC),
)
BUILT = BuiltSwap(b"", "hash", 150)
TERMS = SwapTerms(ID, 1, "alice", "raydium", "m1", "m2", 500, least_output=0, blockhash="hash")


def check(built: int, route: int, minimum: int | None = None, **lies: Any) -> None:
    """Check bytes that promise so much, of a route and an order that ask for so much."""
    quote = Quote("raydium", 500, 1_000, fee_bps=0, price_impact_bps=0, slot=1, quoted_at=0)
    order = msgspec.structs.replace(ORDER, min_output_amount=minimum)
    terms = msgspec.structs.replace(TERMS, least_output=built, **lies)
    check_swap(order, 1, Route("raydium", quote, route), BUILT, terms)


@pytest.mark.parametrize(
    ("built", "route", "minimum"), [(0, 0, None), (7, 7, None), (8, 7, None), (9, 7, 9), (9, 9, 7)]
)
def test_bytes_are_signed_when_they_promise_what_the_order_and_its_route_ask_for(
    built: int, route: int, minimum: int | None
) -> None:
    check(built, route, minimum)


@pytest.mark.parametrize(("built", "route", "minimum"), [(6, 7, None), (8, 7, 9), (8, 9, 7)])
def test_bytes_are_not_signed_when_they_promise_less_than_the_order_or_its_route_asks_for(
    built: int, route: int, minimum: int | None
) -> None:
    with pytest.raises(SwapMismatchError, match="least_output"):
        check(built, route, minimum)


@pytest.mark.parametrize("name", sorted(set(SwapTerms.__struct_fields__) - {"least_output"}))
def test_bytes_are_not_signed_when_they_do_something_else_and_promise_more(name: str) -> None:
    other: Any = {int: 2, str: "other", UUID: UUID(int=2)}[type(getattr(TERMS, name))]
    with pytest.raises(SwapMismatchError, match=name):
        check(8, 7, **{name: other})
