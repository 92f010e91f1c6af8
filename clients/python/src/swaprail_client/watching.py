"""Streams of steps that survive broken connections: every step once, in order."""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote
from uuid import UUID

from swaprail_client.address import Address
from swaprail_client.orders import StatusMessage
from swaprail_client.sockets import BROKEN, Patience, StreamBrokenError, open_socket, status_messages

# Orders of one commit share its time, and commits may be told in another order than their times:
# a wallet's stream is asked again a little earlier than needed, and what was seen is dropped.
OVERLAP = timedelta(seconds=2)
REMEMBERED_ORDERS = 10_000

type FillGap = Callable[[UUID, int], Awaitable[Sequence[StatusMessage]]]


def order_path(order_id: UUID | str) -> str:
    """Return the path of an order's stream."""
    return f"/ws/orders/{quote(str(order_id), safe='')}"


async def watch_order(
    address: Address, order_id: UUID | str, after: int, patience: Patience
) -> AsyncGenerator[StatusMessage, None]:
    """Yield the order's steps after seq `after`, up to the one that ends it."""
    last = after
    while True:
        cause: Exception | None = None
        try:
            async with open_socket(address, order_path(order_id), after=last) as socket:
                patience.connected()
                async for message in status_messages(socket):
                    if message.seq <= last:
                        continue
                    _require_next(message, last)
                    patience.progressed()
                    last = message.seq
                    yield message
                    if message.ends:
                        return
        except BROKEN as error:
            cause = error
        await patience.pause(cause)


def _require_next(message: StatusMessage, last: int) -> None:
    if message.seq != last + 1:
        missing = f"step {last + 1} is missing before {message.seq}"
        raise StreamBrokenError(missing)


class Seen:
    """The last step seen of each of the orders that moved most recently."""

    def __init__(self) -> None:
        self._last: OrderedDict[UUID, int] = OrderedDict()

    def last(self, order_id: UUID) -> int | None:
        """Return the seq last seen, or None of an order that is new here."""
        return self._last.get(order_id)

    def note(self, message: StatusMessage) -> None:
        """Remember a step."""
        self._last[message.order_id] = message.seq
        self._last.move_to_end(message.order_id)
        if len(self._last) > REMEMBERED_ORDERS:
            self._last.popitem(last=False)


async def watch_wallet(
    address: Address, wallet: str, after: datetime | None, patience: Patience, fill: FillGap
) -> AsyncGenerator[StatusMessage, None]:
    """Yield the steps of a wallet's orders, each once, and those of one order in order; never ends by itself."""
    path = f"/ws/wallets/{quote(wallet, safe='')}"
    seen, start, newest = Seen(), after, after
    while True:
        cause: Exception | None = None
        try:
            async with open_socket(address, path, after=_resume_at(start, newest)) as socket:
                patience.connected()
                async for arrived in status_messages(socket):
                    for message in await _new_steps(arrived, seen, fill):
                        patience.progressed()
                        seen.note(message)
                        start = start or message.timestamp
                        newest = max(newest or message.timestamp, message.timestamp)
                        yield message
        except BROKEN as error:
            cause = error
        await patience.pause(cause)


def _resume_at(start: datetime | None, newest: datetime | None) -> str | None:
    if start is None or newest is None:
        return None
    return max(start, newest - OVERLAP).isoformat()


async def _new_steps(arrived: StatusMessage, seen: Seen, fill: FillGap) -> Sequence[StatusMessage]:
    """Return the step, after those that the stream left out before it; nothing when it was seen."""
    last = seen.last(arrived.order_id)
    if last is None or arrived.seq == last + 1:
        return [arrived]
    return [] if arrived.seq <= last else await fill(arrived.order_id, last)
