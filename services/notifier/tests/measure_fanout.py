"""Measure the fan-out: deliveries a CPU second of the notifier, delay, memory of an idle connection.

Run: python services/notifier/tests/measure_fanout.py [clients] [orders]
"""

import asyncio
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import msgspec
import psutil
import redis
import uuid_utils
import uvloop
from faststream.redis.message import bDATA_KEY

from swaprail.db.migrate import migrate
from swaprail.messages.topics import OrderEvent, OrderEvents, Topic
from swaprail_local.servers.ports import free_port
from swaprail_local.servers.postgres import EmbeddedPostgres
from swaprail_local.servers.valkey import EmbeddedValkey

PATH = ["PENDING", "ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED"]
PING, PONG = b"\x89\x00", b"\x8a\x80\0\0\0\0"
IN_FLIGHT = 3
MARK = b'"type":"status"'
WALLET = "fan-out"
ASK = (
    f"GET /ws/wallets/{WALLET} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
).encode()


class Counting(asyncio.Protocol):
    """Counts the frames of one connection."""

    def __init__(self, tally: "Tally") -> None:
        self.tally = tally
        self.open = False
        self.rest = b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(ASK)

    def data_received(self, data: bytes) -> None:
        if not self.open:
            head, _, data = data.partition(b"\r\n\r\n")
            assert b" 101 " in head, head
            self.open = True
            self.tally.opened += 1
            if self.tally.opened == self.tally.expected:
                self.tally.all_open.set()
        if PING in data:
            self.transport.write(PONG)
        data = self.rest + data
        self.tally.count += data.count(MARK)
        # A mark may be cut in two: keep what may be its beginning, without a whole one.
        found = data.rfind(MARK)
        self.rest = data[max(0 if found < 0 else found + len(MARK), len(data) - len(MARK) + 1) :]
        self.tally.last = time.time()

    def connection_lost(self, exc: Exception | None) -> None:
        self.tally.lost += 1


class Tally:
    """What all connections of the process saw."""

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.all_open = asyncio.Event()
        self.opened = self.count = self.lost = 0
        self.last = 0.0


async def _clients(port: int, count: int, pipe: Connection) -> None:
    tally = Tally(count)
    loop = asyncio.get_running_loop()
    for at in range(0, count, 100):
        size = min(100, count - at)
        await asyncio.gather(*(loop.create_connection(lambda: Counting(tally), "127.0.0.1", port) for _ in range(size)))
    await tally.all_open.wait()
    pipe.send("open")
    while (await asyncio.to_thread(pipe.recv)) == "tally":
        pipe.send((tally.count, tally.last, tally.lost))


def clients(port: int, count: int, pipe: Connection) -> None:
    """Be the client process."""
    uvloop.run(_clients(port, count, pipe))


def order_events(number: int) -> list[list[OrderEvent]]:
    """Return messages as the services tell them: a step of 64 orders each."""
    messages = []
    for at in range(0, number, 64):
        ids = [UUID(bytes=uuid_utils.uuid7().bytes) for _ in range(min(64, number - at))]
        for seq, status in enumerate(PATH, 1):
            data = msgspec.Raw(b'{"venue":"raydium","outputAmount":"151.204113","priceImpactBps":3}')
            now = int(time.time() * 1000)
            messages.append([OrderEvent(i, seq, status, now, "local", WALLET, data) for i in ids])
    return messages


class Bench:
    """A notifier in a process of its own, a client process, and this process that tells the topic."""

    def __init__(self, home: Path) -> None:
        self.postgres = EmbeddedPostgres(home / "postgres", durable=False)
        self.valkey = EmbeddedValkey(home / "valkey", durable=False)
        self.postgres.start()
        self.valkey.start()
        migrate(self.postgres.dsn)
        self.port, self.ops = free_port(), free_port()
        self.redis = redis.Redis.from_url(self.valkey.url)
        env = {
            "DATABASE_URL": self.postgres.dsn, "REDIS_URL": self.valkey.url, "NOTIFIER_PORT": str(self.port),
            "OPS_PORT": str(self.ops), "LOG_LEVEL": "WARNING", "STREAM_MAX_ENTRIES": "100000",
        }  # fmt: skip
        self.notifier = subprocess.Popen([sys.executable, "-m", "swaprail_notifier"], env=os.environ | env)
        self.process = psutil.Process(self.notifier.pid)
        self.wait_listening()

    def wait_listening(self) -> None:
        while not any(c.laddr.port == self.port and c.status == "LISTEN" for c in self.process.net_connections()):
            time.sleep(0.05)

    def cpu(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def rss(self) -> int:
        return int(self.process.memory_info().rss)

    def tell(self, events: list[OrderEvent]) -> None:
        self.redis.xadd(str(Topic.EVENTS), {bDATA_KEY: msgspec.json.encode(OrderEvents(events))})

    def stop(self) -> None:
        self.notifier.terminate()
        self.notifier.wait(30)
        self.valkey.stop()
        self.postgres.stop()


def wait_for(pipe: Any, expected: int) -> tuple[int, float, int]:
    end = time.monotonic() + 120
    while True:
        pipe.send("tally")
        tally: tuple[int, float, int] = pipe.recv()
        if tally[0] >= expected or time.monotonic() > end:
            return tally
        time.sleep(0.002)


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    orders = int(sys.argv[2]) if len(sys.argv) > 2 else 256
    # Not the system's private kind of directory: PostgreSQL does not run as root and must get in.
    home = Path(tempfile.mkdtemp(prefix="swaprail-fanout-"))
    home.chmod(0o755)
    bench = Bench(home)
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("spawn").Process(target=clients, args=(bench.port, count, theirs))
    try:
        empty = bench.rss()
        child.start()
        assert ours.recv() == "open"
        time.sleep(2)
        print(f"{count} idle connections: {(bench.rss() - empty) / count / 1024:.1f} KiB each")
        messages = order_events(orders)
        expected = orders * len(PATH) * count
        cpu, began = bench.cpu(), time.time()
        told = 0
        for number, events in enumerate(messages):
            bench.tell(events)
            told += len(events) * count
            # Clients that lag by more than the allowed queue would rightly be closed.
            if number >= IN_FLIGHT:
                wait_for(ours, told - IN_FLIGHT * len(events) * count)
        seen, last, lost = wait_for(ours, expected)
        used = bench.cpu() - cpu
        print(f"{seen:,} of {expected:,} deliveries in {last - began:.2f} s, {lost} connections lost")
        print(f"{seen / used:,.0f} deliveries a CPU second of the notifier; {seen / (last - began):,.0f} a second")
        measure_delay(bench, ours, count, seen)
    finally:
        child.kill()
        bench.stop()


def measure_delay(bench: Bench, pipe: Any, count: int, before: int) -> None:
    """Tell 20 steps a second and print how long the last of all clients waited."""
    delays = []
    for _ in range(100):
        began = time.time()
        bench.tell(order_events(1)[0])
        before += count
        seen, last, _ = wait_for(pipe, before)
        assert seen == before
        delays.append((last - began) * 1000)
        time.sleep(max(0.0, 0.05 - (time.time() - began)))
    delays.sort()
    print(f"told -> read by the last of {count} clients: p50 {delays[50]:.1f} ms, p99 {delays[98]:.1f} ms")


if __name__ == "__main__":
    main()
