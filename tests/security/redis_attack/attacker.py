"""Reads every topic as it flows, and writes forged entries beside the true ones, as fast as they come."""

import asyncio
from collections import Counter, deque
from random import Random
from typing import Any

import msgspec
import redis.asyncio as redis
from faststream.redis.message import DATA_KEY, bDATA_KEY
from faststream.redis.parser import BinaryMessageFormatV1

from swaprail.messages.topics import Group, HandedOver, OrderEvents, OrdersAccepted, OrdersRouted, Topic
from tests.security.redis_attack.forgeries import Entry, forged, mangled, quote_request, routed_ahead, told_wrongly

GROUPS = {Topic.ACCEPTED: Group.ROUTER, Topic.ROUTED: Group.EXECUTOR}
TYPES: dict[Topic, Any] = {Topic.ACCEPTED: OrdersAccepted, Topic.ROUTED: OrdersRouted, Topic.EVENTS: OrderEvents}
LATEST_S = 1.5  # that a forgery is held back: until after the lease that came with the true message
KEPT = 500  # bodies, to be replayed
THIEF = "thief"


class Attacker:
    """Has write access to Redis alone."""

    def __init__(self, url: str, seed: int) -> None:
        self.written: Counter[str] = Counter()
        self._client: Any = redis.Redis.from_url(url, socket_timeout=10)
        self._rng = Random(seed)
        self._old: deque[Entry] = deque(maxlen=KEPT)
        self._later: set[asyncio.Task[None]] = set()
        self._envelope = b""
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin; whatever flows from now on is attacked."""
        self._envelope = await BinaryMessageFormatV1.encode(
            message=b"", reply_to=None, headers=None, correlation_id=THIEF, serializer=None
        )
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._disturb())]

    async def stop(self) -> None:
        """Write what was held back, and no more."""
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*self._later)
        await self._client.aclose()
        broken = [e for e in ended if isinstance(e, BaseException) and not isinstance(e, asyncio.CancelledError)]
        assert not broken, f"the attacker failed: {broken}"

    async def _read(self) -> None:
        places: dict[str, bytes | str] = dict.fromkeys(map(str, TYPES), "0-0")
        while True:
            for name, entries in await self._client.xread(places, block=1_000, count=64):
                for entry_id, fields in entries:
                    places[name.decode()] = entry_id
                    raw = fields[bDATA_KEY]
                    if not raw.startswith(self._envelope):
                        await self._meet(Topic(name.decode()), entry_id, raw)

    async def _meet(self, topic: Topic, entry_id: bytes, raw: bytes) -> None:
        body, _ = BinaryMessageFormatV1.parse(raw)
        message = msgspec.json.decode(body, type=TYPES[topic])
        self._old.append((topic, body))
        if topic in GROUPS and self._rng.random() < 0.1:
            self.written["deleted"] += await self._client.xdel(str(topic), entry_id)
        if self._rng.random() < 0.3:
            await self._write("mangled", *mangled(self._rng, topic, body))
        if self._rng.random() < 0.3:
            await self._write("replayed", *self._rng.choice(self._old))
        for item in message.events if topic is Topic.EVENTS else message.orders:
            await self._forge(topic, item)

    async def _forge(self, topic: Topic, item: Any) -> None:
        rng = self._rng
        if topic is Topic.EVENTS:
            if rng.random() < 0.5:
                await self._write("event", *told_wrongly(rng, item))
            return
        order: HandedOver = item
        if topic is Topic.ACCEPTED:
            await self._repeat("routed ahead", routed_ahead(rng, order))
        for _ in range(2):
            await self._repeat("forged", forged(rng, topic, order))

    async def _repeat(self, kind: str, entry: Entry) -> None:
        """Write at once, and again at a moment that may be the right one."""
        await self._write(kind, *entry)
        for _ in range(self._rng.randrange(3)):
            wait_s = self._rng.random() ** 3 * LATEST_S
            task = asyncio.create_task(self._write_later(kind, entry, wait_s))
            self._later.add(task)
            task.add_done_callback(self._later.discard)

    async def _write_later(self, kind: str, entry: Entry, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        await self._write(kind, *entry)

    async def _write(self, kind: str, topic: Topic, body: bytes) -> None:
        await self._client.xadd(str(topic), {DATA_KEY: self._envelope + body}, maxlen=2_000, approximate=True)
        self.written[kind] += 1

    async def _disturb(self) -> None:
        """Steal, trim, and ask for quotes, now and then."""
        while True:
            await asyncio.sleep(self._rng.random() * 0.5)
            topic, group = self._rng.choice(list(GROUPS.items()))
            deed = self._rng.choice(("steal", "trim", "quotes", "acknowledge"))
            if deed == "steal":
                await self._steal(topic, group)
            elif deed == "trim":
                self.written["trimmed"] += await self._client.xtrim(str(topic), maxlen=0)
            elif deed == "quotes":
                await self._write("quotes", *quote_request(self._rng))
            else:
                await self._acknowledge(topic, group)

    async def _steal(self, topic: Topic, group: Group) -> None:
        """Take entries as one of the group, and do nothing with them."""
        taken = await self._client.xreadgroup(str(group), THIEF, {str(topic): ">"}, count=4)
        entries = taken[0][1] if taken else []
        if entries:
            await self._client.xack(str(topic), str(group), *(entry_id for entry_id, _ in entries))
        self.written["stolen"] += len(entries)

    async def _acknowledge(self, topic: Topic, group: Group) -> None:
        """Acknowledge what others have read."""
        pending = await self._client.xpending_range(str(topic), str(group), "-", "+", 10)
        ids = [each["message_id"] for each in pending]
        self.written["acknowledged"] += await self._client.xack(str(topic), str(group), *ids) if ids else 0
