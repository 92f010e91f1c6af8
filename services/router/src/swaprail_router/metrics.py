"""Metrics of the router, and what it measures of the whole engine."""

from swaprail.telemetry.metrics import STAGE
from swaprail.telemetry.registry import counter, gauge, histogram, start_at_zero

_ROUTER = "router"

QUOTE_REQUESTS = counter("swaprail_quote_requests_total", "Venues asked or skipped", ["venue", "result"], of=_ROUTER)
QUOTE_SECONDS = histogram(
    "swaprail_quote_duration_seconds",
    "Time of a venue to quote",
    ["venue"],
    of=_ROUTER,
    buckets=(0.001, 0.005, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.5, 1, 2.5),
)
DISCARDED = counter(
    "swaprail_quotes_discarded_total", "Quotes that came and were not used", ["venue", "reason"], of=_ROUTER
)
SELECTED = counter("swaprail_routes_selected_total", "Orders routed, by venue", ["venue"], of=_ROUTER)
ADVANTAGE = histogram(
    "swaprail_route_advantage_ratio",
    "How much more the best quote gives than the second, net of fees",
    of=_ROUTER,
    buckets=(0, 0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1),
)
RETRIES = counter(
    "swaprail_routing_retries_total", "Rounds after which the venues are asked again", ["reason"], of=_ROUTER
)
CIRCUIT_OPEN = gauge("swaprail_venue_circuit_open", "1 while a venue is not asked", ["venue"], of=_ROUTER)

# --- of the whole engine: every router reads the same, so take the maximum over them
ORDERS_OPEN = gauge(
    "swaprail_orders_open", "Whole engine: orders queued and not ended (max over replicas)", ["status"], of=_ROUTER
)
OLDEST_OPEN = gauge(
    "swaprail_order_oldest_open_seconds",
    "Whole engine: time since the oldest of them was queued; 0: none",
    ["status"],
    of=_ROUTER,
)
RECONCILING = gauge(
    "swaprail_orders_reconciling", "Whole engine: submitted orders about which nothing can be proven", of=_ROUTER
)
STRANDED = gauge(
    "swaprail_orders_stranded",
    "Whole engine: open orders that are due and held by nobody for 10 s, or held by a clock that has jumped",
    of=_ROUTER,
)
MEASUREMENT_AGE = gauge(
    "swaprail_measurement_age_seconds", "Time since the orders of the whole engine were counted", of=_ROUTER
)
DUPLICATE_EXECUTIONS = gauge(
    "swaprail_duplicate_executions",
    "Whole engine: orders that the ledger shows executed more than once, since this process began to look; must be 0",
    of=_ROUTER,
)
VIOLATIONS = gauge(
    "swaprail_invariant_violations",
    "Whole engine: orders of the latest five minutes that break a rule; must be 0",
    ["rule"],
    of=_ROUTER,
)
AUDIT_AGE = gauge("swaprail_audit_age_seconds", "Time since the rules were checked", of=_ROUTER)

start_at_zero(STAGE, ["queued", "routing"])
start_at_zero(RETRIES, ["no_route", "min_output_unreachable", "price_unconfirmed"])
