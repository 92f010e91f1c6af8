import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from swaprail.domain.chain import Commitment, SignedSwap
from swaprail.domain.errors import EngineError
from swaprail.domain.quotes import QuoteRequest
from swaprail.ports.venues import VenueError
from swaprail_venues.paper import ledger
from swaprail_venues.paper.factory import Paper

World = Any  # the fixture's class lives in conftest


async def connect(world: World) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(world.dsn)


async def can_still_land(paper: Paper, swap: SignedSwap) -> bool:
    """Tell what one node's part of an expiry proof (ports.chain) says."""
    finality = await paper.chain.finality()
    search = await paper.chain.search(swap.signature)
    return finality.block_height <= swap.last_valid_block_height or search.found or search.slot < finality.slot


async def test_signature_lands_once_when_sent_20_times_by_two_processes(world: World) -> None:
    first, second = await world.paper(), await world.paper()
    order_id = uuid4()
    swap = await world.sign(first, order_id=order_id)
    await asyncio.gather(*(paper.chain.send(swap.raw) for paper in (first, second) for _ in range(10)))

    landing = (await second.chain.statuses([swap.signature]))[swap.signature]
    assert landing.error is None
    assert landing.output_amount is not None
    assert landing.commitment is Commitment.CONFIRMED
    connection = await connect(world)
    assert await ledger.executed_counts(connection) == {order_id: 1}
    entries = await ledger.entries_of(connection, order_id)
    assert [(entry.receipts, entry.output_amount) for entry in entries] == [(20, landing.output_amount)]
    assert await ledger.moved_amounts(connection) == {("ann", str(order_id)): (10**9, landing.output_amount)}
    await connection.close()


async def test_landing_is_final_when_32_blocks_have_followed(world: World) -> None:
    paper = await world.paper()
    swap = await world.sign(paper)
    await paper.chain.send(swap.raw)
    await world.pass_blocks(20)
    assert (await paper.chain.statuses([swap.signature]))[swap.signature].commitment is Commitment.CONFIRMED
    await world.pass_blocks(14)
    assert (await paper.chain.statuses([swap.signature]))[swap.signature].commitment is Commitment.FINALIZED


async def test_swap_lands_later_when_the_chain_takes_time(world: World) -> None:
    paper = await world.paper(delay_ms=20_000)
    swap = await world.sign(paper)
    await paper.chain.send(swap.raw)
    connection = await connect(world)
    assert await paper.chain.statuses([swap.signature]) == {}
    assert await ledger.still_to_land(connection) == 1
    assert await ledger.executed_counts(connection) == {}
    await world.pass_blocks(51)
    assert swap.signature in await paper.chain.statuses([swap.signature])
    assert await ledger.still_to_land(connection) == 0
    await connection.close()


async def test_swap_never_lands_when_its_blockhash_expires_first(world: World) -> None:
    paper = await world.paper(delay_ms=20_000)
    swap = await world.sign(paper)
    await world.pass_blocks(120)  # it would land 50 blocks later, 20 too late
    await paper.chain.send(swap.raw)
    await paper.chain.send(swap.raw)
    assert await can_still_land(paper, swap)
    await world.pass_blocks(80)
    assert await paper.chain.statuses([swap.signature]) == {}
    assert not await can_still_land(paper, swap)


async def test_blockhash_is_refused_when_expired_but_a_known_signature_is_not(world: World) -> None:
    paper = await world.paper()
    known, unknown = await world.sign(paper), await world.sign(paper)
    await paper.chain.send(known.raw)
    await world.pass_blocks(152)
    with pytest.raises(VenueError) as refused:
        await paper.chain.send(unknown.raw)
    assert refused.value.reason == "blockhash_expired"
    await paper.chain.send(known.raw)
    assert set(await paper.chain.statuses([known.signature, unknown.signature])) == {known.signature}


async def test_blockhash_is_refused_when_of_another_chain_or_the_future(world: World) -> None:
    paper, other = await world.paper(seed=1), await world.paper(seed=2)
    foreign = await world.sign(other)
    with pytest.raises(VenueError, match="never gave out"):
        await paper.chain.send(foreign.raw)
    await world.pass_blocks(100)
    early = await world.sign(paper)
    await world.pass_blocks(-100)
    with pytest.raises(VenueError, match="never gave out"):
        await paper.chain.send(early.raw)


async def test_expiry_is_proven_only_when_finalized_height_is_past_the_last_valid_one(world: World) -> None:
    paper = await world.paper()
    swap = await world.sign(paper)
    assert await can_still_land(paper, swap)
    await world.pass_blocks(152)  # expired, yet a fork could still hold it
    assert await can_still_land(paper, swap)
    await world.pass_blocks(20)
    assert await can_still_land(paper, swap)
    await world.pass_blocks(12)
    assert not await can_still_land(paper, swap)
    with pytest.raises(VenueError):
        await paper.chain.send(swap.raw)


async def test_expiry_is_never_proven_when_the_swap_landed_or_reverted(world: World) -> None:
    paper = await world.paper()
    landed, reverted = await world.sign(paper), await world.sign(paper, least_output=10**12)
    await asyncio.gather(paper.chain.send(landed.raw), paper.chain.send(reverted.raw))
    await world.pass_blocks(400)
    for swap in (landed, reverted):
        assert (await paper.chain.search(swap.signature)).found


async def test_sending_waits_when_an_expiry_is_being_proven(world: World) -> None:
    paper = await world.paper()
    swap = await world.sign(paper)
    connection = await connect(world)
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", 0x5A9_0002)
        sending = asyncio.create_task(paper.chain.send(swap.raw))
        async with asyncio.timeout(5):
            while not await connection.fetchval("select count(*) from pg_locks where not granted"):
                pass
        assert not sending.done()
    await sending
    assert swap.signature in await paper.chain.statuses([swap.signature])
    await connection.close()


async def test_swap_reverts_when_the_price_is_below_the_least_output(world: World) -> None:
    paper = await world.paper()
    swap = await world.sign(paper, least_output=10**12)
    await paper.chain.send(swap.raw)
    landing = (await paper.chain.statuses([swap.signature]))[swap.signature]
    assert (landing.error, landing.output_amount) == ("slippage_exceeded", None)


@pytest.mark.parametrize(("venue", "rate"), [("orca", 0.0), ("raydium", 1.0)])
async def test_swap_reverts_when_the_venue_refuses_it(world: World, venue: str, rate: float) -> None:
    paper = await world.paper(failure_rate=rate)
    swap = await world.sign(paper, venue=venue)
    await paper.chain.send(swap.raw)
    assert (await paper.chain.statuses([swap.signature]))[swap.signature].error == "venue_rejected"


async def test_output_is_at_least_the_slippage_limit_when_quoted_by_the_venue(world: World) -> None:
    paper = await world.paper(delay_ms=2_500)
    request = QuoteRequest(*_mints(world), 10**9)
    quotes = [await venue.quote(request) for venue in paper.venues]
    swaps = [
        await world.sign(paper, venue=quote.venue, least_output=quote.output_amount * 995 // 1000) for quote in quotes
    ]
    await asyncio.gather(*(paper.chain.send(swap.raw) for swap in swaps))
    await world.pass_blocks(7)
    landings = await paper.chain.statuses([swap.signature for swap in swaps])
    assert [landings[swap.signature].error for swap in swaps] == [None, None]


def _mints(world: World) -> tuple[str, str]:
    return world.tokens.find("SOL", "token").mint, world.tokens.find("USDC", "token").mint


async def test_one_bad_sender_fails_alone_when_many_send_together(world: World) -> None:
    paper = await world.paper()
    swaps: list[SignedSwap] = [await world.sign(paper) for _ in range(300)]
    raws = [swap.raw for swap in swaps]
    raws[150] = raws[150][:-1] + b"?"
    results = await asyncio.gather(*(paper.chain.send(raw) for raw in raws), return_exceptions=True)
    assert [n for n, result in enumerate(results) if result is not None] == [150]
    parts = await asyncio.gather(*(paper.chain.statuses([swap.signature]) for swap in swaps))
    assert sum(len(part) for part in parts) == 299


async def test_amount_beyond_any_token_reverts_when_sent(world: World) -> None:
    paper = await world.paper()
    swap = await world.sign(paper, request=QuoteRequest(*_mints(world), 2**64 - 1))
    await paper.chain.send(swap.raw)
    assert (await paper.chain.statuses([swap.signature]))[swap.signature].error is None


async def test_sends_share_statements_when_made_together(world: World) -> None:
    paper = await world.paper()
    swaps = [await world.sign(paper) for _ in range(200)]
    calls: list[int] = []
    receive = paper.chain._sends._write

    async def counted(rows: Any) -> Any:
        calls.append(len(rows))
        return await receive(rows)

    paper.chain._sends._write = counted
    await asyncio.gather(*(paper.chain.send(swap.raw) for swap in swaps))
    assert sum(calls) == 200
    assert len(calls) <= 3


async def test_price_is_the_landing_slots_when_the_local_clock_was_wrong(world: World) -> None:
    paper = await world.paper()
    swap = await world.sign(paper)
    paper.chain._clock._offset += 30  # half a minute behind
    await paper.chain.send(swap.raw)
    landing = (await paper.chain.statuses([swap.signature]))[swap.signature]
    assert abs(landing.slot - paper.chain._clock.slot()) <= 2


async def test_outcome_is_the_same_when_two_processes_judge_it(world: World) -> None:
    first, second = await world.paper(), await world.paper()
    request = QuoteRequest(*_mints(world), 10**9)
    quotes = await asyncio.gather(*(paper.venues[0].quote(request) for paper in (first, second)))
    if quotes[0].slot == quotes[1].slot:
        assert quotes[0].output_amount == quotes[1].output_amount
    assert abs(quotes[0].slot - quotes[1].slot) <= 1


async def test_blockhash_is_reused_when_asked_within_a_second(world: World) -> None:
    paper = await world.paper()
    first = await paper.chain.latest_blockhash()
    await asyncio.gather(*(paper.chain.latest_blockhash() for _ in range(10)))
    assert await paper.chain.latest_blockhash() is first
    await world.pass_blocks(10)
    later = await paper.chain.latest_blockhash()
    assert later.last_valid_block_height >= first.last_valid_block_height + 10
    assert later.value != first.value


async def test_a_blockhash_is_known_by_its_height_while_it_is_valid(world: World) -> None:
    paper, other = await world.paper(), await world.paper(seed=2)
    blockhash = await paper.chain.latest_blockhash()
    height = blockhash.last_valid_block_height - 150
    assert await paper.chain.height_knowing(blockhash.value) == height
    assert await other.chain.height_knowing(blockhash.value) is None
    assert await paper.chain.height_knowing("no blockhash") is None
    await world.pass_blocks(145)
    assert await paper.chain.height_knowing(blockhash.value) == height
    await world.pass_blocks(10)
    assert await paper.chain.height_knowing(blockhash.value) is None


async def test_chain_says_unavailable_when_the_database_is_closed(world: World) -> None:
    paper: Paper = await world.paper()
    swap = await world.sign(paper)
    await paper.chain.stop()
    with pytest.raises(EngineError):
        await paper.chain.send(swap.raw)


async def test_two_processes_never_deadlock_when_they_send_the_same_in_other_orders(world: World) -> None:
    paper = await world.paper()
    low, high = sorted([await world.sign(paper), await world.sign(paper)], key=lambda swap: swap.signature.encode())
    other = await connect(world)
    async with other.transaction():
        await _receive_by_hand(other, low)
        sending = asyncio.gather(paper.chain.send(high.raw), paper.chain.send(low.raw))
        async with asyncio.timeout(5):
            while not await other.fetchval("select count(*) from pg_locks where not granted"):
                pass
        await other.execute("set local lock_timeout = '1s'")
        await _receive_by_hand(other, high)  # nobody may hold it who waits for the low one
    await sending
    assert await other.fetchval("select sum(receipts) from paper.transactions") == 4
    await other.close()


async def _receive_by_hand(connection: "asyncpg.Connection[asyncpg.Record]", swap: SignedSwap) -> None:
    await connection.execute(
        "insert into paper.transactions (signature, order_id, wallet, venue, input_mint, output_mint, input_amount,"
        " last_valid_block_height) values ($1, $2, 'ann', 'raydium', 'a', 'b', 1, 150)",
        swap.signature,
        uuid4(),
    )
