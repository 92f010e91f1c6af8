"""A notifier alone in a process, and a topic that tells it steps of orders of one wallet."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psutil
import redis
import uuid_utils
from faststream.redis.message import bDATA_KEY

from swaprail.db.migrate import migrate
from swaprail.domain.lifecycle import Status
from swaprail.messages.topics import OrderEvent, OrderEvents, Topic
from swaprail_local.servers.ports import free_port
from swaprail_local.servers.postgres import EmbeddedPostgres
from swaprail_local.servers.valkey import EmbeddedValkey
from tests.load.homes import home_of_a_run

PATH = (Status.PENDING, Status.ROUTING, Status.BUILDING, Status.SUBMITTED, Status.CONFIRMED)
WALLET = "fan-out"
WALLET_PATH = f"/ws/wallets/{WALLET}"
READY_S = 60.0
# As large as what a BUILDING step has.
FILLER = {"venue": "raydium", "expectedOutput": "151.204113", "minOutput": "150.448092", "priceImpactBps": 3}


class Servers(NamedTuple):
    """Where they are, and a directory for logs."""

    dsn: str
    redis_url: str
    home: Path


class Notifier:
    """One notifier process over given servers."""

    def __init__(self, dsn: str, redis_url: str, **settings: object) -> None:
        self.dsn = dsn
        self.port, self._ops_port = free_port(), free_port()
        self._redis = redis.Redis.from_url(redis_url, socket_timeout=10)
        own = {
            "DATABASE_URL": dsn,
            "REDIS_URL": redis_url,
            "NOTIFIER_PORT": str(self.port),
            "OPS_PORT": str(self._ops_port),
            "LOG_LEVEL": "WARNING",
        } | {name.upper(): str(value) for name, value in settings.items()}
        self._process = subprocess.Popen([sys.executable, "-m", "swaprail_notifier"], env=os.environ | own)
        self._times = psutil.Process(self._process.pid)

    def wait_ready(self) -> None:
        deadline = time.monotonic() + READY_S
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the notifier did not start")
            time.sleep(0.05)

    def cpu_s(self) -> float:
        times = self._times.cpu_times()
        return float(times.user + times.system)

    def memory(self) -> int:
        """Return its own and shared pages in bytes, each page once (PSS)."""
        return int(self._times.memory_full_info().pss)

    def tell(self, events: list[OrderEvent]) -> None:
        """Tell the topic, as the other services do after a commit."""
        self._redis.xadd(str(Topic.EVENTS), {bDATA_KEY: msgspec.json.encode(OrderEvents(events))}, maxlen=10_000)

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)

    def metric(self, line: str) -> float:
        """Return the value of a metric, named with its labels as it is exposed; 0 when it is not there."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._ops_port}/metrics", timeout=10) as answer:
            found = [each for each in answer.read().decode().splitlines() if each.startswith(f"{line} ")]
        return float(found[0].rpartition(" ")[2]) if found else 0.0

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._ops_port}/health/ready", timeout=3) as answer:
                return int(answer.status) == 200
        except OSError:
            return False


@contextmanager
def servers() -> Iterator[Servers]:
    """Start PostgreSQL and Valkey for a while."""
    with home_of_a_run() as home:
        postgres, valkey = (
            EmbeddedPostgres(home / "pg", durable=False),
            EmbeddedValkey(home / "valkey", durable=False),
        )
        try:
            postgres.start()
            valkey.start()
            migrate(postgres.dsn)
            yield Servers(postgres.dsn, valkey.url, home)
        finally:
            valkey.stop()
            postgres.stop()


@contextmanager
def notifier(dsn: str, redis_url: str, **settings: object) -> Iterator[Notifier]:
    running = Notifier(dsn, redis_url, **settings)
    try:
        running.wait_ready()
        yield running
    finally:
        running.stop()


def new_ids(count: int) -> list[UUID]:
    return [UUID(bytes=uuid_utils.uuid7().bytes) for _ in range(count)]


def steps(ids: list[UUID], seq: int, *, padding: int = 0) -> list[OrderEvent]:
    """Return the step with that number of each order, told now."""
    now = time.time()
    data: dict[str, Any] = {"told": int(now * 1e6)} | FILLER | ({"padding": "x" * padding} if padding else {})
    raw = msgspec.Raw(json.dumps(data, separators=(",", ":")).encode())
    return [OrderEvent(order_id, seq, PATH[seq - 1], int(now * 1000), "local", WALLET, raw) for order_id in ids]
