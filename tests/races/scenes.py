"""An order as it stands when two ask at once: brought there by the engine's own statements."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from uuid_utils.compat import uuid7

from swaprail.db.transitions import Move
from swaprail.domain.chain import AttemptState, SignedSwap
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import LeasedOrder, NewOrder
from swaprail.testing.factories import SOL, USDC
from swaprail_api.store.intake_row import IntakeRow, intake_row
from swaprail_executor.attempts import Settlement, Submission
from tests.races.engine import HOLDER, LEASE_S, Engine

ACCOUNT, KEY = "alice", "placed"
LAPSED_S = LEASE_S + 1
LONG_S = 8 * 86_400.0  # past every lease, and past the retention of keys
EXPIRES_S = 600.0


class Store(Protocol):
    """A database whose time can be made to pass."""

    async def fetch(self, sql: str, *args: object) -> Any: ...
    async def age(self, seconds: float) -> None: ...


class Scene(NamedTuple):
    """What both know when they ask.

    order: as whoever holds its lease, or held it last, has it; None while the order waits. signature: of its attempt.
    """

    placed: IntakeRow
    order: LeasedOrder | None = None
    signature: str = ""

    @property
    def held(self) -> LeasedOrder:
        assert self.order is not None, "nobody holds a waiting order"
        return self.order


def new_order(*, execute: bool = False, expires_in_s: float | None = None, amount: int = 1_000) -> IntakeRow:
    """Return an order of the account, under its key."""
    expires_at = None if expires_in_s is None else datetime.now(UTC) + timedelta(seconds=expires_in_s)
    terms = ("wallet", SOL, USDC, "SOL", "USDC", 9, 6, amount, 50, None, expires_at)
    return intake_row(NewOrder(uuid7(), ACCOUNT, *terms, execute=execute), KEY, b"%d" % amount)


def route(order: LeasedOrder) -> Move:
    """Return the move that stores a route and hands the order over."""
    return Move(order, Status.BUILDING, routing='{"route":null,"results":[],"rounds":1}', hand_over=True)


def submission(engine: Engine, order: LeasedOrder) -> Submission:
    """Return the order's next attempt, as this process signs it."""
    number = order.attempts + 1
    name = f"{engine.name} {order.id} {number}"
    swap = SignedSwap(name, name.encode(), b"sha", "hash", 150)
    return Submission(order, Status.SUBMITTED, attempt=number, swap=swap, venue="raydium")


def given_up(scene: Scene, following: Status) -> Settlement:
    """Return what gives an attempt up, with its proof."""
    return Settlement(
        scene.held, following, due_in_s=0, signature=scene.signature, state=AttemptState.EXPIRED, evidence='{"proof":1}'
    )


async def nothing(store: Store) -> Scene:
    """Nothing is stored yet."""
    return Scene(new_order())


async def waiting(store: Store) -> Scene:
    return await _place(store, new_order(expires_in_s=EXPIRES_S))


async def overdue(store: Store) -> Scene:
    scene = await _place(store, new_order(expires_in_s=EXPIRES_S))
    await store.age(EXPIRES_S + 1)
    return scene


async def waiting_long(store: Store) -> Scene:
    """Its key is past its retention."""
    scene = await _place(store, new_order())
    await store.age(LONG_S)
    return scene


async def routing(store: Store) -> Scene:
    return await _routing(store, new_order(execute=True))


async def routing_late(store: Store) -> Scene:
    """Its time is over, and a router is about to say so."""
    return await _routing(store, new_order(execute=True, expires_in_s=EXPIRES_S))


async def building(store: Store) -> Scene:
    return await _building(store, await routing(store))


async def building_late(store: Store) -> Scene:
    """Its time is over, and an executor is about to say so."""
    scene = await _place(store, new_order(execute=True, expires_in_s=EXPIRES_S))
    await store.age(LAPSED_S)
    return await _building(store, await _taken(scene, Engine(store, HOLDER).router), wait_s=EXPIRES_S)


async def submitted(store: Store) -> Scene:
    return await _submitted(store, await building(store))


async def building_again(store: Store) -> Scene:
    """Its first attempt is proven never to land."""
    scene = await submitted(store)
    await Engine(store, HOLDER).settlements.write(given_up(scene, Status.ROUTING))
    return await _building(store, await _taken(scene, Engine(store, HOLDER).router))


def lapsed(scene: "Builder") -> "Builder":
    """Return the scene after so long a time that the lease has lapsed, and the key is past its retention."""

    async def build(store: Store) -> Scene:
        built = await scene(store)
        await store.age(LONG_S)
        return built

    build.__name__ = f"{scene.__name__}_lapsed"
    return build


async def _place(store: Store, row: IntakeRow) -> Scene:
    await Engine(store, HOLDER).intake.write([row])
    return Scene(row)


async def _routing(store: Store, row: IntakeRow) -> Scene:
    scene = await _place(store, row)
    await store.age(EXPIRES_S + 1)
    return await _taken(scene, Engine(store, HOLDER).router)


async def _building(store: Store, scene: Scene, *, wait_s: float = LAPSED_S) -> Scene:
    engine = Engine(store, HOLDER)
    await engine.moves.write(route(scene.held))
    await store.age(wait_s)
    return await _taken(scene, engine.executor)


async def _submitted(store: Store, scene: Scene) -> Scene:
    engine = Engine(store, HOLDER)
    attempt = submission(engine, scene.held)
    await engine.submissions.write(attempt)
    await store.age(LAPSED_S)
    return (await _taken(scene, engine.executor))._replace(signature=attempt.swap.signature)


async def _taken(scene: Scene, leases: Any) -> Scene:
    (order,) = await leases.scan(1)
    return scene._replace(order=order)


type Builder = Callable[[Store], Awaitable[Scene]]

WAITING: tuple[Builder, ...] = (waiting, waiting_long, overdue)
IN_ROUTING: tuple[Builder, ...] = (routing, lapsed(routing), routing_late)
IN_BUILDING: tuple[Builder, ...] = (building, lapsed(building), building_late, building_again)
IN_SUBMITTED: tuple[Builder, ...] = (submitted, lapsed(submitted))
