import asyncio
from collections.abc import Sequence

import pytest

from swaprail.db.writer import BatchWriter
from swaprail.domain.errors import EngineError, ErrorCode


class Statement:
    """Records the batches it is given; blocks while the gate is shut; fails on negative rows."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.called = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, rows: Sequence[int]) -> list[int]:
        self.batches.append(list(rows))
        self.called.set()
        await self.gate.wait()
        if any(row < 0 for row in rows):
            message = "poison"
            raise ValueError(message)
        return [row * 10 for row in rows]


async def test_rows_share_one_statement_when_they_come_while_another_runs() -> None:
    statement = Statement()
    writer = BatchWriter(statement, name="test")
    statement.gate.clear()
    first = asyncio.create_task(writer.submit(1))
    await statement.called.wait()
    rest = [asyncio.create_task(writer.submit(n)) for n in range(2, 12)]
    await asyncio.sleep(0)
    statement.gate.set()
    assert await asyncio.gather(first, *rest) == [n * 10 for n in range(1, 12)]
    assert statement.batches == [[1], list(range(2, 12))]


async def test_a_group_stays_in_one_statement_when_the_batch_is_nearly_full() -> None:
    statement = Statement()
    writer = BatchWriter(statement, name="test", max_rows=4)
    three, two, one = await asyncio.gather(
        writer.submit_group([1, 2, 3]), writer.submit_group([4, 5]), writer.submit(6)
    )
    assert (list(three), list(two), one) == ([10, 20, 30], [40, 50], 60)
    assert statement.batches == [[1, 2, 3], [4, 5, 6]]


async def test_a_row_fails_alone_when_it_poisons_its_batch() -> None:
    writer = BatchWriter(Statement(), name="test")
    results = await asyncio.gather(*(writer.submit(n) for n in (1, -1, 2)), return_exceptions=True)
    assert results[0] == 10
    assert isinstance(results[1], ValueError)
    assert results[2] == 20


async def test_rows_are_refused_when_too_many_wait() -> None:
    statement = Statement()
    statement.gate.clear()
    writer = BatchWriter(statement, name="test", max_waiting=2)
    tasks = [asyncio.create_task(writer.submit(n)) for n in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(EngineError) as refused:
        await writer.submit_group([3, 4, 5])
    assert refused.value.code is ErrorCode.OVERLOADED
    statement.gate.set()
    assert await asyncio.gather(*tasks) == [0, 10]


async def test_waiting_rows_are_written_and_new_ones_refused_when_the_writer_stops() -> None:
    statement = Statement()
    writer = BatchWriter(statement, name="test")
    waiting = asyncio.create_task(writer.submit(1))
    await asyncio.sleep(0)
    await writer.stop()
    assert await waiting == 10
    with pytest.raises(EngineError):
        await writer.submit(2)
    await writer.start()
    assert await writer.submit(3) == 30


async def test_a_batch_is_not_tried_row_by_row_when_the_database_is_away() -> None:
    calls = 0

    async def away(_: Sequence[int]) -> list[int]:
        nonlocal calls
        calls += 1
        raise EngineError(ErrorCode.UNAVAILABLE, "away")

    writer = BatchWriter(away, name="test")
    results = await asyncio.gather(*(writer.submit(n) for n in range(5)), return_exceptions=True)
    assert all(isinstance(result, EngineError) for result in results)
    assert calls == 1
