"""Many seeds, in a few processes."""

import gc
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from tests.simulation.clock import virtual_world
from tests.simulation.lies import Lying
from tests.simulation.world import Outcome, run_seed

CHUNK = 50
COLLECT_EVERY = 25


def _run_chunk(seeds: range, lying: Lying) -> list[Outcome]:
    sys.unraisablehook = lambda _: None  # coroutines of dead processes protest when they are thrown away
    warnings.simplefilter("ignore", RuntimeWarning)  # of what they had not yet begun as well
    gc.collect()
    gc.freeze()
    outcomes = []
    with virtual_world():
        for number, seed in enumerate(seeds, start=1):
            outcomes.append(run_seed(seed, lying=lying))
            if number % COLLECT_EVERY == 0:
                gc.collect()
    return outcomes


def run_seeds(first: int, count: int, workers: int, lying: Lying) -> Iterator[Outcome]:
    """Run seeds in so many processes, in their order."""
    chunks = [range(at, min(at + CHUNK, first + count)) for at in range(first, first + count, CHUNK)]
    if workers <= 1:
        for chunk in chunks:
            yield from _run_chunk(chunk, lying)
        return
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        for outcomes in pool.map(partial(_run_chunk, lying=lying), chunks):
            yield from outcomes
