"""Keeps topics consumable: groups exist, subscribers run, entries of dead consumers are claimed."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from faststream.redis import RedisBroker
from redis.exceptions import ResponseError

from swaprail.broker.acknowledger import Acknowledger
from swaprail.broker.connect import AWAY, connect_redis
from swaprail.broker.observe import observe_stream
from swaprail.broker.streams import Received, decode_entries
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.messages.topics import Group, Topic
from swaprail.settings import Settings
from swaprail.telemetry import metrics
from swaprail.telemetry.incidents import Incident
from swaprail.telemetry.logging import get_logger
from swaprail.telemetry.registry import start_at_zero
from swaprail.telemetry.survival import survive

log = get_logger(__name__)

CHECK_EVERY_S = 1.0
ALIVE_MS = 10_000
OBSERVE_EVERY_S = 2.0
CLAIM_EVERY_S = 5.0
CLAIM_IDLE_MS = 10_000
CLAIM_COUNT = 100
FORGET_CONSUMER_MS = 600_000
DEAD_MAXLEN = 10_000


class Consumption[Message]:
    """One topic that a service consumes as a group, and how it handles claimed messages."""

    def __init__(self, topic: Topic, group: Group, message_type: type[Message]) -> None:
        self.topic = topic
        self.group = group
        self.message_type = message_type
        self.handle: Callable[[list[Message]], Awaitable[None]] = _unhandled


async def _unhandled(messages: list[Any]) -> None:
    message = f"{len(messages)} messages claimed before a handler was joined"
    raise RuntimeError(message)


class StreamKeeper:
    """Starts a broker when Redis is there, and keeps it consuming whatever happens to Redis."""

    def __init__(
        self, settings: Settings, broker: RedisBroker, consumer: str, consumptions: list[Consumption[Any]]
    ) -> None:
        self._broker = broker
        self._consumer = consumer
        self._consumptions = consumptions
        self._redis: Any = connect_redis(settings)
        self._acknowledger = Acknowledger(self._redis)
        self._task: asyncio.Task[None] | None = None
        self._started = False
        self._healthy = False
        self._incident = Incident("Redis is away; the database is read instead", "Redis is back")
        self._claimed_at = self._observed_at = 0.0
        for consumption in consumptions:
            start_at_zero(metrics.RECLAIMED, [consumption.topic], [consumption.group])
            start_at_zero(metrics.DEAD_LETTERS, [consumption.topic], ["undecodable", "version"])

    async def start(self) -> None:
        """Try to start now, and go on trying in the background."""
        await self._check()
        self._task = asyncio.create_task(self._run(), name="stream keeper")

    async def stop_consuming(self) -> None:
        """Read no more entries; publishing still works."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for subscriber in self._broker.subscribers:
            await subscriber.stop()
        await self._acknowledger.flush()

    async def stop(self) -> None:
        """Close the connections."""
        await self._broker.stop()
        await self._redis.aclose()

    async def check_redis(self) -> None:
        """Raise EngineError unavailable unless Redis answered lately."""
        if not self._healthy:
            raise EngineError(ErrorCode.UNAVAILABLE, "Redis is away")

    async def check_subscribers(self) -> None:
        """Raise EngineError unavailable when a subscriber is dead though Redis is there."""
        if self._healthy and not all(subscriber.running for subscriber in self._broker.subscribers):
            raise EngineError(ErrorCode.UNAVAILABLE, "a subscriber is dead")

    def acknowledge(self, consumption: Consumption[Any], entry_ids: Sequence[bytes]) -> None:
        """Acknowledge entries whose orders were taken; returns at once."""
        self._acknowledger.add(consumption.topic, consumption.group, entry_ids)

    async def set_aside(self, topic: Topic, received: Received[Any]) -> None:
        """Keep what is no message of ours; to be acknowledged only afterwards."""
        await self.dead_letter(topic, received.undecodable, "undecodable")
        await self.dead_letter(topic, received.unknown, "version")

    async def dead_letter(self, topic: Topic, raw: list[bytes], reason: str) -> None:
        """Set entries aside that nobody can handle, for a person to look at."""
        for entry in raw:
            await self._redis.xadd(f"{topic}.dead", {"reason": reason, "entry": entry}, maxlen=DEAD_MAXLEN)
            metrics.DEAD_LETTERS.labels(topic, reason).inc()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            await survive("check of topics", self._check())

    async def _check(self) -> None:
        try:
            await self._ensure_groups()
            await self._ensure_consuming()
            if time.monotonic() - self._observed_at > OBSERVE_EVERY_S:
                self._observed_at = time.monotonic()
                await self._observe()
            if time.monotonic() - self._claimed_at > CLAIM_EVERY_S:
                self._claimed_at = time.monotonic()
                for consumption in self._consumptions:
                    await self._claim(consumption)
            self._healthy = True
            self._incident.succeeded()
        except AWAY as error:
            self._healthy = False
            self._incident.failed(error)

    async def _ensure_groups(self) -> None:
        # From 0, so that entries published before the first consumer, or right after a FLUSHALL, are read.
        for consumption in self._consumptions:
            try:
                await self._redis.xgroup_create(str(consumption.topic), str(consumption.group), id="0", mkstream=True)
            except ResponseError as error:
                if "BUSYGROUP" not in str(error):
                    raise
        if not self._consumptions:
            # A replica would answer a PING.
            await self._redis.set(f"swaprail:alive:{self._consumer}", b"1", px=ALIVE_MS)

    async def _ensure_consuming(self) -> None:
        if not self._started:
            await self._broker.start()
            self._started = True
        for subscriber in self._broker.subscribers:
            if not subscriber.running:
                log.warning("subscriber restarted")
                await subscriber.start()

    async def _observe(self) -> None:
        for consumption in self._consumptions:
            await observe_stream(self._redis, str(consumption.topic), str(consumption.group))

    async def _claim(self, consumption: Consumption[Any]) -> None:
        topic, group = str(consumption.topic), str(consumption.group)
        _, claimed, *_ = await self._redis.xautoclaim(
            topic, group, self._consumer, min_idle_time=CLAIM_IDLE_MS, count=CLAIM_COUNT
        )
        entries = [(entry_id, fields) for entry_id, fields in claimed if fields]
        if entries:
            metrics.RECLAIMED.labels(topic, group).inc(len(entries))
            ids = [entry_id for entry_id, _ in entries]
            received = decode_entries([fields for _, fields in entries], ids, consumption.message_type)
            await self.set_aside(consumption.topic, received)
            if received.messages:
                await consumption.handle(received.messages)
            await self._redis.xack(topic, group, *ids)
        await self._forget_dead_consumers(topic, group)

    async def _forget_dead_consumers(self, topic: str, group: str) -> None:
        for info in await self._redis.xinfo_consumers(topic, group):
            if info["pending"] == 0 and info["idle"] > FORGET_CONSUMER_MS:
                await self._redis.xgroup_delconsumer(topic, group, info["name"])
