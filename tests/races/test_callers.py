"""What callers are told when they meet, in the cases that would cost a trader most."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from swaprail.domain.errors import EngineError, ErrorCode
from swaprail_api.schemas.orders import OrderView
from swaprail_api.store.starts import Started, StartRow
from tests.races import deeds, scenes
from tests.races.deeds import Deed
from tests.races.engine import Engine
from tests.races.race import Race, Stage, alone, at_the_clock, at_the_row
from tests.races.scenes import ACCOUNT, Builder, new_order
from tests.races.sessions import WITHIN_S, Ring, open_ring
from tests.races.stored import stored

type Way = Callable[..., Awaitable[Race]]


@pytest.fixture
async def ring(arena: str) -> AsyncIterator[Ring]:
    async with open_ring(arena) as opened:
        yield opened


async def meet(ring: Ring, scene: Builder, first: deeds.Run, second: deeds.Run, way: Way) -> Race:
    stage = Stage(ring, await scene(ring.first), await stored(ring.looking))
    one, other = [await alone(stage, Deed(run.__name__, run)) for run in (first, second)]
    return await way(stage, one, other)


@pytest.mark.parametrize("way", [at_the_row, at_the_clock])
async def test_one_starts_the_order_when_two_replicas_are_asked_at_once(ring: Ring, way: Way) -> None:
    race = await meet(ring, scenes.waiting, deeds.start, deeds.start_with_key, way)
    ((won,), (lost,)) = race.first.result, race.second.result
    assert isinstance(won, Started)
    assert isinstance(lost, EngineError)
    assert lost.code is ErrorCode.ORDER_STATUS_MISMATCH
    assert [event["status"] for event in race.after.events] == ["PENDING", "ROUTING"]
    (order,) = race.after.orders.values()
    assert (order["seq"], order["fence"]) == (2, 1)
    assert [item.order.fence for item in race.first.heard.handed + race.second.heard.handed] == [1]


@pytest.mark.parametrize(
    ("scene", "moves"),
    [(scenes.waiting, deeds.start), (scenes.routing, deeds.route), (scenes.building, deeds.route_again)],
)
async def test_the_order_is_cancelled_when_it_moves_on_at_that_moment_and_may_still_be_taken_back(
    ring: Ring, scene: Builder, moves: deeds.Run
) -> None:
    race = await meet(ring, scene, moves, deeds.cancel, at_the_row)
    (view,) = race.second.result
    assert isinstance(view, OrderView), view
    (order,) = race.after.orders.values()
    assert (view.status, view.seq, order["status"]) == ("CANCELLED", order["seq"], "CANCELLED")


async def test_the_cancel_is_refused_when_the_order_is_submitted_at_that_moment(ring: Ring) -> None:
    race = await meet(ring, scenes.building, deeds.submit, deeds.cancel, at_the_row)
    (refusal,) = race.second.result
    assert isinstance(refusal, EngineError)
    assert refusal.code is ErrorCode.ORDER_NOT_CANCELLABLE
    (order,) = race.after.orders.values()
    assert order["status"] == "SUBMITTED"


async def test_one_order_is_started_and_the_other_refused_when_both_come_with_one_key(ring: Ring) -> None:
    ids = [(await scenes.waiting_long(ring.first)).placed.id, (await place_under(ring, "other")).id]
    first, second = Engine(ring.first, "first"), Engine(ring.second, "second")

    async def start(engine: Engine, order: Any) -> Any:
        return await engine.starts.write([StartRow(order, ACCOUNT, "one", b"start %d" % ids.index(order))])

    transaction = ring.first.connection.transaction()
    await transaction.start()
    (won,) = await start(first, ids[0])
    asking = asyncio.create_task(start(second, ids[1]))
    assert await ring.done_or_blocked(asking, ring.second, by=ring.first)
    await transaction.commit()
    (lost,) = await asyncio.wait_for(asking, WITHIN_S)
    assert isinstance(won, Started)
    assert isinstance(lost, EngineError)
    assert lost.code is ErrorCode.IDEMPOTENCY_KEY_REUSED
    assert sorted(row["status"] for row in (await stored(ring.looking)).orders.values()) == ["PENDING", "ROUTING"]


async def place_under(ring: Ring, key: str) -> Any:
    row = new_order()._replace(key=key)
    await Engine(ring.first, "before").intake.write([row])
    return row
