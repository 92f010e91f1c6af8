"""Names, units and targets of what is reported."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

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
    "confirmed_per_s": Target(least=1200),
    "commits_per_order": Target(most=1),
    "redis_commands_per_order": Target(most=1),
    "largest_service_mb": Target(most=150),
    "overhead_p50_ms": Target(most=12),
    "overhead_p99_ms": Target(most=50),
    "gaps_or_repeats": Target(most=0),
    "messages_not_as_described": Target(most=0),
}
COUNTED = ("commits_per_order", "redis_commands_per_order", "largest_service_mb")
SERVICES = ("api", "executor", "front", "notifier", "router")


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that a share (0 to 1) of them do not exceed; 0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def spread_ms(name: str, seconds: Sequence[float]) -> Figures:
    return {f"{name}_p50_ms": quantile(seconds, 0.5) * 1000, f"{name}_p99_ms": quantile(seconds, 0.99) * 1000}


def medians(runs: Sequence[Figures]) -> Figures:
    """Return the median of each figure over the runs."""
    return {name: median(run[name] for run in runs if name in run) for name in runs[0]}


def costs(before: dict[str, float], after: dict[str, float], orders: int) -> Figures:
    """Return ms of CPU per order, by process and of all but the generator."""
    per_order = {name: (after[name] - before.get(name, 0.0)) * 1000 / orders for name in after}
    engine = sum(value for name, value in per_order.items() if name != "generator")
    return {f"cpu_ms_{name}": value for name, value in sorted(per_order.items())} | {"cpu_ms_engine": engine}


def memory(by_process: dict[str, float]) -> Figures:
    largest = max(value for name, value in by_process.items() if name in SERVICES)
    return {f"mb_{name}": value for name, value in sorted(by_process.items())} | {"largest_service_mb": largest}
