"""Run seeds: `python -m tests.simulation --seeds 10000 --workers 2`, or one with every step: `--seed 1234 --trace`."""

import argparse
import os
import sys
import time
from collections import Counter

from tests.simulation.batch import run_seeds
from tests.simulation.clock import virtual_world
from tests.simulation.world import run_seed


def _show_one(seed: int, *, trace: bool) -> int:
    with virtual_world():
        outcome = run_seed(seed, print if trace else None)
    for line in outcome.broken:
        print(f"BROKEN {line}")
    print(f"seed {seed}: {outcome.steps} steps, {outcome.seconds:.1f} virtual seconds, checksum {outcome.checksum:08x}")
    print(", ".join(f"{name} {count}" for name, count in sorted(outcome.counts.items())))
    return 1 if outcome.broken else 0


def main() -> int:
    """Run what the arguments ask for; 1 when an invariant broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, help="run this one alone")
    parser.add_argument("--trace", action="store_true", help="print every step of --seed")
    given = parser.parse_args()
    if given.seed is not None:
        return _show_one(given.seed, trace=given.trace)
    began, total, broken, steps, virtual = time.perf_counter(), Counter[str](), 0, 0, 0.0
    for outcome in run_seeds(given.first, given.seeds, given.workers):
        total += outcome.counts
        steps += outcome.steps
        virtual += outcome.seconds
        if outcome.broken:
            broken += 1
            print(f"seed {outcome.seed} (repeat: python -m tests.simulation --seed {outcome.seed} --trace)")
            for line in outcome.broken[:5]:
                print(f"    {line}")
    took = time.perf_counter() - began
    print(
        f"{given.seeds} seeds in {took:.1f} s ({given.seeds / took:.1f}/s), {steps} steps, {virtual / 3600:.1f} virtual hours"
    )
    for name, count in sorted(total.items()):
        print(f"    {name:<28} {count}")
    print(f"{broken} seeds broke an invariant")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
