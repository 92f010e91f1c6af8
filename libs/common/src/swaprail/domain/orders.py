"""An order as the engine holds it. All amounts are base units."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from swaprail.domain.errors import CATALOGUE, ErrorCode
from swaprail.domain.lifecycle import Status

DEFAULT_SLIPPAGE_BPS = 50
# No lease and no pause is longer, by any setting: what is held until later was written by a clock that has jumped since.
LONGEST_WAIT_S = 60.0

# What the columns of the table can hold: an order that comes from outside and does not fit is none.
Count = Annotated[int, Meta(ge=0, le=2**15 - 2)]
Number = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Fence = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Moment = Annotated[datetime, Meta(tz=True)]


class FundsMoved(StrEnum):
    """Whether a failed order moved the trader's money."""

    NO = "no"
    YES = "yes"
    UNKNOWN = "unknown"


class Stage(StrEnum):
    """Where an order failed."""

    ROUTING = "routing"
    BUILDING = "building"
    LANDING = "landing"


class Failure(msgspec.Struct, frozen=True, rename="camel"):
    """Why an order failed, as the client is told."""

    code: ErrorCode
    stage: Stage
    retryable: bool
    funds_moved: FundsMoved
    hint: str
    detail: str = ""


def failure(code: ErrorCode, stage: Stage, funds_moved: FundsMoved, detail: str = "") -> Failure:
    """Return the failure with what the catalogue says of its code."""
    kind = CATALOGUE[code]
    return Failure(code, stage, kind.retryable, funds_moved, kind.hint, detail)


class NewOrder(msgspec.Struct, frozen=True):
    """An order checked and resolved, ready to be stored."""

    id: UUID
    account: str
    wallet: str
    input_mint: str
    output_mint: str
    input_symbol: str
    output_symbol: str
    input_decimals: int
    output_decimals: int
    input_amount: int
    slippage_bps: int
    min_output_amount: int | None
    expires_at: datetime | None
    execute: bool
    trace: str | None = None


class LeasedOrder(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What a worker needs of an order it holds the lease of; fence is the lease's.

    routing is a domain.quotes.Routing or null, as JSON. at is the commit of the latest step, in milliseconds since 1970.
    """

    id: UUID
    account: str
    wallet: str
    status: Status
    seq: Number
    fence: Fence
    input_mint: str
    output_mint: str
    input_amount: int
    slippage_bps: int
    min_output_amount: int | None
    queued_at: Moment
    expires_at: Moment | None = None
    attempts: Count = 0
    routing: msgspec.Raw = msgspec.Raw(b"null")
    trace: str | None = None
    at: int | None = None


class StaleLeaseError(Exception):
    """The order has moved on, or another worker holds it: whatever was to be written is void."""
