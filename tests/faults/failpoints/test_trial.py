"""A trial whose point is never reached has failed: nothing is passed over in silence."""

from pathlib import Path

import httpx
import pytest

from tests.faults.failpoints import trial
from tests.faults.failpoints.points import POINTS, Point
from tests.faults.failpoints.report import by_service, figures, summary
from tests.faults.failpoints.trial import Outcome, Trial
from tests.faults.failpoints.trigger import Phase
from tests.faults.failpoints.world import World


async def test_a_trial_is_broken_and_names_its_point_when_the_point_is_never_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "HIT_WITHIN_S", 0.05)
    world = World("postgresql://nowhere", "redis://nowhere", tmp_path)
    async with httpx.AsyncClient() as world.client:
        outcome = await Trial(world, Point("router", "nothing.passes.here"), Phase.AFTER, 2).run()
    assert outcome.kills == 0
    assert outcome.broken == ["AssertionError not in 0.05 s: the point is reached"]
    assert outcome.title == "router:nothing.passes.here after passage 2"
    assert not world.control("router").exists()  # who comes next is not killed by it
    assert outcome.title in summary([outcome], 1)


def test_figures_count_kills_and_breaks_by_service_when_trials_are_over() -> None:
    outcomes = [
        Outcome(service="api", point="start", phase=Phase.BEFORE, passage=1, kills=2, orders=20),
        Outcome(service="api", point="start", phase=Phase.LOST, passage=1, orders=20, broken=["I1"]),
    ]
    shown = figures(outcomes, 3)
    assert (shown["names"], shown["trials"], shown["kills"], shown["orders"], shown["breaks"]) == (1, 2, 2, 40, 1)
    rows = {row["service"]: row for row in by_service(outcomes)}
    assert list(rows) == list(dict.fromkeys(point.service for point in POINTS))
    assert (rows["api"]["killed before"], rows["api"]["answer lost"], rows["router"]["names"]) == (1, 1, 0)
