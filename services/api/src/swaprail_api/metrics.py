"""Metrics of the API. Labels are enums and route templates, never ids."""

from swaprail.domain.errors import ErrorCode
from swaprail.telemetry.registry import counter, gauge, histogram, start_at_zero

_API = "api"

REQUESTS = histogram(
    "http_server_request_duration_seconds",
    "From the request to the end of its answer",
    ["http_request_method", "http_route", "http_response_status_code"],
    of=_API,
)
ACTIVE = gauge("http_server_active_requests", "Requests being answered", of=_API)
SUBMITTED = counter(
    "swaprail_orders_submitted_total", "Orders stored, by how they came", ["order_type", "result"], of=_API
)
REJECTED = counter("swaprail_orders_rejected_total", "Requests refused, by code", ["reason"], of=_API)
DUPLICATES = counter("swaprail_duplicates_suppressed_total", "Repetitions that changed nothing", ["layer"], of=_API)
RATE_LIMITED = counter("swaprail_rate_limited_total", "Requests over their limit", ["scope"], of=_API)
ACCOUNT_LIMITED = counter(
    "swaprail_account_limited_total", "Requests refused because their account has as much as it may", ["limit"], of=_API
)
BACKLOG = gauge(
    "swaprail_intake_backlog_orders", "Open orders as last counted here, at most one more than the limit", of=_API
)
BACKLOG_LIMIT = gauge("swaprail_intake_backlog_limit", "Open orders above which new ones get 503", of=_API)

# What the objectives of the intake are measured by.
INTAKE_ROUTES = {
    "/api/orders": "201",
    "/api/orders/execute": "202",
    "/api/orders/batch": "207",
    "/api/orders/{orderId}/execute": "202",
}

start_at_zero(REJECTED, ErrorCode)
start_at_zero(RATE_LIMITED, ["account", "ip"])
start_at_zero(ACCOUNT_LIMITED, ["open", "waiting", "reads", "quotes"])
for _route, _success in INTAKE_ROUTES.items():
    start_at_zero(REQUESTS, ["POST"], [_route], [_success, "500", "503"])
