from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swaprail.domain.chain import Blockhash
from swaprail.domain.quotes import Quote, QuoteRequest, Route
from swaprail.domain.tokens import load_tokens
from swaprail_venues.paper.blockhash import blockhash_at, height_of
from swaprail_venues.paper.builder import PaperSigner, PaperSwapBuilder
from swaprail_venues.paper.market import PaperMarket
from swaprail_venues.paper.outcome import OutcomeJudge
from swaprail_venues.paper.transaction import TransactionError, open_transaction

BLOCKHASH = Blockhash("9xQeWvG816bUx9EPjHmaT23yvVM2ZWbrrpZb9PusVFin", 150)
TOKENS = load_tokens(None)
SOL, USDC = (TOKENS.find(symbol, "token").mint for symbol in ("SOL", "USDC"))


class OneBlockhash:
    async def latest_blockhash(self) -> Blockhash:
        return BLOCKHASH


async def signed(number: int = 1, attempt: int = 1, seed: bytes = b"s" * 32) -> bytes:
    signer = PaperSigner(seed)
    builder = PaperSwapBuilder(OneBlockhash(), signer.payer)  # type: ignore[arg-type]
    route = Route("raydium", Quote("raydium", 10**9, 99, 25, 0, 0, 0.0), 98)
    built = await builder.build(UUID(int=number), "ann", attempt, QuoteRequest(SOL, USDC, 10**9), route)
    return (await signer.sign(built)).raw


async def test_bytes_are_the_same_when_the_same_attempt_is_built_again() -> None:
    assert await signed() == await signed()
    assert len({await signed(1), await signed(2), await signed(1, attempt=2), await signed(1, seed=b"x" * 32)}) == 4


async def test_message_comes_back_when_a_transaction_is_opened() -> None:
    opened = open_transaction(await signed(7, attempt=3))
    assert opened.order_id == UUID(int=7)
    assert (opened.message.attempt, opened.message.wallet, opened.message.least_output) == (3, "ann", 98)
    assert len(opened.signature) in range(80, 90)


@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
async def test_transaction_is_refused_when_any_bit_is_changed(at: int, bit: int) -> None:
    raw = bytearray(await signed())
    raw[at % len(raw)] ^= 1 << bit
    with pytest.raises(TransactionError):
        open_transaction(bytes(raw))


@given(st.binary(max_size=1300))
def test_transaction_is_refused_when_bytes_are_arbitrary(raw: bytes) -> None:
    with pytest.raises(TransactionError):
        open_transaction(raw)


@given(st.integers(0, 2**63), st.integers(0, 2**40))
def test_height_is_known_when_the_chain_gave_out_the_blockhash(height: int, seed: int) -> None:
    assert height_of(seed, blockhash_at(seed, height)) == height
    assert height_of(seed + 1, blockhash_at(seed, height)) is None


async def test_failures_follow_rate_and_seed_when_swaps_are_judged() -> None:
    market = PaperMarket(1, TOKENS)
    swaps = [open_transaction(await signed(number)) for number in range(400)]

    def failing(seed: int, rate: float) -> list[int]:
        judge = OutcomeJudge(market, seed=seed, failure_rate=rate)
        return [n for n, swap in enumerate(swaps) if judge.decide(swap, 5).error == "venue_rejected"]

    assert failing(1, 0.25) == failing(1, 0.25)
    assert failing(1, 0.25) != failing(2, 0.25)
    assert 60 < len(failing(1, 0.25)) < 140
    assert failing(1, 0) == []
    assert len(failing(1, 1)) == 400
