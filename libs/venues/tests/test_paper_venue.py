import asyncio
from typing import Any

import pytest

from swaprail.db.connect import Database
from swaprail.domain.quotes import QuoteRequest
from swaprail.domain.tokens import Token, TokenList
from swaprail.ports.venues import VenueError
from swaprail.settings import Settings
from swaprail_venues.paper import build_paper, build_paper_venues
from swaprail_venues.paper.clock import RESYNC_S, SlotClock

World = Any  # the fixture's class lives in conftest


async def venues(world: World, tokens: TokenList | None = None, **settings: Any) -> Any:
    return build_paper_venues(Settings(**settings), await world.database(), tokens or world.tokens)


def request(world: World, amount: int) -> QuoteRequest:
    return QuoteRequest(world.tokens.find("SOL", "token").mint, world.tokens.find("USDC", "token").mint, amount)


async def test_quote_answers_the_question_when_a_pool_exists(world: World) -> None:
    for venue in await venues(world, mock_dex_quote_delay_ms=0):
        quote = await venue.quote(request(world, 10**9))
        assert (quote.venue, quote.input_amount) == (venue.name, 10**9)
        assert 99_000_000 < quote.output_amount < 101_000_000
        assert 0 < quote.network_fee < 1_000
        assert quote.price_impact_bps == 1


async def test_venue_takes_its_time_when_a_delay_is_set(world: World) -> None:
    raydium, _ = await venues(world, mock_dex_quote_delay_ms=30)
    started = asyncio.get_running_loop().time()
    await raydium.quote(request(world, 10**9))
    assert 0.029 <= asyncio.get_running_loop().time() - started < 2


async def test_quote_is_computed_without_suspending_when_there_is_no_delay(world: World) -> None:
    raydium, _ = await venues(world, mock_dex_quote_delay_ms=0)
    await raydium.quote(request(world, 10**9))
    with pytest.raises(StopIteration):
        raydium.quote(request(world, 10**9)).send(None)


async def test_venue_refuses_when_it_has_no_pool_or_the_amount_is_dust(world: World) -> None:
    raydium, _ = await venues(world, mock_dex_quote_delay_ms=0)
    with pytest.raises(VenueError) as refused:
        await raydium.quote(QuoteRequest("x", "y", 1))
    assert (refused.value.reason, refused.value.retryable) == ("no_pool", False)
    with pytest.raises(VenueError) as refused:
        await raydium.quote(request(world, 1))
    assert refused.value.reason == "rejected"


async def test_venue_refuses_when_the_output_fits_no_token_amount(world: World) -> None:
    tokens = TokenList([Token("A", "a", 0, "1000000"), Token("B", "b", 18, "0.000001")])
    raydium, _ = await venues(world, tokens, mock_dex_quote_delay_ms=0)
    with pytest.raises(VenueError, match="too large"):
        await raydium.quote(QuoteRequest("a", "b", 1))


async def test_clock_is_read_again_when_it_is_old(world: World) -> None:
    at = 1_000.0
    clock = SlotClock(await world.database(), now=lambda: at)
    await clock.ready()
    slot = clock.slot()
    await world.pass_blocks(100)
    await clock.ready()
    assert clock.slot() == slot
    at += RESYNC_S + 1
    await clock.ready()
    assert clock.slot() < slot + 103  # the database's clock counts, not the local one
    assert clock.slot() >= slot + 100


async def test_clock_goes_on_when_it_cannot_be_read_again(world: World) -> None:
    at = 1_000.0
    database = await world.database()
    clock = SlotClock(database, now=lambda: at)
    await clock.ready()
    await _lose(database)
    at += RESYNC_S + 1
    await clock.ready()
    assert clock.slot() >= 77


async def test_venue_is_unavailable_when_the_chain_was_never_read(world: World) -> None:
    database = await world.database()
    raydium, _ = build_paper_venues(Settings(mock_dex_quote_delay_ms=0), database, world.tokens)
    await _lose(database)
    with pytest.raises(VenueError) as refused:
        await raydium.quote(request(world, 10**9))
    assert (refused.value.reason, refused.value.retryable) == ("unavailable", True)


async def _lose(database: Database) -> None:
    await database.close()
    database._opener._dsn = "postgresql://nobody@127.0.0.1:1/none"


@pytest.mark.parametrize("seed", ["zz" * 32, "ab", "ab" * 33])
async def test_signing_key_is_refused_untold_when_it_is_no_seed(world: World, seed: str) -> None:
    with pytest.raises(ValueError, match="64 hex digits") as refused:
        build_paper(Settings(paper_signer_seed=seed), await world.database(), world.tokens)
    assert seed not in str(refused.value)


async def test_signer_is_the_operators_when_a_seed_is_set(world: World) -> None:
    payers = set()
    for seed in ("", "ab" * 32, "ab" * 32):
        paper = build_paper(Settings(paper_signer_seed=seed), await world.database(), world.tokens)
        payers.add((await world.sign(paper)).raw[64 + 3 : 64 + 35])
    assert len(payers) == 2
