"""The overview's rows on HTTP and on the processes themselves."""

from deploy.dashboards.panels import Json, graph, row
from deploy.dashboards.queries import (
    WINDOW,
    Query,
    by_service,
    highest,
    named,
    quantile,
    quantiles,
    rate,
    series,
    share,
    summed,
)

REQUESTS = "http_server_request_duration_seconds"


def http() -> list[Json]:
    """Return rate, errors and duration of the API."""
    all_requests = rate(f"{REQUESTS}_count")
    # Before the first 5xx there is no such series, which means none.
    failed = rate(f"{REQUESTS}_count", where='http_response_status_code=~"5.."')
    failed = Query(f"({failed.expr} or vector(0))", "")
    return [
        row("HTTP"),
        graph(
            "Requests",
            "Requests a second by route.",
            "reqps",
            rate(f"{REQUESTS}_count", "http_request_method", "http_route"),
            stacked=True,
        ),
        graph(
            "Answered 5xx",
            "Share of all requests. Bad above 0.1 %, the budget of intake.",
            "percentunit",
            share(failed, all_requests, "5xx"),
            bad_above=0.001,
        ),
        graph(
            "Duration",
            "From the request to the end of its answer, of writes. The objective: 99 % within 250 ms.",
            "s",
            quantiles(REQUESTS, where='http_request_method="POST"'),
            bad_above=0.25,
        ),
        graph(
            "Duration by route, p95",
            "Which route is slow. /api/quotes waits for venues and is slower by design.",
            "s",
            quantile(0.95, REQUESTS, "http_route"),
        ),
        graph(
            "Being answered",
            "Requests in progress, and those turned away over their rate limit a second.",
            "short",
            [
                named("in progress", summed("http_server_active_requests")),
                named("limited {{scope}}", rate("swaprail_rate_limited_total", "scope")),
            ],
        ),
        graph(
            "Answers by status",
            "Answers a second by HTTP status.",
            "reqps",
            rate(f"{REQUESTS}_count", "http_response_status_code"),
            stacked=True,
        ),
    ]


def processes() -> list[Json]:
    """Return versions, load and dependencies of all pods."""
    build = Query(f"count by (service, version) ({series('swaprail_build_info')})", "{{service}} {{version}}")
    cpu = by_service(f"rate({series('process_cpu_seconds_total')}[{WINDOW}])", how="max")
    draining = by_service(series("swaprail_draining"))
    return [
        row("Processes"),
        graph(
            "Pods", "Running pods by version. Two versions for long: an upgrade hangs.", "short", build, stacked=True
        ),
        graph("Draining", "Pods that were told to stop and finish their work, at most 20 s each.", "short", draining),
        graph(
            "Dependencies",
            "1 while every pod of a service gets an answer; 0: at least one does not.",
            "short",
            by_service(series("swaprail_dependency_up"), "dependency", how="min"),
            bad_below=1,
        ),
        graph(
            "Event-loop lag",
            "How late the worst pod's event loop was in its worst moment of the latest second. Bad above 0.25 s for "
            "long; at 1 s leases are in danger.",
            "s",
            by_service(series("swaprail_event_loop_lag_seconds"), how="max"),
            bad_above=0.25,
        ),
        graph(
            "CPU",
            "Cores used by the busiest pod. One process uses one core at most: near 1, add replicas.",
            "short",
            cpu,
            bad_above=0.9,
        ),
        graph(
            "Memory",
            "Resident memory of the largest pod. Bad when it only grows.",
            "bytes",
            by_service(series("process_resident_memory_bytes"), how="max"),
        ),
        graph(
            "Failures of dependencies",
            "Expected failures a second, by type. unexpected and internal_error are defects.",
            "ops",
            rate("swaprail_operational_errors_total", "type"),
        ),
        graph(
            "Schema",
            "Pods by the revision of the database that they see. Two for long: services talk to different databases.",
            "short",
            Query(f"count by (revision) ({series('swaprail_schema_revision_info')})", "{{revision}}"),
            stacked=True,
        ),
        graph(
            "Age of measurements",
            "Time since open orders, and the books, were last read from the database. Bad above 60 s, or 180 s.",
            "s",
            [
                named("orders", highest("swaprail_measurement_age_seconds")),
                named("books", highest("swaprail_audit_age_seconds")),
            ],
            bad_above=180,
        ),
    ]
