"""What the seeds are made of: paths that would prove nothing if they were rare."""

import gc
import sys
from collections import Counter

import pytest

from tests.simulation.clock import virtual_world
from tests.simulation.lies import Lie
from tests.simulation.world import run_seed

SEEDS = 150


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_second_attempts_lies_and_wild_clocks_are_common_when_seeds_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
    counts: Counter[str] = Counter()
    with virtual_world():
        for seed in range(SEEDS):
            outcome = run_seed(seed)
            assert not outcome.broken, f"seed {seed}"
            counts += outcome.counts
    gc.enable()
    assert counts["orders of several attempts"] >= 0.05 * counts["orders"]
    assert counts["orders with a minimum"] >= 0.3 * counts["orders"]
    assert counts["orders with an expiry"] >= 0.1 * counts["orders"]
    assert counts["clock set"] >= SEEDS // 10
    told = {lie for lie in Lie for nodes in (2, 3) if counts[f"node lied in {nodes}: {lie}"]}
    assert told == set(Lie)
