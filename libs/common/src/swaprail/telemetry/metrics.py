"""Metrics that more than one service has. No order, wallet or account is ever a label."""

from swaprail.domain.lifecycle import TERMINAL
from swaprail.domain.lifecycle import TRANSITIONS as LEGAL
from swaprail.telemetry.registry import ALL, SLOW, counter, gauge, histogram, start_at_zero

_WORKERS = "router, executor"
_WRITERS = "api, router, executor"

# --- orders
TRANSITIONS = counter(
    "swaprail_order_transitions_total", "Committed transitions", ["from_status", "to_status"], of=_WRITERS
)
TRANSITIONS_REFUSED = counter(
    "swaprail_order_transitions_refused_total",
    "Guarded writes that found another status, fence or order, or its time over",
    ["from_status", "to_status"],
    of=_WRITERS,
)
COMPLETION = histogram(
    "swaprail_order_completion_seconds",
    "From queued to ended, by the database's clock",
    ["outcome"],
    of=_WRITERS,
    buckets=SLOW,
)
STAGE = histogram(
    "swaprail_order_stage_seconds",
    "Time in a stage, by the database's clock; queued (until a router begins) is a part of routing",
    ["stage"],
    of=_WORKERS,
    buckets=SLOW,
)
ORDER_LINES_DROPPED = counter(
    "swaprail_order_lines_dropped_total", "Steps that were not logged because too many came", of=_WORKERS
)

# --- work
IN_FLIGHT = gauge(
    "swaprail_orders_in_flight", "Orders this process works on, so leases it holds", ["stage"], of=_WORKERS
)
SLOTS = gauge("swaprail_execution_slots", "Places for orders in this process", ["state"], of=_WORKERS)
LEASES_LOST = counter("swaprail_lease_lost_total", "Orders taken over by another worker", ["kind"], of=_WORKERS)
LEASES_BEYOND_REACH = counter(
    "swaprail_leases_beyond_reach_total",
    "Orders taken over though held: for longer than any lease or pause, so the database's clock has jumped",
    of=_WORKERS,
)
RELEASED = counter("swaprail_orders_released_total", "Leases given back at a stop", ["stage"], of=_WORKERS)
HANDED_OVER = counter(
    "swaprail_orders_handed_over_total", "Orders of messages that were not taken", ["stage", "reason"], of=_WORKERS
)
RECONCILED = counter(
    "swaprail_reconciliations_total", "Orders found by scanning, not by a message", ["status"], of=_WORKERS
)

# --- topics
STREAM_LAG = gauge(
    "swaprail_stream_group_lag",
    "Entries not yet delivered; NaN when Redis cannot say",
    ["stream", "group"],
    of=_WORKERS,
)
STREAM_PENDING = gauge(
    "swaprail_stream_group_pending", "Entries delivered and not acknowledged", ["stream", "group"], of=_WORKERS
)
STREAM_OLDEST_PENDING = gauge(
    "swaprail_stream_group_oldest_pending_seconds",
    "Age of the oldest entry delivered and not acknowledged; 0: none",
    ["stream", "group"],
    of=_WORKERS,
)
STREAM_CONSUMERS = gauge(
    "swaprail_stream_group_consumers", "Consumers that the group knows", ["stream", "group"], of=_WORKERS
)
STREAM_LENGTH = gauge("swaprail_stream_length", "Entries kept", ["stream"], of=_WORKERS)
MESSAGE_WAIT = histogram(
    "swaprail_message_wait_seconds",
    "From the publishing of an entry to its handler",
    ["stream"],
    of="router, executor, notifier",
)
RECLAIMED = counter(
    "swaprail_messages_reclaimed_total", "Entries taken over from dead consumers", ["stream", "group"], of=_WORKERS
)
DEAD_LETTERS = counter("swaprail_dead_letters_total", "Entries set aside", ["stream", "reason"], of=_WORKERS)
DEAD_LETTER_BACKLOG = gauge(
    "swaprail_dead_letter_backlog", "Entries set aside that wait for a person", ["stream"], of=_WORKERS
)
OUTBOX_WAITING = gauge("swaprail_outbox_pending", "Messages not yet handed to Redis", ["stream"], of=_WRITERS)
OUTBOX_OLDEST = gauge(
    "swaprail_outbox_oldest_seconds", "How long the oldest of them has waited; 0: none", ["stream"], of=_WRITERS
)
OUTBOX_DELAY = histogram(
    "swaprail_outbox_delay_seconds", "From right after the commit to Redis' answer", ["stream"], of=_WRITERS
)
PUBLISHED = counter("swaprail_outbox_published_total", "Entries for topics", ["stream", "result"], of=_WRITERS)

# --- database, Redis
STATEMENT_SECONDS = histogram("db_client_operation_duration_seconds", "Statements", ["operation"], of=ALL)
CLOCK_SKEW = gauge(
    "swaprail_clock_skew_seconds",
    "How far this host's clock is ahead of the database's, when a session was opened",
    of=ALL,
)
CONNECTIONS = gauge("db_client_connection_count", "Connections of a pool", ["pool", "state"], of=ALL)
CONNECTIONS_MAX = gauge("db_client_connection_max", "The most connections a pool may have", ["pool"], of=ALL)
CONNECTION_WAIT = histogram("db_client_connection_wait_time_seconds", "Waiting for a free connection", ["pool"], of=ALL)
REDIS_SECONDS = histogram(
    "redis_client_operation_duration_seconds", "From a command to Redis' answer", ["command"], of=ALL
)
BATCH_ROWS = histogram(
    "swaprail_batch_rows",
    "Rows that one statement wrote or read",
    ["writer"],
    of=ALL,
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
)
BATCH_WAITING = gauge("swaprail_batch_rows_waiting", "Rows that wait for the next statement", ["writer"], of=ALL)

# --- process
BUILD_INFO = gauge("swaprail_build_info", "Always 1", ["service", "version"], of=ALL)
SCHEMA_REVISION = gauge(
    "swaprail_schema_revision_info", "Always 1; the database's revision as last seen", ["revision"], of=ALL
)
SCHEMA_NUMBER = gauge("swaprail_schema_revision_number", "The database's revision as last seen; 0: none", of=ALL)
SCHEMA_KNOWN = gauge(
    "swaprail_schema_revision_known_number", "The newest revision that this version knows, and migrates to", of=ALL
)
DRAINING = gauge("swaprail_draining", "1 from the signal to stop on", of=ALL)
DEPENDENCY_UP = gauge("swaprail_dependency_up", "Latest answer of a health check; 1: works", ["dependency"], of=ALL)
DRAIN_TIMEOUTS = counter("swaprail_drain_timeouts_total", "Stops that left work to others", ["service"], of=ALL)
LOOP_LAG = gauge("swaprail_event_loop_lag_seconds", "Worst lateness of the event loop in the latest second", of=ALL)
OPERATIONAL_ERRORS = counter("swaprail_operational_errors_total", "Expected failures of dependencies", ["type"], of=ALL)

for _before, _following in LEGAL.items():
    start_at_zero(TRANSITIONS, [_before], sorted(_following))
    start_at_zero(TRANSITIONS_REFUSED, [_before], sorted(_following))
start_at_zero(COMPLETION, sorted(TERMINAL))
start_at_zero(OPERATIONAL_ERRORS, ["unavailable", "overloaded", "internal_error", "redis", "unexpected"])
