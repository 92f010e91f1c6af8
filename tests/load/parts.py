"""The parts of the suite: how each is measured."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

import uvloop

from tests.load import fanout
from tests.load.figures import Figures
from tests.load.latency_run import latency_run
from tests.load.memory_run import memory_run
from tests.load.options import Layout, Options
from tests.load.profile_run import LOADS, profile_run, traced_run
from tests.load.results import Columns
from tests.load.scaling_run import LADDER, burst_run, scaling_run
from tests.load.sweep_run import sweep_run
from tests.load.throughput_run import throughput_run
from tests.load.verdict import DisturbedRunError

TRIES = 3
COMPARED: tuple[Layout, ...] = ("front", "tuned", "faithful")
type Run = Callable[[Options, Layout], Coroutine[Any, Any, Figures]]


def interleaved(run: Run, options: Options, layouts: Sequence[Layout]) -> Columns:
    """Measure each layout in turn, again and again: a change of the machine's speed meets all alike."""
    columns: Columns = {layout: [] for layout in layouts}
    for number in range(1, options.runs + 1):
        for layout in layouts:
            columns[layout].append(undisturbed(partial(run, options, layout)))
            print(f"{run.__name__} {layout}: run {number} of {options.runs} done", flush=True)
    return columns


def undisturbed[Result](measure: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Measure, again when others used the machine."""
    for _ in range(TRIES - 1):
        try:
            return uvloop.run(_stoppable(measure))
        except DisturbedRunError as error:
            print(f"again: {error}", flush=True)
    return uvloop.run(_stoppable(measure))


def _sweep(options: Options) -> Columns:
    layouts: tuple[Layout, ...] = COMPARED[:2] if options.peer else COMPARED[:1]
    return {layout: undisturbed(partial(sweep_run, options, layout)) for layout in layouts}


def _scaling(options: Options) -> Columns:
    columns: Columns = {str(replicas): [] for replicas in LADDER}
    for _ in range(options.runs):
        for replicas in LADDER:
            columns[str(replicas)].append(undisturbed(partial(scaling_run, options, replicas)))
            print(f"scaling {replicas}: done", flush=True)
    return columns


def _burst(options: Options) -> Columns:
    return {"burst": [undisturbed(partial(burst_run, options, LADDER[0]))]}


MEASURES: dict[str, Callable[[Options], object]] = {
    "comparison": lambda options: interleaved(throughput_run, options, COMPARED),
    "comparison-latency": lambda options: interleaved(latency_run, options, COMPARED[:2]),
    "throughput": lambda options: interleaved(throughput_run, options, options.layouts),
    "latency": lambda options: interleaved(latency_run, options, options.layouts),
    "sweep": _sweep,
    "fanout": lambda options: {"notifier": [fanout.measure() for _ in range(options.runs)]},
    "scaling": _scaling,
    "burst": _burst,
    "memory": lambda options: {"front": [undisturbed(partial(memory_run, options, "front"))]},
    "profile": lambda options: [undisturbed(partial(profile_run, options, options.layouts[0], load)) for load in LOADS],
    "trace": lambda options: undisturbed(partial(traced_run, options, options.layouts[0])),
}


async def _stoppable[Result](measure: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    # Told to stop, it stops its engine and removes its data, as with Ctrl-C.
    task = asyncio.create_task(measure())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task
