"""Metrics of the notifier. Hot ones are counted once for each broadcast, not for each socket."""

from prometheus_client import Counter, Gauge, Histogram

from swaprail.telemetry.metrics import REGISTRY

CONNECTIONS = Gauge("swaprail_websocket_connections", "Open WebSockets", registry=REGISTRY)
CLOSED = Counter("swaprail_websocket_closed_total", "Closed WebSockets", ["code"], registry=REGISTRY)
REFUSED = Counter("swaprail_websocket_refused_total", "Refused handshakes", ["code"], registry=REGISTRY)
SENT = Counter("swaprail_websocket_messages_sent_total", "Messages to sockets", ["type"], registry=REGISTRY)
DROPPED = Counter("swaprail_websocket_dropped_total", "What was not sent", ["reason"], registry=REGISTRY)
PUSH_DELAY = Histogram(
    "swaprail_push_delay_seconds",
    "From the commit of a step to its writing to the sockets",
    buckets=(0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=REGISTRY,
)
GAPS = Counter("swaprail_websocket_gap_fills_total", "Orders read because steps were missing", registry=REGISTRY)
MISSED = Counter(
    "swaprail_websocket_compared_total", "Steps that the comparison found before the topic told them", registry=REGISTRY
)
FOLLOWED = Gauge("swaprail_websocket_orders_followed", "Orders held for subscribers", registry=REGISTRY)

SENT_STATUS = SENT.labels("status")
DUPLICATE = DROPPED.labels("duplicate")
TOPIC_UNDECODABLE = DROPPED.labels("undecodable")
SLOW = DROPPED.labels("slow_client")
