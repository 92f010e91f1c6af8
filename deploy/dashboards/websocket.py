"""WebSocket: who listens, and how soon they hear."""

from deploy.dashboards.frame import dashboard
from deploy.dashboards.panels import Json, graph, row
from deploy.dashboards.queries import highest, named, quantile, quantiles, rate, share, summed


def websocket() -> Json:
    """Return the dashboard."""
    panels = [*_connections(), *_messages()]
    return dashboard("swaprail-websocket", "Connections of the notifiers and what they are sent.", panels)


def _connections() -> list[Json]:
    open_now, limit = summed("swaprail_websocket_connections"), summed("swaprail_websocket_connections_limit")
    return [
        row("Connections"),
        graph(
            "Open by pod",
            "WebSockets of each notifier. A new pod fills as clients come back; nobody is moved.",
            "short",
            summed("swaprail_websocket_connections", "pod"),
            stacked=True,
        ),
        graph(
            "Share of the limit",
            "Open WebSockets against WS_MAX_CONNECTIONS of all pods. Bad above 85 %: add replicas.",
            "percentunit",
            share(open_now, limit, "used"),
            bad_above=0.85,
        ),
        graph(
            "Closed",
            "Closed a second, by code: 1000 and 1001 the client, 1012 a rollout, 4008 too slow, 1011 no answer to a "
            "ping, 1006 lost.",
            "ops",
            rate("swaprail_websocket_closed_total", "code"),
            stacked=True,
        ),
        graph(
            "Refused",
            "Refused handshakes a second, by code. overloaded and unavailable are ours.",
            "ops",
            rate("swaprail_websocket_refused_total", "code"),
            stacked=True,
        ),
        graph(
            "Orders followed",
            "Orders that notifiers hold for subscribers, and compare with the table each second.",
            "short",
            summed("swaprail_websocket_orders_followed", "pod"),
            stacked=True,
        ),
        graph(
            "Event-loop lag",
            "Of the worst pod in its worst moment of the latest second. Above 0.25 s every push is late.",
            "s",
            highest("swaprail_event_loop_lag_seconds", "pod"),
            bad_above=0.25,
        ),
    ]


def _messages() -> list[Json]:
    return [
        row("Messages"),
        graph(
            "Sent", "Messages a second to all sockets.", "ops", rate("swaprail_websocket_messages_sent_total", "type")
        ),
        graph(
            "Push delay",
            "From the commit of a step to its writing to the sockets. The objective: 99 % within 1 s.",
            "s",
            quantiles("swaprail_push_delay_seconds"),
            bad_above=1,
        ),
        graph(
            "Wait in the topic",
            "From publishing orders.events to the notifier's handler, p95: the part of the delay before the notifier.",
            "s",
            named("orders.events", quantile(0.95, "swaprail_message_wait_seconds", where='stream="orders.events"')),
        ),
        graph(
            "Not sent",
            "Dropped a second: duplicate is harmless, slow_client cuts its socket off, undecodable is a defect.",
            "ops",
            rate("swaprail_websocket_dropped_total", "reason"),
        ),
        graph(
            "Read when named",
            "Orders a second that were read from the table because orders.events named them.",
            "ops",
            named("orders", rate("swaprail_websocket_named_total")),
        ),
        graph(
            "Found by comparing",
            "Steps a second of which the topic had not told. Many: publishing or reading orders.events fails.",
            "ops",
            named("steps", rate("swaprail_websocket_compared_total")),
        ),
        graph(
            "Undone",
            "Orders a second whose followers had to restart: the database lost steps that were told. After a failover only.",
            "ops",
            named("orders", rate("swaprail_websocket_undone_total")),
        ),
    ]
