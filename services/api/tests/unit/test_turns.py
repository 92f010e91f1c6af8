"""Reads of one account wait for one another, and for nobody else's."""

import asyncio

import pytest

from swaprail.auth import LOCAL, Limits, Principal
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail_api.deadline import database_deadline
from swaprail_api.turns import MAX_WAITING, Turns


class Reading:
    """Reads that end when they are told to."""

    def __init__(self) -> None:
        self.begun = 0
        self.may_end = asyncio.Event()

    async def read(self) -> int:
        self.begun += 1
        await self.may_end.wait()
        return self.begun


def of(account: str, limits: Limits | None = None) -> Principal:
    return Principal(account, "key", frozenset(), limits or Limits())


async def begin(turns: Turns, caller: Principal, reading: Reading, times: int) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(turns.take(caller, reading.read)) for _ in range(times)]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_two_of_an_account_run_when_more_are_asked_for() -> None:
    turns, noisy, other = Turns(2, database_deadline(5)), Reading(), Reading()
    tasks = await begin(turns, of("noisy"), noisy, 5)
    tasks += await begin(turns, of("other"), other, 1)
    assert (noisy.begun, other.begun) == (2, 1)
    noisy.may_end.set()
    other.may_end.set()
    assert len(await asyncio.gather(*tasks)) == 6


@pytest.mark.parametrize(("caller", "begun"), [(LOCAL, 5), (of("desk", Limits(concurrent_reads=4)), 4)])
async def test_more_run_when_nobody_or_its_key_says_otherwise(caller: Principal, begun: int) -> None:
    turns, reading = Turns(2, database_deadline(5)), Reading()
    tasks = await begin(turns, caller, reading, 5)
    assert reading.begun == begun
    reading.may_end.set()
    await asyncio.gather(*tasks)


async def test_a_read_is_refused_when_too_many_wait() -> None:
    turns, reading = Turns(2, database_deadline(5)), Reading()
    tasks = await begin(turns, of("noisy"), reading, 2 + MAX_WAITING)
    with pytest.raises(EngineError) as refused:
        await turns.take(of("noisy"), reading.read)
    assert refused.value.code is ErrorCode.ACCOUNT_LIMIT
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    (later,) = await begin(turns, of("noisy"), reading, 1)
    assert reading.begun == 2, "a turn ends with its read, not with whoever waited for it"
    reading.may_end.set()
    assert await later == 3


@pytest.mark.parametrize("answered", [True, False])
async def test_the_cause_is_told_when_no_turn_comes_in_time(answered: bool) -> None:
    """The account has itself to thank where its reads are answered; where none is, the database does not answer."""
    turns, quick, stuck = Turns(2, database_deadline(0.2)), Reading(), Reading()
    first = await begin(turns, of("noisy"), quick, 1)
    tasks = await begin(turns, of("noisy"), stuck, 3)
    if answered:
        quick.may_end.set()
    ends = await asyncio.gather(*first, *tasks, return_exceptions=True)
    codes = [end.code for end in ends if isinstance(end, EngineError)]
    assert codes[-1] is (ErrorCode.ACCOUNT_LIMIT if answered else ErrorCode.UNAVAILABLE)
    assert codes.count(ErrorCode.ACCOUNT_LIMIT) == answered
    stuck.may_end.set()
    quick.may_end.set()


async def test_others_of_the_account_are_not_kept_waiting_when_a_read_took_long() -> None:
    turns, reading = Turns(1, database_deadline(5)), Reading()
    slow, *others = await begin(turns, of("noisy"), reading, 4)
    loop = asyncio.get_running_loop()
    loop.call_later(1.0, reading.may_end.set)
    await slow
    answered = loop.time()
    await asyncio.gather(*others)
    assert loop.time() - answered < 0.8
