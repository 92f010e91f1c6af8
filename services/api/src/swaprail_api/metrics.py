"""Metrics of the API. Labels are enums and route templates, never ids."""

from prometheus_client import Counter, Gauge, Histogram

from swaprail.telemetry.metrics import REGISTRY

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

REQUESTS = Histogram(
    "http_server_request_duration_seconds",
    "From the request to the end of its answer",
    ["http_request_method", "http_route", "http_response_status_code"],
    buckets=_BUCKETS,
    registry=REGISTRY,
)
ACTIVE = Gauge("http_server_active_requests", "Requests being answered", registry=REGISTRY)
SUBMITTED = Counter(
    "swaprail_orders_submitted_total", "Orders stored, by how they came", ["order_type", "result"], registry=REGISTRY
)
REJECTED = Counter("swaprail_orders_rejected_total", "Requests refused, by code", ["reason"], registry=REGISTRY)
DUPLICATES = Counter(
    "swaprail_duplicates_suppressed_total", "Repetitions that changed nothing", ["layer"], registry=REGISTRY
)
RATE_LIMITED = Counter("swaprail_rate_limited_total", "Requests over their limit", ["scope"], registry=REGISTRY)
OPEN_ORDERS = Gauge("swaprail_orders_open", "Orders queued and not closed, as last counted", registry=REGISTRY)
