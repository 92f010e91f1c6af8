"""Which runs there are, and what they must show."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

import uvloop

from tests.load.comparison import with_ratio
from tests.load.figures import COUNTED, TARGETS, Figures
from tests.load.latency_run import latency_run
from tests.load.options import Layout, Options
from tests.load.profile_report import profile_text, steps_text
from tests.load.profile_run import LOADS, profile_run, traced_run
from tests.load.report import Outcome, json_lines, table
from tests.load.throughput_run import throughput_run
from tests.load.verdict import DisturbedRunError, VoidRunError

PROCESSORS = 2
TRIES = 3
COMPARED: tuple[Layout, ...] = ("front", "tuned", "faithful")
type Measure = Callable[[Options, Layout], Coroutine[Any, Any, Figures]]


def run_plan(options: Options) -> int:
    """Run everything asked for and print it; return the exit code."""
    # The engine's processes inherit this: everything shares two processors, whatever the machine has.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:PROCESSORS])
    try:
        return _assert_counts(options) if options.counts else _report(options)
    except* asyncio.CancelledError:
        print("stopped\n0 passed, 1 failed")
    except* (VoidRunError, DisturbedRunError, OSError, TimeoutError, RuntimeError) as errors:
        print(f"void: {first_of(errors)}\n0 passed, 1 failed")
    return 1


def _report(options: Options) -> int:
    if "comparison" in options.parts:
        with_ratio(_run("throughput", throughput_run, options, COMPARED))
        with_ratio(_run("latency", latency_run, options, COMPARED[:2]))
    if "throughput" in options.parts:
        _run("throughput", throughput_run, options, options.layouts)
    if "latency" in options.parts:
        _run("latency", latency_run, options, options.layouts)
    if "profile" in options.parts:
        _profile(options, options.layouts[0])
    if "trace" in options.parts:
        print(steps_text(_undisturbed(partial(traced_run, options, options.layouts[0]))), flush=True)
    return 0


def _profile(options: Options, layout: Layout) -> None:
    for load in LOADS:
        print(profile_text(_undisturbed(partial(profile_run, options, layout, load))), "\n", flush=True)


def _run(kind: str, measure: Measure, options: Options, layouts: Sequence[Layout]) -> list[Outcome]:
    outcomes = [Outcome(kind, layout, []) for layout in layouts]
    for _ in range(options.runs):
        for outcome in outcomes:  # interleaved, so that a change of the machine's speed meets all alike
            outcome.runs.append(_undisturbed(partial(measure, options, outcome.layout)))
            print(f"{kind} {outcome.layout}: run {len(outcome.runs)} of {options.runs} done", flush=True)
    for outcome in outcomes:
        print(json_lines(outcome))
    print(f"\n{table(kind, outcomes)}\n", flush=True)
    return outcomes


def _undisturbed[Result](measure: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    for attempt in range(1, TRIES + 1):
        try:
            return uvloop.run(_awaited(measure))
        except DisturbedRunError as error:
            print(f"run again: {error}", flush=True)
            if attempt == TRIES:
                raise
    raise AssertionError("not reached")


async def _awaited[Result](measure: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    # Told to stop, it stops its engine and removes its data, as with Ctrl-C.
    task = asyncio.create_task(measure())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


def _assert_counts(options: Options) -> int:
    (outcome,) = _run("throughput", throughput_run, options, options.layouts[:1])
    failed = 0
    for name in COUNTED:
        target, value = TARGETS["throughput"][name], outcome.runs[0][name]
        failed += not target.holds(value)
        print(f"{'ok  ' if target.holds(value) else 'MISS'} {name} is {value:.2f}, target {target}")
    print("ok   every invariant holds")
    print(f"{len(COUNTED) + 1 - failed} passed, {failed} failed")
    return 1 if failed else 0


def first_of(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first error inside groups of them: the others mostly follow from it."""
    first = errors.exceptions[0]
    return first_of(first) if isinstance(first, BaseExceptionGroup) else first
