"""Spans of messages: one message carries many orders, and each traced order continues its own trace through it."""

from collections.abc import Sequence

import msgspec
from opentelemetry.trace import SpanKind

from swaprail.messages.topics import OrderEvent, OrderEvents, OrderRef, OrdersAccepted, OrdersRouted, Topic
from swaprail.telemetry.tracing import start_span, traceparent


def publish_spans(
    topic: Topic, message: OrdersAccepted | OrdersRouted | OrderEvents
) -> OrdersAccepted | OrdersRouted | OrderEvents:
    """Return the message with each traced order below a span `publish <topic>`."""
    if isinstance(message, OrderEvents):
        return msgspec.structs.replace(message, events=[_below("publish", topic, event) for event in message.events])
    return msgspec.structs.replace(message, orders=[_below("publish", topic, ref) for ref in message.orders])


def process_spans(topic: Topic, refs: Sequence[OrderRef]) -> list[OrderRef]:
    """Return the references with each traced order below a span `process <topic>`."""
    return [_below("process", topic, ref) for ref in refs]


def process_event(event: OrderEvent) -> None:
    """Record that a notifier took a traced step."""
    _below("process", Topic.EVENTS, event)


def _below[Item: (OrderRef, OrderEvent)](operation: str, topic: Topic, item: Item) -> Item:
    if item.trace is None:
        return item
    kind = SpanKind.PRODUCER if operation == "publish" else SpanKind.CONSUMER
    span = start_span(f"{operation} {topic}", item.trace, kind=kind)
    span.set_attributes({"messaging.system": "redis", "messaging.destination.name": str(topic), **_named(item)})
    span.end()
    return msgspec.structs.replace(item, trace=traceparent(span) or item.trace)


def _named(item: OrderRef | OrderEvent) -> dict[str, str]:
    if isinstance(item, OrderRef):
        return {"order.id": str(item.id)}
    return {"order.id": str(item.order_id), "order.status": item.status}
