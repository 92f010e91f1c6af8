"""A seed replays bit for bit, in another process, with other hashes, and whatever ran before it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SEEDS = range(12)


def _digests(seeds: list[int], hash_seed: str) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.simulation", "--digests", *map(str, seeds)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


def test_every_step_is_the_same_when_a_seed_runs_in_another_process_after_other_seeds() -> None:
    first = _digests(list(SEEDS), "1")
    second = _digests(list(reversed(SEEDS)), "2")
    assert first == second
    assert len(set(first.values())) == len(SEEDS)
