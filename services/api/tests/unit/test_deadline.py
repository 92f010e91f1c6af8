"""Deadlines: what takes too long ends, and only that."""

import asyncio
import contextlib

import pytest

from swaprail.auth import ApiKey
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail_api.deadline import Deadline, database_deadline
from swaprail_api.store.keys import PromptKeyStore


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


async def test_waits_of_one_request_share_its_time_when_the_first_took_most_of_it() -> None:
    deadline = Deadline(0.3, ErrorCode.UNAVAILABLE, "too long")
    began = asyncio.get_running_loop().time()
    await deadline.wait(asyncio.sleep(0.2))
    with pytest.raises(EngineError, match="too long"):
        await deadline.wait(asyncio.sleep(5))
    assert asyncio.get_running_loop().time() - began < 0.45


async def test_the_earlier_end_comes_first_when_a_later_wait_has_less_time() -> None:
    deadline = Deadline(0.3, ErrorCode.UNAVAILABLE, "too long")
    loop = asyncio.get_running_loop()
    ends: dict[str, float] = {}

    async def wait(name: str, *seconds: float) -> None:
        for s in seconds:
            with contextlib.suppress(EngineError):
                await deadline.wait(asyncio.sleep(s))
        ends[name] = loop.time()

    began = loop.time()
    first = asyncio.create_task(wait("asked twice", 0.2, 5))
    await asyncio.sleep(0.15)
    await asyncio.gather(first, wait("asked later, once", 5))
    assert 0.3 <= ends["asked twice"] - began < 0.4
    assert 0.45 <= ends["asked later, once"] - began < 0.6


async def test_another_request_has_its_whole_time_when_one_before_spent_its_own() -> None:
    deadline = Deadline(0.2, ErrorCode.UNAVAILABLE, "too long")
    for _ in range(3):
        assert await asyncio.create_task(deadline.wait(asyncio.sleep(0.12, "in time"))) == "in time"


async def test_a_key_is_looked_up_in_time_when_the_store_does_not_answer() -> None:
    class Silent:
        async def find(self, key_id: str) -> ApiKey | None:
            await asyncio.sleep(60)
            return None

    store = PromptKeyStore(Silent(), Deadline(0.05, ErrorCode.UNAVAILABLE, "too long"))
    with pytest.raises(EngineError, match="too long"):
        await store.find("k")
