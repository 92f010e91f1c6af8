"""Loaded by Python itself when its folder is in PYTHONPATH: samples where a process' time on the processor goes.

SIGUSR2 begins, SIGUSR1 ends and writes PROFILE_DIR/<pid>.json: the process, and stacks as
[functions, samples], outermost function first.
"""

import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

EVERY_S = 0.002  # of processor time, as far as the kernel's clock is that fine
_stacks: Counter[tuple[str, ...]] = Counter()


def _sample(_number: int, frame: FrameType | None) -> None:
    stack = []
    while frame is not None:
        stack.append(f"{frame.f_globals.get('__name__', '?')}:{frame.f_code.co_qualname}")
        frame = frame.f_back
    _stacks[tuple(reversed(stack))] += 1


def _begin(_number: int, _frame: FrameType | None) -> None:
    _stacks.clear()
    signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)


def _end(_number: int, _frame: FrameType | None) -> None:
    signal.setitimer(signal.ITIMER_PROF, 0)
    fresh = Path(os.environ["PROFILE_DIR"], f".{os.getpid()}")
    process = sys.orig_argv[-1].rpartition("_")[2].rpartition(".")[2]  # -m swaprail_router, -m swaprail_local.front
    stacks = [[list(stack), count] for stack, count in _stacks.items()]
    fresh.write_text(json.dumps({"process": process, "stacks": stacks}))
    fresh.rename(fresh.with_name(f"{os.getpid()}.json"))


if "PROFILE_DIR" in os.environ:
    signal.signal(signal.SIGPROF, _sample)
    signal.signal(signal.SIGUSR2, _begin)
    signal.signal(signal.SIGUSR1, _end)
