"""The last height at which a blockhash is valid: a swap lands at it, and never one later."""

from typing import Any

import pytest

from swaprail.domain.chain import SignedSwap
from swaprail.ports.venues import VenueError
from swaprail_venues.paper.clock import SLOT_MS
from swaprail_venues.paper.factory import Paper

World = Any  # the fixture's class lives in conftest

TRIES = 20  # a block lasts 400 ms, and another process may hold this one up for so long
BLOCK_MS = 400


async def sent_at(world: World, paper: Paper, swaps: list[SignedSwap], blocks_after_the_last: int) -> SignedSwap:
    """Return a swap that the ledger was sent so many blocks after its last valid height; VenueError when it refused."""
    for swap in swaps:
        height = swap.last_valid_block_height + blocks_after_the_last
        refused: VenueError | None = None
        await world.begin_block(height)
        try:
            await paper.chain.send(swap.raw)
        except VenueError as error:
            refused = error
        if await world.height() != height:
            continue
        if refused is not None:
            raise refused
        return swap
    raise AssertionError("never in time for its block")


async def signed(world: World, paper: Paper) -> list[SignedSwap]:
    return [await world.sign(paper) for _ in range(TRIES)]


async def test_a_blockhash_is_valid_for_150_blocks_when_it_is_given_out(world: World) -> None:
    paper = await world.paper()
    await world.begin_block(7)
    assert SLOT_MS == BLOCK_MS
    assert (await paper.chain.latest_blockhash()).last_valid_block_height - 150 in (7, 8)


@pytest.mark.parametrize(("delay_blocks", "sent"), [(0, 0), (1, -1), (2, -2)])
async def test_a_swap_lands_when_it_does_so_at_its_last_valid_height(
    world: World, delay_blocks: int, sent: int
) -> None:
    paper = await world.paper(delay_ms=delay_blocks * BLOCK_MS)
    swap = await sent_at(world, paper, await signed(world, paper), sent)
    await world.pass_blocks(delay_blocks + 1)
    landing = (await paper.chain.statuses([swap.signature]))[swap.signature]
    assert (landing.error, landing.slot) == (None, swap.last_valid_block_height)


@pytest.mark.parametrize(("delay_blocks", "sent"), [(1, 0), (2, -1), (2, 0)])
async def test_a_swap_never_lands_when_it_would_do_so_one_block_too_late(
    world: World, delay_blocks: int, sent: int
) -> None:
    paper = await world.paper(delay_ms=delay_blocks * BLOCK_MS)
    swap = await sent_at(world, paper, await signed(world, paper), sent)
    await world.pass_blocks(400)
    assert await paper.chain.statuses([swap.signature]) == {}
    assert not (await paper.chain.search(swap.signature)).found


async def test_a_swap_is_refused_when_it_comes_one_block_after_its_last_valid_height(world: World) -> None:
    paper = await world.paper()
    with pytest.raises(VenueError) as refused:
        await sent_at(world, paper, await signed(world, paper), 1)
    assert refused.value.reason == "blockhash_expired"
