"""The four services as processes of the simulation: the engine's own parts, wired as their app.py wires them."""

import asyncio

import msgspec

from swaprail.db.writer import BatchWriter
from swaprail.messages.topics import OrderEvents, Topic
from swaprail_api.deadline import database_deadline
from swaprail_api.store.account_orders import AccountOrders
from swaprail_api.store.announce import Announcer
from swaprail_api.store.backlog import Backlog
from swaprail_api.store.cancels import CancelStore
from swaprail_api.store.intake import IntakeStore
from swaprail_api.store.starts import StartStore
from swaprail_api.usecases.accept_order import AcceptOrder
from swaprail_api.usecases.cancel_order import CancelOrder
from swaprail_api.usecases.start_order import StartOrder
from swaprail_notifier.comparison import Comparison
from swaprail_notifier.history import History
from swaprail_notifier.hub import Hub
from swaprail_notifier.stalls import Stalls
from swaprail_notifier.subscriptions import Subscriptions
from tests.simulation.service import Service, Surroundings, tokens
from tests.simulation.workers import Executor, Router

__all__ = ["Api", "Executor", "Notifier", "Router", "Service", "Surroundings"]


class Api(Service):
    """Takes orders."""

    async def main(self) -> None:
        database, self.publisher = self._database(), self._publisher()
        announcer = Announcer(self.publisher)
        store = IntakeStore(database, announcer)
        intakes = BatchWriter(store.write, name="intake")
        starts = BatchWriter(StartStore(database, announcer).write, name="start")
        cancels = BatchWriter(CancelStore(database, announcer).write, name="cancel")
        self.writers = (intakes, starts, cancels)
        accounts = AccountOrders(database, most_open=50_000, most_waiting=50_000)
        backlog, deadline = Backlog(database, 50_000, accounts), database_deadline(0.9)
        self.accept = AcceptOrder(tokens(), intakes, store, backlog, deadline, longest_days=90)
        self.start = StartOrder(starts, backlog, deadline)
        self.cancel = CancelOrder(cancels, deadline)

    async def stop(self) -> None:
        for writer in self.writers:
            await writer.stop()
        await self.publisher.stop()


class Notifier(Service):
    """Tells subscribers."""

    async def main(self) -> None:
        self.hub, history, stalls = Hub(), History(self._database()), Stalls()
        self.comparison = Comparison(self.hub, history, stalls, interval_s=0.5)
        self.subscriptions = Subscriptions(self.hub, history, stalls)
        self.consumer = self.around.topics.consume(str(Topic.EVENTS), self.process)
        await self.comparison.start()
        self.reading = asyncio.create_task(self._feed())

    async def _feed(self) -> None:
        while True:
            for body in await self.around.topics.read(self.consumer):
                for event in msgspec.json.decode(body, type=OrderEvents).events:
                    self.hub.take(event)

    async def stop(self) -> None:
        self.reading.cancel()
        self.around.topics.leave(str(Topic.EVENTS), self.consumer)
        await self.comparison.stop()
        await self.subscriptions.stop()
