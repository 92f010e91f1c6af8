"""An executor's desk over a real database, a scripted chain and a builder that can be told to lie."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec
import pytest

from swaprail.db.connect import Database
from swaprail.db.transitions import write_moves
from swaprail.db.writer import BatchWriter
from swaprail.domain.chain import (
    BuiltSwap,
    Commitment,
    Doubt,
    ExpiryProof,
    Landing,
    NodeProof,
    SignedSwap,
    SwapTerms,
)
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import LeasedOrder
from swaprail.domain.quotes import Quote, QuoteRequest, QuoteResult, Route, Routing
from swaprail.domain.tokens import load_tokens
from swaprail.messages.topics import Topic
from swaprail.ports.venues import VenueError
from swaprail.runtime.order_writer import OrderWriter
from swaprail.testing.conditions import until
from swaprail.testing.factories import insert_order, lease_order
from swaprail_executor.attempts import read_live, write_settlements, write_submissions
from swaprail_executor.desk import Desk, building_deadline
from swaprail_executor.execute_order import execute_order
from swaprail_executor.settings import ExecutorSettings


class ScriptedChain:
    """A chain that does what a test tells it, and checks that whatever it is sent was stored before."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.sent: list[bytes] = []
        self.looks = 0
        self.landed: dict[str, Landing | Doubt] = {}
        self.amount: int | None = 151_000_000
        self.amount_confirmed = True
        self.lands_after = 1  # sends
        self.error: str | None = None
        self.send_fails = False
        self.silent = False
        self.proofs: dict[str, ExpiryProof] = {}
        self.last_valid: int | None = 155
        self.surely_past: int | None = None
        self.proven_past: list[int] = []  # heights that a proof was asked for

    async def send(self, raw: bytes) -> None:
        stored = await self._db.fetchrow("select state from tx_attempts where raw = $1", raw)
        assert stored is not None, "sent before it was stored"
        self.sent.append(raw)
        if self.lands_after and len(self.sent) >= self.lands_after:
            signature = sha256(raw).hexdigest()
            amount = None if self.error else self.amount
            self.landed[signature] = Landing(
                signature, 7, Commitment.CONFIRMED, amount, self.error, self.amount_confirmed
            )
        if self.send_fails:
            raise VenueError("unavailable", "the node answered with an error")

    async def last_valid_height(self, blockhash: str) -> int | None:
        return self.last_valid

    async def height_surely_past(self) -> int | None:
        return self.surely_past

    async def landings(self, signatures: Sequence[str]) -> dict[str, Landing | Doubt]:
        self.looks += 1
        if self.silent:
            raise TimeoutError
        return {s: self.landed[s] for s in signatures if s in self.landed}

    async def wait_hint(self, signature: str, longest: float) -> None:
        await asyncio.sleep(0)

    def expire(self, signature: str) -> None:
        """Let it be proven from now on that the signature can never land."""
        self.proofs[signature] = ExpiryProof(signature, 150, [NodeProof("node", 190, 195, 200)])

    async def prove_expired(self, signature: str, last_valid_block_height: int) -> ExpiryProof | None:
        self.proven_past.append(last_valid_block_height)
        return self.proofs.get(signature)


class Builder:
    """Builds what it is asked for, unless a test has it lie about a field."""

    def __init__(self) -> None:
        self.lies: dict[str, object] = {}
        self.signed: list[bytes] = []

    async def build(self, order_id: UUID, wallet: str, attempt: int, request: QuoteRequest, route: Route) -> BuiltSwap:
        terms = SwapTerms(
            order_id,
            attempt,
            wallet,
            route.venue,
            request.input_mint,
            request.output_mint,
            request.input_amount,
            route.least_output,
            "hash",
        )
        return BuiltSwap(msgspec.json.encode(msgspec.structs.replace(terms, **self.lies)), "hash", 150)

    def read(self, message: bytes) -> SwapTerms:
        return msgspec.json.decode(message, type=SwapTerms)

    async def sign(self, built: BuiltSwap) -> SignedSwap:
        self.signed.append(built.message)
        digest = sha256(built.message)
        height = built.last_valid_block_height
        return SignedSwap(digest.hexdigest(), built.message, digest.digest(), "hash", height)


class Heard:
    def __init__(self) -> None:
        self.topics: list[Topic] = []

    def publish(self, topic: Topic, message: object) -> None:
        self.topics.append(topic)


class Bench:
    def __init__(self, db: Database) -> None:
        self.db = db
        self.chain = ScriptedChain(db)
        self.builder = Builder()
        self.heard = Heard()
        self.idle: list[bool] = []
        publisher: Any = self.heard
        self.settings = ExecutorSettings(
            executor_rebroadcast_s=0.02, executor_reconciling_after_s=0.1, executor_chain_timeout_s=1
        )
        self.desk = Desk(
            settings=self.settings,
            chain=self.chain,
            builder=self.builder,
            signer=self.builder,
            tokens=load_tokens(None),
            moves=OrderWriter(partial(write_moves, db, "me"), publisher, name="moves"),
            submissions=OrderWriter(partial(write_submissions, db, "me", 30), publisher, name="submissions"),
            settlements=OrderWriter(partial(write_settlements, db, "me"), publisher, name="settlements"),
            building=building_deadline(self.settings),
            live_attempt=BatchWriter(partial(read_live, db), name="live").submit,
            extended=lambda order: None,
            idles=lambda order, idle: self.idle.append(idle),
        )

    async def lease(self, order_id: UUID, owner: str = "me") -> LeasedOrder:
        return await lease_order(self.db, order_id, owner=owner)

    async def building(self, *, quoted_at: float | None = None, expires_at: datetime | None = None) -> LeasedOrder:
        quote = Quote("raydium", 1_500_000_000, 150_000_000, 25, 3, 1, quoted_at or time.time())
        routing = Routing(Route("raydium", quote, 149_250_000), [QuoteResult("raydium", quote)])
        text = msgspec.json.encode(routing).decode()
        return await self.lease(
            await insert_order(self.db, status=Status.BUILDING, routing=text, expires_at=expires_at)
        )

    async def die_after_sending(self, order: LeasedOrder) -> None:
        """Execute the order until it was sent, without landing, and stop there."""
        self.chain.lands_after = 0
        dying = asyncio.create_task(execute_order(self.desk, order))
        await until(lambda: bool(self.chain.sent))
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)

    async def two_sent(self) -> list[LeasedOrder]:
        """Return two orders of the same fence, each sent and left alone with a live attempt."""
        orders = []
        for _ in range(2):
            self.chain.sent.clear()
            orders.append(await self.building())
            await self.die_after_sending(orders[-1])
        return orders

    async def row(self, order: LeasedOrder) -> Any:
        return await self.db.fetchrow("select * from orders where id = $1", order.id)

    async def latest_step(self, order: LeasedOrder) -> datetime:
        """Return the time of the order's latest event, which is that of its transaction."""
        latest = "select at from order_events where order_id = $1 order by seq desc limit 1"
        at: datetime = await self.db.fetchval(latest, order.id)
        return at

    async def attempts(self, order: LeasedOrder) -> list[Any]:
        return list(await self.db.fetch("select * from tx_attempts where order_id = $1 order by attempt", order.id))


@pytest.fixture
async def bench(database: str) -> AsyncIterator[Bench]:
    db = Database(database, size=3, timeout_s=5, application="test")
    yield Bench(db)
    await db.close()
