"""Thousands of wrong handshakes and frames against the real notifier, beside clients that must lose nothing."""

import asyncio
import contextlib
import random
import re
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx
import psutil
import pytest

from swaprail.testing.conditions import until
from tests.evidence import Figure
from tests.fuzz.served import LIMIT_S, add_key
from tests.fuzz.ws_frames import CLOSE, PING, Said, any_frames, frame, received
from tests.fuzz.ws_handshakes import any_request, right
from tests.invariants import check_invariants
from tests.system.engine import Engine
from tests.system.subscribers import Subscriber

pytestmark = [pytest.mark.system, pytest.mark.timeout(LIMIT_S)]
HANDSHAKES, LONG_HANDSHAKES = 6_000, 100_000
TALKS, LONG_TALKS = 1_500, 20_000
AT_ONCE = 24
# A head, a body of frames and the answer to a close are waited for no longer than this by the notifier.
WITHIN_S = 15.0
QUIET_S = 0.25
# What is unread when the notifier closes resets the connection, so that its last word may be lost: whoever sends more
# after a close frame gives up the answer to it.
CUT = {"truncated", "noise", "close, and more", "close twice"}
MOST_GROWTH = 32 * 1024 * 1024
ORDER = {"userWallet": "alice", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}


class Fuzzed:
    """One connection of the fuzzer, and everything that came back."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.got = b""
        self.ended = False

    async def __aenter__(self) -> "Fuzzed":
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self._writer.write(piece)
            try:
                await self._writer.drain()
            except ConnectionError:
                return
            if len(pieces) > 1:
                await asyncio.sleep(0)

    async def read(self, within_s: float) -> bool:
        """Read more; tell whether anything came. At the end, ended is set."""
        try:
            async with asyncio.timeout(within_s):
                data = await self._reader.read(65536)
        except TimeoutError:
            return False
        except ConnectionError:
            data = b""
        self.got += data
        self.ended = not data
        return bool(data)

    async def read_head(self) -> int | None:
        """Return the status of the answer, or None when there was none."""
        while b"\r\n\r\n" not in self.got and not self.ended:
            if not await self.read(WITHIN_S):
                break
        return int(self.got[9:12]) if b"\r\n\r\n" in self.got else None

    async def read_all(self, within_s: float) -> None:
        """Read until the end, or until nothing comes for so long."""
        while not self.ended and await self.read(within_s):
            pass


class Neighbours:
    """Clients that behave: each posts an order, follows it, and is never cut."""

    def __init__(self, engine: Engine, key: str) -> None:
        self._engine, self._key = engine, key
        self.followed: list[Subscriber] = []

    async def run(self) -> None:
        headers = {"authorization": f"Bearer {self._key}"}
        async with httpx.AsyncClient(base_url=self._engine.url, headers=headers, timeout=10) as client:
            while True:
                answer = await client.post("/api/orders/execute", json=ORDER)
                assert answer.status_code == 202, answer.text
                one = Subscriber(lambda: self._engine.ws_url, answer.json()["orderId"], self._key)
                await asyncio.wait_for(one.follow(), 10)
                assert one.connections == 1
                self.followed.append(one)


@pytest.fixture
def key(engine: Engine) -> str:
    return add_key(engine.dsn, "one")


@pytest.fixture
async def neighbours(engine: Engine, key: str) -> AsyncIterator[Neighbours]:
    found = Neighbours(engine, key)
    running = asyncio.create_task(found.run())
    await until(lambda: len(found.followed) > 1 or running.done(), what="neighbours are served")
    process = psutil.Process(engine.processes["notifier"].pid)
    memory = process.memory_info().rss
    yield found
    assert not running.done(), running.exception()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await until(lambda: is_empty(engine), within_s=WITHIN_S, what="no connection is left", every_s=0.1)
    assert process.memory_info().rss - memory < MOST_GROWTH
    assert "Traceback" not in (engine.home / "notifier.log").read_text()
    ids = [one.order_id for one in found.followed]
    await check_invariants(engine.dsn, ids, found.followed)


async def is_empty(engine: Engine) -> bool:
    """Tell whether the notifier holds no WebSocket and no other connection of a client."""
    async with httpx.AsyncClient() as client:
        told = (await client.get(f"http://127.0.0.1:{engine.ops_ports['notifier']}/metrics")).text
    process = psutil.Process(engine.processes["notifier"].pid)
    port = engine.ports["notifier"]
    held = [c for c in process.net_connections("tcp") if c.laddr.port == port and c.status == psutil.CONN_ESTABLISHED]
    return not held and re.search(r"^swaprail_websocket_connections 0(\.0)?$", told, re.MULTILINE) is not None


async def at_once(cases: list[Any]) -> None:
    """Run them, so many at once, and name every one that failed."""
    slots = asyncio.Semaphore(AT_ONCE)
    failed: list[str] = []

    async def run(case: Any) -> None:
        async with slots:
            try:
                await case
            except AssertionError as error:
                failed.append(str(error))

    await asyncio.gather(*map(run, cases))
    assert not failed, f"{len(failed)} failed: " + "\n".join(failed[:5])


async def test_every_handshake_is_answered_or_cut_when_it_is_wrong(
    engine: Engine, neighbours: Neighbours, key: str, seed: int, long_form: bool, figures: dict[str, Figure]
) -> None:
    paths = [f"/ws/orders/{neighbours.followed[0].order_id}", "/ws/wallets/alice", "/ws/wallets/bob?after=0"]
    told = Counter[object]()

    async def shake(number: int) -> None:
        rng = random.Random(f"{seed} handshake {number}")
        request = any_request(rng, paths, f"Bearer {key}")
        async with Fuzzed(engine.ports["notifier"]) as fuzzed:
            await fuzzed.send(*request.pieces(rng))
            status = await fuzzed.read_head() if request.whole else None
            told[status] += 1
            assert status is None or 100 < status < 500, (
                f"FUZZ_SEED={seed} handshake {number}: {request}: {fuzzed.got!r}"
            )
            assert not request.right or status == 101, f"FUZZ_SEED={seed} handshake {number}: {request}: {fuzzed.got!r}"

    await at_once([shake(number) for number in range(LONG_HANDSHAKES if long_form else HANDSHAKES)])
    print(f"handshakes by answer: {dict(told)}; {len(neighbours.followed)} neighbours lost nothing")
    figures |= {"handshakes": told.total(), "handshakes that were accepted": told[101]}
    assert told[101] > 0
    assert told[400] > 0


async def test_every_connection_ends_with_the_right_code_when_frames_are_wrong(
    engine: Engine, neighbours: Neighbours, key: str, seed: int, long_form: bool, figures: dict[str, Figure]
) -> None:
    told = Counter[tuple[str, int | None]]()

    async def talk(number: int) -> None:
        rng = random.Random(f"{seed} frames {number}")
        said = any_frames(rng)
        async with Fuzzed(engine.ports["notifier"]) as fuzzed:
            await fuzzed.send(right("/ws/wallets/bob", f"Bearer {key}", rng))
            assert await fuzzed.read_head() == 101, fuzzed.got
            await fuzzed.send(*_split(rng, b"".join(one.data for one in said)))
            code = await _ending(fuzzed, said[-1], rng, f"FUZZ_SEED={seed} frames {number}")
            told[said[-1].what, code] += 1
            where = f"FUZZ_SEED={seed} frames {number}: {[one.what for one in said]}: {code} {fuzzed.got[-200:]!r}"
            assert code in said[-1].codes or (code is None and said[-1].what in CUT), where

    await at_once([talk(number) for number in range(LONG_TALKS if long_form else TALKS)])
    print(f"frames by kind and code: {dict(told)}; {len(neighbours.followed)} neighbours lost nothing")
    figures |= {"connections with fuzzed frames": told.total(), "orders followed beside them": len(neighbours.followed)}
    assert len({what for what, _ in told}) > 15


async def _ending(fuzzed: Fuzzed, last: Said, rng: random.Random, where: str) -> int | None:
    """Return the code by which the notifier closes, or None if the connection is as good as before."""
    await fuzzed.read_all(QUIET_S if None in last.codes else WITHIN_S)
    code = _close_code(fuzzed)
    if code is not None or last.what in CUT:
        return code
    assert not fuzzed.ended, f"{where}: cut without a word after {last.what}"
    before = len(fuzzed.got)
    await fuzzed.send(frame(rng, PING, b"still there?"))
    # The notifier's own ping may come first.
    while b"still there?" not in fuzzed.got[before:] and await fuzzed.read(WITHIN_S):
        pass
    assert b"still there?" in fuzzed.got[before:], f"{where}: no answer to a ping after {last.what}"
    return None


def _close_code(fuzzed: Fuzzed) -> int | None:
    frames = list(received(fuzzed.got.partition(b"\r\n\r\n")[2]))
    closes = [payload for opcode, payload in frames if opcode == CLOSE]
    assert len(closes) <= 1, f"closed {len(closes)} times"
    if not closes:
        return None
    after = frames[[opcode for opcode, _ in frames].index(CLOSE) :]
    assert all(opcode >= CLOSE for opcode, _ in after), "data was sent after the close"
    return int.from_bytes(closes[0][:2]) if closes[0] else 1005


def _split(rng: random.Random, data: bytes) -> list[bytes]:
    at = rng.randrange(len(data) + 1)
    return rng.choice([[data], [data[:at], data[at:]], [data[:at], data[at : at + 1], data[at + 1 :]]])
