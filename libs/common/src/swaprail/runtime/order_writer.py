"""Writes the transitions of one kind in batches, then tells the topics what was committed."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec

from swaprail.broker.publisher import TopicPublisher
from swaprail.db.transitions import Move, Moved
from swaprail.db.writer import BatchWriter
from swaprail.domain.lifecycle import TERMINAL, Status, check_transition
from swaprail.domain.orders import StaleLeaseError
from swaprail.messages.topics import HANDOVER_S, HandedOver, OrderEvent, OrderEvents, OrdersRouted, Topic
from swaprail.telemetry import metrics
from swaprail.telemetry.order_lines import log_steps
from swaprail.telemetry.tracing import write_span

_STAGES = {Status.ROUTING: "routing", Status.BUILDING: "building", Status.SUBMITTED: "confirming"}
_HANDOVER_MS = int(HANDOVER_S * 1000)


class OrderWriter[M: Move]:
    """One batching writer of guarded transitions."""

    def __init__(
        self, write: Callable[[Sequence[M]], Awaitable[Sequence[Any]]], publisher: TopicPublisher, *, name: str
    ) -> None:
        """Write by `write`, which returns the rows (id, held, seq, at, fence) of the transitions that took place."""
        self._write = write
        self._publisher = publisher
        self._writer: BatchWriter[M, Moved | None] = BatchWriter(self._write_batch, name=name)

    async def write(self, move: M) -> Moved:
        """Commit one transition; StaleLeaseError when the order moved on or the lease is another's."""
        if move.following is not move.order.status:
            check_transition(move.order.status, move.following)
        with write_span(self._writer.name):
            moved = await self._writer.submit(move)
        if moved is None:
            raise StaleLeaseError
        return moved

    async def stop(self) -> None:
        """Write what waits, then refuse more."""
        await self._writer.stop()

    async def _write_batch(self, moves: Sequence[M]) -> list[Moved | None]:
        rows = await self._write(moves)
        # By fence as well: a batch may hold an order's move of a lease that is over beside that of the next one.
        found: dict[tuple[UUID, int], Moved] = {
            (row["id"], row["held"]): Moved(row["seq"], row["at"], row["fence"]) for row in rows
        }
        results = [found.get((move.order.id, move.order.fence)) for move in moves]
        self._tell(moves, results)
        return results

    def _tell(self, moves: Sequence[M], results: Sequence[Moved | None]) -> None:
        events: list[OrderEvent] = []
        handed: list[HandedOver] = []
        for move, moved in zip(moves, results, strict=True):
            if moved is None:
                metrics.TRANSITIONS_REFUSED.labels(move.order.status, move.following).inc()
            elif move.following is not move.order.status:
                events.append(_event(move, moved))
                _observe(move, moved)
                if move.hand_over:
                    handed.append(_handed(move, moved))
        if handed:
            # Before the events: both go out together, and an executor is to be the first to wake up.
            self._publisher.publish(Topic.ROUTED, OrdersRouted(handed))
        if events:
            self._publisher.publish(Topic.EVENTS, OrderEvents(events))
            _count(moves, results)
            log_steps(events)


def _event(move: Move, moved: Moved) -> OrderEvent:
    order = move.order
    data = msgspec.Raw(move.data.encode())
    return OrderEvent(order.id, moved.seq, move.following, moved.at, order.account, order.wallet, data, order.trace)


def _handed(move: Move, moved: Moved) -> HandedOver:
    routing = move.order.routing if move.routing is None else msgspec.Raw(move.routing.encode())
    order = msgspec.structs.replace(
        move.order, status=move.following, seq=moved.seq, fence=moved.fence, routing=routing, at=moved.at
    )
    return HandedOver(order, moved.at + _HANDOVER_MS)


def _count(moves: Sequence[Move], results: Sequence[Moved | None]) -> None:
    made = Counter((move.order.status, move.following) for move, moved in zip(moves, results, strict=True) if moved)
    for (before, following), count in made.items():
        if following is not before:
            metrics.TRANSITIONS.labels(before, following).inc(count)


def _observe(move: Move, moved: Moved) -> None:
    order = move.order
    if order.at is not None:
        metrics.STAGE.labels(_STAGES[order.status]).observe((moved.at - order.at) / 1000)
    if move.following in TERMINAL:
        metrics.COMPLETION.labels(move.following).observe(moved.at / 1000 - order.queued_at.timestamp())
