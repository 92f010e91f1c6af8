"""Whoever can write to Redis, and to nothing else, can make orders late, and nothing more.

ATTACKED_ORDERS=5000 makes it long: `make security-redis`.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest

from swaprail.domain.errors import ErrorCode
from swaprail.messages.push import StatusMessage
from tests.invariants import check_invariants
from tests.invariants.subscribers import check_subscribers
from tests.invariants.writers import watch_writers
from tests.security.redis_attack.attacker import Attacker
from tests.security.redis_attack.traders import Traders, Wanted
from tests.system.engine import Engine

ORDERS = int(os.environ.get("ATTACKED_ORDERS", "600"))
AT_ONCE = 48
SEED = int(os.environ.get("SEED", "7"))
REFUSED = (
    "swaprail_dead_letters_total",
    "swaprail_orders_handed_over_total",
    "swaprail_order_transitions_refused_total",
)
pytestmark = [pytest.mark.system, pytest.mark.timeout(240 + ORDERS // 5)]


@pytest.fixture
async def engine(database: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Engine]:
    engine = Engine(
        database,
        redis_url,
        tmp_path,
        mock_dex_quote_delay_ms=60,
        mock_dex_execution_delay_ms=100,
        mock_dex_failure_rate=0,
        lease_s=2,
        rate_limit=100_000,
    )
    try:
        await watch_writers(engine.dsn)
        await engine.start(("api", "notifier", "router", "router-2", "executor", "executor-2"))
        yield engine
    finally:
        await asyncio.to_thread(engine.close)


async def test_a_message_changes_nothing_but_latency_when_it_is_forged(
    engine: Engine, subtests: pytest.Subtests
) -> None:
    attacker = Attacker(engine.redis_url, SEED)
    async with httpx.AsyncClient(timeout=10, limits=httpx.Limits(max_connections=200)) as http:
        traders = Traders(engine, http, SEED)
        await attacker.start()
        await traders.trade(ORDERS, AT_ONCE)
        await attacker.stop()
        counted = {name: await _counted(http, engine, name) for name in ("router", "executor")}
    print(f"\nwritten: {dict(attacker.written)}\nrefused: {counted}")
    connection: Any = await asyncpg.connect(engine.dsn)
    with subtests.test("the invariants hold"):
        assert traders.broken == []
        await check_invariants(engine.dsn, traders.wanted, receipts=traders.receipts, redis_url=engine.redis_url)
    with subtests.test("what was executed is what was ordered"):
        assert [*await _executed_otherwise(connection, traders.wanted)] == []
    with subtests.test("orders end as they would have"):
        assert [*await _ended_otherwise(connection, traders.wanted)] == []
    with subtests.test("sockets tell what the table holds"):
        assert await check_subscribers(connection, list(traders.subscribers)) == []
        assert await _told_otherwise(connection, traders) == []
    with subtests.test("refusals are counted"):
        assert all(counted["router"][name] and counted["executor"][name] for name in REFUSED)
    await connection.close()


async def _executed_otherwise(connection: Any, wanted: dict[str, Wanted]) -> Iterator[str]:
    rows = await connection.fetch("select *, order_id::text as id from paper.transactions")
    return (f"{row['id']}: {dict(row)} is not {wanted.get(row['id'])}" for row in rows if _differs(row, wanted))


def _differs(row: Any, wanted: dict[str, Wanted]) -> bool:
    order = wanted.get(row["id"])
    if order is None:
        return True
    asked = (order.wallet, order.input_mint, order.output_mint, order.input_amount)
    done = (row["wallet"], row["input_mint"], row["output_mint"], int(row["input_amount"]))
    too_little = row["error"] is None and row["output_amount"] < (order.min_output_amount or 0)
    too_late = order.expires_at is not None and row["received_at"] > order.expires_at
    return done != asked or too_little or too_late


async def _ended_otherwise(connection: Any, wanted: dict[str, Wanted]) -> Iterator[str]:
    rows = await connection.fetch("select id::text, status, failure, attempts from orders")
    return (f"{row['id']} {row['status']} {row['failure']}" for row in rows if not _is_fair(row, wanted[row["id"]]))


def _is_fair(row: Any, order: Wanted) -> bool:
    """Tell whether the order might have ended so without an attack: prices move while it is late."""
    if row["status"] == "FAILED":
        return bool(msgspec.json.decode(row["failure"])["code"] == ErrorCode.SLIPPAGE_EXCEEDED)
    fair = {"CONFIRMED"} | ({"EXPIRED"} if order.may_expire else set()) | ({"CANCELLED"} if order.cancelled else set())
    # One that was placed first, and whose time was over before it was started, never began.
    return row["status"] in fair


async def _told_otherwise(connection: Any, traders: Traders) -> list[str]:
    """Return every message whose content the table does not have."""
    rows = await connection.fetch(
        "select order_id, seq, status, data, floor(extract(epoch from at) * 1000)::bigint as ms from order_events"
    )
    stored = {(str(row["order_id"]), row["seq"]): row for row in rows}
    return [
        f"{subscriber.order_id} was told {message}"
        for subscriber in traders.subscribers
        for message in subscriber.messages
        if not _is_step(message, stored.get((message["orderId"], message["seq"])))
    ]


def _is_step(message: dict[str, Any], row: Any) -> bool:
    if row is None:
        return False
    told = msgspec.convert({**message, "data": msgspec.Raw(b"{}")}, StatusMessage)
    same = message["data"] == msgspec.json.decode(row["data"]) and message["status"] == row["status"]
    return bool(same and round(told.timestamp.timestamp() * 1000) == row["ms"])


async def _counted(http: httpx.AsyncClient, engine: Engine, service: str) -> dict[str, float]:
    """Return how much the replicas of a service refused, by metric."""
    counted = dict.fromkeys(REFUSED, 0.0)
    for name in (service, f"{service}-2"):
        text = (await http.get(f"http://127.0.0.1:{engine.ops_ports[name]}/metrics")).text
        for line in text.splitlines():
            metric, _, value = line.rpartition(" ")
            if metric.partition("{")[0] in counted:
                counted[metric.partition("{")[0]] += float(value)
    return counted
