"""The clients themselves: one that overlooks a gap proves nothing."""

import gc
import os
import socket
import struct
import threading
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
import uvloop

from tests.faults.websockets.__main__ import irregular
from tests.faults.websockets.follows import OrderFollow, WalletFollow
from tests.faults.websockets.wire import open_wire, split
from tests.load.fanout_clients import MARK, PING, PONG, Counting, Counts

PATH = ["PENDING", "ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED"]
SHORT, LONG, WIDE = (
    b"\x81\x05hello",
    b"\x81\x7e\x01\x00" + b"x" * 256,
    b"\x81\x7f" + (70_000).to_bytes(8) + b"y" * 70_000,
)


def message(seq: int, order_id: str = "o1") -> bytes:
    return msgspec.json.encode(
        {
            "type": "status",
            "orderId": order_id,
            "seq": seq,
            "status": PATH[seq - 1],
            "timestamp": f"2026-01-01T00:00:0{seq}.123Z",
            "data": {},
        }
    )


@pytest.mark.parametrize("cut", [0, 1, 2, 6, 7, 8, 9, 11, 100, 267, 268, 277, 278, 5000])
def test_frames_are_whole_when_they_come_in_two_pieces(cut: int) -> None:
    data = SHORT + LONG + WIDE
    first, rest = split(data[:cut])
    second, end = split(rest + data[cut:])
    assert [len(payload) for _, payload in first + second] == [5, 256, 70_000]
    assert end == b""


def _resets_everybody(listener: socket.socket) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


def test_nobody_elses_socket_is_closed_when_connections_are_reset_while_they_open() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_resets_everybody, args=(listener,), daemon=True).start()

    async def connect_often() -> None:
        others: list[tuple[int, os.stat_result]] = []
        for _ in range(200):
            with pytest.raises((OSError, TimeoutError)):
                await open_wire(listener.getsockname()[1], "/", lambda _: None)
            fd = os.open(os.devnull, os.O_RDONLY)  # the number that was just given back
            others.append((fd, os.fstat(fd)))
            gc.collect(0)
        for fd, was in others:
            assert os.path.samestat(os.fstat(fd), was)
            os.close(fd)

    uvloop.run(connect_often())
    listener.close()


async def test_order_follower_keeps_repeats_and_gaps_when_they_come() -> None:
    follow = OrderFollow("o1")
    for seq in (1, 1, 3):
        follow.take(message(seq))
    assert [told["seq"] for told in follow.messages] == [1, 1, 3]
    assert follow.path.endswith("?after=3")
    assert not follow.over.done()
    follow.take(message(5))
    assert follow.over.done()


@pytest.mark.parametrize(("seqs", "broken"), [((1, 2, 2), 1), ((1, 3), 2), ((2,), 1), ((1, 2, 3, 4, 5), 0)])
async def test_wallet_follower_notes_repeats_and_gaps_when_within_a_connection(
    seqs: tuple[int, ...], broken: int
) -> None:
    follow = WalletFollow("w", 0)
    follow.begin()
    for seq in seqs:
        follow.take(message(seq))
    assert len(follow.broken) == broken


async def test_wallet_follower_takes_repeats_when_connected_again() -> None:
    follow = WalletFollow("w", 0)
    for seqs in ((1, 2), (1, 2, 3), (2, 3, 4, 5)):
        follow.begin()
        for seq in seqs:
            follow.take(message(seq))
    assert not follow.broken
    assert follow.repeats == 4
    assert [told["seq"] for told in follow.orders["o1"].messages] == [1, 2, 3, 4, 5]
    follow.wanted = {"o1", "o2"}
    assert not follow.ended
    follow.wanted = {"o1"}
    assert follow.ended


@pytest.mark.parametrize("cut", range(1, 70))
def test_each_step_is_counted_once_when_it_comes_in_two_pieces(cut: int) -> None:
    counts = Counts(1)
    client = Counting(counts, b"")
    step = b'\x81\x20{"data":{' + MARK + b'1700000000000000,"x":1}}'
    data = b"HTTP/1.1 101 Switching\r\n\r\n"
    client.data_received(data)
    for piece in ((step * 3)[:cut], (step * 3)[cut:]):
        client.data_received(piece)
    assert counts.count == 3
    assert sum(counts.delays) == 3


def test_ping_is_answered_when_it_comes_together_with_a_step() -> None:
    client, written = Counting(Counts(1), b""), list[bytes]()
    client.connection_made(cast("Any", SimpleNamespace(write=written.append)))
    client.data_received(b"HTTP/1.1 101 Switching\r\n\r\n")
    client.data_received(b'\x81\x20{"data":{' + MARK + b"1700000000000000}}" + PING)
    assert written == [b"", PONG]


def test_what_is_missing_repeated_or_out_of_order_is_counted() -> None:
    assert irregular([[1, 2, 3], []]) == {"gaps": 0, "duplicates": 0, "reorders": 0}
    assert irregular([[1, 3, 2, 2], [1, 4]]) == {"gaps": 2, "duplicates": 1, "reorders": 1}
