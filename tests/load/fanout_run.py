"""Fan-out of one notifier: what it delivers in a second of its processor, how late, and what a connection weighs."""

import time
from collections.abc import Iterator
from itertools import cycle
from typing import NamedTuple
from uuid import UUID

from tests.load.fanout_clients import Clients
from tests.load.fanout_notifier import PATH, WALLET_PATH, Notifier, new_ids, notifier, servers
from tests.load.fanout_span import Span
from tests.load.fanout_store import Store, store
from tests.load.figures import Figures, Target, quantile
from tests.load.verdict import FOREIGN_PERCENT

TOGETHER = 64  # steps in a message of the topic when the services are busy
IN_FLIGHT = 3  # such messages
SETTLE_S = 1.0
LAST = 10  # clients that are written to after all others
TRIES = 3  # of the paced part, until nobody else uses the machine
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
        with notifier(at.dsn, at.redis_url) as running, store(running) as storing:
            clients = Clients(running.port, sizes.clients, WALLET_PATH)
            try:
                figures = saturated(running, storing, clients, sizes)
                figures |= undisturbed_paced(running, storing, clients, sizes)
            finally:
                clients.close()
        with notifier(at.dsn, at.redis_url) as running, store(running) as storing:
            return figures | weights(running, storing, sizes)


def saturated(running: Notifier, storing: Store, clients: Clients, sizes: Sizes) -> Figures:
    """Tell as fast as the clients read: steps of many orders together."""
    span = Span(running, clients)
    told = 0
    for at in range(0, sizes.orders, TOGETHER):
        ids = new_ids(min(TOGETHER, sizes.orders - at))
        for seq in range(1, len(PATH) + 1):
            # Clients that lag by more than the allowed queue would rightly be closed.
            clients.wait_for(span.before.steps + (told - IN_FLIGHT * TOGETHER) * sizes.clients)
            storing.tell(ids, seq)
            told += len(ids)
    return span.end("", told * sizes.clients)


def undisturbed_paced(running: Notifier, storing: Store, clients: Clients, sizes: Sizes) -> Figures:
    """Return the first paced part that nobody disturbed, or else the one that was disturbed least."""
    last, tried = Clients(running.port, LAST, WALLET_PATH), list[Figures]()
    try:
        while len(tried) < TRIES and not any(each["paced_foreign_cpu_percent"] <= FOREIGN_PERCENT for each in tried):
            tried.append(paced(running, storing, clients, last, sizes))
    finally:
        last.close()
    return min(tried, key=lambda each: each["paced_foreign_cpu_percent"])


def paced(running: Notifier, storing: Store, clients: Clients, last: Clients, sizes: Sizes) -> Figures:
    """Tell one step at a time, at a steady rate, whatever comes of it: each goes to every socket.

    The clients' delays include their own: one process reads for all of them. The last ones, written to after all others
    and read by a process that has little else to do, show what is the notifier's.
    """
    clients.forget_delays()
    last.forget_delays()
    span, late = Span(running, clients), list[float]()
    gap = sizes.clients / sizes.rate
    for order_id, seq in _one_by_one(round(sizes.seconds / gap)):
        due = span.began + len(late) * gap
        time.sleep(max(0.0, due - time.time()))
        late.append(max(0.0, time.time() - due))
        storing.tell([order_id], seq)
    figures = span.end("paced_", len(late) * sizes.clients)
    for name, watched in (("delay", clients), ("last_client_delay", last)):
        p50, p99 = watched.delays(0.5, 0.99)
        figures |= {f"paced_{name}_p50_ms": p50 * 1000, f"paced_{name}_p99_ms": p99 * 1000}
    return figures | {"paced_generator_late_p99_ms": quantile(late, 0.99) * 1000}


def weights(running: Notifier, storing: Store, sizes: Sizes) -> Figures:
    """Measure connections that wait, and again when each was told something."""
    empty = running.memory()
    clients = Clients(running.port, sizes.idle, WALLET_PATH)
    try:
        time.sleep(SETTLE_S)
        idle = running.memory()
        ids = new_ids(4)
        for seq in range(1, len(PATH) + 1):
            storing.tell(ids, seq)
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


def _one_by_one(count: int) -> Iterator[tuple[UUID, int]]:
    order_id = new_ids(1)[0]
    for _, seq in zip(range(count), cycle(range(1, len(PATH) + 1)), strict=False):
        if seq == 1:
            order_id = new_ids(1)[0]
        yield order_id, seq
