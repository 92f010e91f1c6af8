"""How connections live and end."""

import asyncio
import socket
import time
from typing import Any

import msgspec
import pytest

from swaprail_notifier import drain, metrics
from swaprail_notifier.connections import CloseCode

BULK = 40_000


async def stalled(running: Any, path: str) -> socket.socket:
    """Open a WebSocket that never reads, with little room in its receive buffer."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.setblocking(False)
    loop = asyncio.get_running_loop()
    host, port = running.address.split(":")
    await loop.sock_connect(raw, (host, int(port)))
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {running.address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    await loop.sock_sendall(raw, request.encode())
    return raw


def slow_closes() -> float:
    """Return how many connections were closed as too slow."""
    return float(metrics.CLOSED.labels(str(int(CloseCode.SLOW)))._value.get())


async def test_slow_client_is_closed_and_others_are_not_delayed_when_it_does_not_read(serve: Any, engine: Any) -> None:
    running = await serve()
    good = await running.connect("/ws/wallets/w1")
    slow = await stalled(running, "/ws/wallets/w1")
    await running.until(lambda: running.notifier.connections == 2)
    filler = msgspec.json.encode({"padding": "x" * BULK}).decode()
    sent, before = 0, slow_closes()
    deadline = time.monotonic() + 20
    try:
        while running.notifier.connections == 2:
            assert time.monotonic() < deadline, "the slow client was not closed"
            await engine.post(data=filler)
            sent += 1
            began = time.monotonic()
            await good.read(sent)
            assert time.monotonic() - began < 2
    finally:
        slow.close()
    assert good.is_dense()
    assert slow_closes() == before + 1


async def test_connection_is_closed_when_the_client_floods_it(serve: Any) -> None:
    running = await serve()
    client = await running.connect("/ws/wallets/w")
    for _ in range(11):
        await client.socket.send("x")
    assert await client.close_code() == 1008


@pytest.mark.parametrize(("message", "code"), [(b"bytes", 1003), ("x" * 5000, 1009)])
async def test_connection_is_closed_when_a_message_is_not_understood(
    serve: Any, message: str | bytes, code: int
) -> None:
    running = await serve()
    client = await running.connect("/ws/wallets/w")
    await client.socket.send(message)
    assert await client.close_code() == code


async def test_unknown_text_is_ignored_when_within_the_limit(serve: Any, engine: Any) -> None:
    running = await serve()
    client = await running.connect("/ws/wallets/w1")
    await client.socket.send("hello")
    await (await client.socket.ping())
    await engine.post()
    assert await client.seqs(1) == [1]


async def test_text_may_be_cut_anywhere_when_it_comes_in_frames(serve: Any) -> None:
    running = await serve()
    client = await running.connect("/ws/wallets/w")
    await client.socket.send([b"\xe2", b"\x82", b"\xac"], text=True)
    await (await client.socket.ping())


@pytest.mark.parametrize("frames", [[b"\xff"], [b"x\xe2", b"\x82"], [b"x", b"\x80"]])
async def test_connection_is_closed_when_a_text_message_is_no_text(serve: Any, frames: list[bytes]) -> None:
    running = await serve()
    client = await running.connect("/ws/wallets/w")
    await client.socket.send(frames, text=True)
    assert await client.close_code() == 1007


async def test_silent_client_is_closed_when_it_answers_no_ping(serve: Any) -> None:
    running = await serve(ws_ping_interval_s=0.5, ws_pong_timeout_s=0.2)
    alive = await running.connect("/ws/wallets/w")
    dead = await stalled(running, "/ws/wallets/w")
    await running.until(lambda: running.notifier.connections == 2)
    await running.until(lambda: running.notifier.connections == 1)
    await (await alive.socket.ping())
    dead.close()


async def test_clients_are_sent_elsewhere_when_the_service_drains(serve: Any, engine: Any) -> None:
    running = await serve()
    clients = [await running.connect("/ws/wallets/w") for _ in range(30)]
    running.service.health.draining = True
    await asyncio.wait_for(running.service.drain(), 5)
    assert {await client.close_code() for client in clients} == {1012}
    assert running.notifier.connections == 0
    assert not (await running.notifier.readiness()).ready
    with pytest.raises(ConnectionRefusedError):
        await running.connect("/ws/wallets/w")


async def test_drain_ends_when_clients_vanish_meanwhile(serve: Any) -> None:
    running = await serve()
    clients = [await running.connect("/ws/wallets/w") for _ in range(30)]
    draining = asyncio.create_task(running.service.drain())
    for client in clients:
        client.socket.transport.abort()
    await asyncio.wait_for(draining, 5)
    # Also what was planned for the vanished has come and gone: nothing may fail in the event loop.
    await asyncio.sleep(30 / drain.PER_SECOND)


async def test_handshake_is_refused_when_the_service_drains_behind_anothers_port(serve: Any) -> None:
    running = await serve()
    await running.notifier.drain()
    assert (await running.refused("/ws/wallets/w")).status_code == 503


async def test_client_goes_on_at_another_replica_without_gap_when_cut(serve: Any, engine: Any) -> None:
    replicas = [await serve(), await serve()]
    posted = await engine.post()
    seen: list[int] = []
    for turn in range(5):
        client = await replicas[turn % 2].connect(f"/ws/orders/{posted.order_id}?after={len(seen)}")
        seen += await client.seqs(1)
        client.socket.transport.abort()
        if posted.seq < 5:
            posted = await engine.move(posted, tell=turn % 2 == 0)
    assert seen == [1, 2, 3, 4, 5]
