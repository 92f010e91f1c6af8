"""Publishes to topics right after a commit: never before it, never in its way."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from time import perf_counter

import msgspec
from faststream.exceptions import IncorrectState

from swaprail.broker.appender import Appender
from swaprail.broker.connect import AWAY
from swaprail.messages.topics import (
    MAX_ORDERS_PER_MESSAGE,
    OrderEvents,
    OrdersAccepted,
    OrdersRouted,
    Topic,
)
from swaprail.telemetry import metrics, tracing
from swaprail.telemetry.incidents import Incident
from swaprail.telemetry.message_spans import publish_spans
from swaprail.telemetry.registry import start_at_zero

type Message = OrdersAccepted | OrdersRouted | OrderEvents

OUTBOX = (Topic.ACCEPTED, Topic.ROUTED, Topic.EVENTS)
MAX_WAITING = 2_000
_encode = msgspec.json.Encoder().encode


class TopicPublisher:
    """Hands messages to Redis in the background, merging what waits.

    A message is a wake-up, not the truth: while Redis is away it is dropped and counted, and reconcilers
    find the orders in the database.
    """

    def __init__(self, appender: Appender) -> None:
        self._appender = appender
        self._incident = Incident("not published; reconcilers will find the orders", "published again")
        self._waiting: dict[Topic, list[Message]] = defaultdict(list)
        self._sending: dict[Topic, list[Message]] = {}
        self._since: dict[Topic, float] = {}  # when the first of those waiting was committed
        self._sending_since: dict[Topic, float] = {}
        self._task: asyncio.Task[None] | None = None
        for topic in OUTBOX:
            metrics.OUTBOX_WAITING.labels(topic).set_function(partial(self._unsent, topic))
            metrics.OUTBOX_OLDEST.labels(topic).set_function(partial(self._oldest_s, topic))
        start_at_zero(metrics.PUBLISHED, OUTBOX, ["ok", "failed", "dropped"])
        start_at_zero(metrics.OUTBOX_DELAY, OUTBOX)

    def publish(self, topic: Topic, message: Message) -> None:
        """Queue a message; returns at once."""
        waiting = self._waiting[topic]
        if len(waiting) >= MAX_WAITING:
            metrics.PUBLISHED.labels(topic, "dropped").inc()
            return
        waiting.append(message)
        self._since.setdefault(topic, perf_counter())
        if self._task is None:
            loop = asyncio.get_running_loop()
            self._task = asyncio.Task(self._run(), loop=loop, name="topic publisher", eager_start=True)

    async def stop(self) -> None:
        """Return when everything queued was handed over or dropped."""
        while self._task is not None:
            await asyncio.wait([self._task])
        await self._appender.close()

    async def _run(self) -> None:
        # One turn of the loop, for what is published in the same one.
        await asyncio.sleep(0)
        try:
            while any(self._waiting.values()):
                self._sending, self._waiting = self._waiting, defaultdict(list)
                self._sending_since, self._since = self._since, {}
                await self._send([(topic, m) for topic, messages in self._sending.items() for m in merge(messages)])
        finally:
            self._sending, self._sending_since = {}, {}
            self._task = None

    async def _send(self, entries: Sequence[tuple[Topic, Message]]) -> None:
        if tracing.enabled():
            entries = [(topic, publish_spans(topic, message)) for topic, message in entries]
        began = perf_counter()
        try:
            await self._hand_over(entries)
            metrics.REDIS_SECONDS.labels("XADD").observe(perf_counter() - began)
            result = "ok"
        except (*AWAY, IncorrectState) as error:
            # IncorrectState: the broker has never been connected.
            self._incident.failed(error)
            result = "failed"
        else:
            self._incident.succeeded()
        now = perf_counter()
        for topic, _ in entries:
            metrics.PUBLISHED.labels(topic, result).inc()
            if result == "ok":
                metrics.OUTBOX_DELAY.labels(topic).observe(now - self._sending_since[topic])

    async def _hand_over(self, entries: Sequence[tuple[Topic, Message]]) -> None:
        await self._appender.append([(topic, _encode(message)) for topic, message in entries])

    def _unsent(self, topic: Topic) -> int:
        return len(self._waiting.get(topic, ())) + len(self._sending.get(topic, ()))

    def _oldest_s(self, topic: Topic) -> float:
        since = self._sending_since.get(topic, self._since.get(topic))
        return 0.0 if since is None else perf_counter() - since


def merge(messages: Sequence[Message]) -> list[Message]:
    """Return the same content, in order, in as few messages of at most 64 orders as possible."""
    first = messages[0]
    field = "events" if isinstance(first, OrderEvents) else "orders"
    items = [item for message in messages for item in getattr(message, field)]
    parts = [items[at : at + MAX_ORDERS_PER_MESSAGE] for at in range(0, len(items), MAX_ORDERS_PER_MESSAGE)]
    return [type(first)(part) for part in parts]
