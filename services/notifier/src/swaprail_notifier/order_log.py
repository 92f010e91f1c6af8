"""The steps of one order that somebody follows, in memory: always 1..n without a gap."""

from collections.abc import Callable, Iterator
from typing import Protocol
from uuid import UUID

import msgspec
from websockets.frames import Frame, Opcode

from swaprail.domain.lifecycle import TERMINAL
from swaprail.messages.push import encode_status
from swaprail_notifier import metrics

MAX_HELD = 64
_TERMINAL = frozenset(str(status) for status in TERMINAL)

type Data = bytes | msgspec.Raw


class Sink(Protocol):
    """Whoever takes frames: a socket."""

    def write(self, data: bytes) -> None:
        """Take whole frames; never wait, never raise."""
        ...


class Audience(Protocol):
    """Those who follow all orders of a wallet."""

    def tell(self, log: "OrderLog", frame: bytes) -> int:
        """Write a frame just appended to the log; return to how many sinks."""
        ...


class Step(msgspec.Struct, frozen=True, gc=False):
    """One step as the topic or the table tells it; at is in milliseconds since 1970."""

    seq: int
    status: str
    at: int
    data: Data


def frame_of(order_id: UUID, step: Step) -> bytes:
    """Return the step as one unmasked text frame: the same bytes for every socket."""
    text = encode_status(order_id, step.seq, step.status, step.at, step.data)
    return Frame(Opcode.TEXT, text).serialize(mask=False)


class OrderLog:
    """The frames of one order, its followers, and the steps that came too early."""

    __slots__ = ("account", "ahead", "audience", "closed", "followers", "frames", "held", "id", "on_told", "pins")

    def __init__(self, order_id: UUID, account: str | None, on_told: Callable[[int], None]) -> None:
        """Take an order; account is None until it is known; on_told is called with the time of each step told."""
        self.id = order_id
        self.account = account
        self.on_told = on_told
        self.frames: list[bytes] = []
        self.closed = False
        self.followers: dict[Sink, None] = {}
        self.ahead: dict[Sink, int] | None = None
        self.held: dict[int, Step] | None = None
        self.audience: Audience | None = None
        self.pins = 0

    @property
    def seq(self) -> int:
        """The number of the latest step that followers were told."""
        return len(self.frames)

    @property
    def wanted(self) -> bool:
        """Tell whether anybody follows the order, or is about to."""
        return bool(self.followers or self.ahead or self.pins or self.audience)

    def offer(self, step: Step) -> bool:
        """Tell the followers a step that is next, drop a known one, hold an early one; False: a step is missing."""
        if step.seq <= self.seq:
            metrics.DUPLICATE.inc()
            return True
        if step.seq > self.seq + 1:
            self._hold(step)
            return False
        self._append(step)
        while self.held and (following := self.held.pop(self.seq + 1, None)):
            self._append(following)
        if self.held:
            return False
        self.held = None
        return True

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

    def _hold(self, step: Step) -> None:
        if self.held is None:
            self.held = {}
        # What does not fit is read from the table with the rest of the gap.
        if len(self.held) < MAX_HELD:
            self.held[step.seq] = step

    def _append(self, step: Step) -> None:
        frame = frame_of(self.id, step)
        self.frames.append(frame)
        self.closed = step.status in _TERMINAL
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

    def _caught_up(self) -> Iterator[Sink]:
        assert self.ahead is not None
        for sink, after in list(self.ahead.items()):
            if self.seq >= after:
                del self.ahead[sink]
                yield sink
