"""The simulation can fail: each planted bug breaks an invariant within a few hundred seeds."""

import gc
import sys
from collections.abc import Iterator

import pytest

from tests.simulation.clock import virtual_world
from tests.simulation.planted import BUGS, Bug
from tests.simulation.world import run_seed

MOST_SEEDS = 1_500


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
    gc.freeze()
    yield
    gc.collect()
    gc.unfreeze()
    gc.enable()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_an_invariant_breaks_when_a_bug_is_planted(
    bug: Bug, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bug.plant(monkeypatch.setattr)
    with virtual_world():
        for seed in range(MOST_SEEDS):
            broken = [b for b in run_seed(seed, lying=bug.lying).broken if b.split()[0] in bug.breaks]
            if broken:
                break
            if seed % 25 == 0:
                gc.collect()
    with capsys.disabled():
        print(f"\n{bug.name}: after {seed + 1} seeds, {broken[:1]}")
    assert broken, f"{bug.name} was not found in {MOST_SEEDS} seeds"
