"""Deadlines: what takes too long ends, and only that."""

import asyncio

import pytest

from swaprail.domain.errors import EngineError, ErrorCode
from swaprail_api.deadline import Deadline, database_deadline


async def soon(value: int) -> int:
    await asyncio.sleep(0)
    return value


async def test_result_is_returned_when_it_comes_in_time() -> None:
    deadline = database_deadline(5)
    assert await asyncio.gather(*(deadline.wait(soon(number)) for number in range(100))) == list(range(100))


async def test_error_is_raised_when_it_takes_too_long() -> None:
    deadline = Deadline(0.05, ErrorCode.UNAVAILABLE, "too long")
    for _ in range(2):
        work = asyncio.get_running_loop().create_future()
        with pytest.raises(EngineError, match="too long"):
            await deadline.wait(work)
        assert work.cancelled()
    assert await deadline.wait(soon(1)) == 1


async def test_only_the_late_end_when_others_are_done() -> None:
    deadline = Deadline(0.1, ErrorCode.UNAVAILABLE, "too long")
    late = asyncio.get_running_loop().create_future()
    results = await asyncio.gather(
        deadline.wait(soon(1)), deadline.wait(late), deadline.wait(soon(2)), return_exceptions=True
    )
    assert (results[0], results[2]) == (1, 2)
    assert isinstance(results[1], EngineError)


async def test_cancellation_goes_on_when_it_is_somebody_elses() -> None:
    deadline = database_deadline(5)
    task = asyncio.create_task(deadline.wait(asyncio.get_running_loop().create_future()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_task_is_not_cancelled_any_more_when_its_wait_ended() -> None:
    async def work() -> int:
        with pytest.raises(EngineError):
            await Deadline(0.01, ErrorCode.UNAVAILABLE, "x").wait(asyncio.get_running_loop().create_future())
        await asyncio.sleep(0)
        current = asyncio.current_task()
        assert current is not None
        return current.cancelling()

    assert await asyncio.create_task(work()) == 0
