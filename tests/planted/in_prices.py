"""Bugs in what a route is worth: a price believed, a route that is too old or cannot be read."""

from tests.planted.bug import Bug

_EXECUTOR = "services/executor/tests/integration"
_ROUTER = "services/router/tests"

IN_PRICES = (
    Bug(
        "42_route_decoded_before_expiry",
        "An order whose route another version wrote neither executes nor expires: it is left to its lease for ever.",
        (
            f"{_EXECUTOR}/test_build_order.py::test_the_order_is_routed_again_when_its_stored_route_cannot_be_read",
            f"{_EXECUTOR}/test_build_order.py::test_the_order_ends_when_its_stored_route_cannot_be_read_and_its_time_is_over",
        ),
    ),
    Bug(
        "43_lone_quote_is_believed",
        "With one venue away the other's absurd quote is taken: 9,800 USDC of SOL for 9.75.",
        (
            f"{_ROUTER}/test_choose_route.py::test_a_lone_quote_is_absurd_when_it_is_far_from_the_last_good_price",
            f"{_ROUTER}/test_choose_route.py::test_a_lone_quote_is_unconfirmed_when_nothing_bounds_it",
            f"{_ROUTER}/integration/test_route_order.py::test_a_lone_absurd_quote_is_not_taken_when_two_venues_agreed_before",
        ),
    ),
    Bug(
        "44_lone_price_vouches_for_the_next",
        "What one venue alone said, for an order with a minimum, bounds the orders without one: it vouches for itself.",
        (f"{_ROUTER}/test_choose_route.py::test_a_price_is_agreed_on_only_when_two_sound_quotes_are_near_each_other",),
    ),
    Bug(
        "63_price_of_the_other_direction",
        "SOL for USDC is held against USDC for SOL: with a venue away the honest quote is absurd, and a mad one may be taken.",
        (f"{_ROUTER}/test_reference_prices.py::test_a_price_is_of_one_direction_alone",),
    ),
    Bug(
        "65_route_of_a_time_to_come",
        "A clock is set back by an hour, and for that hour swaps are signed at the prices of before.",
        (f"{_EXECUTOR}/test_build_order.py::test_a_stale_route_is_not_signed_when_the_order_waited_too_long",),
    ),
)
