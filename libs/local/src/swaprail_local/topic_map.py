"""Which service publishes what on which topic, and who reads it."""

from typing import NamedTuple

import msgspec

from swaprail.messages.topics import (
    Group,
    OrderEvents,
    OrdersAccepted,
    OrdersRouted,
    QuotesAnswered,
    QuotesAsked,
    Topic,
)


class Stream(NamedTuple):
    """One topic. Without a group every replica of a consumer reads every entry."""

    message: type[msgspec.Struct]
    publishers: tuple[str, ...]
    consumers: tuple[str, ...]
    group: Group | None
    reply: type[msgspec.Struct] | None = None


STREAMS: dict[Topic, Stream] = {
    Topic.ACCEPTED: Stream(OrdersAccepted, ("api",), ("router",), Group.ROUTER),
    Topic.ROUTED: Stream(OrdersRouted, ("router",), ("executor",), Group.EXECUTOR),
    Topic.EVENTS: Stream(OrderEvents, ("api", "executor", "router"), ("notifier",), None),
    Topic.QUOTES: Stream(QuotesAsked, ("api",), ("router",), Group.ROUTER, QuotesAnswered),
}
