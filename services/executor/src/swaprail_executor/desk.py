"""What every use case of the executor works with, wired once in app.py."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import msgspec

from swaprail.db.transitions import Move
from swaprail.deadline import Deadline
from swaprail.domain.chain import SignedSwap
from swaprail.domain.errors import ErrorCode
from swaprail.domain.orders import LeasedOrder
from swaprail.domain.tokens import TokenList
from swaprail.ports.chain import Chain, Signer
from swaprail.ports.venues import SwapBuilder
from swaprail.runtime.order_writer import OrderWriter
from swaprail_executor.attempts import LiveAttempt, Settlement, Submission
from swaprail_executor.settings import ExecutorSettings


class Attempt(msgspec.Struct, frozen=True):
    """A stored attempt under way.

    quoted is what its route promised, in base units; None of a resumed one. send_until is when its order's time is over,
    by time.monotonic: from then on its bytes are not sent, nor sent again; None: that time has no end.
    """

    swap: SignedSwap
    venue: str
    quoted: int | None
    send_until: float | None = None


class Desk(msgspec.Struct, frozen=True):
    """The chain, the signer, and the three kinds of guarded writes."""

    settings: ExecutorSettings
    chain: Chain
    builder: SwapBuilder
    signer: Signer
    tokens: TokenList
    moves: OrderWriter[Move]
    submissions: OrderWriter[Submission]
    settlements: OrderWriter[Settlement]
    building: Deadline
    live_attempt: Callable[[UUID], Awaitable[LiveAttempt | None]]
    extended: Callable[[LeasedOrder], None]
    idles: Callable[[LeasedOrder, bool], None]


def building_deadline(settings: ExecutorSettings) -> Deadline:
    """Return the time that building, checking and signing one attempt has."""
    seconds = settings.executor_chain_timeout_s
    return Deadline(seconds, ErrorCode.UNAVAILABLE, f"the swap could not be built in {seconds:g} s")
