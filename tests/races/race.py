"""The ways in which two deeds may meet, and what came of it."""

import asyncio
from typing import Any, NamedTuple

import asyncpg

from swaprail.domain.errors import EngineError
from swaprail.domain.orders import StaleLeaseError
from tests.races.deeds import Deed
from tests.races.engine import Engine, Heard
from tests.races.scenes import Scene
from tests.races.sessions import WITHIN_S, Ring, Session
from tests.races.stored import Stored, stored, touched


class Answer(NamedTuple):
    """What a caller was told: what was returned or raised, and what was to be published."""

    deed: Deed
    result: Any
    heard: Heard

    @property
    def steps(self) -> list[tuple[int, str]]:
        return [(event.seq, str(event.status)) for event in self.heard.events]

    @property
    def leased(self) -> list[Any]:
        """The orders that a scan leased to the caller."""
        return self.result if self.deed.name.startswith("scan") and isinstance(self.result, list) else []

    @property
    def took_place(self) -> bool:
        return bool(self.steps or self.leased)


class Alone(NamedTuple):
    """What a deed does when nobody else asks, and the orders and keys that it writes."""

    answer: Answer
    touched: set[str]

    @property
    def deed(self) -> Deed:
        return self.answer.deed


class Stage(NamedTuple):
    """Where all the races of a scene take place, and the tables as each of them finds them."""

    ring: Ring
    scene: Scene
    before: Stored


class Race(NamedTuple):
    """One meeting of two. between: the tables with what the first wrote, and nothing yet of the second.

    taken_back: the first's transaction was rolled back. late: the second had its lock before the first came.
    """

    way: str
    alone: tuple[Alone, Alone]
    first: Answer
    waited: bool
    between: Stored
    second: Answer
    after: Stored
    taken_back: bool = False
    late: bool = False

    @property
    def told(self) -> list[Answer]:
        """The answers that stand."""
        return [self.second] if self.taken_back else [self.first, self.second]


async def do(deed: Deed, session: Session, scene: Scene, name: str) -> Answer:
    """Run a deed as a process of this name."""
    engine = Engine(session, name)
    try:
        result = await deed.run(engine, scene)
    except (EngineError, StaleLeaseError, asyncpg.PostgresError) as error:
        result = error
    return Answer(deed, result, engine.heard)


async def alone(stage: Stage, deed: Deed) -> Alone:
    """Run a deed, and take it back."""
    session = stage.ring.first
    transaction = session.connection.transaction()
    await transaction.start()
    answer = await do(deed, session, stage.scene, "alone")
    failed = isinstance(answer.result, asyncpg.PostgresError)
    written = set() if failed else await touched(session, stage.before)
    await transaction.rollback()
    return Alone(answer, written)


async def at_the_row(stage: Stage, first: Alone, second: Alone) -> Race:
    """The first has written and not ended; the second has its snapshot and comes to the row; the first commits."""
    return await _at_the_row(stage, first, second, taken_back=False)


async def at_the_row_taken_back(stage: Stage, first: Alone, second: Alone) -> Race:
    """The same, and the first is taken back: its session was lost."""
    return await _at_the_row(stage, first, second, taken_back=True)


async def _at_the_row(stage: Stage, first: Alone, second: Alone, *, taken_back: bool) -> Race:
    ring, scene, before = stage
    transaction = ring.first.connection.transaction()
    await transaction.start()
    told_first = await do(first.deed, ring.first, scene, "first")
    between = before if taken_back else await stored(ring.first)
    asking = asyncio.create_task(do(second.deed, ring.second, scene, "second"))
    waited = await ring.done_or_blocked(asking, ring.second, by=ring.first)
    await (transaction.rollback() if taken_back else transaction.commit())
    told_second = await asyncio.wait_for(asking, WITHIN_S)
    way = f"at the row{', the first taken back' if taken_back else ''}"
    after = await stored(ring.looking)
    return Race(way, (first, second), told_first, waited, between, told_second, after, taken_back)


async def at_the_clock(stage: Stage, first: Alone, second: Alone) -> Race:
    """The second has its snapshot and reads the clock; the first runs and commits; the second comes to the row.

    Where the second has its lock before it reads the clock, the first comes late; where it reads none, it has ended.
    """
    ring, scene, _ = stage
    async with ring.closed_gate():
        asking = asyncio.create_task(do(second.deed, ring.stopped, scene, "second"))
        stopped = await ring.done_or_blocked(asking, ring.stopped, by=ring.looking)
        late = stopped and await ring.has_written(ring.stopped)
        meanwhile = asyncio.create_task(do(first.deed, ring.first, scene, "first"))
        waited = await ring.done_or_blocked(meanwhile, ring.first, by=ring.stopped)
        between = await stored(ring.looking)
    told_first, told_second = await asyncio.wait_for(asyncio.gather(meanwhile, asking), WITHIN_S)
    after = await stored(ring.looking)
    way = "at the clock" if stopped else "one after the other"
    return Race(way, (first, second), told_first, waited, between, told_second, after, late=late or not stopped)
