"""The steps of one order that somebody follows, in memory: always 1..n without a gap, as the table has them."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol
from uuid import UUID

import msgspec
from websockets.frames import Frame, Opcode

from swaprail.domain.lifecycle import TERMINAL
from swaprail.messages.push import encode_status
from swaprail_notifier import metrics

_TERMINAL = frozenset(str(status) for status in TERMINAL)


class Sink(Protocol):
    """Whoever takes frames: a socket."""

    def write(self, data: bytes) -> None:
        """Take whole frames; never wait, never raise."""
        ...

    def restart(self) -> None:
        """Take no more frames and let the client connect anew: what it was told does not hold; never raise."""
        ...


class Audience(Protocol):
    """Those who follow all orders of a wallet."""

    def tell(self, log: "OrderLog", frame: bytes) -> int:
        """Write a frame just appended to the log; return to how many sinks."""
        ...

    def restart(self) -> None:
        """Let every sink restart."""
        ...


class Step(msgspec.Struct, frozen=True, gc=False):
    """One step as the table has it; at is in milliseconds since 1970."""

    seq: int
    status: str
    at: int
    data: bytes


class Told(NamedTuple):
    """An order and the last of its steps that followers were told; seq is 0 where there is none."""

    order_id: UUID
    seq: int = 0
    status: str = ""
    at: int = 0


def frame_of(order_id: UUID, step: Step) -> bytes:
    """Return the step as one unmasked text frame: the same bytes for every socket."""
    text = encode_status(order_id, step.seq, step.status, step.at, step.data)
    return Frame(Opcode.TEXT, text).serialize(mask=False)


class OrderLog:
    """The frames of one order, and its followers."""

    __slots__ = ("account", "ahead", "audience", "followers", "frames", "id", "on_told", "pins", "told")

    def __init__(self, order_id: UUID, account: str | None, on_told: Callable[[int], None]) -> None:
        """Take an order; account is None until it is known; on_told is called with the time of each step told."""
        self.id = order_id
        self.account = account
        self.on_told = on_told
        self.frames: list[bytes] = []
        self.told = Told(order_id)
        self.followers: dict[Sink, None] = {}
        self.ahead: dict[Sink, int] | None = None
        self.audience: Audience | None = None
        self.pins = 0

    @property
    def seq(self) -> int:
        """The number of the latest step that followers were told."""
        return len(self.frames)

    @property
    def closed(self) -> bool:
        """Tell whether the latest step ended the order."""
        return self.told.status in _TERMINAL

    @property
    def wanted(self) -> bool:
        """Tell whether anybody follows the order, or is about to."""
        return bool(self.followers or self.ahead or self.pins or self.audience)

    def append(self, step: Step) -> None:
        """Tell the followers the next step."""
        frame = frame_of(self.id, step)
        self.frames.append(frame)
        self.told = Told(self.id, step.seq, step.status, step.at)
        told = len(self.followers)
        for sink in self.followers:
            sink.write(frame)
        if self.ahead:
            for sink in list(self._caught_up()):
                self.followers[sink] = None
        if self.audience is not None:
            told += self.audience.tell(self, frame)
        if told:
            metrics.SENT_STATUS.inc(told)
            self.on_told(step.at)

    def follow(self, sink: Sink, after: int) -> None:
        """Write every step after `after` to the sink, and then each new one."""
        if after > self.seq:
            # The client was further at another replica: it is told nothing twice.
            self.ahead = {**(self.ahead or {}), sink: after}
            return
        if history := self.frames[after:]:
            metrics.SENT_STATUS.inc(len(history))
            sink.write(b"".join(history))
        self.followers[sink] = None

    def leave(self, sink: Sink) -> None:
        """Write no more to the sink."""
        self.followers.pop(sink, None)
        if self.ahead:
            self.ahead.pop(sink, None)

    def restart(self) -> None:
        """Begin anew, without a step and without those who were told steps."""
        sinks = [*self.followers, *(self.ahead or ())]
        self.followers, self.ahead = {}, None
        self.frames, self.told = [], Told(self.id)
        for sink in sinks:
            sink.restart()
        if self.audience is not None:
            self.audience.restart()

    def _caught_up(self) -> Iterator[Sink]:
        assert self.ahead is not None
        for sink, after in list(self.ahead.items()):
            if self.seq >= after:
                del self.ahead[sink]
                yield sink
