"""Metrics that more than one service has. No order, wallet or account is ever a label."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

REGISTRY = CollectorRegistry()
CONTENT_TYPE = CONTENT_TYPE_LATEST

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_SLOW = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 3, 4, 5, 7.5, 10, 20, 30, 60, 120)

TRANSITIONS = Counter(
    "swaprail_order_transitions_total", "Committed transitions", ["from_status", "to_status"], registry=REGISTRY
)
TRANSITIONS_REFUSED = Counter(
    "swaprail_order_transitions_refused_total",
    "Guarded writes that found another status or fence",
    ["from_status", "to_status"],
    registry=REGISTRY,
)
COMPLETION = Histogram(
    "swaprail_order_completion_seconds", "From queued to terminal", ["outcome"], buckets=_SLOW, registry=REGISTRY
)
STAGE = Histogram("swaprail_order_stage_seconds", "Time in a stage", ["stage"], buckets=_SLOW, registry=REGISTRY)
BATCH_ROWS = Histogram(
    "swaprail_batch_rows",
    "Rows that one statement wrote",
    ["writer"],
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
    registry=REGISTRY,
)
STATEMENT_SECONDS = Histogram(
    "db_client_operation_duration_seconds", "Batch statements", ["operation"], buckets=_FAST, registry=REGISTRY
)
REDIS_SECONDS = Histogram(
    "redis_client_operation_duration_seconds",
    "From a command to Redis' answer",
    ["command"],
    buckets=_FAST,
    registry=REGISTRY,
)
PUBLISHED = Counter("swaprail_outbox_published_total", "Entries for topics", ["topic", "result"], registry=REGISTRY)
OUTBOX_WAITING = Gauge("swaprail_outbox_pending", "Messages not yet handed to Redis", ["topic"], registry=REGISTRY)
DEAD_LETTERS = Counter("swaprail_dead_letters_total", "Entries set aside", ["stream", "reason"], registry=REGISTRY)
RECLAIMED = Counter(
    "swaprail_messages_reclaimed_total",
    "Entries taken over from dead consumers",
    ["stream", "group"],
    registry=REGISTRY,
)
STREAM_LAG = Gauge("swaprail_stream_group_lag", "Entries not yet delivered", ["stream", "group"], registry=REGISTRY)
STREAM_PENDING = Gauge(
    "swaprail_stream_group_pending", "Entries delivered, not acknowledged", ["stream", "group"], registry=REGISTRY
)
STREAM_LENGTH = Gauge("swaprail_stream_length", "Entries kept", ["stream"], registry=REGISTRY)
IN_FLIGHT = Gauge("swaprail_orders_in_flight", "Orders this process works on", ["stage"], registry=REGISTRY)
SLOTS = Gauge("swaprail_execution_slots", "Places for orders in this process", ["state"], registry=REGISTRY)
LEASES_LOST = Counter("swaprail_lease_lost_total", "Orders taken over by another worker", ["kind"], registry=REGISTRY)
HANDED_OVER = Counter(
    "swaprail_orders_handed_over_total",
    "Orders of messages that were not taken",
    ["stage", "reason"],
    registry=REGISTRY,
)
RECONCILED = Counter(
    "swaprail_reconciliations_total", "Orders found by scanning, not by a message", ["status"], registry=REGISTRY
)
DRAIN_TIMEOUTS = Counter(
    "swaprail_drain_timeouts_total", "Stops that left work to others", ["service"], registry=REGISTRY
)
LOOP_LAG = Gauge("swaprail_event_loop_lag_seconds", "Lateness of the event loop, latest second", registry=REGISTRY)
OPERATIONAL_ERRORS = Counter(
    "swaprail_operational_errors_total", "Expected failures of dependencies", ["type"], registry=REGISTRY
)
BUILD_INFO = Gauge("swaprail_build_info", "Always 1", ["service", "version"], registry=REGISTRY)
DRAINING = Gauge("swaprail_draining", "1 from the signal to stop on", registry=REGISTRY)
DEPENDENCY_UP = Gauge(
    "swaprail_dependency_up", "Latest answer of a health check: 1 works", ["dependency"], registry=REGISTRY
)
SCHEMA_REVISION = Gauge(
    "swaprail_schema_revision_info", "Always 1; the database's revision as last seen", ["revision"], registry=REGISTRY
)


def render() -> bytes:
    """Return every metric in Prometheus' text format."""
    return generate_latest(REGISTRY)
