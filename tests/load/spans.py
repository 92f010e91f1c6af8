"""An order's steps from its trace: when each span begins after the request, and how long it takes."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from tests.load.figures import quantile


class Step(NamedTuple):
    """A kind of span. begins: after the trace's first span, p50; ms."""

    service: str
    name: str
    seen: int
    begins: float
    p50: float
    p99: float


def steps_of(spans: Iterable[tuple[str, Any]], least: int = 20) -> list[Step]:
    """Return the steps in the order in which they begin; those seen a few times only are left out."""
    traces: dict[bytes, list[tuple[str, Any]]] = defaultdict(list)
    for service, span in spans:
        traces[span.trace_id].append((service, span))
    begins, taken = defaultdict[tuple[str, str], list[float]](list), defaultdict[tuple[str, str], list[float]](list)
    for trace in traces.values():
        origin = min(span.start_time_unix_nano for _, span in trace)
        for service, span in trace:
            key = service.removeprefix("swaprail-"), _name(span)
            begins[key].append((span.start_time_unix_nano - origin) / 1e6)
            taken[key].append((span.end_time_unix_nano - span.start_time_unix_nano) / 1e6)
    steps = [
        Step(*key, len(each), quantile(begins[key], 0.5), quantile(each, 0.5), quantile(each, 0.99))
        for key, each in taken.items()
        if len(each) >= least
    ]
    return sorted(steps, key=lambda step: step.begins)


def _name(span: Any) -> str:
    status = next((a.value.string_value for a in span.attributes if a.key == "order.status"), "")
    return f"{span.name} {status}".strip()
