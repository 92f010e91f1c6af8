"""Overview: do traders get what they were promised, and is everything up."""

from deploy.dashboards.frame import dashboard
from deploy.dashboards.panels import Json, graph, number, row
from deploy.dashboards.processes import http, processes
from deploy.dashboards.queries import Query, highest, named, quantile, quantiles, rate, series, share

TRANSITIONS = "swaprail_order_transitions_total"
ENDED = 'to_status=~"CONFIRMED|FAILED|EXPIRED"'


def overview() -> Json:
    """Return the dashboard."""
    panels = [*_now(), *_objectives(), *_orders(), *http(), *processes()]
    return dashboard("swaprail-overview", "Orders from intake to their end, objectives, HTTP and processes.", panels)


def _now() -> list[Json]:
    accepted = rate("swaprail_orders_submitted_total", where='result="accepted"')
    confirmed = share(rate(TRANSITIONS, where='to_status="CONFIRMED"'), rate(TRANSITIONS, where=ENDED), "confirmed")
    unclear = [
        named("stranded", highest("swaprail_orders_stranded")),
        named("reconciling", highest("swaprail_orders_reconciling")),
    ]
    return [
        row("Now"),
        number("Accepted", "New orders stored a second; repetitions of a key do not count.", "ops", accepted),
        number(
            "Confirmed",
            "Share of the orders that ended as wanted; cancelled ones are left out. Bad below 75 %: see which status "
            "they end in, and why. The paper chain alone reverts one in twenty.",
            "percentunit",
            confirmed,
            bad_below=0.75,
        ),
        number(
            "Open",
            "Orders queued and not ended, in all statuses. Bad when it only grows.",
            "short",
            Query(f"sum({highest('swaprail_orders_open', 'status').expr})", "open"),
        ),
        number(
            "In doubt",
            "Stranded: due, and held by no worker for 10 s. Reconciling: sent, and neither landed nor provably dead. "
            "Anything above 0 that lasts is a page.",
            "short",
            unclear,
            bad_above=1,
            width=6,
        ),
        number(
            "Executed twice",
            "Orders that the ledger shows more than once, since routers began to look. Must be 0: money was spent twice.",
            "short",
            highest("swaprail_duplicate_executions"),
            bad_above=1,
            width=6,
        ),
    ]


def _objectives() -> list[Json]:
    def burn(window: str) -> Query:
        return Query(series(f"namespace_slo:swaprail_burn_rate:{window}"), "{{slo}}")

    left = Query(series("namespace_slo:swaprail_budget_left:ratio28d"), "{{slo}}")
    return [
        row("Objectives (28 days)"),
        graph("Budget left", "Share of the error budget that is left; below 0 it is overspent.", "percentunit", left),
        graph(
            "Burn, 1 hour",
            "How many times too fast the budget is spent. Above 14.4 it is gone in two days: a page.",
            "short",
            burn("1h"),
            bad_above=14.4,
        ),
        graph(
            "Burn, 6 hours",
            "The same over 6 hours. Above 6 the budget is gone in five days: a page.",
            "short",
            burn("6h"),
            bad_above=6,
        ),
    ]


def _orders() -> list[Json]:
    backlog = [
        named("open", highest("swaprail_intake_backlog_orders")),
        named("limit", highest("swaprail_intake_backlog_limit")),
    ]
    return [
        row("Orders"),
        graph(
            "Funnel",
            "Committed transitions a second. Healthy: one line after another at the same height down to CONFIRMED; "
            "BUILDING to ROUTING is a stale route, SUBMITTED to ROUTING an expired attempt.",
            "ops",
            rate(TRANSITIONS, "from_status", "to_status"),
        ),
        graph(
            "Completion",
            "From queued to ended, cancelled orders left out. The objective: 99 % within 30 s.",
            "s",
            quantiles("swaprail_order_completion_seconds", where='outcome!="CANCELLED"'),
            bad_above=30,
        ),
        graph(
            "Stages, p95",
            "Time in each status; queued is the part of routing before a router began. Queued grows: routers are "
            "full. Building: executors. Confirming: the chain.",
            "s",
            quantile(0.95, "swaprail_order_stage_seconds", "stage"),
        ),
        graph(
            "Open by status",
            "Orders queued and not ended. A status that grows names the service that does not keep up.",
            "short",
            highest("swaprail_orders_open", "status"),
            stacked=True,
        ),
        graph(
            "Oldest by status",
            "Time since the oldest open order was queued. Bad above 5 minutes, but in ROUTING orders with expiresAt "
            "wait for their price.",
            "s",
            highest("swaprail_order_oldest_open_seconds", "status"),
            bad_above=300,
        ),
        graph(
            "Backlog of intake",
            "Open orders as the API counts them. Above the limit every new order is answered 503 overloaded.",
            "short",
            backlog,
        ),
        graph(
            "Submitted",
            "Orders stored, by whether they are queued at once, and repetitions of a key, which change nothing.",
            "ops",
            rate("swaprail_orders_submitted_total", "order_type", "result"),
            stacked=True,
        ),
        graph(
            "Rejected",
            "Requests refused, by code. overloaded, unavailable and internal_error are ours, the rest the client's.",
            "ops",
            rate("swaprail_orders_rejected_total", "reason"),
            stacked=True,
        ),
        graph(
            "Invariants broken",
            "Orders of the last minutes that break a rule of the books, as last audited. Must be 0.",
            "short",
            highest("swaprail_invariant_violations", "rule"),
            bad_above=1,
        ),
    ]
