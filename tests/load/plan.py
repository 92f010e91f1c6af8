"""Which runs there are, and what they must show."""

import asyncio
import os

from tests.load.document import write_page
from tests.load.figures import COUNTED, TARGETS
from tests.load.options import Options
from tests.load.parts import MEASURES, undisturbed
from tests.load.peer_run import require_node
from tests.load.report import text_of
from tests.load.results import load, result_of, save
from tests.load.throughput_run import throughput_run
from tests.load.verdict import DisturbedRunError, VoidRunError

PROCESSORS = 2


def run_plan(options: Options) -> int:
    """Run everything asked for and print it; return the exit code."""
    # The engine's processes inherit this: everything shares two processors, whatever the machine has.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:PROCESSORS])
    try:
        return _chosen(options)
    except* asyncio.CancelledError:
        print("stopped\n0 passed, 1 failed")
    except* (VoidRunError, DisturbedRunError, OSError, TimeoutError, RuntimeError) as errors:
        print(f"void: {first_of(errors)}\n0 passed, 1 failed")
    return 1


def _chosen(options: Options) -> int:
    if options.counts:
        return _assert_counts(options)
    if not options.render:
        _measure(options)
    if options.render or options.record:
        print(f"written: {write_page(load())}")
    return 0


def _measure(options: Options) -> None:
    if options.peer:
        require_node()
    for part in options.parts:
        result = result_of(part, options, MEASURES[part](options))
        print(f"\n{text_of(result)}\n", flush=True)
        if options.record:
            save(result)


def _assert_counts(options: Options) -> int:

    figures = undisturbed(lambda: throughput_run(options, options.layouts[0]))
    failed = 0
    for name in COUNTED:
        target, value = TARGETS["throughput"][name], figures[name]
        failed += not target.holds(value)
        print(f"{'ok  ' if target.holds(value) else 'MISS'} {name} is {value:.2f}, target {target}")
    print("ok   every invariant holds")
    print(f"{len(COUNTED) + 1 - failed} passed, {failed} failed")
    return 1 if failed else 0


def first_of(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first error inside groups of them: the others mostly follow from it."""
    first = errors.exceptions[0]
    return first_of(first) if isinstance(first, BaseExceptionGroup) else first
