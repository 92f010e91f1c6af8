import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest

from swaprail.db.connect import Database
from swaprail.db.transitions import write_moves
from swaprail.db.writer import BatchWriter
from swaprail.domain.chain import (
    AttemptState,
    BuiltSwap,
    Commitment,
    ExpiryProof,
    Landing,
    NodeProof,
    SignedSwap,
    SwapTerms,
)
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import LeasedOrder, StaleLeaseError
from swaprail.domain.quotes import Quote, QuoteRequest, QuoteResult, Route, Routing
from swaprail.domain.tokens import load_tokens
from swaprail.messages.topics import Topic
from swaprail.ports.venues import VenueError
from swaprail.runtime.order_writer import OrderWriter
from swaprail.testing.conditions import until
from swaprail.testing.factories import insert_order, lease_order
from swaprail_executor.attempts import Settlement, read_live, write_settlements, write_submissions
from swaprail_executor.desk import Desk, building_deadline
from swaprail_executor.execute_order import execute_order
from swaprail_executor.settings import ExecutorSettings


class ScriptedChain:
    """A chain that does what a test tells it, and checks that whatever it is sent was stored before."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.sent: list[bytes] = []
        self.landed: dict[str, Landing] = {}
        self.lands_after = 1  # sends
        self.error: str | None = None
        self.send_fails = False
        self.silent = False
        self.proofs: dict[str, ExpiryProof] = {}

    async def send(self, raw: bytes) -> None:
        stored = await self._db.fetchrow("select state from tx_attempts where raw = $1", raw)
        assert stored is not None, "sent before it was stored"
        self.sent.append(raw)
        if self.lands_after and len(self.sent) >= self.lands_after:
            signature = sha256(raw).hexdigest()
            self.landed[signature] = Landing(
                signature, 7, Commitment.CONFIRMED, None if self.error else 151_000_000, self.error
            )
        if self.send_fails:
            raise VenueError("unavailable", "the node answered with an error")

    async def landings(self, signatures: Sequence[str]) -> dict[str, Landing]:
        if self.silent:
            raise TimeoutError
        return {s: self.landed[s] for s in signatures if s in self.landed}

    async def wait_hint(self, signature: str, longest: float) -> None:
        await asyncio.sleep(0)

    async def prove_expired(self, signature: str, last_valid_block_height: int) -> ExpiryProof | None:
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
        return SignedSwap(digest.hexdigest(), built.message, digest.digest(), "hash", 150)


def proof_of(signature: str) -> ExpiryProof:
    return ExpiryProof(signature, 150, [NodeProof("node", 190, 195, 200)])


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
            moves=OrderWriter(partial(write_moves, db), publisher, name="moves"),
            submissions=OrderWriter(partial(write_submissions, db, "me", 30), publisher, name="submissions"),
            settlements=OrderWriter(partial(write_settlements, db), publisher, name="settlements"),
            building=building_deadline(self.settings),
            live_attempt=BatchWriter(partial(read_live, db), name="live").submit,
            extended=lambda order: None,
            idles=lambda order, idle: None,
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

    async def row(self, order: LeasedOrder) -> Any:
        return await self.db.fetchrow("select * from orders where id = $1", order.id)

    async def attempts(self, order: LeasedOrder) -> list[Any]:
        return list(await self.db.fetch("select * from tx_attempts where order_id = $1 order by attempt", order.id))


@pytest.fixture
async def bench(database: str) -> AsyncIterator[Bench]:
    db = Database(database, size=3, timeout_s=5, application="test")
    yield Bench(db)
    await db.close()


async def test_an_order_is_confirmed_with_what_arrived_when_its_attempt_lands(bench: Bench) -> None:
    order = await bench.building()
    await execute_order(bench.desk, order)
    row = await bench.row(order)
    assert (row["status"], int(row["output_amount"]), row["lease_until"]) == ("CONFIRMED", 151_000_000, None)
    (attempt,) = await bench.attempts(order)
    assert (attempt["state"], attempt["slot"], attempt["raw"]) == ("LANDED", 7, bench.chain.sent[0])
    assert len(bench.chain.sent) == 1


async def test_the_executor_holds_the_lease_when_its_attempt_is_stored(bench: Bench) -> None:
    order = await lease_order(bench.db, (await bench.building()).id, owner="message", lease_s=1)
    bench.chain.lands_after = 0
    task = asyncio.create_task(execute_order(bench.desk, order))
    await until(lambda: bool(bench.chain.sent))
    row = await bench.row(order)
    assert (row["status"], row["lease_owner"], row["fence"]) == ("SUBMITTED", "me", order.fence)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_the_same_bytes_are_sent_again_when_the_node_fails_or_is_silent(bench: Bench) -> None:
    order = await bench.building()
    bench.chain.send_fails, bench.chain.lands_after = True, 3
    await execute_order(bench.desk, order)
    assert (await bench.row(order))["status"] == "CONFIRMED"
    assert len(set(bench.chain.sent)) == 1
    assert len(bench.chain.sent) == 3
    assert len(await bench.attempts(order)) == 1


@pytest.mark.parametrize("fault", [OSError("reset"), VenueError("rate_limited", "429"), None])
async def test_the_order_is_left_to_its_lease_when_its_swap_cannot_be_built_in_time(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, fault: Exception | None
) -> None:
    async def build(*_: object) -> BuiltSwap:
        if fault is None:
            await asyncio.get_running_loop().create_future()  # a node that never answers
        raise fault or AssertionError

    monkeypatch.setattr(bench.desk.builder, "build", build)
    order = await bench.building()
    with pytest.raises(EngineError) as raised:
        await asyncio.wait_for(execute_order(bench.desk, order), 10)
    assert raised.value.code is ErrorCode.UNAVAILABLE
    assert (await bench.row(order))["status"] == "BUILDING"
    assert await bench.attempts(order) == []


async def test_nothing_is_sent_when_another_worker_took_the_order_over(bench: Bench) -> None:
    order = await bench.building()
    await bench.lease(order.id, "other")
    with pytest.raises(StaleLeaseError):
        await execute_order(bench.desk, order)
    assert bench.chain.sent == []
    assert await bench.attempts(order) == []


async def test_a_cancelled_order_is_never_sent_when_the_cancel_was_first(bench: Bench) -> None:
    order = await bench.building()
    await bench.db.fetch(
        "update orders set status = 'CANCELLED', seq = seq + 1, fence = fence + 1, closed_at = now() where id = $1",
        order.id,
    )
    with pytest.raises(StaleLeaseError):
        await execute_order(bench.desk, order)
    assert bench.chain.sent == []


async def test_a_resumed_order_is_settled_without_sending_when_it_landed_meanwhile(bench: Bench) -> None:
    order = await bench.building()
    bench.chain.lands_after = 0
    dying = asyncio.create_task(execute_order(bench.desk, order))
    await until(lambda: bool(bench.chain.sent))
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    (attempt,) = await bench.attempts(order)
    bench.chain.landed[attempt["signature"]] = Landing(attempt["signature"], 9, Commitment.CONFIRMED, 150_500_000)
    sent = len(bench.chain.sent)
    await execute_order(bench.desk, await bench.lease(order.id, "next"))
    assert (await bench.row(order))["status"] == "CONFIRMED"
    assert len(bench.chain.sent) == sent


async def test_a_resumed_order_is_settled_when_its_route_cannot_be_read(bench: Bench) -> None:
    order = await bench.building()
    bench.chain.lands_after = 0
    dying = asyncio.create_task(execute_order(bench.desk, order))
    await until(lambda: bool(bench.chain.sent))
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    await bench.db.fetch("update orders set routing = $2 where id = $1", order.id, '{"of": "another version"}')
    bench.chain.lands_after = 1
    await execute_order(bench.desk, await bench.lease(order.id, "next"))
    assert (await bench.row(order))["status"] == "CONFIRMED"
    assert len(set(bench.chain.sent)) == 1


async def test_the_order_is_known_to_have_gone_on_when_it_was_settled_while_its_worker_stood_still(
    bench: Bench,
) -> None:
    order = await bench.building()
    bench.chain.lands_after = 0
    dying = asyncio.create_task(execute_order(bench.desk, order))
    await until(lambda: bool(bench.chain.sent))
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    stopped = await bench.lease(order.id, "stopped")
    bench.chain.lands_after = 1
    await execute_order(bench.desk, await bench.lease(order.id, "next"))
    with pytest.raises(StaleLeaseError):
        await execute_order(bench.desk, stopped)
    assert (await bench.row(order))["status"] == "CONFIRMED"


async def test_the_attempt_is_left_alone_by_a_lost_lease_when_its_row_shares_the_statement_of_the_next(
    bench: Bench,
) -> None:
    order = await bench.building()
    bench.chain.lands_after = 0
    dying = asyncio.create_task(execute_order(bench.desk, order))
    await until(lambda: bool(bench.chain.sent))
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    (attempt,) = await bench.attempts(order)
    stale = await bench.lease(order.id)
    held = await bench.lease(order.id)
    lost = Settlement(stale, Status.CONFIRMED, signature=attempt["signature"], state=AttemptState.LANDED, due_in_s=0)
    marks = Settlement(
        held, Status.SUBMITTED, signature=attempt["signature"], state=AttemptState.LIVE, reconciling=True
    )
    rows = await write_settlements(bench.db, [lost, marks])
    assert [row["fence"] for row in rows] == [held.fence]
    assert [a["state"] for a in await bench.attempts(order)] == ["LIVE"]


async def test_a_resumed_order_sends_the_stored_bytes_when_nothing_landed_yet(bench: Bench) -> None:
    order = await bench.building()
    bench.chain.lands_after = 0
    dying = asyncio.create_task(execute_order(bench.desk, order))
    await until(lambda: bool(bench.chain.sent))
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    bench.chain.lands_after = 1
    await execute_order(bench.desk, await bench.lease(order.id, "next"))
    assert len(set(bench.chain.sent)) == 1
    assert len(await bench.attempts(order)) == 1


async def test_the_order_is_routed_again_when_its_attempt_provably_expired(bench: Bench) -> None:
    order = await bench.building()
    bench.chain.lands_after = 0
    task = asyncio.create_task(execute_order(bench.desk, order))
    await until(lambda: bool(bench.chain.sent))
    signature = sha256(bench.chain.sent[0]).hexdigest()
    bench.chain.proofs[signature] = proof_of(signature)
    await asyncio.wait_for(task, 5)
    row = await bench.row(order)
    assert (row["status"], row["closed_at"], row["attempts"], row["lease_until"]) == ("ROUTING", None, 1, None)
    (attempt,) = await bench.attempts(order)
    assert attempt["state"] == "EXPIRED"
    assert msgspec.json.decode(attempt["evidence"])["searches"][0]["finalizedBlockHeight"] == 190


async def test_the_order_stays_submitted_and_reconciling_when_nothing_can_be_proven(bench: Bench) -> None:
    order = await bench.building()
    bench.chain.lands_after, bench.chain.silent = 0, True
    task = asyncio.create_task(execute_order(bench.desk, order))

    async def marked() -> bool:
        return (await bench.row(order))["reconciling_since"] is not None

    await until(marked)
    assert (await bench.row(order))["status"] == "SUBMITTED"
    assert len(await bench.attempts(order)) == 1
    # The node is back: the mark goes, and the order ends by what the chain shows.
    bench.chain.silent, bench.chain.lands_after = False, 1
    await asyncio.wait_for(task, 5)
    row = await bench.row(order)
    assert (row["status"], row["reconciling_since"]) == ("CONFIRMED", None)


@pytest.mark.parametrize("error", ["slippage_exceeded", "venue_rejected"])
async def test_the_order_fails_without_moving_funds_when_the_program_refuses(bench: Bench, error: str) -> None:
    order = await bench.building()
    bench.chain.error = error
    await execute_order(bench.desk, order)
    row = await bench.row(order)
    failure = msgspec.json.decode(row["failure"])
    assert row["status"] == "FAILED"
    assert (failure["code"], failure["stage"], failure["fundsMoved"]) == (error, "landing", "no")
    (attempt,) = await bench.attempts(order)
    assert (attempt["state"], attempt["error"]) == ("REVERTED", error)


async def test_a_stale_route_is_not_signed_when_the_order_waited_too_long(bench: Bench) -> None:
    order = await bench.building(quoted_at=time.time() - 60)
    await execute_order(bench.desk, order)
    assert (await bench.row(order))["status"] == "ROUTING"
    assert await bench.attempts(order) == []


async def test_the_order_fails_when_its_route_is_stale_and_its_time_to_be_executed_is_over(bench: Bench) -> None:
    order = await bench.building(quoted_at=time.time() - 60)
    late = msgspec.structs.replace(order, queued_at=datetime.now(UTC) - timedelta(seconds=121))
    await execute_order(bench.desk, late)
    row = await bench.row(order)
    failure = msgspec.json.decode(row["failure"])
    assert (row["status"], failure["code"], failure["stage"]) == ("FAILED", "deadline_passed", "building")
    assert await bench.attempts(order) == []


async def test_the_order_expires_unsigned_when_its_time_ran_out(bench: Bench) -> None:
    order = await bench.building(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    await execute_order(bench.desk, order)
    row = await bench.row(order)
    assert (row["status"], msgspec.json.decode(row["failure"])["code"]) == ("EXPIRED", "deadline_passed")
    assert bench.chain.sent == []


async def test_the_order_expires_when_its_attempt_expired_and_its_time_ran_out(bench: Bench) -> None:
    order = await bench.building(expires_at=datetime.now(UTC) + timedelta(seconds=0.2))
    bench.chain.lands_after = 0
    task = asyncio.create_task(execute_order(bench.desk, order))
    await until(
        lambda: bool(bench.chain.sent) and order.expires_at is not None and datetime.now(UTC) > order.expires_at
    )
    signature = (await bench.attempts(order))[0]["signature"]
    bench.chain.proofs[signature] = proof_of(signature)
    await asyncio.wait_for(task, 5)
    assert (await bench.row(order))["status"] == "EXPIRED"


async def test_the_database_refuses_when_a_second_attempt_is_stored_beside_a_live_one(bench: Bench) -> None:
    order = await bench.building()
    await bench.db.fetch(
        """insert into tx_attempts (order_id, attempt, signature, raw, message_sha256, blockhash,
           last_valid_block_height, fence, venue) values ($1, 9, 'other', '', '', 'hash', 1, 1, 'raydium')""",
        order.id,
    )
    with pytest.raises(asyncpg.UniqueViolationError):
        await execute_order(bench.desk, order)
    assert (await bench.row(order))["status"] == "BUILDING"
    assert bench.chain.sent == []


@pytest.mark.parametrize(
    ("field", "lie"),
    [
        ("wallet", "mallory"),
        ("input_amount", 1_500_000_001),
        ("least_output", 1),
        ("output_mint", "another mint"),
        ("order_id", UUID(int=1)),
        ("attempt", 2),
        ("blockhash", "another blockhash"),
    ],
)
async def test_nothing_is_signed_when_the_built_swap_is_not_the_ordered_one(
    bench: Bench, field: str, lie: object
) -> None:
    order = await bench.building()
    bench.builder.lies = {field: lie}
    await execute_order(bench.desk, order)
    row = await bench.row(order)
    failure = msgspec.json.decode(row["failure"])
    assert (row["status"], failure["code"], failure["fundsMoved"]) == ("FAILED", "build_failed", "no")
    assert field in failure["detail"]
    assert (bench.builder.signed, bench.chain.sent, await bench.attempts(order)) == ([], [], [])


async def test_a_swap_is_signed_when_it_promises_more_than_ordered(bench: Bench) -> None:
    order = await bench.building()
    bench.builder.lies = {"least_output": 150_000_000}
    await execute_order(bench.desk, order)
    assert (await bench.row(order))["status"] == "CONFIRMED"
