"""Venues and routing: who quotes, how fast, how good, and who is left out."""

from deploy.dashboards.frame import dashboard
from deploy.dashboards.panels import Json, graph, row
from deploy.dashboards.queries import highest, quantile, quantiles, rate, share

QUOTES = "swaprail_quote_requests_total"


def venues() -> Json:
    """Return the dashboard."""
    return dashboard("swaprail-venues", "Quotes of the venues and the routes chosen.", [*_quotes(), *_routes()])


def _quotes() -> list[Json]:
    quoted = share(rate(QUOTES, "venue", where='result="quoted"'), rate(QUOTES, "venue"), "{{venue}}")
    return [
        row("Quotes"),
        graph(
            "By result",
            "Venues asked or skipped a second. late, error and unavailable count against a venue's circuit; no_pool "
            "and rejected are honest answers.",
            "ops",
            rate(QUOTES, "venue", "result"),
            stacked=True,
        ),
        graph(
            "Share quoted",
            "How often a venue that comes up gives a quote. Bad below 80 %.",
            "percentunit",
            quoted,
            bad_below=0.8,
        ),
        graph(
            "Circuits",
            "1 while a router does not ask the venue. Open for long: orders are routed at worse prices, or not.",
            "short",
            highest("swaprail_venue_circuit_open", "venue"),
            bad_above=1,
        ),
        graph(
            "Time to quote",
            "Of quotes that came in time. Near ROUTER_QUOTE_DEADLINE_S (1 s) they begin to come too late.",
            "s",
            quantiles("swaprail_quote_duration_seconds"),
            bad_above=1,
        ),
        graph(
            "Time to quote by venue, p95",
            "Which venue is slow: every order waits for the slowest, up to the deadline.",
            "s",
            quantile(0.95, "swaprail_quote_duration_seconds", "venue"),
            bad_above=1,
        ),
        graph(
            "Discarded",
            "Quotes that came and were not used. stale, absurd and invalid speak against the venue; price_impact and "
            "below_min_output against the order's size or limit; price_unconfirmed: no other venue answered.",
            "ops",
            rate("swaprail_quotes_discarded_total", "venue", "reason"),
            stacked=True,
        ),
    ]


def _routes() -> list[Json]:
    return [
        row("Routes"),
        graph(
            "Chosen",
            "Orders routed a second, by venue. One venue alone means that nobody competes with it.",
            "ops",
            rate("swaprail_routes_selected_total", "venue"),
            stacked=True,
        ),
        graph(
            "Advantage of the best",
            "How much more the best quote gives than the second. High and lasting: one venue's prices are off.",
            "percentunit",
            quantiles("swaprail_route_advantage_ratio"),
        ),
        graph(
            "Asked again",
            "Rounds without a usable quote a second, after which venues are asked again.",
            "ops",
            rate("swaprail_routing_retries_total", "reason"),
        ),
        graph(
            "Slippage, median",
            "How much less landed than was quoted; below 0 more landed. Rises when the chain is slow, or quotes old.",
            "percentunit",
            quantile(0.5, "swaprail_execution_slippage_ratio", "venue"),
        ),
        graph(
            "Time without a route",
            "Time in ROUTING, p95, and the part of it before a router began.",
            "s",
            quantile(0.95, "swaprail_order_stage_seconds", "stage", where='stage=~"queued|routing"'),
        ),
        graph(
            "Without a route at the end",
            "Orders a second that FAILED or EXPIRED in ROUTING: no venue gave a usable quote in their time.",
            "ops",
            rate(
                "swaprail_order_transitions_total",
                "to_status",
                where='from_status="ROUTING", to_status=~"FAILED|EXPIRED"',
            ),
        ),
    ]
