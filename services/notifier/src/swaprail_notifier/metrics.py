"""Metrics of the notifier. Hot ones are counted once for each broadcast, not for each socket."""

from swaprail.domain.errors import ErrorCode
from swaprail.telemetry.registry import counter, gauge, histogram, start_at_zero

_NOTIFIER = "notifier"

CONNECTIONS = gauge("swaprail_websocket_connections", "Open WebSockets", of=_NOTIFIER)
CONNECTIONS_LIMIT = gauge("swaprail_websocket_connections_limit", "WebSockets that this process takes", of=_NOTIFIER)
CLOSED = counter("swaprail_websocket_closed_total", "Closed WebSockets", ["code"], of=_NOTIFIER)
REFUSED = counter("swaprail_websocket_refused_total", "Refused handshakes", ["code"], of=_NOTIFIER)
SENT = counter("swaprail_websocket_messages_sent_total", "Messages to sockets", ["type"], of=_NOTIFIER)
DROPPED = counter("swaprail_websocket_dropped_total", "What was not sent", ["reason"], of=_NOTIFIER)
PUSH_DELAY = histogram(
    "swaprail_push_delay_seconds",
    "From the commit of a step to its writing to the sockets",
    of=_NOTIFIER,
    buckets=(0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
NAMED = counter("swaprail_websocket_named_total", "Orders read because the topic named them", of=_NOTIFIER)
MISSED = counter(
    "swaprail_websocket_compared_total", "Steps that the comparison found before the topic told them", of=_NOTIFIER
)
UNDONE = counter(
    "swaprail_websocket_undone_total",
    "Orders whose followers had to restart: the database lost steps that were told",
    of=_NOTIFIER,
)
FOLLOWED = gauge("swaprail_websocket_orders_followed", "Orders held for subscribers", of=_NOTIFIER)

SENT_STATUS = SENT.labels("status")
DUPLICATE = DROPPED.labels("duplicate")
TOPIC_UNDECODABLE = DROPPED.labels("undecodable")
SLOW = DROPPED.labels("slow_client")

start_at_zero(REFUSED, ErrorCode)
