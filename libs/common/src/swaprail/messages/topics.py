"""What travels over the topics (Redis streams). One message carries many orders."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from swaprail.domain.orders import LeasedOrder

VERSION = 1  # the only one that is read
MAX_ORDERS_PER_MESSAGE = 64
# How long a message holds the lease of its orders; a lost message costs so much.
HANDOVER_S = 1.0


class Topic(StrEnum):
    """The streams, and who reads them."""

    ACCEPTED = "orders.accepted"  # api -> router
    ROUTED = "orders.routed"  # router -> executor
    EVENTS = "orders.events"  # everyone -> every notifier
    QUOTES = "quotes"  # api -> one router, with a reply


class Group(StrEnum):
    """Consumer groups: of each group, one consumer gets a message."""

    ROUTER = "router"
    EXECUTOR = "executor"


class HandedOver(msgspec.Struct, frozen=True, rename="camel"):
    """An order together with the lease on it: whoever takes the message holds the order's fence.

    until is in milliseconds since 1970, by the database's clock: from then on the lease has lapsed, and a scan
    may have given it to another.
    """

    order: LeasedOrder
    until: int


class OrdersAccepted(msgspec.Struct, frozen=True, rename="camel"):
    """Orders stored and queued, in ROUTING: route them."""

    orders: Annotated[list[HandedOver], Meta(max_length=MAX_ORDERS_PER_MESSAGE)]
    version: int = VERSION


class OrdersRouted(msgspec.Struct, frozen=True, rename="camel"):
    """Orders with a stored route, in BUILDING: execute them."""

    orders: Annotated[list[HandedOver], Meta(max_length=MAX_ORDERS_PER_MESSAGE)]
    version: int = VERSION


class OrderEvent(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One step of an order, as committed. at is in milliseconds since 1970, by the database's clock."""

    order_id: UUID
    seq: int
    status: str
    at: int
    account: str
    wallet: str
    data: msgspec.Raw = msgspec.Raw(b"{}")
    trace: str | None = None


class OrderEvents(msgspec.Struct, frozen=True, rename="camel"):
    """Steps committed together, in the order of the commit."""

    events: Annotated[list[OrderEvent], Meta(max_length=MAX_ORDERS_PER_MESSAGE)]
    version: int = VERSION


class QuotesAsked(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A request for what each venue would give now. Amounts are base units; deadline_ms bounds the answer.

    asked_ms: when, by the database's clock, in milliseconds since 1970; 0 from a release that did not say.
    """

    input_mint: str
    output_mint: str
    input_amount: int
    deadline_ms: int
    trace: str | None = None
    version: int = VERSION
    asked_ms: int = 0


class QuotesAnswered(msgspec.Struct, frozen=True, rename="camel"):
    """The venues' answers, best first, encoded as a list of domain.quotes.QuoteResult."""

    quotes: msgspec.Raw
    version: int = VERSION
