"""Run seeds: `python -m tests.simulation --seeds 10000 --workers 2`, or one with every step: `--seed 1234 --trace`."""

import argparse
import os
import sys
from hashlib import sha256

from tests.simulation.batch import run_seeds
from tests.simulation.clock import virtual_world
from tests.simulation.each_lie import run_each_lie
from tests.simulation.lies import Lie, Lying
from tests.simulation.summary import Summary
from tests.simulation.world import run_seed


def _show_one(seed: int, lying: Lying, *, trace: bool) -> int:
    with virtual_world():
        outcome = run_seed(seed, print if trace else None, lying)
    for line in outcome.broken:
        print(f"BROKEN {line}")
    print(
        f"seed {seed}: {outcome.steps} steps, {outcome.seconds:.1f} virtual seconds, checksum {outcome.checksum & 0xFFFFFFFF:08x}"
    )
    print(", ".join(f"{name} {count}" for name, count in sorted(outcome.counts.items())))
    return 1 if outcome.broken else 0


def _show_digests(seeds: list[int]) -> int:
    """Print of each seed a digest of every line of its trace."""
    with virtual_world():
        for seed in seeds:
            lines: list[str] = []
            traced, silent = run_seed(seed, lines.append), run_seed(seed)
            assert traced.checksum == silent.checksum, f"seed {seed} goes another way when it is traced"
            print(seed, len(lines), sha256("\n".join(lines).encode()).hexdigest())
    return 0


def _run_many(first: int, seeds: int, workers: int, lying: Lying, *, keep: bool) -> int:
    summary = Summary(first)
    for outcome in run_seeds(first, seeds, workers, lying):
        summary.add(outcome)
    summary.show()
    if summary.broken:
        return 1
    if keep:
        summary.keep()
    return 0


def main() -> int:
    """Run what the arguments ask for; 1 when an invariant broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--record", action="store_true", help="keep the figures in docs/evidence, if nothing broke")
    parser.add_argument("--seed", type=int, help="run this one alone")
    parser.add_argument("--trace", action="store_true", help="print every step of --seed")
    parser.add_argument("--digests", type=int, nargs="+", metavar="SEED", help="print digests of the traces of seeds")
    parser.add_argument("--lie", type=Lie, choices=list(Lie), help="let one of the nodes tell this lie in every seed")
    parser.add_argument("--nodes", type=int, choices=(1, 2, 3), help="so many nodes in every seed")
    parser.add_argument(
        "--each-lie", action="store_true", help="run the seeds with every lie (or --lie), of two nodes and of three"
    )
    given = parser.parse_args()
    lying = Lying(given.lie, given.nodes or (2 if given.lie else None))
    if given.digests:
        return _show_digests(given.digests)
    if given.each_lie:
        lies = [given.lie] if given.lie else list(Lie)
        return run_each_lie(given.first, given.seeds, given.workers, lies=lies, keep=given.record)
    if given.seed is not None:
        return _show_one(given.seed, lying, trace=given.trace)
    return _run_many(given.first, given.seeds, given.workers, lying, keep=given.record)


if __name__ == "__main__":
    sys.exit(main())
