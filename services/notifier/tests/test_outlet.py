"""When frames are written, and when a client counts as too slow: by what waits for it, not by what was written to it."""

import asyncio
import socket
from typing import Any, cast

import pytest

from swaprail_notifier.outlet import MAX_HELD, MAX_UNSENT_IN_KERNEL, Outlet
from swaprail_notifier.turn_end import TurnEnd

FRAME = b"x" * 300
MOST_BYTES, MOST_MESSAGES = 262_144, 256


class Transport:
    """Keeps what was written until it is read."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.unread = 0
        self.closing = False
        self.broken = False

    def write(self, data: bytes) -> None:
        if self.broken:
            raise RuntimeError("the handle is closed")
        self.written.append(data)
        self.unread += len(data)

    def get_write_buffer_size(self) -> int:
        return self.unread

    def abort(self) -> None:
        self.closing = True

    def is_closing(self) -> bool:
        return self.closing


def open_outlet(turn_end: TurnEnd | None = None) -> tuple[Outlet, Transport, list[bool]]:
    transport, slow = Transport(), list[bool]()
    end: Any = lambda: slow.append(True)  # noqa: E731
    outlet = Outlet(cast("Any", transport), turn_end or TurnEnd(), MOST_BYTES, MOST_MESSAGES, end, lambda: None)
    outlet.open()
    return outlet, transport, slow


def paused_outlet() -> tuple[Outlet, Transport, list[bool]]:
    outlet, transport, slow = open_outlet()
    outlet.pause()
    return outlet, transport, slow


async def test_frames_are_written_together_when_they_come_in_one_turn() -> None:
    outlet, transport, _ = open_outlet()
    outlet.write(b"a")
    outlet.write(b"b")
    assert transport.written == []
    await asyncio.sleep(0)
    assert transport.written == [b"ab"]


async def test_frames_are_written_at_once_when_they_are_many() -> None:
    outlet, transport, _ = open_outlet()
    outlet.write(b"a" * (MAX_HELD - 1))
    assert transport.written == []
    outlet.write(b"b")
    outlet.write(b"c")
    assert len(transport.written) == 1
    await asyncio.sleep(0)
    assert b"".join(transport.written) == b"a" * (MAX_HELD - 1) + b"bc"


async def test_frames_keep_their_order_when_writing_is_paused_in_their_turn() -> None:
    outlet, transport, _ = open_outlet()
    outlet.write(b"a")
    outlet.pause()
    outlet.write(b"b")
    await asyncio.sleep(0)
    assert transport.written == [b"a", b"b"]


async def test_frames_are_written_before_the_end_when_the_outlet_is_shut_in_their_turn() -> None:
    outlet, transport, _ = open_outlet()
    outlet.write(b"a")
    outlet.shut()
    outlet.write(b"b")
    assert transport.written == [b"a"]
    await asyncio.sleep(0)
    assert transport.written == [b"a"]


@pytest.mark.parametrize("shut", [True, False])
async def test_nothing_is_written_when_the_connection_is_gone(*, shut: bool) -> None:
    outlet, transport, _ = open_outlet()
    outlet.write(b"a")
    transport.closing = True
    if shut:
        outlet.shut()
    await asyncio.sleep(0)
    assert transport.written == []


@pytest.mark.parametrize("size", [1, MAX_HELD])
async def test_connection_is_cut_and_others_are_written_to_when_its_frames_cannot_be(size: int) -> None:
    reported: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(str(context["exception"])))
    turn_end = TurnEnd()
    (broken, gone, _), (outlet, transport, _) = open_outlet(turn_end), open_outlet(turn_end)
    gone.broken = True
    for each in (broken, outlet):
        each.write(b"a" * size)
    await asyncio.sleep(0)
    assert (gone.closing, reported) == (True, ["the handle is closed"])
    assert transport.written == [b"a" * size]
    gone.broken = False
    broken.write(b"b")
    await asyncio.sleep(0)
    assert gone.written == []


async def test_client_is_not_slow_when_it_reads_on_while_writing_stays_paused() -> None:
    outlet, transport, slow = paused_outlet()
    for _ in range(20 * MOST_MESSAGES):
        outlet.write(FRAME)
        transport.unread = min(transport.unread, 40 * len(FRAME))
    await asyncio.sleep(0)
    assert not slow


@pytest.mark.parametrize(("size", "most"), [(300, MOST_MESSAGES), (5_000, MOST_BYTES // 5_000)])
async def test_client_is_slow_once_when_more_waits_than_may(size: int, most: int) -> None:
    outlet, transport, slow = paused_outlet()
    for _ in range(most):
        outlet.write(b"x" * size)
    await asyncio.sleep(0)
    assert not slow
    for _ in range(3):
        outlet.write(b"x" * size)
    await asyncio.sleep(0)
    assert slow == [True]
    assert transport.unread <= (most + 1) * size


@pytest.mark.skipif(not hasattr(socket, "TCP_NOTSENT_LOWAT"), reason="this system does not bound what is not sent")
async def test_kernel_holds_little_when_a_client_never_reads(serve: Any, engine: Any) -> None:
    running = await serve()
    client = await running.connect("/ws/wallets/w1")
    (ours,) = running.notifier._shared.sockets
    connection = ours._transport.get_extra_info("socket")
    assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT) == MAX_UNSENT_IN_KERNEL
    await client.socket.close()
