"""One seed: a few traders, the engine's processes, a storm, then calm; and what the judge says at the end."""

import asyncio
import gc
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from tests.simulation.chain import VirtualChain
from tests.simulation.clients import Traders
from tests.simulation.clock import Current, milliseconds, moment
from tests.simulation.database import Server
from tests.simulation.forgery import forge_events, forge_leases
from tests.simulation.judge import is_open, is_over, judge
from tests.simulation.lies import Lying, characters, liar_of, may_reconcile
from tests.simulation.loop import Process, VirtualLoop
from tests.simulation.network import Network
from tests.simulation.processes import Api, Executor, Notifier, Router, Service, Surroundings
from tests.simulation.topics import Topics
from tests.simulation.weather import Weather

# The longest that the engine may take to end everything once the faults are over. An executor of one place proves one expiry
# after the other, and one whose height the nodes were not agreed on takes half a minute: FURTHEST_BEHIND slots.
CALM_S = 120.0
OPEN_S = 3.0  # how long the engine is watched while it says that it reconciles
MOST_STEPS = 400_000


class Outcome(msgspec.Struct):
    """What became of a seed."""

    seed: int
    broken: list[str]
    counts: Counter[str]
    steps: int
    seconds: float
    checksum: int


class World:
    """Everything of one seed."""

    def __init__(self, seed: int, trace: Callable[[str], None] | None, lying: Lying) -> None:
        self.rng = Random(seed)
        self.loop = VirtualLoop(self.rng, trace)
        Current.loop, Current.rng = self.loop, self.rng
        self.weather = Weather(self.loop, self.rng)
        self.server = Server(self.loop, self.rng, self.weather)
        self.topics = Topics(self.loop, self.rng, self.weather)
        self.chain = VirtualChain(self.loop, self.rng, self.weather, self.server.tables)
        self.network = Network(self.loop, self.rng, self.weather)
        self.traders = Traders(self.loop, self.rng, self.network)
        commitment = self.rng.choice(("confirmed", "confirmed", "finalized"))
        nodes = characters(self.rng, lying.lie, lying.nodes)
        self.liar, self.may_reconcile, self.commitment = liar_of(nodes), may_reconcile(nodes), commitment
        self.around = Surroundings(
            self.loop, self.rng, self.weather, self.server, self.topics, self.chain, nodes, commitment
        )
        self._started: Counter[str] = Counter()
        self._missing = 0  # processes that have died and whose successors have not yet begun

    async def main(self) -> None:
        """Live through the storm and the calm."""
        for kind, most in ((Api, 2), (Router, 3), (Executor, 3), (Notifier, 2)):
            for _ in range(self.rng.randint(1, most)):
                self.start(kind)
        trading = asyncio.gather(*(self.traders.trade(n) for n in range(self.rng.randint(2, 6))))
        await self._storm()
        self.weather.clear()
        for service in self.network.services:
            service.process.skew_s = self.weather.skew()
        self.loop.note("CALM")
        await self._calm(trading)
        if not trading.done():
            self.network.broken.append("I9 traders still wait")
        self.chain.last_chance()

    async def _calm(self, trading: "asyncio.Future[Any]") -> None:
        ends = self.loop.now + CALM_S
        while self.loop.now < ends:
            await asyncio.sleep(0.25)
            if not trading.done() or not self._is_settled():
                continue
            # What was committed last may still be told; and an order that reconciled may have gone on.
            await asyncio.sleep(2.0)
            if self._is_settled():
                return

    def start(self, kind: type[Service]) -> None:
        """Start a process, and another one whenever it has died."""
        name = kind.__name__.lower()
        self._started[name] += 1
        service = kind(self.around, f"{name}-{self._started[name]}")
        service.process.on_kill.append(lambda: self._died(service))
        self.network.services.append(service)
        service.begin()

    def _died(self, service: Service) -> None:
        self.network.services.remove(service)
        self._missing += 1
        self.loop.outside(0.05 + self.rng.random() * (3 if self.weather.stormy else 0.2), self._succeed, service)

    def _succeed(self, service: Service) -> None:
        self._missing -= 1
        self.start(type(service))

    def _is_settled(self) -> bool:
        tables = self.server.tables
        open_since = moment(self.loop.now - OPEN_S) if self.may_reconcile else None
        left = {i for i, order in tables.orders.items() if not is_over(order)}
        return (
            not self._missing
            and all(is_open(tables.orders[i], open_since) for i in left)
            and all(s.ended.done() for s in self.traders.subscribers if s.order_id not in left)
            and not any(service.process.frozen for service in self.network.services)
        )

    async def _storm(self) -> None:
        # Longer than a blockhash lives, in half of the seeds: what lies about an expiry does so in the storm.
        ends = self.loop.now + 3 + self.rng.random() * self.rng.choice((8, 20))
        pause = self.rng.choice((0.3, 1.0, 3.0))
        blows: list[Callable[[], None]] = [
            self._crash,
            self._stop,
            self._lose_database,
            self._lose_redis,
            self._flush,
            self._forge,
            self._cut,
            self._replace,
            self._set_clock,
        ]
        if self.commitment == "finalized":
            blows.append(self.chain.roll_back)
        while self.loop.now < ends:
            await asyncio.sleep(min(self.rng.random() * 2 * pause, ends - self.loop.now))
            self.rng.choice(blows)()

    def _any(self) -> Process | None:
        living = [s.process for s in self.network.services if s.process.alive]
        return self.rng.choice(living) if living else None

    def _crash(self) -> None:
        process = self._any()
        if process is not None and self.weather.crashes_left:
            self.weather.crash(process, "out of the blue")

    def _stop(self) -> None:
        process = self._any()
        if process is not None and self.weather.freezes_left and not process.frozen:
            self.weather.stop(process, "out of the blue")
            self.topics.claim_from(process)

    def _lose_database(self) -> None:
        if self.weather.chance(0.4, "database away"):
            self.weather.database_away_until = self.loop.now + self.rng.random() * 3

    def _lose_redis(self) -> None:
        if self.weather.chance(0.5, "redis away"):
            self.weather.redis_away_until = self.loop.now + self.rng.random() * 3

    def _flush(self) -> None:
        if self.weather.chance(0.5, "flushall"):
            self.topics.flush()

    def _forge(self) -> None:
        if self.weather.chance(0.7, "events forged"):
            forge_events(self.topics.publish, self.rng, self.server.tables)
            forge_leases(self.topics.publish, milliseconds(moment(self.loop.now)), self.server.tables)

    def _cut(self) -> None:
        for subscriber in self.traders.subscribers:
            if subscriber.connection is not None and self.weather.chance(0.5, "subscriber cut"):
                subscriber.connection.cut()

    def _set_clock(self) -> None:
        process = self._any()
        if process is not None and self.weather.chance(self.weather.wild_clocks, "clock set"):
            process.skew_s = self.weather.skew()

    def _replace(self) -> None:
        living = [s for s in self.network.services if not s.stopping and s.process.alive and not s.process.frozen]
        if not living or not self.weather.chance(0.5, "polite stop"):
            return
        service = self.rng.choice(living)
        service.stopping = True
        done = service.spawn(service.stop())
        done.add_done_callback(lambda _: self.loop.kill(service.process), context=self.loop.world.context)
        self.loop.outside(6.0, self.loop.kill, service.process)


def run_seed(seed: int, trace: Callable[[str], None] | None = None, lying: Lying = Lying()) -> Outcome:  # noqa: B008 - frozen
    """Run one seed inside `virtual_world`; the same seed always takes the same way."""
    gc.disable()  # what a dead process left behind must not wake up in the middle of it
    world = World(seed, trace, lying)
    try:
        world.loop.run(world.main(), most_steps=MOST_STEPS)
        broken = judge(world.server.tables, world.chain, world.traders, world.topics, may_reconcile=world.may_reconcile)
    except Exception as error:  # noqa: BLE001 - a seed that cannot be run is broken as well
        broken = [f"unforeseen: {type(error).__name__}: {error}"]
    broken += world.network.broken + world.loop.failures
    outcome = Outcome(seed, broken, _count(world), world.loop.steps, world.loop.now, world.loop.checksum)
    _bury(world)
    return outcome


def _count(world: World) -> Counter[str]:
    tables, counts = world.server.tables, Counter(world.weather.counts)
    counts["orders"] = len(tables.orders)
    counts["transactions landed"] = sum(t.height is not None for t in world.chain.transactions.values())
    counts["orders with a minimum"] = sum(o["min_output_amount"] is not None for o in tables.orders.values())
    counts["orders with an expiry"] = sum(o["expires_at"] is not None for o in tables.orders.values())
    attempts = [a for own in tables.attempts.values() for a in own]
    counts["attempts"] = len(attempts)
    counts["orders of several attempts"] = sum(len(own) > 1 for own in tables.attempts.values())
    counts["orders left reconciling"] = sum(is_open(order, moment(world.loop.now)) for order in tables.orders.values())
    if world.liar is not None:
        counts[f"node lied in {len(world.around.characters)}: {world.liar.lie}"] += 1
    counts["attempts replaced"] = sum(len(own) - 1 for own in tables.attempts.values())
    for order in tables.orders.values():
        counts[f"orders {order['status']}"] += 1
    return counts


def _bury(world: World) -> None:
    for task in asyncio.all_tasks(world.loop):
        task._log_destroy_pending = False  # type: ignore[attr-defined]
