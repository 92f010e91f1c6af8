"""The engine's guarded statements, as they are called: each on the order of a scene, as whoever calls it knows it."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from swaprail.db.transitions import Move
from swaprail.domain.chain import AttemptState
from swaprail.domain.lifecycle import Status
from swaprail_api.store.cancels import CancelRow
from swaprail_api.store.starts import StartRow
from swaprail_executor.attempts import Settlement
from tests.races import scenes
from tests.races.engine import Engine
from tests.races.scenes import ACCOUNT, Builder, Scene, given_up, new_order, submission

type Run = Callable[[Engine, Scene], Awaitable[Any]]
_FAILURE = '{"code":"no_route","stage":"routing","retryable":true,"fundsMoved":"no","hint":""}'


class Deed(NamedTuple):
    """A call of one statement.

    raises: the order's fence, when it takes place. skips: what another one has locked. places: waits for its key.
    """

    name: str
    run: Run
    raises: bool = False
    skips: bool = False
    places: bool = False


async def place(engine: Engine, scene: Scene) -> Any:
    """Post the order again, or for the first time: the same request under the same key."""
    again = new_order()
    return await engine.intake.write([scene.placed._replace(id=again.id)])


async def place_another(engine: Engine, scene: Scene) -> Any:
    """Post another order under the same key."""
    return await engine.intake.write([new_order(execute=True, amount=2_000)])


async def start(engine: Engine, scene: Scene) -> Any:
    return await engine.starts.write([StartRow(scene.placed.id, ACCOUNT, None, None)])


async def start_with_key(engine: Engine, scene: Scene) -> Any:
    return await engine.starts.write([StartRow(scene.placed.id, ACCOUNT, "started", b"start")])


async def start_with_old_key(engine: Engine, scene: Scene) -> Any:
    """Start the order by the key that it was posted with."""
    return await engine.starts.write([StartRow(scene.placed.id, ACCOUNT, scene.placed.key, b"start")])


async def cancel(engine: Engine, scene: Scene) -> Any:
    return await engine.cancels.write([CancelRow(scene.placed.id, ACCOUNT)])


async def expire_waiting(engine: Engine, scene: Scene) -> Any:
    return await engine.housekeeping.expire_waiting()


async def purge(engine: Engine, scene: Scene) -> Any:
    return await engine.housekeeping.purge_keys()


async def scan_as_router(engine: Engine, scene: Scene) -> Any:
    return await engine.router.scan(10)


async def scan_as_executor(engine: Engine, scene: Scene) -> Any:
    return await engine.executor.scan(10)


async def scan_again(engine: Engine, scene: Scene) -> Any:
    """By the very process that holds the lease, or held it last: what it began before is void all the same."""
    return await engine.holder.scan(10)


async def renew(engine: Engine, scene: Scene) -> Any:
    return await engine.holder.renew([(scene.held.id, scene.held.fence)])


async def release(engine: Engine, scene: Scene) -> Any:
    return await engine.holder.release([(scene.held.id, scene.held.fence)])


async def route(engine: Engine, scene: Scene) -> Any:
    return await engine.moves.write(scenes.route(scene.held))


async def retry(engine: Engine, scene: Scene) -> Any:
    """Find no route yet."""
    return await engine.moves.write(Move(scene.held, Status.ROUTING, due_in_s=0.25, routing="null"))


async def fail(engine: Engine, scene: Scene) -> Any:
    return await engine.moves.write(Move(scene.held, Status.FAILED, due_in_s=0, failure=_FAILURE))


async def expire(engine: Engine, scene: Scene) -> Any:
    return await engine.moves.write(Move(scene.held, Status.EXPIRED, due_in_s=0, failure=_FAILURE))


async def route_again(engine: Engine, scene: Scene) -> Any:
    """Find the route stale."""
    return await engine.moves.write(Move(scene.held, Status.ROUTING, due_in_s=0))


async def submit(engine: Engine, scene: Scene) -> Any:
    return await engine.submissions.write(submission(engine, scene.held))


async def land(engine: Engine, scene: Scene) -> Any:
    landed = Settlement(
        scene.held,
        Status.CONFIRMED,
        due_in_s=0,
        signature=scene.signature,
        state=AttemptState.LANDED,
        slot=5,
        output_amount=7,
    )
    return await engine.settlements.write(landed)


async def revert(engine: Engine, scene: Scene) -> Any:
    reverted = Settlement(
        scene.held, Status.FAILED, due_in_s=0, signature=scene.signature, state=AttemptState.REVERTED, failure=_FAILURE
    )
    return await engine.settlements.write(reverted)


async def give_up(engine: Engine, scene: Scene) -> Any:
    """Prove that the attempt never lands, and route again."""
    return await engine.settlements.write(given_up(scene, Status.ROUTING))


async def give_up_for_good(engine: Engine, scene: Scene) -> Any:
    """Prove that the attempt never lands, and end the order."""
    return await engine.settlements.write(given_up(scene, Status.FAILED))


async def reconcile(engine: Engine, scene: Scene) -> Any:
    """Say that nothing can be proven."""
    unknown = Settlement(
        scene.held, Status.SUBMITTED, signature=scene.signature, state=AttemptState.LIVE, reconciling=True
    )
    return await engine.settlements.write(unknown)


def _deeds(*runs: Run) -> tuple[Deed, ...]:
    return tuple(Deed(run.__name__, run) for run in runs)


def _raising(*runs: Run, skips: bool = False) -> tuple[Deed, ...]:
    return tuple(Deed(run.__name__, run, raises=True, skips=skips) for run in runs)


_PLACE, _PLACE_ANOTHER = (Deed(run.__name__, run, places=True) for run in (place, place_another))
_ALWAYS = (_PLACE, *_deeds(purge), *_raising(start_with_key, cancel), *_raising(expire_waiting, skips=True))
_SCANS = (_raising(scan_as_router, skips=True), _raising(scan_as_executor, skips=True))
_HOLDER = _deeds(renew, release)
_AGAIN = _raising(scan_again, skips=True)
_AT_FIRST = (_PLACE, _PLACE_ANOTHER, *_deeds(purge))
_WAITING = (*_ALWAYS, _PLACE_ANOTHER, *_raising(start, start_with_old_key), *_SCANS[0])
_ROUTING = (*_ALWAYS, *_SCANS[0], *_SCANS[1], *_HOLDER, *_raising(route), *_deeds(retry, fail, expire))
_BUILDING = (*_ALWAYS, *_SCANS[0], *_SCANS[1], *_AGAIN, *_HOLDER, *_deeds(route_again, submit, fail, expire))
_SUBMITTED = (*_ALWAYS, *_SCANS[1], *_AGAIN, *_HOLDER, *_deeds(land, revert, give_up, give_up_for_good, reconcile))

# What may be asked of an order that stands like this, as (scene, deeds).
CATALOGUE: tuple[tuple[Builder, tuple[Deed, ...]], ...] = (
    (scenes.nothing, _AT_FIRST),
    *((scene, _WAITING) for scene in scenes.WAITING),
    *((scene, _ROUTING) for scene in scenes.IN_ROUTING),
    *((scene, _BUILDING) for scene in scenes.IN_BUILDING),
    *((scene, _SUBMITTED) for scene in scenes.IN_SUBMITTED),
)
