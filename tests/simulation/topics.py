"""Virtual streams with consumer groups: what is published may be lost, doubled, late, out of order, or claimed twice."""

import asyncio
from collections import deque
from collections.abc import Sequence
from random import Random

import redis.exceptions

from swaprail.broker.appender import Entry
from tests.simulation.forgery import forge_orders
from tests.simulation.loop import Process, VirtualLoop
from tests.simulation.weather import Weather

CLAIM_AFTER_S = 1.5


class Consumer:
    """One reader of a topic, in one process."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.arrived: deque[bytes] = deque()
        self.pending: list[bytes] = []
        self.waits: asyncio.Future[None] | None = None

    def deliver(self, body: bytes) -> None:
        """Hand an entry over."""
        self.arrived.append(body)
        if self.waits is not None and not self.waits.done():
            self.waits.set_result(None)


class Topics:
    """All streams. A topic with a group gives each entry to one of the group; one without, to everybody."""

    def __init__(self, loop: VirtualLoop, rng: Random, weather: Weather) -> None:
        self._loop = loop
        self._rng = rng
        self._weather = weather
        self._readers: dict[str, list[Consumer]] = {}
        self._flown: list[tuple[str, bytes]] = []
        self._kept: dict[str, list[bytes]] = {}  # of a group that has no consumer at the moment
        self.grouped = {"orders.accepted", "orders.routed"}

    def publish(self, topic: str, body: bytes) -> None:
        """Store an entry, as far as its fate lets it be read."""
        if topic in self.grouped:
            self._attack(topic, body)
        fate = self._weather.message()
        if fate == "lost":
            return
        for _ in range(2 if fate == "twice" else 1):
            delay = self._rng.random() * 2.5 if fate == "delayed" else self._weather.latency()
            self._loop.outside(delay, self._arrive, topic, body)

    def _attack(self, topic: str, body: bytes) -> None:
        """Let the message, or an older one, come in another form as well, some moments before or after."""
        self._flown.append((topic, body))
        if not self._weather.chance(self._weather.forgery, "message forged"):
            return
        rng = self._rng
        forged = rng.choice(self._flown) if rng.random() < 0.2 else forge_orders(rng, topic, body)
        for _ in range(rng.randint(1, 3)):
            self._loop.outside(rng.random() ** 3 * 2.0, self._arrive, *forged)

    def consume(self, topic: str, process: Process) -> Consumer:
        """Begin to read."""
        consumer = Consumer(process)
        self._readers.setdefault(topic, []).append(consumer)
        process.on_kill.append(lambda: self.leave(topic, consumer))
        for body in self._kept.pop(topic, ()):
            consumer.deliver(body)
        return consumer

    async def read(self, consumer: Consumer) -> list[bytes]:
        """Return entries, as soon as there are any."""
        while not consumer.arrived:
            consumer.waits = self._loop.create_future()
            await consumer.waits
        entries = list(consumer.arrived)
        consumer.arrived.clear()
        consumer.pending = entries
        await self._weather.tempt(consumer.process, "between reading and taking")
        return entries

    def acknowledge(self, consumer: Consumer) -> None:
        """Forget what was read."""
        consumer.pending = []

    def leave(self, topic: str, consumer: Consumer) -> None:
        """Stop reading; what was not acknowledged is claimed by others later."""
        if consumer not in self._readers.get(topic, ()):
            return
        self._readers[topic].remove(consumer)
        if topic in self.grouped:
            for body in (*consumer.pending, *consumer.arrived):
                self._loop.outside(CLAIM_AFTER_S, self._arrive, topic, body)

    def claim_from(self, process: Process) -> None:
        """Let others claim what a stopped process has read and not acknowledged."""
        for topic in self.grouped:
            for consumer in self._readers.get(topic, ()):
                if consumer.process is process:
                    for body in (*consumer.pending, *consumer.arrived):
                        self._loop.outside(CLAIM_AFTER_S, self._arrive, topic, body)

    def flush(self) -> None:
        """Lose everything that nobody has read yet, as FLUSHALL does."""
        self._kept.clear()
        for readers in self._readers.values():
            for consumer in readers:
                consumer.arrived.clear()

    @property
    def unread(self) -> int:
        """Count what is neither read nor acknowledged."""
        readers = [c for topic in self.grouped for c in self._readers.get(topic, ())]
        return sum(len(c.arrived) + len(c.pending) for c in readers) + sum(map(len, self._kept.values()))

    def _arrive(self, topic: str, body: bytes) -> None:
        readers = self._readers.get(topic, [])
        if topic not in self.grouped:
            for consumer in readers:
                consumer.deliver(body)
        elif readers:
            readers[int(self._rng.random() * len(readers))].deliver(body)
        else:
            self._kept.setdefault(topic, []).append(body)


class VirtualAppender:
    """What a process's TopicPublisher has in place of a connection to Redis."""

    def __init__(self, topics: Topics, process: Process, loop: VirtualLoop, weather: Weather) -> None:
        self._topics = topics
        self._process = process
        self._loop = loop
        self._weather = weather

    async def append(self, entries: Sequence[Entry]) -> None:
        """Hand entries to Redis, or fail: before it has them, or after."""
        await self._weather.tempt(self._process, "before publishing")
        await asyncio.sleep(self._weather.latency())
        away = self._loop.now < self._weather.redis_away_until
        if not away:
            for topic, body in entries:
                self._topics.publish(str(topic), body)
        if away or self._weather.chance(0.02, "publishing failed"):
            raise redis.exceptions.ConnectionError("Redis is away")

    async def close(self) -> None:
        """Nothing is held."""
