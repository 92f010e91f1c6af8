"""What a benchmark is told on its command line."""

import argparse
from collections.abc import Sequence
from typing import Literal, NamedTuple, cast

type Layout = Literal["front", "separate"]
LAYOUTS: tuple[Layout, ...] = ("front", "separate")


class Options(NamedTuple):
    """Sizes of the runs. Layouts: API and notifier as one process behind one port, or as two."""

    counts: bool
    runs: int
    only: str | None
    layouts: tuple[Layout, ...]
    orders: int
    warm_up: int
    connections: int
    keys: bool
    rate: int
    seconds: int


def parse_options(arguments: Sequence[str] | None = None) -> Options:
    parser = argparse.ArgumentParser(prog="bench", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument(
        "--counts", action="store_true", help="one short throughput run; fail when an order costs too much"
    )
    parser.add_argument("--runs", type=int, default=1, help="runs of each kind; medians are reported")
    parser.add_argument("--only", choices=("throughput", "latency"), help="leave the other kind out")
    parser.add_argument("--layout", choices=(*LAYOUTS, "both"), help="default: both for throughput, front for latency")
    parser.add_argument("--orders", type=int, default=6000, help="throughput: orders counted")
    parser.add_argument("--warm-up", type=int, default=1000, help="throughput: orders before those counted")
    parser.add_argument("--connections", type=int, default=64, help="throughput: connections, each one order at a time")
    parser.add_argument("--keys", action="store_true", help="throughput: send an Idempotency-Key with every order")
    parser.add_argument("--rate", type=int, default=100, help="latency: orders a second, whatever the answers")
    parser.add_argument("--seconds", type=int, default=20, help="latency: length of the run")
    given = parser.parse_args(arguments)
    layouts = LAYOUTS if given.layout in (None, "both") else (cast("Layout", given.layout),)
    if given.counts:
        orders, warm_up = min(given.orders, 2000), min(given.warm_up, 500)
        return Options(True, 1, "throughput", layouts[:1], orders, warm_up, given.connections, given.keys, 0, 0)
    return Options(
        False,
        given.runs,
        given.only,
        layouts,
        given.orders,
        given.warm_up,
        given.connections,
        given.keys,
        given.rate,
        given.seconds,
    )
