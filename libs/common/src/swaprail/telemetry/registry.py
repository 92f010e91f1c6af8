"""Where metrics are declared: each with its meaning and the services that have it, so that the reference writes itself."""

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

REGISTRY = CollectorRegistry()
CONTENT_TYPE = CONTENT_TYPE_LATEST
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

ALL = "all"
FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
SLOW = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 3, 4, 5, 7.5, 10, 20, 30, 60, 120)


class Declared(NamedTuple):
    """One metric, as the reference names it. of: the services that have it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str
    of: str
    buckets: tuple[float, ...] = ()


DECLARED: list[Declared] = []


def counter(name: str, meaning: str, labels: Sequence[str] = (), *, of: str) -> Counter:
    """Declare a counter; its name ends in _total."""
    DECLARED.append(Declared(name, "counter", tuple(labels), meaning, of))
    return _found_fast(Counter(name, meaning, labels, registry=REGISTRY))


def gauge(name: str, meaning: str, labels: Sequence[str] = (), *, of: str) -> Gauge:
    """Declare a gauge."""
    DECLARED.append(Declared(name, "gauge", tuple(labels), meaning, of))
    return Gauge(name, meaning, labels, registry=REGISTRY)


def histogram(
    name: str, meaning: str, labels: Sequence[str] = (), *, of: str, buckets: Sequence[float] = FAST
) -> Histogram:
    """Declare a histogram."""
    DECLARED.append(Declared(name, "histogram", tuple(labels), meaning, of, tuple(buckets)))
    return _found_fast(Histogram(name, meaning, labels, buckets=buckets, registry=REGISTRY))


def _found_fast[M: Counter | Histogram](metric: M) -> M:
    """Let a series be found by one look at a dictionary: every order asks for a dozen. So they are never removed."""
    setattr(metric, "labels", cache(metric.labels))  # noqa: B010 - a method is replaced
    return metric


def start_at_zero(metric: Counter | Gauge | Histogram, *values: Iterable[str]) -> None:
    """Create the series of every combination of label values: rates need a zero before the first event."""
    for labels in product(*values):
        metric.labels(*labels)


def render() -> bytes:
    """Return every metric in Prometheus' text format."""
    return generate_latest(REGISTRY)
