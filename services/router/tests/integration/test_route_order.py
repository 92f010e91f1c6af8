import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
import pytest

from swaprail.db.connect import Database
from swaprail.db.transitions import write_moves
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import LeasedOrder, StaleLeaseError
from swaprail.domain.quotes import Quote, QuoteRequest
from swaprail.domain.tokens import load_tokens
from swaprail.messages.topics import OrderEvents, OrdersRouted, QuotesAsked, Topic
from swaprail.ports.venues import VenueError
from swaprail.runtime.order_writer import OrderWriter
from swaprail.testing.conditions import until
from swaprail.testing.factories import SOL, USDC, insert_order, lease_order
from swaprail_router.answer_quotes import answer_quotes
from swaprail_router.ask_venues import GuardedVenue
from swaprail_router.choose_route import RouteRules
from swaprail_router.circuit_breaker import BreakerRules, CircuitBreaker
from swaprail_router.housekeeping import Housekeeping
from swaprail_router.quoting import Quoting
from swaprail_router.reference_prices import ReferencePrices
from swaprail_router.route_order import Desk, route_order
from swaprail_router.settings import RouterSettings


class FixedVenue:
    """Gives what it is told to, or fails."""

    def __init__(self, name: str, output: int | None) -> None:
        self.name = name
        self.output = output

    async def quote(self, request: QuoteRequest) -> Quote:
        if self.output is None:
            raise VenueError("unavailable")
        return Quote(self.name, request.input_amount, self.output, 25, 3, 1, time.time())


class Heard:
    def __init__(self) -> None:
        self.messages: list[tuple[Topic, Any]] = []

    def publish(self, topic: Topic, message: object) -> None:
        self.messages.append((topic, message))

    @property
    def routed(self) -> list[UUID]:
        return [item.order.id for _, m in self.messages if isinstance(m, OrdersRouted) for item in m.orders]

    @property
    def statuses(self) -> list[str]:
        return [e.status for _, m in self.messages if isinstance(m, OrderEvents) for e in m.events]


class Bench:
    def __init__(self, db: Database) -> None:
        self.db = db
        self.heard = Heard()
        self.venues = [FixedVenue("raydium", 150_000_000), FixedVenue("meteora", 151_000_000)]
        guarded = [GuardedVenue(venue, CircuitBreaker(venue.name, BreakerRules())) for venue in self.venues]
        publisher: Any = self.heard
        self.now = 0.0
        settings = RouterSettings()
        prices = ReferencePrices(max_age_s=settings.router_reference_max_age_s, clock=lambda: self.now)
        self.quoting = Quoting(guarded, RouteRules(), prices, deadline_s=1)
        moves = OrderWriter(partial(write_moves, db, "test"), publisher, name="moves")
        self.desk = Desk(settings, self.quoting, load_tokens(None), moves)

    async def lease(self, order_id: UUID) -> LeasedOrder:
        return await lease_order(self.db, order_id)

    async def row(self, order_id: UUID) -> Any:
        return await self.db.fetchrow(
            "select *, extract(epoch from due_at - now())::float8 as due_in from orders where id = $1", order_id
        )


@pytest.fixture
async def bench(database: str) -> AsyncIterator[Bench]:
    db = Database(database, size=3, timeout_s=5, application="test")
    yield Bench(db)
    await db.close()


async def test_the_order_is_handed_over_with_the_best_route_and_all_quotes_when_venues_answer(bench: Bench) -> None:
    order_id = await insert_order(bench.db)
    await route_order(bench.desk, await bench.lease(order_id))
    row = await bench.row(order_id)
    routing = msgspec.json.decode(row["routing"])
    assert (row["status"], row["lease_owner"]) == ("BUILDING", "message")
    # Together, and the executors' first: what is published later waits for a round trip of what went before.
    assert [topic for topic, _ in bench.heard.messages] == [Topic.ROUTED, Topic.EVENTS]
    message = bench.heard.messages[0][1]
    handed = message.orders[0].order
    assert (handed.status, handed.seq, handed.fence) == (Status.BUILDING, row["seq"], row["fence"])
    assert bytes(handed.routing).decode() == row["routing"]
    assert (routing["route"]["venue"], routing["route"]["leastOutput"]) == ("meteora", 150_245_000)
    assert [q["venue"] for q in routing["quotes"]] == ["meteora", "raydium"]
    assert bench.heard.routed == [order_id]
    assert bench.heard.statuses == ["BUILDING"]
    data = msgspec.json.decode(
        await bench.db.fetchval("select data from order_events where order_id = $1 and seq = 3", order_id)
    )
    assert (data["venue"], data["outputAmount"], data["leastOutputBase"]) == ("meteora", "151", "150245000")


async def test_the_order_waits_longer_each_round_when_no_venue_has_a_quote(bench: Bench) -> None:
    for venue in bench.venues:
        venue.output = None
    order_id = await insert_order(bench.db)
    pauses = []
    for _ in range(3):
        await route_order(bench.desk, await bench.lease(order_id))
        row = await bench.row(order_id)
        assert (row["status"], row["lease_until"]) == ("ROUTING", None)
        pauses.append(round(row["due_in"]))
    assert pauses == [1, 2, 4]
    assert msgspec.json.decode(row["routing"])["rounds"] == 3
    bench.venues[0].output = bench.venues[1].output = 150_000_000
    await route_order(bench.desk, await bench.lease(order_id))
    assert (await bench.row(order_id))["status"] == "BUILDING"


@pytest.mark.parametrize("routing", ["[]", "{}", '{"rounds": "three"}', r'{"route": null, "quotes": "\ud800"}'])
async def test_the_rounds_are_counted_anew_when_those_before_cannot_be_read(bench: Bench, routing: str) -> None:
    for venue in bench.venues:
        venue.output = None
    order_id = await insert_order(bench.db, routing=routing)
    await route_order(bench.desk, await bench.lease(order_id))
    row = await bench.row(order_id)
    assert (row["status"], round(row["due_in"]), msgspec.json.decode(row["routing"])["rounds"]) == ("ROUTING", 1, 1)


async def test_the_order_fails_with_no_route_when_its_time_to_find_one_is_over(bench: Bench) -> None:
    for venue in bench.venues:
        venue.output = None
    order_id = await insert_order(bench.db)
    await bench.db.fetch("update orders set queued_at = now() - interval '10 minutes' where id = $1", order_id)
    await route_order(bench.desk, await bench.lease(order_id))
    row = await bench.row(order_id)
    failure = msgspec.json.decode(row["failure"])
    assert (row["status"], failure["code"], failure["fundsMoved"]) == ("FAILED", "no_route", "no")
    assert bench.heard.routed == []


@pytest.mark.parametrize(("age", "status"), [("110 seconds", "ROUTING"), ("119.5 seconds", "FAILED")])
async def test_the_venues_are_asked_again_only_when_two_minutes_are_not_over_by_then(
    bench: Bench, age: str, status: str
) -> None:
    for venue in bench.venues:
        venue.output = None
    order_id = await insert_order(bench.db)
    await bench.db.fetch(f"update orders set queued_at = now() - interval '{age}' where id = $1", order_id)
    await route_order(bench.desk, await bench.lease(order_id))  # which would be in a second
    assert (await bench.row(order_id))["status"] == status


async def test_the_failure_says_so_when_every_quote_is_below_the_least_output(bench: Bench) -> None:
    order_id = await insert_order(bench.db, min_output_amount=200_000_000)
    await bench.db.fetch("update orders set queued_at = now() - interval '10 minutes' where id = $1", order_id)
    await route_order(bench.desk, await bench.lease(order_id))
    assert msgspec.json.decode((await bench.row(order_id))["failure"])["code"] == "min_output_unreachable"


async def test_a_lone_absurd_quote_is_not_taken_when_two_venues_agreed_before(bench: Bench) -> None:
    await route_order(bench.desk, await bench.lease(await insert_order(bench.db)))
    bench.venues[0].output, bench.venues[1].output = None, 150_000
    order_id = await insert_order(bench.db)
    for _ in range(2):
        await route_order(bench.desk, await bench.lease(order_id))
        row = await bench.row(order_id)
        assert (row["status"], msgspec.json.decode(row["routing"])["quotes"][0]["discarded"]) == ("ROUTING", "absurd")
    bench.venues[1].output = 149_000_000
    await route_order(bench.desk, await bench.lease(order_id))
    assert (await bench.row(order_id))["status"] == "BUILDING"


async def test_a_lone_quote_waits_for_another_when_the_last_good_price_is_too_old(bench: Bench) -> None:
    await route_order(bench.desk, await bench.lease(await insert_order(bench.db)))
    bench.venues[0].output, bench.now = None, 300.0
    in_time = await insert_order(bench.db)
    await route_order(bench.desk, await bench.lease(in_time))
    assert (await bench.row(in_time))["status"] == "BUILDING"
    bench.now = 301.0
    order_id = await insert_order(bench.db)
    await route_order(bench.desk, await bench.lease(order_id))
    row = await bench.row(order_id)
    assert (row["status"], round(row["due_in"])) == ("ROUTING", 1)
    assert msgspec.json.decode(row["routing"])["quotes"][0]["discarded"] == "price_unconfirmed"
    bench.venues[0].output = 150_000_000
    await route_order(bench.desk, await bench.lease(order_id))
    assert (await bench.row(order_id))["status"] == "BUILDING"


async def test_the_order_fails_as_unconfirmed_when_one_venue_alone_answers_until_its_time_is_over(bench: Bench) -> None:
    bench.venues[0].output = None
    order_id = await insert_order(bench.db)
    await bench.db.fetch("update orders set queued_at = now() - interval '10 minutes' where id = $1", order_id)
    await route_order(bench.desk, await bench.lease(order_id))
    row = await bench.row(order_id)
    failure = msgspec.json.decode(row["failure"])
    assert (row["status"], failure["code"], failure["fundsMoved"]) == ("FAILED", "price_unconfirmed", "no")
    assert (failure["retryable"], "minOutputAmount" in failure["hint"]) == (True, True)


async def test_a_lone_quote_is_taken_when_the_order_has_a_least_output(bench: Bench) -> None:
    bench.venues[0].output = None
    order_id = await insert_order(bench.db, min_output_amount=140_000_000)
    await route_order(bench.desk, await bench.lease(order_id))
    row = await bench.row(order_id)
    assert (row["status"], msgspec.json.decode(row["routing"])["route"]["venue"]) == ("BUILDING", "meteora")


async def test_the_order_expires_when_its_time_is_over(bench: Bench) -> None:
    order_id = await insert_order(bench.db, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    await route_order(bench.desk, await bench.lease(order_id))
    assert (await bench.row(order_id))["status"] == "EXPIRED"


async def test_a_stale_router_writes_nothing_when_the_order_was_cancelled(bench: Bench) -> None:
    order_id = await insert_order(bench.db)
    order = await bench.lease(order_id)
    await bench.db.fetch(
        "update orders set status = 'CANCELLED', fence = fence + 1, closed_at = now() where id = $1", order_id
    )
    with pytest.raises(StaleLeaseError):
        await route_order(bench.desk, order)
    assert bench.heard.messages == []


async def test_quotes_are_answered_best_first_when_asked_without_an_order(bench: Bench) -> None:
    bench.venues[0].output = None
    answer = msgspec.json.decode(await answer_quotes(bench.quoting, QuotesAsked(SOL, USDC, 10**9, 1000)))
    assert [(q["venue"], q.get("discarded")) for q in answer["quotes"]] == [
        ("meteora", "price_unconfirmed"),
        ("raydium", "unavailable"),
    ]
    bench.venues[0].output = 150_000_000
    answer = msgspec.json.decode(await answer_quotes(bench.quoting, QuotesAsked(SOL, USDC, 10**9, 1000)))
    assert [q.get("discarded") for q in answer["quotes"]] == [None, None]
    bench.venues[0].output = None
    answer = msgspec.json.decode(await answer_quotes(bench.quoting, QuotesAsked(SOL, USDC, 10**9, 1000)))
    assert [q.get("discarded") for q in answer["quotes"]] == [None, "unavailable"]


async def test_waiting_orders_without_a_time_expire_when_they_are_older_than_any_may_get(bench: Bench) -> None:
    ids = [await insert_order(bench.db, status=status) for status in (Status.PENDING, Status.PENDING, Status.ROUTING)]
    await bench.db.fetch("update orders set created_at = now() - interval '90 days' where id <> $1", ids[1])
    publisher: Any = bench.heard
    housekeeping = Housekeeping(bench.db, publisher, interval_s=1, retention_days=7, longest_days=90)
    assert await housekeeping.expire_waiting() == 1
    statuses = await bench.db.fetch("select id, status from orders")
    told = {row["id"]: row["status"] for row in statuses}
    assert [told[order_id] for order_id in ids] == ["EXPIRED", "PENDING", "ROUTING"]


async def test_only_waiting_orders_past_their_time_expire_when_housekeeping_passes(bench: Bench) -> None:
    past, future = datetime.now(UTC) - timedelta(seconds=1), datetime.now(UTC) + timedelta(hours=1)
    expired = await insert_order(bench.db, status=Status.PENDING, expires_at=past)
    others = [
        await insert_order(bench.db, status=Status.PENDING, expires_at=future),
        await insert_order(bench.db, status=Status.PENDING),
        await insert_order(bench.db, expires_at=past),
    ]
    publisher: Any = bench.heard
    housekeeping = Housekeeping(bench.db, publisher, interval_s=0.01, retention_days=7, longest_days=90)
    assert await housekeeping.expire_waiting() == 1
    assert (await bench.row(expired))["status"] == "EXPIRED"
    assert [(await bench.row(other))["status"] for other in others] == ["PENDING", "PENDING", "ROUTING"]
    assert bench.heard.statuses == ["EXPIRED"]


async def test_old_idempotency_keys_are_forgotten_when_housekeeping_runs(bench: Bench) -> None:
    # By the hour: a day that lasts 23 of them keeps no key shorter than it was promised.
    for key, age in (("old", "168 hours 1 second"), ("new", "167 hours 59 minutes 55 seconds")):
        await bench.db.fetch(
            "insert into idempotency_keys (account, key, request_sha256, order_id, created_at) "
            f"values ('local', $1, '', gen_random_uuid(), now() - interval '{age}')",
            key,
        )
    publisher: Any = bench.heard
    housekeeping = Housekeeping(
        bench.db,
        publisher,
        interval_s=0.01,
        retention_days=bench.desk.settings.idempotency_retention_days,
        longest_days=90,
    )
    housekeeping.start()

    async def one_left() -> bool:
        count: int = await bench.db.fetchval("select count(*) from idempotency_keys")
        return count == 1

    await until(one_left)
    await housekeeping.stop()
    assert await bench.db.fetchval("select key from idempotency_keys") == "new"


async def test_more_old_keys_are_forgotten_than_one_statement_takes_when_there_are_many(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swaprail_router.housekeeping.PURGED_AT_ONCE", 2)
    monkeypatch.setattr("swaprail_router.housekeeping.PURGES_AT_MOST", 3)
    order_id = await insert_order(bench.db, status=Status.PENDING)
    await bench.db.fetch(
        "insert into idempotency_keys (account, key, request_sha256, order_id, created_at) "
        "select 'local', 'k' || n, '', $1, now() - make_interval(days => 8 + n) from generate_series(1, 7) n",
        order_id,
    )
    publisher: Any = None
    housekeeping = Housekeeping(bench.db, publisher, interval_s=1, retention_days=7, longest_days=90)
    await housekeeping.purge_keys()
    left = [row["key"] for row in await bench.db.fetch("select key from idempotency_keys")]
    assert left == ["k1"]  # the youngest of them; what waits to expire comes between
    await housekeeping.purge_keys()
    assert await bench.db.fetchval("select count(*) from idempotency_keys") == 0
