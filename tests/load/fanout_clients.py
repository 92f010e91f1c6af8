"""The client process of a fan-out: many connections that cost little, each counting what comes and how late it came.

It is a process of its own, so that its CPU is not the notifier's; both still share the machine.
"""

import asyncio
import time
from array import array
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, cast

import uvloop

PING, PONG = b"\x89\x00", b"\x8a\x80\0\0\0\0"
MARK = b'"told":'  # in the data of each step: when it was told, in microseconds since 1970
DIGITS = 16
BIN_S = 0.0001
BINS = 100_000
AT_ONCE = 100  # connections
ANSWER_S = 120.0
QUIET_S = 5.0


class Tally(NamedTuple):
    """What all connections saw: how many steps, when the last one came, how many connections are gone, CPU seconds used."""

    steps: int
    last: float
    lost: int
    cpu_s: float


class Counts:
    """What all connections of the process saw. delays has the steps by delay, a bin for each 0.1 ms."""

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.all_open = asyncio.Event()
        self.opened = self.count = self.lost = 0
        self.last = 0.0
        self.delays = array("L", bytes(8 * BINS))

    def note_open(self) -> None:
        self.opened += 1
        if self.opened == self.expected:
            self.all_open.set()

    def note_steps(self, count: int, told: float) -> None:
        """Count steps that came together; told is of the first: none of them waited longer."""
        self.count += count
        self.last = now = time.time()
        self.delays[min(BINS - 1, max(0, int((now - told) / BIN_S)))] += count

    def delay(self, share: float) -> float:
        """Return the seconds that a share of the steps did not exceed, and forget nothing."""
        wanted, so_far = share * sum(self.delays), 0
        for number, count in enumerate(self.delays):
            so_far += count
            if so_far >= wanted:
                return (number + 1) * BIN_S
        return BINS * BIN_S


class Counting(asyncio.Protocol):
    """Counts the steps of one connection."""

    __slots__ = ("_ask", "_counts", "_open", "_rest", "_transport")

    def __init__(self, counts: Counts, ask: bytes) -> None:
        self._counts = counts
        self._ask = ask
        self._open = False
        self._rest = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._ask)

    def data_received(self, data: bytes) -> None:
        if not self._open:
            head, _, data = data.partition(b"\r\n\r\n")
            if b" 101 " not in head:
                raise ConnectionError(head.decode())
            self._open = True
            self._counts.note_open()
        if PING in data:  # no such bytes are in the text of a step
            self._transport.write(PONG)
        data = self._rest + data if self._rest else data
        first = data.find(MARK)
        if first < 0:
            self._rest = data[-len(MARK) - DIGITS :]
            return
        last = data.rfind(MARK)
        # What may be cut in two is looked at again with what follows.
        whole = len(data) >= last + len(MARK) + DIGITS
        count = data.count(MARK) - (not whole)
        self._rest = data[last + len(MARK) + DIGITS :][-len(MARK) - DIGITS :] if whole else data[last:]
        if count:
            begin = first + len(MARK)
            self._counts.note_steps(count, int(data[begin : begin + DIGITS]) / 1e6)

    def connection_lost(self, exc: Exception | None) -> None:
        self._counts.lost += 1


async def _serve(port: int, number: int, path: str, pipe: Connection) -> None:
    counts, loop = Counts(number), asyncio.get_running_loop()
    ask = (
        f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    ).encode()
    for at in range(0, number, AT_ONCE):
        size = min(AT_ONCE, number - at)
        async with asyncio.timeout(ANSWER_S):
            await asyncio.gather(
                *(loop.create_connection(lambda: Counting(counts, ask), "127.0.0.1", port) for _ in range(size))
            )
    async with asyncio.timeout(ANSWER_S):
        await counts.all_open.wait()
    pipe.send("open")
    while (asked := await asyncio.to_thread(pipe.recv)) is not None:
        pipe.send(_answer(counts, asked))


def _answer(counts: Counts, asked: object) -> object:
    if asked == "tally":
        return Tally(counts.count, counts.last, counts.lost, time.process_time())
    if asked == "forget":
        counts.delays = array("L", bytes(8 * BINS))
        return None
    return [counts.delay(share) for share in cast("list[float]", asked)]


def _main(port: int, number: int, path: str, pipe: Connection) -> None:
    uvloop.run(_serve(port, number, path, pipe))


class Clients:
    """The handle on a client process."""

    def __init__(self, port: int, number: int, path: str) -> None:
        """Open connections to a path of the notifier; return when all are open."""
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_main, args=(port, number, path, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self._receive()

    def tally(self) -> Tally:
        return cast("Tally", self._ask("tally"))

    def forget_delays(self) -> None:
        self._ask("forget")

    def delays(self, *shares: float) -> list[float]:
        """Return quantiles of the seconds from telling to reading, since they were last forgotten."""
        return cast("list[float]", self._ask(list(shares)))

    def wait_for(self, steps: int) -> Tally:
        """Return as soon as so many steps came, or, short of them, when nothing more comes."""
        tally, since = self.tally(), time.monotonic()
        while tally.steps < steps and time.monotonic() - since < QUIET_S:
            time.sleep(0.002)
            before, tally = tally, self.tally()
            if tally.steps > before.steps:
                since = time.monotonic()
        return tally

    def close(self) -> None:
        self._process.kill()
        self._process.join()

    def _ask(self, what: object) -> Any:
        self._pipe.send(what)
        return self._receive()

    def _receive(self) -> Any:
        if not self._pipe.poll(ANSWER_S):
            raise TimeoutError("the client process does not answer")
        return self._pipe.recv()
