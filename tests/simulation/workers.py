"""Router and executor as processes of the simulation: the engine's own parts, wired as their app.py wires them."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache, partial
from random import Random
from typing import Any

import msgspec

from swaprail.broker.publisher import TopicPublisher
from swaprail.db.leases import Leases
from swaprail.db.transitions import write_moves
from swaprail.db.writer import BatchWriter
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import LeasedOrder
from swaprail.messages.topics import OrdersAccepted, OrdersRouted, Topic
from swaprail.runtime.inflight import InFlight
from swaprail.runtime.intake import Intake
from swaprail.runtime.order_writer import OrderWriter
from swaprail_executor.attempts import read_live, write_settlements, write_submissions
from swaprail_executor.desk import Desk as ExecutorDesk
from swaprail_executor.desk import building_deadline
from swaprail_executor.execute_order import execute_order
from swaprail_executor.nodes import Nodes
from swaprail_executor.settings import ExecutorSettings
from swaprail_router.ask_venues import GuardedVenue
from swaprail_router.choose_route import RouteRules
from swaprail_router.circuit_breaker import BreakerRules, CircuitBreaker
from swaprail_router.housekeeping import Housekeeping
from swaprail_router.keep_horizons import Horizons
from swaprail_router.quoting import Quoting
from swaprail_router.reference_prices import ReferencePrices
from swaprail_router.route_order import Desk as RouterDesk
from swaprail_router.route_order import route_order
from swaprail_router.settings import RouterSettings
from tests.simulation.chain import SLOT_S
from tests.simulation.clock import VirtualTime
from tests.simulation.lies import may_reconcile, node_of
from tests.simulation.market import VirtualBuilder, VirtualSigner, VirtualVenue
from tests.simulation.nodes import VALID_FOR
from tests.simulation.service import Service, tokens
from tests.simulation.topics import Consumer

HORIZONS = 0.25  # of the routers move them: it takes a seed a third longer
# The chain is ten times as fast as Solana, and so is what waits for it.
_COMMON: dict[str, Any] = {"_env_file": None, "lease_s": 2.0, "reconcile_interval_s": 0.5, "order_deadline_s": 30.0}


@cache
def router_settings() -> RouterSettings:
    """Return the router's settings."""
    return RouterSettings(**_COMMON, router_quote_deadline_s=0.5, router_retry_s=0.3, router_retry_longest_s=2.0)


@cache
def executor_settings(commitment: str) -> ExecutorSettings:
    """Return the executor's settings."""
    return ExecutorSettings(
        **_COMMON,
        executor_commitment=commitment,
        executor_rebroadcast_s=0.6,
        executor_route_max_age_s=5.0,
        executor_chain_timeout_s=0.5,
        executor_reconciling_after_s=9.0,
        executor_max_attempts=3,
    )


class Worker(Service):
    """What router and executor have in common."""

    publisher: TopicPublisher
    topic: Topic
    message: type[OrdersAccepted | OrdersRouted]
    takes: Status

    def _take_orders(self, work: Callable[[Any], Any], statuses: list[Status], stage: str) -> None:
        leases = Leases(self._database(), self.process.name, _COMMON["lease_s"], statuses)
        # An order that reconciles keeps its place: where some may do so for ever, there is room for all.
        limits = (100,) if may_reconcile(self.around.characters) else (1, 3, 100)
        self.inflight = InFlight(work, leases, limit=self.around.rng.choice(limits), stage=stage)
        interval_s = _COMMON["reconcile_interval_s"]
        self.intake = Intake(leases, self.inflight, takes=self.takes, interval_s=interval_s)
        self.consumer = self.around.topics.consume(str(self.topic), self.process)
        self.inflight.start()
        self.intake.start()
        self.reading = asyncio.create_task(self._consume(self.consumer))

    async def _consume(self, consumer: Consumer) -> None:
        while True:
            entries = await self.around.topics.read(consumer)
            orders = [item for body in entries for item in msgspec.json.decode(body, type=self.message).orders]
            self.intake.take(orders)
            self.around.topics.acknowledge(consumer)
            await self.intake.wait_free()

    async def _stop(self, writers: tuple[OrderWriter[Any], ...], pause: Callable[[], Awaitable[None]]) -> None:
        await self.intake.stop()
        self.reading.cancel()
        self.around.topics.leave(str(self.topic), self.consumer)
        await pause()
        try:
            async with asyncio.timeout(3.0):
                await self.inflight.drain()
        except TimeoutError:
            self.around.loop.note("did not drain in time")
        await self.inflight.stop()
        for writer in writers:
            await writer.stop()
        await self.publisher.stop()


class Router(Worker):
    """Routes orders."""

    topic, message, takes = Topic.ACCEPTED, OrdersAccepted, Status.ROUTING

    async def main(self) -> None:
        around, settings = self.around, router_settings()
        self.publisher = self._publisher()
        venues = [VirtualVenue(name, around.rng, around.weather) for name in ("raydium", "meteora")]
        guarded = [
            GuardedVenue(v, CircuitBreaker(v.name, BreakerRules(), now=VirtualTime.monotonic), None) for v in venues
        ]
        prices = ReferencePrices(max_age_s=settings.router_reference_max_age_s, clock=VirtualTime.monotonic)
        quoting = Quoting(guarded, RouteRules(max_age_s=3.0), prices, deadline_s=settings.router_quote_deadline_s)
        move = partial(write_moves, self._database(), self.process.name)
        self.moves = OrderWriter(move, self.publisher, name="router_moves")
        desk = RouterDesk(settings, quoting, tokens(), self.moves)
        self.housekeeping = Housekeeping(
            self._database(), self.publisher, interval_s=0.5, retention_days=7, longest_days=90
        )
        self.horizons = Horizons(self._database(), every_s=5.0, rest_s=2.0)
        self.housekeeping.start()
        # Drawn beside the sequence of what happens, which stays what it was.
        drawn = Random()
        drawn.setstate(around.rng.getstate())
        if drawn.random() < HORIZONS:
            self.horizons.start()
        self._take_orders(partial(route_order, desk), [Status.ROUTING], "routing")

    async def stop(self) -> None:
        await self.horizons.stop()
        await self._stop((self.moves,), self.housekeeping.stop)


class Executor(Worker):
    """Executes orders."""

    topic, message, takes = Topic.ROUTED, OrdersRouted, Status.BUILDING

    async def main(self) -> None:
        around, settings = self.around, executor_settings(self.around.commitment)
        self.publisher, database = self._publisher(), self._database()
        nodes = [
            node_of(character, around.chain, self.process, around.loop, around.rng, around.weather)
            for character in around.characters
        ]
        owner, lease_s = self.process.name, settings.lease_s
        submit = partial(write_submissions, database, owner, lease_s)
        moves = OrderWriter(partial(write_moves, database, owner), self.publisher, name="executor_moves")
        submissions = OrderWriter(submit, self.publisher, name="submissions")
        settlements = OrderWriter(partial(write_settlements, database, owner), self.publisher, name="settlements")
        self.writers = (moves, submissions, settlements)
        desk = ExecutorDesk(
            settings=settings,
            chain=Nodes(
                nodes,
                settings.commitment,
                timeout_s=settings.executor_chain_timeout_s,
                valid_for=VALID_FOR,
                slot_s=SLOT_S,
            ),
            builder=VirtualBuilder(around.rng.choice(nodes)),
            signer=VirtualSigner(),
            tokens=tokens(),
            moves=moves,
            submissions=submissions,
            settlements=settlements,
            building=building_deadline(settings),
            live_attempt=BatchWriter(partial(read_live, database), name="live_attempts").submit,
            extended=self._lease_extended,
            idles=self._idles,
        )
        self._take_orders(partial(execute_order, desk), [Status.BUILDING, Status.SUBMITTED], "executing")

    def _lease_extended(self, order: LeasedOrder) -> None:
        self.inflight.extended(order)

    def _idles(self, order: LeasedOrder, idle: bool) -> None:
        self.inflight.idles(order, idle=idle)

    async def stop(self) -> None:
        await self._stop(self.writers, _nothing)


async def _nothing() -> None:
    """Stop nothing more."""
