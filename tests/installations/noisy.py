"""How much slower others are served while one account is at all of its limits, by turns with itself in peace.

By hand, for it measures time: `python -m tests.installations.noisy`. With `--elsewhere` the same noise is made in another engine, with servers of
its own, on the same machine: what that costs is the machine's, and no engine can serve others better.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import asyncpg
import httpx
from websockets.asyncio.client import ClientConnection, connect

from swaprail.db.migrate import migrate
from swaprail.testing.conditions import until
from swaprail_local.servers.postgres import EmbeddedPostgres
from swaprail_local.servers.valkey import EmbeddedValkey
from tests.fuzz.served import add_key
from tests.installations.noise import noise
from tests.installations.orders import BODY
from tests.system.engine import Engine

SETTINGS = {"api_keys_required": True, "mock_dex_failure_rate": 0, "log_level": "WARNING"}
_CLOSE = "update orders set closed_at = now(), status = 'CANCELLED', fence = fence + 1 where account = 'noisy' and closed_at is null"


class Figures(NamedTuple):
    """Of one turn, in milliseconds: until an order was accepted, and until it was CONFIRMED."""

    accepted: list[float]
    confirmed: list[float]


class Quiet:
    """An account that places orders at a steady rate, and hears of them by a socket."""

    def __init__(self, client: httpx.AsyncClient, socket: ClientConnection) -> None:
        self._client = client
        self._socket = socket
        self._figures = Figures([], [])
        self._confirmed: dict[str, float] = {}

    async def listen(self) -> None:
        """Note when orders are CONFIRMED, until cancelled."""
        async for message in self._socket:
            step = json.loads(message)
            if step.get("status") == "CONFIRMED":
                self._confirmed[step["orderId"]] = time.perf_counter()

    async def run(self, rate: int, seconds: float) -> Figures:
        """Return the figures of one turn."""
        self._figures = Figures([], [])
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number in range(int(rate * seconds)):
                await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
                group.create_task(self._one())
        return self._figures

    async def _one(self) -> None:
        began = time.perf_counter()
        answer = await self._client.post("/api/orders/execute", json=BODY)
        self._figures.accepted.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 202, answer.text
        order_id = answer.json()["orderId"]
        await until(lambda: order_id in self._confirmed, within_s=60, what=f"{order_id} is CONFIRMED", every_s=0.2)
        self._figures.confirmed.append((self._confirmed[order_id] - began) * 1000)


def _p(figures: list[float], percent: int) -> float:
    return statistics.quantiles(figures, n=100)[percent - 1]


def _tell(name: str, figures: list[Figures]) -> dict[str, float]:
    accepted = [value for turn in figures for value in turn.accepted]
    confirmed = [value for turn in figures for value in turn.confirmed]
    told = {"accepted p50": _p(accepted, 50), "accepted p99": _p(accepted, 99)}
    told |= {"confirmed p50": _p(confirmed, 50), "confirmed p99": _p(confirmed, 99)}
    sys.stdout.write(f"{name}: " + ", ".join(f"{key} {value:.1f} ms" for key, value in told.items()) + "\n")
    sys.stdout.flush()
    return told


async def _measure(
    engine: Engine, noisy_one: Engine, given: argparse.Namespace
) -> tuple[dict[str, float], dict[str, float]]:
    ours, theirs = add_key(engine.dsn, "quiet"), add_key(noisy_one.dsn, "noisy")
    bearer = {"Authorization": f"Bearer {ours}"}
    peace, noisy = list[Figures](), list[Figures]()
    limits = httpx.Limits(max_connections=200)
    async with httpx.AsyncClient(base_url=engine.url, headers=bearer, timeout=30, limits=limits) as client:
        socket = await connect(f"{engine.ws_url}/ws/wallets/alice", additional_headers=bearer)
        quiet = Quiet(client, socket)
        listening = asyncio.create_task(quiet.listen())
        await quiet.run(given.rate, 3)
        for _ in range(given.turns):
            peace.append(await quiet.run(given.rate, given.seconds))
            async with noise(noisy_one.url, noisy_one.ws_url, theirs):
                noisy.append(await quiet.run(given.rate, given.seconds))
            connection = await asyncpg.connect(noisy_one.dsn)
            await connection.execute(_CLOSE)
            await connection.close()
        listening.cancel()
        await socket.close()
    return _tell("in peace", peace), _tell("beside noise", noisy)


async def _run(given: argparse.Namespace, engines: list[Engine]) -> None:
    try:
        for engine in engines:
            await engine.start()
        before, beside = await _measure(engines[0], engines[-1], given)
    finally:
        for engine in engines:
            await asyncio.to_thread(engine.close)
    for name, value in before.items():
        sys.stdout.write(f"{name}: {beside[name] / value:.2f} times\n")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser("python -m tests.installations.noisy", description=__doc__)
    parser.add_argument("--rate", type=int, default=20, help="orders a second of the quiet account")
    parser.add_argument("--seconds", type=float, default=15, help="length of a turn")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--elsewhere", action="store_true", help="make the noise in another engine")
    given = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="swaprail-noisy-"))
    home.chmod(0o755)
    with ExitStack() as stack:
        engines = [_engine(stack, home / str(number)) for number in range(1 + given.elsewhere)]
        asyncio.run(_run(given, engines))


def _engine(stack: ExitStack, home: Path) -> Engine:
    """Return an engine, not yet started, with servers of its own."""
    home.mkdir(mode=0o755)
    postgres, valkey = EmbeddedPostgres(home / "postgres", durable=True), EmbeddedValkey(home / "valkey")
    for server in (postgres, valkey):
        stack.callback(server.stop)
        server.start()
    migrate(postgres.dsn)
    return Engine(postgres.dsn, valkey.url, home, **SETTINGS)


if __name__ == "__main__":
    main()
