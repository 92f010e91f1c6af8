"""Until when a blockhash lets a transaction land, when nodes are behind, silent, or lie about their height."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace

import pytest

from swaprail_executor import heights as module
from swaprail_executor.heights import Heights

VALID_FOR = 150


class Asked:
    """Nodes that answer one round after the other as a test tells them; the last answers are repeated."""

    def __init__(self, *rounds: Sequence[int | None] | None) -> None:
        self.rounds = rounds
        self.times = 0

    async def __call__(self, _: str) -> Sequence[int | None] | None:
        self.times += 1
        await asyncio.sleep(0)
        return self.rounds[min(self.times, len(self.rounds)) - 1]

    def heights(self) -> Heights:
        return Heights(self, valid_for=VALID_FOR, slot_s=0)


async def test_the_highest_node_bounds_the_blockhash_when_all_know_it() -> None:
    assert await Asked([1000]).heights().last_valid("hash") == 1150
    assert await Asked([880, 1000, 990]).heights().last_valid("hash") == 1150


async def test_a_node_that_does_not_know_the_blockhash_yet_is_asked_again() -> None:
    nodes = Asked([880, None], [880, None], [881, 1000])
    assert await nodes.heights().last_valid("hash") == 1150
    assert nodes.times == 3


async def test_a_node_has_a_slot_of_time_before_it_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    rest = {"create_task": asyncio.create_task, "shield": asyncio.shield}
    monkeypatch.setattr(module, "asyncio", SimpleNamespace(sleep=sleep, **rest))
    await Heights(Asked([880, None]), valid_for=VALID_FOR, slot_s=0.4).last_valid("hash")
    assert waits == [0.4, 0.4]


async def test_there_is_no_height_when_a_node_is_too_far_behind_to_know_the_blockhash() -> None:
    nodes = Asked([1000, None])
    assert await nodes.heights().last_valid("hash") is None
    assert nodes.times == 3


async def test_there_is_no_height_when_a_node_does_not_answer() -> None:
    nodes = Asked(None)
    assert await nodes.heights().last_valid("hash") is None
    assert nodes.times == 1


async def test_the_nodes_are_asked_once_when_many_orders_are_signed_with_one_blockhash() -> None:
    nodes = Asked([1000, 1001])
    heights = nodes.heights()
    told = await asyncio.gather(*(heights.last_valid("hash") for _ in range(50)))
    assert set(told) == {1151}
    assert (nodes.times, await heights.last_valid("hash")) == (1, 1151)


async def test_others_still_learn_the_height_when_whoever_asked_first_gave_up() -> None:
    heights = Asked([None], [1000]).heights()
    first = asyncio.create_task(heights.last_valid("hash"))
    await asyncio.sleep(0)
    second = asyncio.create_task(heights.last_valid("hash"))
    first.cancel()
    assert await second == 1150


async def test_the_oldest_blockhash_is_forgotten_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_KNOWN", 3)
    nodes = Asked([1000])
    heights = nodes.heights()
    for blockhash in ("a", "b", "c", "a"):
        await heights.last_valid(blockhash)
    assert nodes.times == 3
    for blockhash in ("d", "c", "b"):
        await heights.last_valid(blockhash)
    assert nodes.times == 4
    await heights.last_valid("a")
    assert nodes.times == 5
