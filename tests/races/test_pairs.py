"""Each guarded statement against every other one, on one order, in each way that two can meet."""

import pytest

from tests.races.deeds import CATALOGUE, Deed
from tests.races.race import Stage, alone, at_the_clock, at_the_row, at_the_row_taken_back
from tests.races.rules import broken_rules
from tests.races.scenes import Builder
from tests.races.sessions import open_ring
from tests.races.stored import stored

WAYS = (at_the_row, at_the_row_taken_back, at_the_clock)
CASES = [
    pytest.param(scene, first, deeds, id=f"{scene.__name__}-{first.name}")
    for scene, deeds in CATALOGUE
    for first in deeds
]


@pytest.mark.parametrize(("scene", "first", "deeds"), CASES)
async def test_the_rules_hold_when_two_meet(arena: str, scene: Builder, first: Deed, deeds: tuple[Deed, ...]) -> None:
    async with open_ring(arena) as ring:
        built = await scene(ring.first)
        await ring.first.keep()
        await ring.first.restore()
        stage = Stage(ring, built, await stored(ring.looking))
        by_themselves = [await alone(stage, deed) for deed in deeds]
        one = by_themselves[deeds.index(first)]
        broken = []
        for other in by_themselves:
            for way in WAYS if one.touched or other.touched else ():
                await ring.looking.restore()
                stage = stage._replace(before=await stored(ring.looking))
                race = await way(stage, one, other)
                broken += [
                    f"{first.name}, {other.deed.name} {race.way}: {text}" for text in await broken_rules(stage, race)
                ]
    assert not broken, "\n".join(broken)
