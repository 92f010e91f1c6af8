"""All points over several engines at once: a trial mostly waits."""

import asyncio
import random
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from swaprail.db.migrate import migrate
from swaprail_local.servers.postgres import EmbeddedPostgres
from tests.faults.failpoints.points import POINTS, How, Point
from tests.faults.failpoints.trial import Outcome, Trial
from tests.faults.failpoints.trigger import Phase
from tests.faults.failpoints.world import World
from tests.invariants import Receipt, check_invariants
from tests.system.subscribers import Subscriber

LANES = 5
CHECKED_EVERY = 10  # trials of a lane
_LONGEST = ("settle.FAILED.EXPIRED", "settle.ROUTING.EXPIRED", "settle.EXPIRED.EXPIRED")

type Job = tuple[Point, Phase, int]


def jobs(rounds: int, seed: int, only: Iterable[str] = ()) -> deque[Job]:
    """Return every phase of every point, `rounds` times, the longest first; the first round at the first passage."""
    dice = random.Random(seed)
    made = [
        (point, phase, 1 if n == 0 else dice.randint(1, point.passages))
        for n in range(rounds)
        for point in POINTS
        for phase in point.phases
        if not only or any(re.fullmatch(pattern, point.title) for pattern in only)
    ]
    dice.shuffle(made)
    made.sort(key=lambda job: (job[0].how is not How.FOUND, job[0].name not in _LONGEST, "drop" not in job[0].orders))
    return deque(made)


class Lane:
    """One engine, and the trials made in it since its invariants were checked."""

    def __init__(self, world: World, tell: Callable[[Outcome], None]) -> None:
        self.outcomes: list[Outcome] = []
        self._world, self._tell = world, tell
        self._accepted: list[str] = []
        self._subscribers: list[Subscriber] = []
        self._receipts: list[Receipt] = []

    async def work(self, todo: deque[Job]) -> None:
        while todo:
            trial = Trial(self._world, *todo.popleft())
            self.outcomes.append(await trial.run())
            self._accepted += trial.traffic.accepted
            # A broken trial's followers were cut off, and have not seen everything.
            self._subscribers += [] if trial.outcome.broken else trial.traffic.subscribers
            self._receipts += trial.traffic.receipts
            if len(self.outcomes) % CHECKED_EVERY == 0 or not todo:
                await self._check(topics=not todo)
            self._tell(self.outcomes[-1])

    async def _check(self, *, topics: bool) -> None:
        try:
            await check_invariants(
                self._world.dsn,
                self._accepted,
                self._subscribers,
                receipts=self._receipts,
                redis_url=self._world.redis_url if topics else None,
            )
        except AssertionError as error:
            text = str(error)
            named = [o for o in self.outcomes if any(order_id in text for order_id in o.order_ids)]
            for outcome in named or self.outcomes[-CHECKED_EVERY:]:
                outcome.broken += [] if text in outcome.broken else [text]


async def _create(postgres: EmbeddedPostgres, template: str, name: str) -> str:
    connection = await asyncpg.connect(postgres.dsn)
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    await connection.close()
    return postgres.dsn_of(name)


@asynccontextmanager
async def _world(dsn: str, redis_url: str, home: Path) -> AsyncIterator[World]:
    await asyncio.to_thread(home.mkdir, parents=True)
    world = World(dsn, redis_url, home)
    try:
        await world.open()
        yield world
    finally:
        await world.shut()


async def campaign(
    postgres: EmbeddedPostgres,
    redis_url: str,
    home: Path,
    todo: deque[Job],
    lanes: int,
    tell: Callable[[Outcome], None],
) -> list[Outcome]:
    """Make all trials; return what came of them."""
    template = "failpoints"
    connection = await asyncpg.connect(postgres.dsn)
    await connection.execute(f"CREATE DATABASE {template}")
    await connection.close()
    await asyncio.to_thread(migrate, postgres.dsn_of(template))

    async def lane(n: int) -> list[Outcome]:
        dsn = await _create(postgres, template, f"lane_{n}")
        async with _world(dsn, urlsplit(redis_url)._replace(path=f"/{n}").geturl(), home / f"lane-{n}") as world:
            made = Lane(world, tell)
            await made.work(todo)
            return made.outcomes

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(lane(n)) for n in range(lanes)]
    return [outcome for task in tasks for outcome in task.result()]
