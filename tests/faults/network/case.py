"""One fault: orders flow, links suffer, links heal, everything ends; and what was measured on the way."""

import asyncio
import time
from collections.abc import Coroutine, Iterable

import asyncpg
import msgspec

from tests.faults.network.flow import Flow
from tests.faults.network.prober import PROBES, Prober
from tests.faults.network.toxics import TOXICS
from tests.faults.network.walk import go, steps
from tests.faults.network.world import World
from tests.invariants import check_invariants

RATE = 15.0
FAULT_S = 3.5  # longer than a lease
LEAD_S = 0.5  # of orders before the fault, so that it meets some in every stage
RECOVERY_S = 20.0
# Accepted with fence 1, handed over to an executor with 2; more than that only by a scan of lapsed leases.
_TAKEN_OVER = "select count(*) from orders where id = any($1::uuid[]) and fence > 2"


class Outcome(msgspec.Struct, kw_only=True):
    """What a fault did."""

    links: str
    toxic: str
    slowest_s: float
    slowest: str
    recovery_s: float
    orders: int
    taken_over: int  # orders that another worker went on with, under a higher fence
    answers: str
    broken: list[str] = []


class Course:
    """A fault's course over one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._flow = Flow(world)
        self._prober = Prober(world)

    async def suffer(self, links: Iterable[str], toxic: str, *, fault_s: float = FAULT_S) -> Outcome:
        """Let some links suffer from one toxic."""
        links = list(links)

        async def faults() -> None:
            await self._world.afflict(links, TOXICS[toxic])
            await self._prober.run(fault_s)

        return await self.run(",".join(links), toxic, faults(), fault_s)

    async def wander(self, seed: int, seconds: float) -> Outcome:
        """Let all links suffer from whatever a random walk brings."""
        walk = steps(seed, seconds)

        async def faults() -> None:
            await asyncio.gather(go(self._world, walk), self._prober.run(seconds))

        return await self.run("all", f"walk, seed {seed}", faults(), seconds)

    async def run(self, links: str, toxic: str, faults: Coroutine[None, None, None], fault_s: float) -> Outcome:
        """Let orders flow while the faults run, heal, and wait for the end of every order."""
        posting = asyncio.create_task(self._flow.run(RATE, LEAD_S + fault_s))
        await asyncio.sleep(LEAD_S)
        await faults
        await self._world.heal()
        healed = time.monotonic()
        broken = await self._recover(posting)
        outcome = self._outcome(links, toxic, time.monotonic() - healed, broken)
        return msgspec.structs.replace(outcome, taken_over=await self._taken_over())

    async def _recover(self, posting: "asyncio.Task[None]") -> list[str]:
        broken = [f"{name} ended by itself" for name in self._world.died()]
        for order_id in self._prober.accepted:
            self._flow.follow(order_id)
        try:
            await asyncio.wait_for(posting, RECOVERY_S)
            await self._flow.ended(RECOVERY_S)
            await check_invariants(
                self._world.dsn, self._flow.accepted, self._flow.subscribers, receipts=self._flow.receipts
            )
        except (AssertionError, TimeoutError) as error:
            broken.append(f"{type(error).__name__} {error}")
        return broken

    async def _taken_over(self) -> int:
        connection = await asyncpg.connect(self._world.dsn)
        try:
            return int(await connection.fetchval(_TAKEN_OVER, self._flow.accepted))
        finally:
            await connection.close()

    def _outcome(self, links: str, toxic: str, recovery_s: float, broken: list[str]) -> Outcome:
        slowest = self._prober.slowest
        worst = max((p.name for p in PROBES if p.bound_s <= 2), key=lambda name: slowest[name])
        return Outcome(
            links=links,
            toxic=toxic,
            slowest_s=slowest[worst],
            slowest=worst,
            recovery_s=recovery_s,
            orders=len(self._flow.accepted),
            taken_over=0,
            answers=" ".join(f"{status}:{count}" for status, count in sorted(self._prober.statuses.items())),
            broken=self._prober.broken + broken,
        )
