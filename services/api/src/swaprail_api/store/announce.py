"""Telling others what was committed. Never before the commit, and never in the way of the request."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import LeasedOrder
from swaprail.messages.topics import HANDOVER_S, HandedOver, OrderEvent, OrderEvents, OrdersAccepted, Topic
from swaprail.telemetry import metrics
from swaprail_api.store.intake_row import IntakeRow

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_HANDOVER_MS = int(HANDOVER_S * 1000)


class Publisher(Protocol):
    """Queues messages for the topics; returns at once and never fails."""

    def publish(self, topic: Topic, message: Any) -> None:
        """Queue a message."""
        ...


class Announcer:
    """Publishes one message a topic for everything that one commit stored."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    def accepted(self, stored: Sequence[tuple[IntakeRow, datetime]]) -> None:
        """Tell everybody of new orders, and hand those to execute over to the routers."""
        if not stored:
            return
        self.events([_event(row, created_at) for row, created_at in stored])
        self.started([_handed(row, created_at) for row, created_at in stored if row.execute])

    def started(self, orders: list[LeasedOrder]) -> None:
        """Tell everybody that the orders are in ROUTING, and hand them over to the routers."""
        if not orders:
            return
        metrics.TRANSITIONS.labels(Status.PENDING, Status.ROUTING).inc(len(orders))
        handed = [HandedOver(o, milliseconds(o.queued_at) + _HANDOVER_MS) for o in orders]
        self._publisher.publish(Topic.ACCEPTED, OrdersAccepted(handed))
        self.events([_routing_event(order) for order in orders])

    def events(self, events: list[OrderEvent]) -> None:
        """Tell whoever watches."""
        if events:
            self._publisher.publish(Topic.EVENTS, OrderEvents(events))


def milliseconds(at: datetime) -> int:
    """Return a time in milliseconds since 1970."""
    return (at - _EPOCH) // _MILLISECOND


def _event(row: IntakeRow, at: datetime) -> OrderEvent:
    return OrderEvent(row.id, 1, Status.PENDING, milliseconds(at), row.account, row.wallet, trace=row.trace)


def _handed(row: IntakeRow, at: datetime) -> LeasedOrder:
    return LeasedOrder(
        id=row.id,
        account=row.account,
        wallet=row.wallet,
        status=Status.ROUTING,
        seq=2,
        fence=1,
        input_mint=row.input_mint,
        output_mint=row.output_mint,
        input_amount=int(row.input_amount),
        slippage_bps=row.slippage_bps,
        min_output_amount=None if row.min_output_amount is None else int(row.min_output_amount),
        queued_at=at,
        expires_at=row.expires_at,
        trace=row.trace,
        at=milliseconds(at),
    )


def _routing_event(order: LeasedOrder) -> OrderEvent:
    at = milliseconds(order.queued_at)
    return OrderEvent(order.id, order.seq, Status.ROUTING, at, order.account, order.wallet, trace=order.trace)
