"""Keys of many orders in one statement are taken in their order, and forgotten only when they are old."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from swaprail_api.store.starts import StartRow
from tests.races.engine import Engine
from tests.races.scenes import ACCOUNT, LONG_S, new_order
from tests.races.sessions import WITHIN_S, Ring, open_ring
from tests.races.stored import stored


@pytest.fixture
async def ring(arena: str) -> AsyncIterator[Ring]:
    async with open_ring(arena) as opened:
        yield opened


async def place(engine: Engine, *keys: str) -> Any:
    rows = [new_order()._replace(key=key) for key in keys]
    await engine.intake.write(rows)
    return [row.id for row in rows]


async def start(engine: Engine, *keys: str) -> Any:
    ids = sorted(await place(Engine(engine.database, "before"), *(f"of {key}" for key in keys)))
    return await engine.starts.write([StartRow(i, ACCOUNT, key, b"start") for i, key in zip(ids, keys, strict=True)])


@pytest.mark.parametrize("takes", [place, start])
async def test_keys_are_taken_in_their_order_when_they_come_in_another(ring: Ring, takes: Callable[..., Any]) -> None:
    """Two statements that take two keys in two orders would wait for each other."""
    transaction = ring.first.connection.transaction()
    await transaction.start()
    await place(Engine(ring.first, "first"), "b")
    taking = asyncio.create_task(takes(Engine(ring.second, "second"), "b", "a"))
    assert await ring.done_or_blocked(taking, ring.second, by=ring.first)
    third = asyncio.create_task(place(Engine(ring.stopped, "third"), "a"))
    assert await ring.done_or_blocked(third, ring.stopped, by=ring.second), "a was taken before b"
    await transaction.rollback()
    await asyncio.wait_for(asyncio.gather(taking, third), WITHIN_S)
    assert {"a", "b"} <= {row["key"] for row in (await stored(ring.looking)).keys}


async def test_old_keys_are_forgotten_and_younger_ones_kept_when_keys_are_purged(ring: Ring) -> None:
    engine = Engine(ring.first, "first")
    await place(engine, "old")
    await ring.first.age(LONG_S)
    await place(engine, "young")
    await engine.housekeeping.purge_keys()
    assert [row["key"] for row in (await stored(ring.looking)).keys] == ["young"]
