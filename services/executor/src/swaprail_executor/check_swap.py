"""Hold a built swap against its order before it is signed: whoever built it is not believed."""

from swaprail.domain.chain import BuiltSwap, SwapTerms
from swaprail.domain.orders import LeasedOrder
from swaprail.domain.quotes import Route


class SwapMismatchError(Exception):
    """The bytes to be signed do not do what the order says; the message names every difference."""


def check_swap(order: LeasedOrder, attempt: int, route: Route, built: BuiltSwap, terms: SwapTerms) -> None:
    """Raise SwapMismatchError unless the terms, read from the bytes, are those of the order, its attempt and route."""
    wanted = SwapTerms(
        order_id=order.id,
        attempt=attempt,
        wallet=order.wallet,
        venue=route.venue,
        input_mint=order.input_mint,
        output_mint=order.output_mint,
        input_amount=order.input_amount,
        least_output=max(route.least_output, order.min_output_amount or 0),
        blockhash=built.blockhash,
    )
    if terms == wanted:
        return
    differing = [name for name in terms.__struct_fields__ if getattr(terms, name) != getattr(wanted, name)]
    # To promise more than the order asks for harms nobody.
    if differing == ["least_output"] and terms.least_output > wanted.least_output:
        return
    raise SwapMismatchError(", ".join(differing))
