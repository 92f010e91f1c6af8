"""What the data of each step hold: the part of events and WebSocket messages that depends on the status."""

from typing import Literal

import msgspec

from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import Failure


class _Data(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Field names as on the wire; nothing besides them."""


class NoData(_Data, frozen=True):
    """Nothing to add."""


class RoutingData(_Data, frozen=True, omit_defaults=True):
    """Why the order is routed again; absent the first time."""

    reason: Literal["attempt_expired", "route_stale", "route_unreadable"] | None = None


class BuildingData(_Data, frozen=True):
    """The chosen route. Amounts: a decimal string, and base units."""

    venue: str
    output_amount: str | None
    output_amount_base: str
    least_output_base: str
    price_impact_bps: int


class SubmittedData(_Data, frozen=True):
    """The signed transaction that is sent; attempt counts from 1."""

    venue: str
    attempt: int
    signature: str


class ConfirmedData(_Data, frozen=True, omit_defaults=True):
    """What arrived, as the chain says.

    amountConfirmed is false, and absent otherwise, when no two nodes of several told the same amount; the amounts are
    null when they told different ones.
    """

    signature: str
    output_amount: str | None
    output_amount_base: str | None
    slot: int
    amount_confirmed: bool = True


class EndedData(_Data, frozen=True):
    """Why the order ended without a swap."""

    failure: Failure


STEP_DATA: dict[Status, tuple[type[_Data], ...]] = {
    Status.PENDING: (NoData,),
    Status.ROUTING: (RoutingData,),
    Status.BUILDING: (BuildingData,),
    Status.SUBMITTED: (SubmittedData,),
    Status.CONFIRMED: (ConfirmedData,),
    Status.FAILED: (EndedData,),
    Status.CANCELLED: (NoData,),
    Status.EXPIRED: (EndedData, NoData),
}
