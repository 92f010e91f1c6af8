"""Bodies and parameters of requests. Unknown fields are refused."""

from typing import Annotated

import msgspec
from msgspec import Meta

from swaprail.auth import Scope
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import DEFAULT_SLIPPAGE_BPS
from swaprail_api.schemas.amounts import Amount, LeastAmount, read_amount

MAX_BATCH = 100
MAX_WALLET = 64

Wallet = Annotated[
    str, Meta(min_length=1, max_length=MAX_WALLET, description="the wallet that swaps", examples=["alice"])
]
TokenName = Annotated[
    str, Meta(min_length=1, max_length=64, description="symbol or mint of a configured token", examples=["SOL"])
]


class PlaceOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """An order to swap inputAmount of inputToken for outputToken."""

    user_wallet: Wallet
    input_token: TokenName
    output_token: TokenName
    input_amount: Amount
    slippage_bps: Annotated[
        int, Meta(ge=0, le=10_000, description="how far below the quote the output may fall, in 1/100 %")
    ] = DEFAULT_SLIPPAGE_BPS
    min_output_amount: LeastAmount | None = None
    expires_at: (
        Annotated[
            str,
            Meta(
                description="until when the swap may be submitted, RFC 3339 with an offset",
                extra_json_schema={"format": "date-time"},
            ),
        ]
        | None
    ) = None


# A number is not made a float on its way, and is read as the same text between quotes would be.
order_decoder = msgspec.json.Decoder(PlaceOrder, dec_hook=read_amount, float_hook=str)


class PlaceBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Orders stored by one commit."""

    orders: Annotated[list[PlaceOrder], Meta(min_length=1, max_length=MAX_BATCH)]
    execute: bool = False


class RawBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A batch whose orders are decoded one by one, so that one bad order is one bad result."""

    orders: list[msgspec.Raw]
    execute: bool = False


class NewApiKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """An API key to make, for the account of the caller. It cannot have scopes that the caller lacks."""

    name: Annotated[str, Meta(min_length=1, max_length=100, examples=["trading desk"])]
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=10, examples=[["orders:read", "orders:write"]])]
    expires_at: Annotated[str, Meta(extra_json_schema={"format": "date-time"})] | None = None


class NoQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


class ListQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which orders of a wallet."""

    limit: Annotated[int, Meta(ge=1, le=200, description="orders a page")] = 50
    cursor: Annotated[str, Meta(max_length=200, description="nextCursor of the page before")] | None = None
    status: Annotated[Status, Meta(description="only orders of this status")] | None = None


class EventsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which events of an order."""

    after: Annotated[int, Meta(ge=0, le=2**31 - 1, description="only events with a greater seq")] = 0


class QuotesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What is asked of the venues."""

    input_token: TokenName
    output_token: TokenName
    input_amount: Annotated[str, Meta(min_length=1, max_length=64, description="whole tokens", examples=["1.5"])]
