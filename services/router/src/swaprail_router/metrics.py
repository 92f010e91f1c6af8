"""Metrics of the router."""

from prometheus_client import Counter, Gauge, Histogram

from swaprail.telemetry.metrics import REGISTRY

QUOTE_REQUESTS = Counter(
    "swaprail_quote_requests_total", "Venues asked or skipped", ["venue", "result"], registry=REGISTRY
)
QUOTE_SECONDS = Histogram(
    "swaprail_quote_duration_seconds",
    "Time of a venue to quote",
    ["venue"],
    buckets=(0.001, 0.005, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.5, 1, 2.5),
    registry=REGISTRY,
)
DISCARDED = Counter(
    "swaprail_quotes_discarded_total", "Quotes that came and were not used", ["venue", "reason"], registry=REGISTRY
)
SELECTED = Counter("swaprail_routes_selected_total", "Routes by venue", ["venue"], registry=REGISTRY)
CIRCUIT_OPEN = Gauge("swaprail_venue_circuit_open", "1 while a venue is not asked", ["venue"], registry=REGISTRY)
