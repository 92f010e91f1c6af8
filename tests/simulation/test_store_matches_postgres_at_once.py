"""The virtual store runs one statement after the other: PostgreSQL must give what one of these orders gives."""

from types import ModuleType
from typing import Any

import pytest

from swaprail_local.servers.postgres import EmbeddedPostgres
from tests.races.deeds import CATALOGUE, Deed
from tests.races.race import Stage, alone, at_the_clock, at_the_row
from tests.races.scenes import Builder
from tests.races.sessions import make_arena, open_ring
from tests.races.stored import stored
from tests.simulation.interleaved import Recording, described, is_serial, tables_of
from tests.simulation.statements import leases, moves

SCENES = [pytest.param(scene, deeds, id=scene.__name__) for scene, deeds in CATALOGUE]


@pytest.fixture(scope="session")
def arena(postgres_server: EmbeddedPostgres, database_template: str) -> str:
    return make_arena(postgres_server, database_template)


async def differences(arena: str, scene: Builder, deeds: tuple[Deed, ...]) -> list[str]:
    """Let every two deeds of a scene meet; return those that went as in no order."""
    found = []
    async with open_ring(arena, Recording) as ring:
        sessions: Any = (ring.first, ring.second, ring.stopped)
        stage = Stage(ring, await scene(ring.first), await stored(ring.looking))
        await ring.first.keep()
        by_themselves = [await alone(stage, deed) for deed in deeds]
        pairs = [(one, other) for one in by_themselves for other in by_themselves if one.touched or other.touched]
        for one, other in pairs:
            for way in (at_the_row, at_the_clock):
                await ring.looking.restore()
                stage = stage._replace(before=await stored(ring.looking))
                for session in sessions:
                    session.ran.clear()
                race = await way(stage, one, other)
                first, second = sessions[0].ran, sessions[1].ran + sessions[2].ran
                if not is_serial(tables_of(stage.before), race, first, second):
                    found.append(described(race, first, second))
    return found


@pytest.mark.parametrize(("scene", "deeds"), SCENES)
async def test_rows_and_tables_are_those_of_one_order_when_two_statements_meet(
    arena: str, scene: Builder, deeds: tuple[Deed, ...]
) -> None:
    found = await differences(arena, scene, deeds)
    assert not found, f"{len(found)}: {found[:3]}"


@pytest.mark.parametrize(("where", "bug"), [(moves, "fence_holds"), (leases, "_is_due")])
async def test_a_difference_is_found_when_the_virtual_store_believes_something_else(
    arena: str, monkeypatch: pytest.MonkeyPatch, where: ModuleType, bug: str
) -> None:
    monkeypatch.setattr(where, bug, lambda *_: bug != "_is_due")
    scene, deeds = next((scene, deeds) for scene, deeds in CATALOGUE if scene.__name__ == "building_lapsed")
    assert await differences(arena, scene, deeds)
