"""Spans of messages: one message carries many orders, and each traced order continues its own trace through it."""

from collections.abc import Sequence

import msgspec
from opentelemetry.trace import SpanKind

from swaprail.messages.topics import HandedOver, OrderEvent, OrderEvents, OrdersAccepted, OrdersRouted, Topic
from swaprail.telemetry.tracing import start_span, traceparent


def publish_spans(
    topic: Topic, message: OrdersAccepted | OrdersRouted | OrderEvents
) -> OrdersAccepted | OrdersRouted | OrderEvents:
    """Return the message with each traced order below a span `publish <topic>`."""
    if isinstance(message, OrderEvents):
        return msgspec.structs.replace(message, events=[_event_below("publish", event) for event in message.events])
    orders = [_order_below("publish", topic, item) for item in message.orders]
    return msgspec.structs.replace(message, orders=orders)


def process_spans(topic: Topic, items: Sequence[HandedOver]) -> list[HandedOver]:
    """Return the handed over orders, each traced one below a span `process <topic>`."""
    return [_order_below("process", topic, item) for item in items]


def process_event(event: OrderEvent) -> None:
    """Record that a notifier took a traced step."""
    _event_below("process", event)


def _order_below(operation: str, topic: Topic, item: HandedOver) -> HandedOver:
    order = item.order
    if order.trace is None:
        return item
    trace = _record(operation, topic, order.trace, {"order.id": str(order.id)})
    return msgspec.structs.replace(item, order=msgspec.structs.replace(order, trace=trace))


def _event_below(operation: str, event: OrderEvent) -> OrderEvent:
    if event.trace is None:
        return event
    names = {"order.id": str(event.order_id), "order.status": event.status}
    return msgspec.structs.replace(event, trace=_record(operation, Topic.EVENTS, event.trace, names))


def _record(operation: str, topic: Topic, parent: str, names: dict[str, str]) -> str:
    kind = SpanKind.PRODUCER if operation == "publish" else SpanKind.CONSUMER
    span = start_span(f"{operation} {topic}", parent, kind=kind)
    span.set_attributes({"messaging.system": "redis", "messaging.destination.name": str(topic), **names})
    span.end()
    return traceparent(span) or parent
