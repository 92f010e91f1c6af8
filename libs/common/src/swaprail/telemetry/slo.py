"""What the engine promises to do how often: the one place that says so, for alerts and dashboards to compare with."""

from typing import NamedTuple

from swaprail.telemetry.registry import ALL, gauge


class Objective(NamedTuple):
    """A share of events that must be good; those slower than threshold_s are not."""

    name: str
    target: float
    threshold_s: float | None = None


OBJECTIVES = (
    Objective("intake_availability", 0.999),  # new orders not answered with 5xx
    Objective("intake_latency", 0.99, 0.25),  # from the request to the end of its answer
    Objective("completion", 0.99, 30),  # from queued to ended
    Objective("push_freshness", 0.99, 1),  # from the commit of a step to the sockets
)

TARGET = gauge("swaprail_slo_target_ratio", "Share of events that must be good", ["slo"], of=ALL)
THRESHOLD = gauge("swaprail_slo_threshold_seconds", "What is slower is not good", ["slo"], of=ALL)


def publish_objectives() -> None:
    """Set the gauges."""
    for objective in OBJECTIVES:
        TARGET.labels(objective.name).set(objective.target)
        if objective.threshold_s is not None:
            THRESHOLD.labels(objective.name).set(objective.threshold_s)
