"""Executor: places, attempts, and the chain."""

from deploy.dashboards.frame import dashboard
from deploy.dashboards.panels import Json, graph, row
from deploy.dashboards.queries import by_service, highest, named, quantiles, rate, series, share, summed

ATTEMPTS = "swaprail_execution_attempts_total"


def executor() -> Json:
    """Return the dashboard."""
    panels = [*_work(), *_chain(), *_doubt()]
    return dashboard("swaprail-executor", "Orders from their route to the chain's verdict.", panels)


def _work() -> list[Json]:
    used = by_service(series("swaprail_execution_slots", 'state="used"'))
    places = by_service(series("swaprail_execution_slots", 'state="total"'))
    return [
        row("Work"),
        graph(
            "Places taken",
            "Share of the places of all replicas. Above 90 % workers stop reading and orders wait: add replicas.",
            "percentunit",
            share(used, places, "{{service}}"),
            bad_above=0.9,
        ),
        graph(
            "Places",
            "Orders worked on, and places for them, of all replicas.",
            "short",
            [named("used {{service}}", used), named("total {{service}}", places)],
        ),
        graph(
            "In flight by pod",
            "Orders, and so leases, that each pod holds. One pod far above the others: the others do not read.",
            "short",
            summed("swaprail_orders_in_flight", "stage", "pod"),
            stacked=True,
        ),
        graph(
            "Building",
            "From the route's commit to the stored attempt. Bad above 1 s: executors are full, or the database slow.",
            "s",
            quantiles("swaprail_order_stage_seconds", where='stage="building"'),
            bad_above=1,
        ),
        graph(
            "Confirming",
            "From the stored attempt to its verdict: the chain's own time, 60 s when a blockhash runs out.",
            "s",
            quantiles("swaprail_order_stage_seconds", where='stage="confirming"'),
            bad_above=30,
        ),
        graph(
            "Found by scan",
            "Orders a second that no message brought. Some are retries; BUILDING and SUBMITTED mean lost messages or "
            "dead workers.",
            "ops",
            rate("swaprail_reconciliations_total", "status"),
        ),
    ]


def _chain() -> list[Json]:
    return [
        row("Chain"),
        graph(
            "Attempts settled",
            "Verdicts a second. reverted: the program refused, no funds moved. expired: never landed, with proof.",
            "ops",
            rate(ATTEMPTS, "venue", "result"),
            stacked=True,
        ),
        graph(
            "Sends",
            "Hand-overs of signed bytes a second; the same bytes again while they have not landed. unknown: no answer.",
            "ops",
            rate("swaprail_execution_sends_total", "result"),
        ),
        graph(
            "Sends per attempt",
            "1 or 2 is healthy. Above 5 the chain takes bytes and does not land them.",
            "short",
            share(rate("swaprail_execution_sends_total"), rate(ATTEMPTS), "sends"),
            bad_above=5,
        ),
        graph(
            "Calls without an answer",
            "Calls to the chain a second that failed or were silent. Never a verdict, only time.",
            "ops",
            rate("swaprail_chain_errors_total", "call"),
        ),
        graph(
            "Back to routing",
            "Orders a second sent back: their route grew old, or their attempt provably expired.",
            "ops",
            rate("swaprail_execution_retries_total", "reason"),
        ),
        graph(
            "Slippage",
            "How much less landed than was quoted; below 0 more landed.",
            "percentunit",
            quantiles("swaprail_execution_slippage_ratio"),
        ),
    ]


def _doubt() -> list[Json]:
    return [
        row("Doubt"),
        graph(
            "Reconciling",
            "Submitted orders about which nothing can be proven. Anything above 0 is a page.",
            "short",
            highest("swaprail_orders_reconciling"),
            bad_above=1,
        ),
        graph(
            "Executed twice",
            "Orders that the chain's ledger shows more than once. Must be 0.",
            "short",
            highest("swaprail_duplicate_executions"),
            bad_above=1,
        ),
        graph(
            "Leases lost",
            "Orders a second taken over by another worker, or cancelled while worked on. Many: workers are too slow.",
            "ops",
            rate("swaprail_lease_lost_total", "kind"),
        ),
        graph(
            "Leases given back",
            "Orders a second that a stopping worker handed on at once.",
            "ops",
            rate("swaprail_orders_released_total", "stage"),
        ),
        graph(
            "Messages not taken",
            "Orders a second whose message came too late, or found no place. A scan finds them.",
            "ops",
            rate("swaprail_orders_handed_over_total", "stage", "reason"),
        ),
        graph(
            "Writes refused",
            "Guarded writes a second that found another status or fence: cancelled orders, or stale workers.",
            "ops",
            rate("swaprail_order_transitions_refused_total", "from_status", "to_status"),
        ),
    ]
