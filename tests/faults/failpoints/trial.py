"""One point, one phase: orders flow, the service dies there, is started again, and every order ends once."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable

import msgspec

from swaprail.messages.topics import Topic
from swaprail.testing.conditions import until
from tests.faults.failpoints.chatter import chat
from tests.faults.failpoints.points import How, Point
from tests.faults.failpoints.traffic import Traffic
from tests.faults.failpoints.trigger import Arming, Phase
from tests.faults.failpoints.world import World

HIT_WITHIN_S = 20.0
MORE_EVERY_S = 0.7
END_WITHIN_S = 25.0  # of the restart: a lease, two lives of an attempt, and what a busy machine adds
HELD = {"router": ["ROUTING"], "executor": ["SUBMITTED"]}
TOPICS = {"router": Topic.ACCEPTED, "executor": Topic.ROUTED}


class Outcome(msgspec.Struct, kw_only=True):
    """What came of a trial."""

    service: str
    point: str
    phase: Phase
    passage: int
    orders: int = 0
    kills: int = 0
    seconds: float = 0
    recovery_s: float = 0
    order_ids: list[str] = []
    broken: list[str] = []

    @property
    def title(self) -> str:
        return f"{self.service}:{self.point} {self.phase} passage {self.passage}"


class Trial:
    """The course of one trial in a world."""

    def __init__(self, world: World, point: Point, phase: Phase, passage: int) -> None:
        self.world, self.point = world, point
        self.arming = Arming(point.name, phase, passage)
        self.traffic = Traffic(world, world.client)
        self.outcome = Outcome(service=point.service, point=point.name, phase=phase, passage=passage)

    async def run(self) -> Outcome:
        began = time.monotonic()
        try:
            await self._course()
        except (AssertionError, TimeoutError) as error:
            self.outcome.broken.append(f"{type(error).__name__} {error}")
            await self._mend()
        finally:
            await self.traffic.stop()
        self.outcome.order_ids = self.traffic.accepted
        self.outcome.orders = len(self.traffic.accepted)
        self.outcome.seconds = time.monotonic() - began
        return self.outcome

    async def _course(self) -> None:
        point, world = self.point, self.world
        talking = [
            asyncio.create_task(chat(world, world.client, self.traffic.accepted, kind)) for kind in point.chatter
        ]
        try:
            await _WAYS[point.how](self)
            await self._hit()
        finally:
            for task in talking:
                task.cancel()
            await asyncio.gather(*talking, return_exceptions=True)
        await self._dead()
        restarted = time.monotonic()
        for name, process in world.processes.items():
            if process.poll() is not None:
                await asyncio.to_thread(world.spawn, name)
        await self.traffic.ended(restarted + END_WITHIN_S)
        self.outcome.recovery_s = time.monotonic() - restarted
        for name, process in world.processes.items():
            assert process.poll() is None, f"{name} ended by itself with {process.returncode}"

    async def _hit(self) -> None:
        """Return when the point was reached; what is only done now and then comes with one of the later orders."""
        name, late = self.point.service, time.monotonic() + MORE_EVERY_S
        # The first orders of the point's kind may have been refused, or written all in one passage.
        again = time.monotonic() + HIT_WITHIN_S / 2

        def was_hit() -> bool:
            nonlocal late
            if self.point.how is How.LIVE and time.monotonic() > late:
                late = time.monotonic() + MORE_EVERY_S
                self.traffic.more(self.point.orders if late > again else ())
            return self.world.was_hit(name)

        await until(was_hit, within_s=HIT_WITHIN_S, what="the point is reached")

    async def _dead(self) -> None:
        if self.arming.phase is not Phase.LOST:
            await self._died()
        elif self.point.how is How.DRAIN:
            code = await asyncio.to_thread(self.world.process(self.point.service).wait, 10)
            assert code == 0, f"{self.point.service} drained and ended with {code}"

    async def _died(self) -> None:
        code = await asyncio.to_thread(self.world.process(self.point.service).wait, 10)
        assert code == -signal.SIGKILL, f"{self.point.service} ended with {code}"
        self.outcome.kills += 1

    async def _mend(self) -> None:
        self.world.disarm(self.point.service)
        for name, process in self.world.processes.items():
            if process.poll() is not None:
                await asyncio.to_thread(self.world.spawn, name)

    def arm(self) -> None:
        self.world.arm(self.point.service, self.arming)

    async def kill(self, name: str) -> None:
        await asyncio.to_thread(self.world.kill, name)
        self.outcome.kills += 1

    async def restart(self) -> None:
        await asyncio.to_thread(self.world.spawn, self.point.service)

    async def held(self) -> None:
        """Return when the service is at work on orders of this trial."""

        async def are_held() -> bool:
            found: int = await self.world.connection.fetchval(
                "select count(*) from orders where id = any($1::uuid[]) and status = any($2::text[]) "
                "and lease_owner <> 'message'",
                self.traffic.accepted,
                HELD[self.point.service],
            )
            return found > 0

        await until(are_held, within_s=HIT_WITHIN_S, what="the service holds orders")


async def _live(trial: Trial) -> None:
    trial.arm()
    trial.traffic.begin(trial.point.orders)


async def _start(trial: Trial) -> None:
    trial.traffic.begin(trial.point.orders)
    await trial.kill(trial.point.service)
    trial.arm()
    await trial.restart()


async def _takeover(trial: Trial) -> None:
    trial.traffic.begin(trial.point.orders)
    await trial.held()
    await trial.kill(trial.point.service)
    trial.arm()
    await trial.restart()


async def _unacknowledged(trial: Trial) -> None:
    service = trial.point.service
    trial.world.arm(service, Arming(f"xack.{TOPICS[service]}", Phase.BEFORE))
    trial.traffic.begin(trial.point.orders)
    await trial._hit()
    await trial._died()
    trial.arm()
    await trial.restart()


async def _drain(trial: Trial) -> None:
    trial.traffic.begin(trial.point.orders)
    if trial.point.service in HELD:
        await trial.held()
    else:
        await until(lambda: any(s.messages for s in trial.traffic.subscribers), within_s=10, what="steps are told")
    trial.arm()
    trial.world.process(trial.point.service).terminate()


async def _flush(trial: Trial) -> None:
    trial.traffic.begin(trial.point.orders)
    trial.arm()
    await trial.world.redis.flushdb()


async def _garbage(trial: Trial) -> None:
    await _live(trial)
    await trial.world.redis.xadd(TOPICS[trial.point.service], {"nobody": "can read this"})


async def _found(trial: Trial) -> None:
    for name in ("executor", "router"):
        await trial.kill(name)
    await trial.world.connection.execute("delete from paper.chain")
    await _live(trial)
    await trial.restart()


_WAYS: dict[How, Callable[[Trial], Awaitable[None]]] = {
    How.LIVE: _live,
    How.START: _start,
    How.TAKEOVER: _takeover,
    How.UNACKNOWLEDGED: _unacknowledged,
    How.DRAIN: _drain,
    How.FLUSH: _flush,
    How.GARBAGE: _garbage,
    How.FOUND: _found,
}
