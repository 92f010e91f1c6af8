"""What a benchmark is told on its command line."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

type Layout = Literal["front", "separate", "tuned", "faithful"]
LAYOUTS: tuple[Layout, ...] = ("front", "separate")
PEERS: tuple[Layout, ...] = ("tuned", "faithful")
PARTS = (
    "comparison",
    "comparison-latency",
    "throughput",
    "latency",
    "sweep",
    "fanout",
    "scaling",
    "burst",
    "memory",
    "profile",
    "trace",
)


@dataclass(frozen=True, kw_only=True)
class Options:
    """Sizes of the runs. Layouts: API and notifier as one process behind one port, or as two; or the peer's."""

    counts: bool
    peer: bool
    render: bool
    record: bool
    parts: tuple[str, ...]
    runs: int
    layouts: tuple[Layout, ...]
    orders: int
    warm_up: int
    connections: int
    keys: bool
    rate: int
    seconds: int
    foreign: float
    profile_dir: Path | None = None

    def of(self, **changes: object) -> "Options":
        return replace(self, **changes)  # type: ignore[arg-type]  # names and types are the fields' own


def parse_options(arguments: Sequence[str] | None = None) -> Options:
    given = _parser().parse_args(arguments)
    parts = tuple(given.only.split(",")) if given.only else PARTS
    if unknown := set(parts) - set(PARTS):
        raise SystemExit(f"bench: no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    layouts = tuple(given.layout.split(",")) if given.layout else LAYOUTS[:1]
    if given.without_peer:
        parts = tuple(part for part in parts if not part.startswith("comparison"))
    options = Options(
        counts=given.counts,
        peer=not given.without_peer and bool({"comparison", "comparison-latency", "sweep"} & set(parts)),
        render=given.render,
        record=given.record,
        parts=parts,
        runs=given.runs,
        layouts=layouts,
        orders=given.orders,
        warm_up=given.warm_up,
        connections=given.connections,
        keys=given.keys,
        rate=given.rate,
        seconds=given.seconds,
        foreign=given.foreign,
    )
    if options.counts:
        return options.of(runs=1, orders=min(options.orders, 4000), warm_up=min(options.warm_up, 500), foreign=1e9)
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add("--counts", action="store_true", help="one short throughput run; fail when an order costs too much")
    add("--only", help=f"parts, separated by commas, of {', '.join(PARTS)}")
    add("--record", action="store_true", help="write docs/performance/*.json, its plots and docs/performance.md")
    add("--render", action="store_true", help="measure nothing: write the page again from docs/performance/*.json")
    add("--without-peer", action="store_true", help="leave the comparison out: it needs node")
    add("--runs", type=int, default=3, help="runs of each kind; medians are reported")
    add("--layout", help="front, separate, tuned, faithful, separated by commas; default: front")
    add("--orders", type=int, default=6000, help="throughput: orders counted")
    add("--warm-up", type=int, default=1000, help="throughput: orders before those counted")
    add("--connections", type=int, default=64, help="throughput: connections, each one order at a time")
    add("--keys", action="store_true", help="throughput: send an Idempotency-Key with every order")
    add("--rate", type=int, default=100, help="latency: orders a second, whatever the answers")
    add("--seconds", type=int, default=20, help="latency: length of the run")
    add("--foreign", type=float, default=30.0, help="percent of a processor that others may use before a run is void")
    return parser
