"""Fan-out of one notifier: what it delivers in a second of its processor, how late, and what a connection weighs."""

import time
from collections.abc import Iterator
from itertools import cycle
from typing import NamedTuple
from uuid import UUID

from tests.load.fanout_clients import Clients, Tally
from tests.load.fanout_notifier import PATH, WALLET_PATH, Notifier, new_ids, notifier, servers, steps
from tests.load.figures import Figures, Target

TOGETHER = 64  # steps in a message of the topic when the services are busy
IN_FLIGHT = 3  # such messages
SETTLE_S = 1.0
TARGETS = {
    "deliveries_per_cpu_s": Target(least=100_000),
    "paced_deliveries_per_s": Target(least=99_000),  # what was asked for, less what the end of the run cuts off
    "paced_deliveries_per_cpu_s": Target(least=100_000),
    "paced_delay_p99_ms": Target(most=50),
    "lost_connections": Target(most=0),
    "missing_deliveries": Target(most=0),
    "idle_kib_per_connection": Target(most=30),
    "used_kib_per_connection": Target(most=30),
    "commit_to_client_p50_ms": Target(most=3),
    "commit_to_client_p99_ms": Target(most=20),
}


class Sizes(NamedTuple):
    """How much is measured."""

    clients: int = 1_000
    orders: int = 256  # of the saturated part
    rate: int = 100_000  # deliveries a second of the paced part
    seconds: float = 10
    idle: int = 5_000


def fanout_run(sizes: Sizes) -> Figures:
    """Return what was measured of a fresh notifier."""
    with servers() as at:
        with notifier(at.dsn, at.redis_url) as running:
            clients = Clients(running.port, sizes.clients, WALLET_PATH)
            try:
                figures = saturated(running, clients, sizes) | paced(running, clients, sizes)
            finally:
                clients.close()
        with notifier(at.dsn, at.redis_url) as running:
            return figures | weights(running, sizes)


def saturated(running: Notifier, clients: Clients, sizes: Sizes) -> Figures:
    """Tell as fast as the clients read: steps of many orders together."""
    span = _Span(running, clients)
    told = 0
    for at in range(0, sizes.orders, TOGETHER):
        ids = new_ids(min(TOGETHER, sizes.orders - at))
        for seq in range(1, len(PATH) + 1):
            # Clients that lag by more than the allowed queue would rightly be closed.
            clients.wait_for(span.before.steps + (told - IN_FLIGHT * TOGETHER) * sizes.clients)
            running.tell(steps(ids, seq))
            told += len(ids)
    return span.end("", told * sizes.clients)


def paced(running: Notifier, clients: Clients, sizes: Sizes) -> Figures:
    """Tell one step at a time, at a steady rate, whatever comes of it: each is a write to every socket."""
    clients.forget_delays()
    span = _Span(running, clients)
    gap, told = sizes.clients / sizes.rate, 0
    for event in _one_by_one(round(sizes.seconds / gap)):
        time.sleep(max(0.0, span.began + told * gap - time.time()))
        running.tell(steps([event[0]], event[1]))
        told += 1
    figures = span.end("paced_", told * sizes.clients)
    p50, p99 = clients.delays(0.5, 0.99)
    return figures | {"paced_delay_p50_ms": p50 * 1000, "paced_delay_p99_ms": p99 * 1000}


def weights(running: Notifier, sizes: Sizes) -> Figures:
    """Measure connections that wait, and again when each was told something."""
    empty = running.memory()
    clients = Clients(running.port, sizes.idle, WALLET_PATH)
    try:
        time.sleep(SETTLE_S)
        idle = running.memory()
        ids = new_ids(4)
        for seq in range(1, len(PATH) + 1):
            running.tell(steps(ids, seq))
        clients.wait_for(len(ids) * len(PATH) * sizes.idle)
        time.sleep(SETTLE_S)
        used, tally = running.memory(), clients.tally()
    finally:
        clients.close()
    kib = 1024 * sizes.idle
    return {
        "idle_connections": sizes.idle,
        "idle_kib_per_connection": (idle - empty) / kib,
        "used_kib_per_connection": (used - empty) / kib,
        "idle_lost_connections": tally.lost,
    }


class _Span:
    """Counters from here to the end of a part."""

    def __init__(self, running: Notifier, clients: Clients) -> None:
        self._running, self._clients = running, clients
        self.before: Tally = clients.tally()
        self._cpu_s = running.cpu_s()
        self.began = time.time()

    def end(self, name: str, expected: int) -> Figures:
        tally = self._clients.wait_for(self.before.steps + expected)
        cpu_s, seen = self._running.cpu_s() - self._cpu_s, tally.steps - self.before.steps
        seconds = tally.last - self.began
        return {
            f"{name}deliveries": seen,
            f"{name}deliveries_per_s": seen / seconds,
            f"{name}deliveries_per_cpu_s": seen / cpu_s,
            f"{name}notifier_cpu_percent": 100 * cpu_s / seconds,
            f"{name}clients_cpu_percent": 100 * (tally.cpu_s - self.before.cpu_s) / seconds,
            f"{name}missing_deliveries": expected - seen,
            f"{name}lost_connections": tally.lost,
        }


def _one_by_one(count: int) -> Iterator[tuple[UUID, int]]:
    order_id = new_ids(1)[0]
    for _, seq in zip(range(count), cycle(range(1, len(PATH) + 1)), strict=False):
        if seq == 1:
            order_id = new_ids(1)[0]
        yield order_id, seq
