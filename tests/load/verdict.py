"""Whether a run proves anything: the invariants hold, and nothing had to be started again."""

from collections.abc import Sequence
from typing import Any

from tests.load.local_run import LocalRun
from tests.invariants import check_invariants


class VoidRunError(RuntimeError):
    """The run broke a promise of the engine, so its speed is worth nothing."""


async def check_run(
    engine: LocalRun, pids: dict[str, int], accepted: Sequence[str], subscribers: Sequence[Any] = ()
) -> None:
    """Raise VoidRunError unless all that was accepted ended once and was seen whole, by the processes of the start."""
    if engine.pids != pids:
        raise VoidRunError(f"a process was started again: {pids} became {engine.pids}\n{engine.log_tail()}")
    try:
        await check_invariants(engine.status.dsn, accepted, subscribers)
    except AssertionError as error:
        raise VoidRunError(str(error)) from error
