"""Whether a run proves anything: the invariants hold, nothing had to be started again, nobody else was busy."""

from collections.abc import Sequence
from typing import Any

from tests.load.subject import Subject

FOREIGN_PERCENT = 30.0  # of one processor


class VoidRunError(RuntimeError):
    """The run broke a promise of the engine, so its speed is worth nothing."""


class DisturbedRunError(RuntimeError):
    """Others used the machine: the run says nothing of the engine, and is made again."""


async def check_run(
    subject: Subject, pids: dict[str, int], accepted: Sequence[str], subscribers: Sequence[Any] = ()
) -> None:
    """Raise VoidRunError unless all that was accepted ended once and was seen whole, by the processes of the start."""
    if subject.pids != pids:
        raise VoidRunError(f"a process was started again: {pids} became {subject.pids}\n{subject.log_tail()}")
    try:
        await subject.check(accepted, subscribers)
    except AssertionError as error:
        raise VoidRunError(str(error)) from error


def check_undisturbed(figures: dict[str, float], foreign_percent: float = FOREIGN_PERCENT) -> None:
    """Raise DisturbedRunError when other processes took more than so much of a processor."""
    taken = figures["foreign_cpu_percent"]
    if taken > foreign_percent:
        raise DisturbedRunError(f"other processes took {taken:.0f} % of a processor, {foreign_percent:.0f} % at most")
