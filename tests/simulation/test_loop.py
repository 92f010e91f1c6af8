"""The loop: virtual time, order inside a process, death at an await, and no way out to the real world."""

import asyncio
import socket
import time
from random import Random
from typing import Any

import pytest

from swaprail.runtime import inflight
from tests.simulation.clock import Current, virtual_world
from tests.simulation.loop import Process, VirtualLoop

engine: Any = inflight  # any of the modules that ask for the time


def _run(loop: VirtualLoop, main: Any) -> None:
    Current.loop = loop
    loop.run(main, most_steps=10_000)


def test_an_hour_takes_no_time_when_nobody_has_anything_to_do() -> None:
    loop = VirtualLoop(Random(1))
    began = time.monotonic()
    _run(loop, asyncio.sleep(3600))
    assert loop.now == 3600
    assert time.monotonic() - began < 5


def test_the_engine_reads_the_virtual_clock_when_it_asks_for_the_time() -> None:
    loop = VirtualLoop(Random(1))
    with virtual_world():
        _run(loop, asyncio.sleep(7))
        assert engine.time.monotonic() == 7
    assert engine.time is time


def test_nothing_of_a_process_runs_on_when_it_was_killed() -> None:
    loop, process, seen = VirtualLoop(Random(1)), Process("victim"), []

    async def work() -> None:
        try:
            while True:
                seen.append(loop.now)
                await asyncio.sleep(1)
        finally:
            seen.append(-1.0)

    async def main() -> None:
        kept = loop.create_task(work(), context=process.context)
        await asyncio.sleep(2.5)
        loop.kill(process)
        await asyncio.sleep(5)
        assert not kept.done()

    _run(loop, main())
    assert seen == [0, 1, 2]


def test_a_process_goes_on_late_when_it_was_stopped() -> None:
    loop, process, seen = VirtualLoop(Random(1)), Process("slow"), []

    async def work() -> None:
        await asyncio.sleep(1)
        seen.append(loop.now)

    async def main() -> None:
        task = loop.create_task(work(), context=process.context)
        await asyncio.sleep(0.5)
        loop.freeze(process, 4)
        await asyncio.wait([task])

    _run(loop, main())
    assert seen == [4.5]


def test_the_real_world_is_out_of_reach_when_a_seed_runs() -> None:
    loop = VirtualLoop(Random(1))
    with virtual_world(), pytest.raises(AssertionError):
        socket.socket()
    with pytest.raises(NotImplementedError):
        loop.run_in_executor(None, time.monotonic)
    with virtual_world(), pytest.raises(AssertionError):
        engine.time.sleep(1)
