"""A client that follows one order over a connection that is cut now and then."""

import asyncio
from random import Random
from typing import Any
from uuid import UUID

import msgspec

from swaprail.auth.principals import LOCAL
from swaprail.domain.errors import EngineError
from swaprail.domain.lifecycle import TERMINAL, Status
from swaprail_notifier.subscriptions import OrderSubscription
from tests.simulation.loop import VirtualLoop
from tests.simulation.network import Network, UnreachableError
from tests.simulation.processes import Notifier


class Connection:
    """A socket, seen from the notifier: what is written arrives in its order, unless the line was cut before."""

    paused = False

    def __init__(self, loop: VirtualLoop, rng: Random, subscriber: "Subscriber") -> None:
        self.closed = loop.create_future()
        self._loop = loop
        self._rng = rng
        self._subscriber = subscriber
        self._arrives_at = 0.0

    def write(self, data: bytes) -> None:
        """Send frames."""
        self._arrives_at = max(self._arrives_at, self._loop.now + 0.0003 + self._rng.random() * 0.003)
        self._loop.outside(self._arrives_at - self._loop.now, self._arrive, data)

    async def writable(self) -> None:
        """Return at once."""

    def cut(self) -> None:
        """End the connection; what is on its way is lost."""
        if not self.closed.done():
            self.closed.set_result(None)

    def restart(self) -> None:
        """End the connection: what was told does not hold."""
        self.cut()

    def _arrive(self, data: bytes) -> None:
        if self.closed.done():
            return
        for text in texts(data):
            self._subscriber.take(msgspec.json.decode(text))


class Subscriber:
    """Follows one order until its end."""

    def __init__(self, order_id: UUID, loop: VirtualLoop, rng: Random, network: Network) -> None:
        self.order_id = order_id
        self.messages: list[dict[str, Any]] = []
        self.connection: Connection | None = None
        self.task: asyncio.Task[None] | None = None
        self.ended = loop.create_future()
        self._loop = loop
        self._rng = rng
        self._network = network

    def take(self, message: dict[str, Any]) -> None:
        """Note a step."""
        self.messages.append(message)
        if Status(message["status"]) in TERMINAL:
            if not self.ended.done():
                self.ended.set_result(None)
            if self.connection is not None and self._rng.random() < 0.5:
                self.connection.cut()

    async def run(self) -> None:
        """Connect, and connect again after what was seen last, until the order has ended."""
        while not self.ended.done():
            try:
                await self._follow()
            except (UnreachableError, EngineError):
                await asyncio.sleep(0.1 + self._rng.random() * 0.5)

    async def _follow(self) -> None:
        notifier = self._network.pick(Notifier)
        if notifier is None:
            raise UnreachableError
        connection = self.connection = Connection(self._loop, self._rng, self)
        notifier.process.on_kill.append(connection.cut)
        after = self.messages[-1]["seq"] if self.messages else 0
        try:
            subscription = await self._network.ask_one(notifier, lambda n: self._subscribe(n, after, connection))
            await asyncio.wait((connection.closed, self.ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            connection.cut()
        if notifier.process.alive:
            self._loop.outside(0.002, _end, notifier, subscription)

    async def _subscribe(self, notifier: Notifier, after: int, connection: Connection) -> OrderSubscription:
        subscription = await notifier.subscriptions.order(LOCAL.account, self.order_id, after)
        await subscription.begin(connection)
        return subscription


def _end(notifier: Notifier, subscription: OrderSubscription) -> None:
    async def end() -> None:
        subscription.end()

    notifier.spawn(end())


def texts(data: bytes) -> list[bytes]:
    """Return the texts of whole unmasked frames."""
    found, at = [], 0
    while at < len(data):
        length, start = data[at + 1], at + 2
        if length == 126:
            length, start = int.from_bytes(data[at + 2 : at + 4]), at + 4
        elif length == 127:
            length, start = int.from_bytes(data[at + 2 : at + 10]), at + 10
        found.append(data[start : start + length])
        at = start + length
    return found
