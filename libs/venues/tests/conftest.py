"""A paper world on a real database, whose time a test can move."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from swaprail.db.connect import Database
from swaprail.domain.chain import SignedSwap
from swaprail.domain.quotes import Quote, QuoteRequest, Route
from swaprail.domain.tokens import TokenList, load_tokens
from swaprail.settings import Settings
from swaprail_venues.paper import build_paper
from swaprail_venues.paper.clock import SLOT_MS
from swaprail_venues.paper.factory import Paper

SOL = "So11111111111111111111111111111111111111112"
USDC = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
ONE_SOL = QuoteRequest(SOL, USDC, 1_000_000_000)


class World:
    """Opens databases and paper chains as separate processes would, and moves the chain's time for all of them."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.tokens: TokenList = load_tokens(None)
        self._databases: list[Database] = []
        self._papers: list[Paper] = []

    async def database(self) -> Database:
        database = Database(self.dsn, size=2, timeout_s=5, application="test")
        await database.open()
        self._databases.append(database)
        return database

    async def paper(self, *, delay_ms: float = 0, failure_rate: float = 0, seed: int = 1) -> Paper:
        settings = Settings(
            mock_dex_quote_delay_ms=0,
            mock_dex_execution_delay_ms=delay_ms,
            mock_dex_failure_rate=failure_rate,
            paper_seed=seed,
        )
        paper = build_paper(settings, await self.database(), self.tokens)
        await paper.chain.start()
        self._papers.append(paper)
        return paper

    async def pass_blocks(self, blocks: int) -> None:
        """Let so many blocks go by."""
        past = f"interval '{blocks * 400} milliseconds'"
        await self._databases[0].fetch(f"update paper.chain set genesis_at = genesis_at - {past}")
        await self._databases[0].fetch(
            f"update paper.transactions set received_at = received_at - {past}, lands_at = lands_at - {past}"
        )
        for paper in self._papers:
            await paper.chain._clock.sync()
            paper.chain._blockhash = None

    async def begin_block(self, height: int) -> None:
        """Let the block of this height begin: there are 300 ms until the next one."""
        age_s = (height * SLOT_MS + SLOT_MS / 4) / 1000
        await self._databases[0].fetch(
            "update paper.chain set genesis_at = clock_timestamp() - make_interval(secs => $1)", age_s
        )
        for paper in self._papers:
            await paper.chain._clock.sync()

    async def height(self) -> int:
        """Return the height of the block under way."""
        seconds: float = await self._databases[0].fetchval(
            "select extract(epoch from clock_timestamp() - genesis_at)::float8 from paper.chain"
        )
        return int(seconds * 1000) // SLOT_MS

    async def sign(
        self,
        paper: Paper,
        *,
        order_id: UUID | None = None,
        request: QuoteRequest = ONE_SOL,
        venue: str = "raydium",
        least_output: int = 1,
    ) -> SignedSwap:
        """Sign a swap that any price satisfies, unless least_output says otherwise."""
        route = Route(venue, Quote(venue, request.input_amount, least_output, 25, 0, 0, 0.0), least_output)
        return await paper.signer.sign(await paper.builder.build(order_id or uuid4(), "ann", 1, request, route))

    async def close(self) -> None:
        for paper in self._papers:
            await paper.chain.stop()
        for database in self._databases:
            await database.close()


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    world = World(database)
    yield world
    await world.close()
