"""A check that cannot fail checks nothing: each invariant is broken here on purpose, and must be named."""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import msgspec
import pytest
import redis.asyncio as redis

from swaprail.db.connect import Database
from swaprail.db.leases import Leases
from swaprail.db.transitions import Move, write_moves
from swaprail.domain.lifecycle import Status
from swaprail.messages.topics import Group, Topic
from swaprail.testing.factories import insert_order
from tests.invariants import Receipt, check_invariants, compact, leases
from tests.invariants.secrets import find_secrets
from tests.invariants.writers import watch_writers

SIGNED = bytes(range(64, 256)) + bytes(100)
_END = """
with o as (
    update orders set status = 'CONFIRMED', seq = 5, attempts = 1, output_amount = 7, closed_at = now(), due_at = null
    where id = $1
), told as (insert into order_events (order_id, seq, status, data) values ($1, 5, 'CONFIRMED', '{}')
), tried as (
    insert into tx_attempts (order_id, attempt, signature, raw, message_sha256, blockhash, last_valid_block_height,
        fence, venue, state) values ($1, 1, 'sig', $2, '', 'hash', 9, 1, 'raydium', 'LANDED')
)
insert into paper.transactions (signature, order_id, wallet, venue, input_mint, output_mint, input_amount,
    output_amount, lands_at, slot, last_valid_block_height)
select 'sig', id, wallet, 'raydium', input_mint, output_mint, input_amount, 7, now(), 1, 9 from orders where id = $1
"""
_SECOND_SWAP = """
insert into paper.transactions select 'again', order_id, wallet, venue, input_mint, output_mint, input_amount,
    output_amount, error, received_at, receipts, lands_at, slot, last_valid_block_height from paper.transactions
"""
_SECOND_ATTEMPT = """
drop index tx_attempts_one_per_order_idx;
insert into tx_attempts (order_id, attempt, signature, raw, message_sha256, blockhash, last_valid_block_height, fence,
    venue, state) select order_id, 2, 'other', '', '', 'h', 1, 1, venue, 'REVERTED' from tx_attempts
"""


class Whole(NamedTuple):
    """A confirmed order with everything that belongs to it."""

    dsn: str
    db: Any
    order_id: str


class Follower(NamedTuple):
    order_id: str
    messages: list[dict[str, Any]]


async def follower(whole: Whole) -> Follower:
    """Return somebody who saw what is stored, as JSON tells it."""
    sql = "select seq, status, at, data from order_events where order_id = $1 order by seq"
    rows = await whole.db.fetch(sql, UUID(whole.order_id))
    return Follower(
        whole.order_id,
        [
            {
                "seq": row["seq"],
                "status": row["status"],
                "timestamp": row["at"].isoformat(timespec="milliseconds"),
                "data": msgspec.json.decode(row["data"]),
            }
            for row in rows
        ],
    )


@pytest.fixture
async def whole(database: str) -> AsyncIterator[Whole]:
    db = await asyncpg.connect(database)
    order_id = await insert_order(db, status=Status.SUBMITTED)
    await db.execute("insert into paper.chain default values on conflict do nothing")
    await db.fetch(_END, order_id, SIGNED)
    yield Whole(database, db, str(order_id))
    await db.close()


async def test_nothing_is_broken_when_an_order_is_whole(whole: Whole, redis_url: str) -> None:
    told = await follower(whole)
    await check_invariants(
        whole.dsn, [whole.order_id], [told], redis_url=redis_url, texts=["all is well"], secrets=["hush"]
    )


@pytest.mark.parametrize(
    ("broken", "by"),
    [
        ("I2", _SECOND_SWAP),
        ("I3", "delete from paper.transactions"),
        ("I3", "update tx_attempts set state = 'REVERTED'"),
        ("I3", "update orders set status = 'FAILED'"),
        ("I4", "delete from tx_attempts"),
        ("I4", "update paper.transactions set received_at = received_at - interval '1 second'"),
        ("I5", _SECOND_ATTEMPT),
        ("I5", "update tx_attempts set state = 'LIVE'"),
        ("I6", "delete from order_events where seq = 3"),
        ("I6", "update order_events set status = 'BUILDING' where seq = 2"),
        ("I6", "delete from order_events where seq = 5"),
        ("I9", "update orders set status = 'SUBMITTED'"),
        ("I10", "update orders set lease_until = now()"),
        ("I13", "update paper.transactions set output_amount = 6"),
        ("I13", "update orders set input_amount = 1"),
        ("I3", 'update orders set failure = \'{"fundsMoved":"no"}\''),
        ("I14", "update paper.transactions set wallet = 'another'"),
        ("I14", "update paper.transactions set output_mint = input_mint"),
        ("I14", "update paper.transactions set input_amount = 40 * input_amount"),
        ("I14", "update orders set min_output_amount = 8"),
        ("I15", "update orders set expires_at = now() - interval '3 seconds'"),
        ("I1", "delete from orders"),
    ],
)
async def test_the_invariant_is_named_when_the_tables_break_it(whole: Whole, broken: str, by: str) -> None:
    await whole.db.execute(by)
    with pytest.raises(AssertionError, match=rf"['\"]{broken} "):
        await check_invariants(whole.dsn, [whole.order_id])


async def test_an_order_given_to_two_requests_is_named(whole: Whole) -> None:
    with pytest.raises(AssertionError, match="I1 "):
        await check_invariants(whole.dsn, [whole.order_id, whole.order_id])


@pytest.mark.parametrize("seqs", [[1, 2, 3, 4], [1, 2, 2, 3, 4, 5], [2, 1, 3, 4, 5], [1, 2, 3, 4, 5, 6], []])
async def test_a_follower_is_named_when_it_saw_other_steps(whole: Whole, seqs: list[int]) -> None:
    (*steps, last) = (await follower(whole)).messages
    steps += [last, last | {"seq": 6, "status": "FAILED"}]
    told = Follower(whole.order_id, [steps[n - 1] for n in seqs])
    with pytest.raises(AssertionError, match="I7 "):
        await check_invariants(whole.dsn, [whole.order_id], [told])


@pytest.mark.parametrize(
    "other",
    [{"status": "EXPIRED"}, {"timestamp": "2026-01-01T00:00:00Z"}, {"data": {"venue": "another"}}, {"data": None}],
)
async def test_a_follower_is_named_when_a_step_it_saw_is_another_than_the_stored_one(
    whole: Whole, other: dict[str, Any]
) -> None:
    told = await follower(whole)
    told.messages[2] |= other
    for messages in (told.messages, [compact(message) for message in told.messages]):
        with pytest.raises(AssertionError, match="I7 "):
            await check_invariants(whole.dsn, [whole.order_id], [Follower(whole.order_id, messages)])


async def test_nothing_is_broken_when_a_follower_kept_messages_in_short(whole: Whole) -> None:
    messages = [compact(message) for message in (await follower(whole)).messages]
    await check_invariants(whole.dsn, [whole.order_id], [Follower(whole.order_id, messages)])


async def test_a_key_is_named_when_it_was_answered_differently(whole: Whole) -> None:
    body = f'{{"orderId":"{whole.order_id}"}}'.encode()
    await whole.db.execute(
        "insert into idempotency_keys (account, key, request_sha256, order_id) select 'local', 'k', '', id from orders"
    )
    good = Receipt("k", b"{}", 202, body)
    await check_invariants(whole.dsn, [], receipts=[good, good, Receipt("k", b"other", 422, b"problem")])
    for second in (
        Receipt("k", b"{}", 202, body + b" "),
        Receipt("k", b"other", 202, body),
        Receipt("never stored", b"{}", 202, body),
    ):
        with pytest.raises(AssertionError, match="I8 "):
            await check_invariants(whole.dsn, [], receipts=[good, second])


@pytest.mark.parametrize(
    "changed", ["wallet = 'other'", "input_amount = 1", "min_output_amount = 1", "slippage_bps = 1"]
)
async def test_an_order_is_named_when_it_is_stored_otherwise_than_posted(whole: Whole, changed: str) -> None:
    request = b'{"userWallet":"wallet","inputAmount":"1.50","slippageBps":50}'
    receipt = Receipt("k", request, 202, f'{{"orderId":"{whole.order_id}"}}'.encode())
    await whole.db.execute(
        "insert into idempotency_keys (account, key, request_sha256, order_id) select 'local', 'k', '', id from orders"
    )
    await check_invariants(whole.dsn, [], receipts=[receipt])
    await whole.db.execute(f"update orders set {changed}")
    with pytest.raises(AssertionError, match="I14 "):
        await check_invariants(whole.dsn, [], receipts=[receipt])


async def test_secrets_are_named_but_not_told_when_a_text_has_them(whole: Whole) -> None:
    with pytest.raises(AssertionError, match="I11 ") as raised:
        await check_invariants(whole.dsn, [], texts=["x", "login with hush-hush"], secrets=["hush-hush"])
    assert "hush-hush" not in str(raised.value)
    for form in (SIGNED.hex(), f"0x{SIGNED.hex()}"):
        with pytest.raises(AssertionError, match="I11 "):
            await check_invariants(whole.dsn, [], texts=[f"sending {form}"])


def test_nothing_is_found_when_a_secret_is_empty() -> None:
    assert find_secrets(["text"], ["", "other"]) == []


async def test_a_writer_is_named_when_another_holds_the_lease(whole: Whole) -> None:
    await watch_writers(whole.dsn)
    order_id = await insert_order(whole.db)
    holder = Database(whole.dsn, size=1, timeout_s=5, application="swaprail router ann")
    other = Database(whole.dsn, size=1, timeout_s=5, application="swaprail router bob")
    (order,) = await Leases(holder, "ann", 30, [Status.ROUTING]).scan(1)
    await write_moves(holder, "ann", [Move(order, Status.ROUTING, routing="{}")])
    await check_invariants(whole.dsn, [])
    order = msgspec.structs.replace(order, routing=msgspec.Raw(b"{}"))
    await write_moves(other, "ann", [Move(order, Status.ROUTING, routing="{}")])
    await holder.close()
    await other.close()
    with pytest.raises(AssertionError, match=rf"I12 {order_id}.*bob.*ann"):
        await check_invariants(whole.dsn, [])


async def test_a_topic_is_named_when_an_entry_stays_pending(
    whole: Whole, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "CLAIMED_WITHIN_S", 0.3)
    client: Any = redis.Redis.from_url(redis_url)
    await client.xgroup_create(Topic.ACCEPTED, Group.ROUTER, id="0", mkstream=True)
    await client.xadd(Topic.ACCEPTED, {"a": "b"})
    await check_invariants(whole.dsn, [], redis_url=redis_url)
    await client.xreadgroup(Group.ROUTER, "gone", {Topic.ACCEPTED: ">"})
    with pytest.raises(AssertionError, match="I10 "):
        await check_invariants(whole.dsn, [], redis_url=redis_url)
    await client.aclose()
