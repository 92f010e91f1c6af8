import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import msgspec
import pytest

from swaprail.broker.publisher import Message
from swaprail.db.connect import Database
from swaprail.db.leases import Leases
from swaprail.db.transitions import Move, write_moves
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.domain.lifecycle import IllegalTransitionError, Status
from swaprail.domain.orders import LeasedOrder, StaleLeaseError
from swaprail.messages.topics import HANDOVER_S, OrderEvents, OrdersRouted, Topic
from swaprail.runtime.order_writer import OrderWriter
from swaprail.testing.factories import SOL, USDC, insert_order, lease_order


class Heard:
    """Stands where the topic publisher stands, and keeps what it is told."""

    def __init__(self) -> None:
        self.messages: list[tuple[Topic, Message]] = []

    def publish(self, topic: Topic, message: Message) -> None:
        self.messages.append((topic, message))

    @property
    def events(self) -> list[Any]:
        return [e for _, m in self.messages if isinstance(m, OrderEvents) for e in m.events]


@pytest.fixture
async def db(database: str) -> AsyncIterator[Database]:
    opened = Database(database, size=3, timeout_s=5, application="test")
    yield opened
    await opened.close()


async def leased(db: Database) -> LeasedOrder:
    return await lease_order(db, await insert_order(db))


def writer(db: Database, heard: Heard) -> OrderWriter[Move]:
    return OrderWriter(partial(write_moves, db, "test"), heard, name="test")  # type: ignore[arg-type]


async def test_status_event_and_message_agree_when_a_transition_is_committed(db: Database) -> None:
    order, heard = await leased(db), Heard()
    moved = await writer(db, heard).write(
        Move(order, Status.BUILDING, '{"venue":"raydium"}', due_in_s=1, routing='{"route":null}')
    )
    row = await db.fetchrow("select * from orders where id = $1", order.id)
    assert row is not None
    assert (row["status"], row["seq"], row["lease_owner"], row["routing"]) == ("BUILDING", 3, None, '{"route":null}')
    event = await db.fetchrow(
        "select *, floor(extract(epoch from at) * 1000)::bigint as ms from order_events where order_id = $1 and seq = 3",
        order.id,
    )
    assert event is not None
    assert (event["status"], event["data"], event["ms"]) == ("BUILDING", '{"venue":"raydium"}', moved.at)
    (told,) = heard.events
    assert (told.order_id, told.seq, told.status, told.at) == (order.id, 3, "BUILDING", moved.at)
    assert bytes(told.data) == b'{"venue":"raydium"}'


async def test_the_lease_goes_to_the_message_with_the_next_fence_when_an_order_is_handed_over(db: Database) -> None:
    order = await leased(db)
    moved = await writer(db, Heard()).write(Move(order, Status.BUILDING, hand_over=True))
    row = await db.fetchrow("select *, lease_until - now() as left from orders where id = $1", order.id)
    assert row is not None
    assert (moved.fence, row["fence"], row["lease_owner"]) == (order.fence + 1, order.fence + 1, "message")
    assert 0 < row["left"].total_seconds() <= HANDOVER_S
    with pytest.raises(StaleLeaseError):
        await writer(db, Heard()).write(Move(msgspec.structs.replace(order, status=Status.BUILDING), Status.FAILED))


async def test_a_stale_worker_writes_nothing_when_another_holds_the_fence(db: Database) -> None:
    order, heard = await leased(db), Heard()
    await db.fetch("update orders set fence = fence + 1 where id = $1", order.id)
    with pytest.raises(StaleLeaseError):
        await writer(db, heard).write(Move(order, Status.BUILDING))
    row = await db.fetchrow("select status, seq from orders where id = $1", order.id)
    assert row is not None
    assert (row["status"], row["seq"]) == ("ROUTING", 2)
    assert heard.messages == []


FORGED: dict[str, Any] = {
    "account": "mallory",
    "wallet": "wallet of mallory",
    "input_mint": USDC,
    "output_mint": SOL,
    "input_amount": 60_000_000_000,
    "slippage_bps": 10_000,
    "min_output_amount": None,
    "expires_at": datetime(2999, 1, 1, tzinfo=UTC),
    "queued_at": datetime(2020, 1, 1, tzinfo=UTC),
    "attempts": 3,
    "routing": msgspec.Raw(b'{"route":null,"quotes":[],"rounds":1}'),
}


@pytest.mark.parametrize("field", FORGED)
async def test_nothing_is_written_or_told_when_the_worker_acts_on_another_order_than_the_row(
    db: Database, field: str
) -> None:
    order_id = await insert_order(db, min_output_amount=150, routing='{"route":null,"quotes":[]}')
    order, heard = await lease_order(db, order_id), Heard()
    forged = msgspec.structs.replace(order, **{field: FORGED[field]})
    with pytest.raises(StaleLeaseError):
        await writer(db, heard).write(Move(forged, Status.BUILDING, routing="{}", hand_over=True))
    assert await db.fetchval("select (status, seq, fence) = ('ROUTING', 2, $1) from orders", order.fence)
    assert heard.messages == []
    await writer(db, heard).write(Move(order, Status.BUILDING, routing="{}", hand_over=True))


async def test_the_handed_over_order_is_the_row_when_its_route_was_stored(db: Database) -> None:
    order, heard = await leased(db), Heard()
    await writer(db, heard).write(Move(order, Status.BUILDING, routing='{"route": 1.50}', hand_over=True))
    ((_, message), _) = heard.messages
    assert isinstance(message, OrdersRouted)
    (handed,) = msgspec.json.decode(msgspec.json.encode(message), type=OrdersRouted).orders
    await writer(db, heard).write(Move(handed.order, Status.FAILED, due_in_s=0))


async def test_a_closed_order_is_left_alone_when_its_fence_and_status_are_right(db: Database) -> None:
    order = await leased(db)
    await writer(db, Heard()).write(Move(order, Status.FAILED, due_in_s=0))
    closed_at = await db.fetchval("select closed_at from orders")
    over = msgspec.structs.replace(order, status=Status.FAILED, seq=3)
    with pytest.raises(StaleLeaseError):
        await writer(db, Heard()).write(Move(over, Status.FAILED, due_in_s=0))
    assert await db.fetchval("select closed_at from orders") == closed_at


@pytest.mark.parametrize(("over_in_s", "expires"), [(-0.001, True), (60, False), (None, False)])
async def test_an_order_expires_only_when_its_time_is_over_by_the_databases_clock(
    db: Database, over_in_s: float | None, expires: bool
) -> None:
    now = await db.fetchval("select now()")
    expires_at = None if over_in_s is None else now + timedelta(seconds=over_in_s)
    order = await lease_order(db, await insert_order(db, expires_at=expires_at))
    moving = writer(db, Heard()).write(Move(order, Status.EXPIRED, due_in_s=0))
    if expires:
        await moving
        return
    with pytest.raises(StaleLeaseError):
        await moving


async def test_exactly_one_wins_when_the_same_transition_is_written_twice(db: Database) -> None:
    order, heard = await leased(db), Heard()
    writers = [writer(db, heard) for _ in range(4)]
    results = await asyncio.gather(
        *(w.write(Move(order, Status.FAILED, due_in_s=0)) for w in writers), return_exceptions=True
    )
    assert sum(isinstance(r, StaleLeaseError) for r in results) == 3
    assert len(heard.events) == 1


async def test_nothing_is_written_when_another_worker_has_the_same_fence(db: Database) -> None:
    order = await lease_order(db, await insert_order(db), owner="holder")
    forged = OrderWriter(partial(write_moves, db, "forged"), Heard(), name="test")  # type: ignore[arg-type]
    with pytest.raises(StaleLeaseError):
        await forged.write(Move(order, Status.BUILDING, hand_over=True))
    assert await db.fetchval("select status from orders where id = $1", order.id) == Status.ROUTING
    await lease_order(db, order.id, owner="message")
    held = msgspec.structs.replace(order, fence=order.fence + 1)
    assert (await forged.write(Move(held, Status.BUILDING))).seq == order.seq + 1


async def test_the_stale_one_is_refused_when_both_moves_of_an_order_share_a_batch(db: Database) -> None:
    stale = await leased(db)
    held, heard = await lease_order(db, stale.id), Heard()
    together = writer(db, heard)
    lost, won = await asyncio.gather(
        together.write(Move(stale, Status.FAILED, due_in_s=0)),
        together.write(Move(held, Status.BUILDING)),
        return_exceptions=True,
    )
    assert isinstance(lost, StaleLeaseError)
    assert not isinstance(won, BaseException)
    assert [event.status for event in heard.events] == ["BUILDING"]


async def test_a_closed_order_is_released_and_stays_closed_when_it_turned_terminal(db: Database) -> None:
    order = await leased(db)
    failure = msgspec.json.encode({"code": "no_route"}).decode()
    await writer(db, Heard()).write(Move(order, Status.FAILED, due_in_s=0, failure=failure))
    row = await db.fetchrow("select * from orders where id = $1", order.id)
    assert row is not None
    assert row["closed_at"] is not None
    assert (row["lease_until"], row["failure"]) == (None, failure)
    assert await Leases(db, "w", 5, list(Status)).scan(10) == []


async def test_releasing_tells_nobody_when_the_status_stays(db: Database) -> None:
    order, heard = await leased(db), Heard()
    await writer(db, heard).write(Move(order, order.status, due_in_s=30))
    row = await db.fetchrow(
        "select seq, lease_until, due_at > now() + '20 s' as later from orders where id = $1", order.id
    )
    assert row is not None
    assert (row["seq"], row["lease_until"], row["later"]) == (2, None, True)
    assert heard.messages == []


async def test_nobody_is_told_when_the_commit_fails(db: Database) -> None:
    order, heard = await leased(db), Heard()
    publisher: Any = heard

    async def cut(moves: Sequence[Move]) -> Sequence[Any]:
        raise EngineError(ErrorCode.UNAVAILABLE, "the connection was cut")

    with pytest.raises(EngineError):
        await OrderWriter(cut, publisher, name="test").write(Move(order, Status.FAILED, due_in_s=0))
    assert heard.messages == []


async def test_a_transition_is_refused_before_the_database_when_the_table_forbids_it(db: Database) -> None:
    order = await leased(db)
    with pytest.raises(IllegalTransitionError):
        await writer(db, Heard()).write(Move(order, Status.CONFIRMED))


async def test_the_database_is_unavailable_not_broken_when_nobody_listens() -> None:
    away = Database("postgresql://postgres@127.0.0.1:1/none", size=1, timeout_s=0.5, application="test")
    with pytest.raises(EngineError) as refused:
        await away.fetch("select 1")
    assert refused.value.code is ErrorCode.UNAVAILABLE
    await away.close()
