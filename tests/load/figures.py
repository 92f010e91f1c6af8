"""Names, units and targets of what is reported."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from tests.load.counters import Instant

type Figures = dict[str, float]


class Target(NamedTuple):
    """least or most that a figure should be."""

    least: float | None = None
    most: float | None = None

    def holds(self, value: float) -> bool:
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def __str__(self) -> str:
        return f">= {self.least:g}" if self.least is not None else f"<= {self.most:g}"


TARGETS = {
    "throughput": {
        "commits_per_order": Target(most=0.5),
        "redis_commands_per_order": Target(most=0.5),
        "cpu_ms_services": Target(most=0.8),
        "largest_service_mb": Target(most=150),
        "not_confirmed": Target(most=0),
    },
    "latency": {
        "overhead_p50_ms": Target(most=8),
        "overhead_p99_ms": Target(most=25),
        "commit_to_socket_p50_ms": Target(most=3),
        "commit_to_socket_p99_ms": Target(most=20),
        "largest_service_mb": Target(most=150),
        "gaps_or_repeats": Target(most=0),
        "messages_not_as_described": Target(most=0),
        "not_confirmed": Target(most=0),
    },
}
# Of medians of interleaved runs, ours over the tuned peer's.
COMPARISON_TARGETS = {"confirmed_per_s": Target(least=3)}
# What does not depend on how busy the machine is.
COUNTED = ("commits_per_order", "redis_commands_per_order", "largest_service_mb", "not_confirmed")
SHARES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1.0)
SERVICES = ("api", "executor", "front", "notifier", "router", "peer", "peer_api", "peer_worker")


def is_service(name: str) -> bool:
    """Tell whether it is one of an engine's own processes, or one more like `router-2`."""
    return name.partition("-")[0] in SERVICES


def targets_of(part: str) -> dict[str, Target]:
    """Return the targets of a part of the suite; those of the fan-out are its own."""
    if part == "fanout":
        from tests.load.fanout_run import TARGETS as OF_FANOUT

        return OF_FANOUT
    return TARGETS.get({"comparison": "throughput", "comparison-latency": "latency"}.get(part, part), {})


def shown(value: float) -> str:
    """Return a number as people read it."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that a share (0 to 1) of them do not exceed; 0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def spread_ms(name: str, seconds: Sequence[float]) -> Figures:
    return {f"{name}_p50_ms": quantile(seconds, 0.5) * 1000, f"{name}_p99_ms": quantile(seconds, 0.99) * 1000}


def distribution_ms(name: str, seconds: Sequence[float]) -> Figures:
    """Return the quantiles that a plot of the distribution needs."""
    return {f"{name}_at_{share}": quantile(seconds, share) * 1000 for share in SHARES}


def medians(runs: Sequence[Figures]) -> Figures:
    """Return the median of each figure over the runs."""
    return {name: median(run[name] for run in runs if name in run) for name in runs[0]}


def costs(before: Instant, after: Instant, orders: int, seconds: float) -> Figures:
    """Return per order ms of CPU, Redis commands and WAL; and what other processes took, in percent of a processor."""
    used = {name: after.cpu_s[name] - before.cpu_s.get(name, 0.0) for name in sorted(after.cpu_s)}
    foreign_s = after.machine_busy_s - before.machine_busy_s - sum(used.values())
    return {
        **{f"cpu_ms_{name}": value * 1000 / orders for name, value in used.items()},
        "cpu_ms_services": sum(used[name] for name in used if is_service(name)) * 1000 / orders,
        "cpu_ms_engine": sum(value for name, value in used.items() if name != "generator") * 1000 / orders,
        "redis_commands_per_order": (after.redis_commands - before.redis_commands) / orders,
        "wal_bytes_per_order": (after.wal_bytes - before.wal_bytes) / orders,
        "foreign_cpu_percent": max(0.0, foreign_s) * 100 / seconds,
    }


def memory(by_process: dict[str, float]) -> Figures:
    largest = max(value for name, value in by_process.items() if is_service(name))
    return {f"mb_{name}": value for name, value in sorted(by_process.items())} | {"largest_service_mb": largest}
