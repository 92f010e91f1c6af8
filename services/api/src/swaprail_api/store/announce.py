"""Telling others what was committed. Never before the commit, and never in the way of the request."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from swaprail.domain.lifecycle import Status
from swaprail.messages.topics import OrderEvent, OrderEvents, OrderRef, OrdersAccepted, Topic


class Publisher(Protocol):
    """Queues messages for the topics; returns at once and never fails."""

    def publish(self, topic: Topic, message: Any) -> None:
        """Queue a message."""
        ...


class NewRow(Protocol):
    """What is told of a new order."""

    @property
    def id(self) -> UUID:
        """The order."""
        ...

    @property
    def account(self) -> str:
        """Its owner."""
        ...

    @property
    def wallet(self) -> str:
        """Its wallet."""
        ...

    @property
    def trace(self) -> str | None:
        """Its trace."""
        ...

    @property
    def execute(self) -> bool:
        """Whether it is queued."""
        ...


class Announcer:
    """Publishes one message a topic for everything that one commit stored."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    def accepted(self, stored: Sequence[tuple[NewRow, datetime]]) -> None:
        """Tell of new orders: the router of those to execute, everybody of the first event."""
        if not stored:
            return
        self.queued([OrderRef(row.id, row.trace) for row, _ in stored if row.execute])
        self.events([_event(row, created_at) for row, created_at in stored])

    def queued(self, orders: list[OrderRef]) -> None:
        """Wake the router."""
        if orders:
            self._publisher.publish(Topic.ACCEPTED, OrdersAccepted(orders))

    def events(self, events: list[OrderEvent]) -> None:
        """Tell whoever watches."""
        if events:
            self._publisher.publish(Topic.EVENTS, OrderEvents(events))


def milliseconds(at: datetime) -> int:
    """Return a time in milliseconds since 1970."""
    return int(at.timestamp() * 1000)


def _event(row: NewRow, at: datetime) -> OrderEvent:
    return OrderEvent(row.id, 1, Status.PENDING, milliseconds(at), row.account, row.wallet, trace=row.trace)
